//! The browser's page: what every part of ours reaches of it.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Document, Event, EventTarget, HtmlElement, HtmlInputElement, Window};

/// The browser's window.
#[must_use]
pub fn window() -> Window {
    web_sys::window().expect("the page is in a window")
}

/// The browser's document.
#[must_use]
pub fn document() -> Document {
    window().document().expect("a window has a document")
}

/// Moves the focus to the first element that a selector means, unless a control of the page has taken it meanwhile.
pub fn offer_focus(selector: &str) {
    if let Ok(None) = document().query_selector("main :focus:not(h1)") {
        focus(selector);
    }
}

/// Moves the focus to the first element that a selector means.
pub fn focus(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector) {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.unchecked_into::<HtmlElement>().focus();
    }
}

/// Calls back on every event of one kind, as long as it is kept.
pub struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Begins to listen.
    #[must_use]
    pub fn new(target: EventTarget, event: &'static str, callback: Box<dyn FnMut(Event)>) -> Self {
        let callback = Closure::wrap(callback);
        // Nothing refuses a listener that is a function.
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self {
            target,
            event,
            callback,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.callback.as_ref().unchecked_ref();
        // It was added, so it is there to be removed.
        let _ = self
            .target
            .remove_event_listener_with_callback(self.event, function);
    }
}

/// What the field or the choice holds that an event tells of.
#[must_use]
pub fn value_of(event: &Event) -> String {
    // Whatever has a value is asked for it in the same way.
    let field = event
        .target()
        .map(JsCast::unchecked_into::<HtmlInputElement>);
    field.map(|field| field.value()).unwrap_or_default()
}
