//! The dashboard as a person meets it: cards with readings, pumps with switches, a connection badge.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Browser, Role, eventually};

/// An open page.
pub(crate) struct Dashboard {
    pub(crate) browser: Browser,
}

/// A probe's card: what is read on it.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) status: String,
    /// The figure as it is shown, to one decimal.
    pub(crate) value: String,
}

/// What a pump's switch shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SwitchLook {
    /// What the pump says, by `aria-checked`.
    pub(crate) checked: bool,
    /// The state in a word, as the style sheet sees it.
    pub(crate) state: String,
    /// Everything on the pump's card.
    pub(crate) text: String,
}

impl Dashboard {
    pub(crate) async fn open(url: &str) -> Self {
        let browser = Browser::open(url).await;
        Self { browser }
    }

    /// Waits until that many probes have a live reading.
    pub(crate) async fn live_cards(&self, at_least: usize) -> BTreeMap<String, Card> {
        eventually(&format!("{at_least} probes are live"), async || {
            let mut cards = self.cards().await?;
            cards.retain(|_, card| card.status == "live");
            (cards.len() >= at_least).then_some(cards)
        })
        .await
    }

    /// The probes' cards by name.
    pub(crate) async fn cards(&self) -> Option<BTreeMap<String, Card>> {
        let cards = self.browser.script(CARDS).await?;
        cards.as_array()?.iter().map(card).collect()
    }

    /// The pictures that the charts show, one text each.
    pub(crate) async fn pictures(&self) -> Option<Vec<String>> {
        let pictures = self.browser.script(PICTURES).await?;
        Some(pictures.as_array()?.iter().map(Value::to_string).collect())
    }

    /// Why there is no connection, in the page's words.
    pub(crate) async fn connection_notice(&self) -> Option<String> {
        Some(
            self.browser
                .script(CONNECTION_NOTICE)
                .await?
                .as_str()?
                .to_owned(),
        )
    }

    /// How long each frame took, in milliseconds: the script leaves it in `window.frames_ms` when it is done.
    pub(crate) async fn frames(&self, script: &str) -> Vec<f64> {
        self.browser.script(script).await;
        eventually("the script has drawn its frames", async || {
            let frames = self.browser.script("return window.frames_ms;").await?;
            serde_json::from_value(frames).ok()
        })
        .await
    }

    /// From here on keeps what the page says about its connection, as each of it may stand for a moment only.
    pub(crate) async fn note_connection_notices(&self) {
        self.browser.script(NOTE_NOTICES).await.unwrap();
    }

    pub(crate) async fn connection_notices(&self) -> Option<Vec<String>> {
        let notices = self.browser.script("return window.notices;").await?;
        serde_json::from_value(notices).ok()
    }

    /// The connection badge's state in a word, as the style sheet sees it.
    pub(crate) async fn connection_state(&self) -> Option<String> {
        Some(
            self.browser
                .script(CONNECTION_STATE)
                .await?
                .as_str()?
                .to_owned(),
        )
    }

    /// Presses a button or a link.
    pub(crate) async fn press(&self, role: Role, name: &str) {
        let element = self.browser.named(role, name).await;
        element.click().await.unwrap();
    }

    /// Types into a field, or chooses, in the place of what stands there.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let field = self.browser.named(Role::Field, name).await;
        // What is chosen from cannot be cleared, and need not be.
        let _ = field.clear().await;
        field.send_keys(text).await.unwrap();
    }

    /// Waits for a text on the page.
    pub(crate) async fn reads(&self, text: &str) {
        eventually(&format!("the page reads {text:?}"), async || {
            let page = self
                .browser
                .script("return document.body.innerText;")
                .await?;
            page.as_str()?.contains(text).then_some(())
        })
        .await;
    }

    /// Presses a pump's switch.
    pub(crate) async fn press_switch(&self, pump: &str) {
        self.browser
            .named(Role::Switch, pump)
            .await
            .click()
            .await
            .unwrap();
    }

    pub(crate) async fn switch(&self, pump: &str) -> Option<SwitchLook> {
        let switch = self.browser.find(Role::Switch, pump).await?;
        // In one go: what is asked for in two may come from before and after a message.
        let look = self
            .browser
            .client
            .execute(SWITCH, vec![serde_json::to_value(&switch).ok()?])
            .await
            .ok()?;
        Some(SwitchLook {
            checked: look.get("checked")?.as_str()? == "true",
            state: look.get("state")?.as_str()?.to_owned(),
            text: look.get("text")?.as_str()?.to_owned(),
        })
    }

    /// Waits for a switch to look a certain way.
    pub(crate) async fn switch_that(
        &self,
        pump: &str,
        what: &str,
        wanted: impl Fn(&SwitchLook) -> bool,
    ) -> SwitchLook {
        eventually(&format!("{pump} {what}"), async || {
            self.switch(pump).await.filter(|look| wanted(look))
        })
        .await
    }
}

fn card(card: &Value) -> Option<(String, Card)> {
    let text = |key| Some(card.get(key)?.as_str()?.trim().to_owned());
    Some((
        text("name")?,
        Card {
            status: text("status")?,
            value: text("value")?,
        },
    ))
}

const CARDS: &str = r"
    return [...document.querySelectorAll('.probe-card')].map(card => ({
        name: card.querySelector('a').textContent,
        status: card.dataset.status,
        value: card.querySelector('.probe-card-value strong').textContent,
    }));
";

const PICTURES: &str = r"
    return [...document.querySelectorAll('canvas')].map(canvas => {
        const empty = document.createElement('canvas');
        empty.width = canvas.width;
        empty.height = canvas.height;
        const picture = canvas.toDataURL();
        return picture === empty.toDataURL() ? '' : picture;
    });
";

const CONNECTION_NOTICE: &str = r"
    return document.querySelector('.connection-notice p').innerText;
";

const NOTE_NOTICES: &str = r"
    window.notices = [];
    new MutationObserver(() => {
        const notice = document.querySelector('.connection-notice p');
        if (notice) window.notices.push(notice.innerText);
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
    return true;
";

const CONNECTION_STATE: &str = r"
    return document.querySelector('.connection-badge').dataset.state;
";

const SWITCH: &str = r"
    const card = arguments[0].closest('.pump-card');
    const checked = arguments[0].getAttribute('aria-checked');
    return { checked, state: card.dataset.state, text: card.innerText };
";
