//! What this browser keeps: the brokers, and the theme.

use web_sys::Storage;

use crate::{
    dom::{document, window},
    state::{Broker, Brokers},
};

/// The brokers that this browser remembers; `None` if it does not let the page keep anything.
#[must_use]
pub fn brokers() -> Option<Brokers> {
    let storage = storage(&Kind::Browser)?;
    let mut brokers = match storage.get_item(BROKERS).ok()? {
        Some(text) => Brokers::parse(&text),
        None => Brokers::default(),
    };
    for broker in &mut brokers.known {
        if broker.is_password_missing
            && let Some(password) = tab_password(broker.label())
        {
            broker.set_password(&password);
        }
    }
    Some(brokers)
}

/// Keeps them; says whether the browser did.
#[must_use]
pub fn keep_brokers(brokers: &Brokers) -> bool {
    write(&Kind::Browser, BROKERS, Some(&brokers.to_json()))
}

/// The address that an earlier version of the page kept, once.
#[must_use]
pub fn take_old_address() -> Option<String> {
    let address = read(BROKER)?;
    write(&Kind::Browser, BROKER, None);
    Some(address)
}

/// The password that this tab knows of a broker.
fn tab_password(label: &str) -> Option<String> {
    storage(&Kind::Tab)?.get_item(&tab_key(label)).ok()?
}

/// Lets this tab know a broker's password, unless it is kept with the rest, or forget it.
pub fn keep_tab_password(label: &str, broker: Option<&Broker>) {
    let password = broker
        .filter(|broker| !broker.keeps_password)
        .map(Broker::password)
        .filter(|password| !password.is_empty());
    write(&Kind::Tab, &tab_key(label), password);
}

fn tab_key(label: &str) -> String {
    ["rootzone.password ", label].concat()
}

/// The broker that served this page. A debug build looks where `cargo run -p rootzone` listens.
#[must_use]
pub fn default_broker_address() -> String {
    if cfg!(debug_assertions) {
        return "ws://127.0.0.1:8080/mqtt".into();
    }
    let location = window().location();
    let scheme = match location.protocol().as_deref() {
        Ok("https:") => "wss://",
        _ => "ws://",
    };
    [scheme, &location.host().unwrap_or_default(), "/mqtt"].concat()
}

/// `auto`, `light` or `dark`.
#[must_use]
pub fn theme() -> String {
    read(THEME).unwrap_or_else(|| "auto".into())
}

/// Keeps a theme and shows it.
pub fn keep_theme(theme: &str) {
    write(&Kind::Browser, THEME, (theme != "auto").then_some(theme));
    show(theme);
}

/// Shows the theme that was kept.
pub fn show_theme() {
    show(&theme());
}

fn show(theme: &str) {
    if let Some(root) = document().document_element() {
        // Neither name nor value can be one that the document refuses.
        let _ = root.set_attribute("data-theme", theme);
    }
}

/// How long something is kept.
enum Kind {
    Browser,
    Tab,
}

// A browser may forbid storage altogether; then nothing is kept, and the defaults hold.

fn storage(kind: &Kind) -> Option<Storage> {
    match kind {
        Kind::Browser => window().local_storage().ok()?,
        Kind::Tab => window().session_storage().ok()?,
    }
}

fn read(key: &str) -> Option<String> {
    storage(&Kind::Browser)?.get_item(key).ok()?
}

fn write(kind: &Kind, key: &str, value: Option<&str>) -> bool {
    let written = storage(kind).map(|storage| match value {
        Some(value) => storage.set_item(key, value),
        None => storage.remove_item(key),
    });
    matches!(written, Some(Ok(())))
}

const BROKERS: &str = "rootzone.brokers";
/// Where an earlier version of the page kept one address.
const BROKER: &str = "rootzone.broker";
const THEME: &str = "rootzone.theme";
