//! A page that was just opened, its broker, and what a person finds on it.

use std::{cell::RefCell, rc::Rc};

use dashboard::{
    app::App,
    components::frame::FrameTask,
    dom::{document, window},
    in_page_broker::{InPageBroker, InPageDevice},
};
use field::COMMAND_FILTER;
use gloo_timers::future::TimeoutFuture;
use mqtt_protocol::{Properties, Publish, QoS, TopicFilter, TopicName, WillMessage};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement};

use crate::role::{self, spoken};

/// A page that was just opened in a browser that keeps nothing yet, and its broker.
pub(crate) struct Page {
    pub(crate) broker: Rc<InPageBroker>,
    /// Who takes the commands of every pump. Without it they reach nobody.
    pub(crate) pumps: Option<InPageDevice>,
}

impl Page {
    /// Opens the field, connected to a broker that keeps nothing.
    pub(crate) async fn open() -> Self {
        let page = Self::open_with(|_| ()).await;
        page.reads("status", "", "Connected").await;
        page
    }

    /// Opens the field after the broker was prepared.
    pub(crate) async fn open_with(prepare: impl FnOnce(&InPageBroker)) -> Self {
        Self::open_at("/", || (), prepare).await
    }

    /// Opens the page at an address, in a browser that keeps something already, after the broker was prepared.
    pub(crate) async fn open_at(
        address: &str,
        keep: impl FnOnce(),
        prepare: impl FnOnce(&InPageBroker),
    ) -> Self {
        close_last().await;
        window().local_storage().unwrap().unwrap().clear().unwrap();
        let tab = window().session_storage().unwrap().unwrap();
        tab.clear().unwrap();
        keep();
        go_to(address);
        let broker = Rc::new(InPageBroker::listen(DEFAULT_ADDRESS));
        prepare(&broker);
        let pumps = connect_device(&broker, "pumps/status");
        pumps.subscribe(TopicFilter::new(COMMAND_FILTER).unwrap());
        OPEN.set(Some(App::open()));
        Self {
            broker,
            pumps: Some(pumps),
        }
    }

    /// Loads the page once more, as it stands.
    pub(crate) async fn reload(&self) {
        close_last().await;
        OPEN.set(Some(App::open()));
    }

    /// Types into a field.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let field = self.find("textbox", name).await;
        field.unchecked_into::<HtmlInputElement>().set_value(text);
    }

    /// A device says something.
    pub(crate) fn says(&self, topic: &str, payload: &str) {
        self.broker.publish(&topic_name(topic), payload, false);
    }

    /// A device says something that the broker keeps.
    pub(crate) fn keeps(&self, topic: &str, payload: &str) {
        self.broker.publish(&topic_name(topic), payload, true);
    }

    /// The first element of a role that is shown, if there is one. An empty name is any name.
    pub(crate) fn sees(&self, role: &str, name: &str) -> Option<HtmlElement> {
        role::find(&root()?, role, name)
    }

    /// The same, waited for.
    pub(crate) async fn find(&self, role: &str, name: &str) -> HtmlElement {
        let what = format!("a {role} {name:?}");
        until(&what, || self.sees(role, name)).await
    }

    /// Waits until an element of a role reads so, in part.
    pub(crate) async fn reads(&self, role: &str, name: &str, text: &str) {
        let what = format!("a {role} {name:?} that reads {text:?}");
        until(&what, || {
            role::find_all(&root()?, role, name)
                .into_iter()
                .find(|element| spoken(element).contains(text))
        })
        .await;
    }

    /// Waits until no element of a role is shown.
    pub(crate) async fn loses(&self, role: &str, name: &str) {
        let what = format!("no {role} {name:?}");
        until(&what, || self.sees(role, name).is_none().then_some(())).await;
    }

    /// The card of a probe or a pump, by its heading.
    pub(crate) async fn card(&self, name: &str) -> Card {
        let heading = self.find("heading", name).await;
        let card = heading.closest("article").unwrap().unwrap();
        Card(card.unchecked_into())
    }

    /// Presses a button, a switch or a link.
    pub(crate) async fn press(&self, role: &str, name: &str) {
        self.find(role, name).await.click();
    }

    /// What the page has published since the last call, save for what it asks the history.
    pub(crate) async fn published(&self) -> Vec<Publish> {
        settle().await;
        let mut published = self.broker.take_published();
        published.retain(|publish| !is_question(publish));
        published
    }
}

/// The card of a probe or a pump.
pub(crate) struct Card(HtmlElement);

impl Card {
    /// The card as it is read.
    pub(crate) fn text(&self) -> String {
        spoken(&self.0)
    }

    /// Waits until the card reads so, in part.
    pub(crate) async fn reads(&self, text: &str) {
        let what = format!("a card that reads {text:?}");
        until(&what, || self.text().contains(text).then_some(())).await;
    }

    /// An element within the card.
    pub(crate) fn sees(&self, role: &str, name: &str) -> Option<HtmlElement> {
        role::find(&self.0, role, name)
    }
}

/// Whether it asks the broker's history.
pub(crate) fn is_question(publish: &Publish) -> bool {
    let topic_name = publish.topic_name.as_ref().map(TopicName::as_str);
    topic_name == Some("rootzone/history/get")
}

/// Connects a device whose Will says that it is offline.
pub(crate) fn connect_device(broker: &InPageBroker, topic: &str) -> InPageDevice {
    broker.connect_device(WillMessage {
        topic_name: topic_name(topic),
        payload: "offline".into(),
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: Properties::default(),
    })
}

pub(crate) fn topic_name(topic: &str) -> TopicName {
    TopicName::new(topic).unwrap()
}

/// Waits for something, and says what it was if it does not come.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = js_sys::Date::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        let shown = root().map(|root| spoken(&root)).unwrap_or_default();
        assert!(
            js_sys::Date::now() - start < PATIENCE_MS,
            "there should be {what}, but the page reads: {shown}"
        );
        TimeoutFuture::new(POLL_MS).await;
    }
}

/// Lets everything happen that is due: what was pressed is on the wire, and what came is shown.
pub(crate) async fn settle() {
    let framed = Rc::new(RefCell::new(false));
    let frame = Rc::clone(&framed);
    let task = FrameTask::new(move || *frame.borrow_mut() = true);
    task.request();
    until("a frame", || framed.borrow().then_some(())).await;
    // Whatever a frame or an event began goes on in microtasks, which end before the next task.
    TimeoutFuture::new(0).await;
}

/// The page's outer element.
pub(crate) fn root() -> Option<Element> {
    document().query_selector(".page").unwrap()
}

/// Lets the browser be at an address of the page.
fn go_to(address: &str) {
    let history = window().history().unwrap();
    history
        .push_state_with_url(&JsValue::NULL, "", Some(address))
        .unwrap();
}

/// Closes the page of the last test, also if that failed and so could not do it itself.
async fn close_last() {
    // The link may still wait for a frame.
    settle().await;
    drop(OPEN.take());
    while let Some(left) = root() {
        left.remove();
    }
}

thread_local! {
    /// What is dropped when the page is closed.
    static OPEN: RefCell<Option<App>> = const { RefCell::new(None) };
}

/// Where a debug build looks for its broker.
pub(crate) const DEFAULT_ADDRESS: &str = "ws://127.0.0.1:8080/mqtt";
const POLL_MS: u32 = 4;
const PATIENCE_MS: f64 = 10_000.0;
