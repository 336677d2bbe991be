//! Where the broker is, and how the page looks. Kept in this browser.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use crate::{
    dom::value_of,
    link::Link,
    piece::Piece,
    preferences,
    signal::Signal,
    store::{use_connection, use_link},
};

/// The page at `/settings`.
#[must_use]
pub fn settings_page() -> Piece {
    let link = use_link();
    let connection = use_connection();
    let error = Rc::new(Signal::new(""));
    let (submitted, reset) = (Rc::clone(&error), Rc::clone(&error));
    let theme = preferences::theme();
    let piece = Piece::new(include_str!("settings.html"), move |places| {
        let error = error.get();
        places.text("error", error);
        places.attribute(
            "address",
            "aria-invalid",
            (!error.is_empty()).then_some("true"),
        );
        // What is typed afterwards is the field's own.
        places.attribute("address", "value", Some(&link.address.get_untracked()));
        places.attribute(&theme, "checked", Some(""));
        let connection = connection.read();
        match connection.reason() {
            Some(reason) => places.text("state", &[connection.title(), ": ", reason].concat()),
            None => places.text("state", connection.title()),
        }
        places.text("connected", &link.address.get());
        let trip = link.round_trip.get();
        places.text(
            "trip",
            if trip.is_empty() {
                "not measured yet"
            } else {
                &trip
            },
        );
    });
    let field: Option<HtmlInputElement> = piece.element("address").map(JsCast::unchecked_into);
    let typed = field.clone();
    piece
        .on("form", "submit", move |event| {
            event.prevent_default();
            let typed = typed
                .as_ref()
                .map(HtmlInputElement::value)
                .unwrap_or_default();
            submitted.set(connect(link, typed.trim()));
        })
        .on("reset", "click", move |_| {
            preferences::keep_broker_address(None);
            let address = preferences::default_broker_address();
            if let Some(field) = &field {
                field.set_value(&address);
            }
            reset.set("");
            link.connect(address);
        })
        .on("theme", "change", |event| {
            preferences::keep_theme(&value_of(&event))
        })
}

/// Connects to an address and keeps it; or says what is wrong with it.
fn connect(link: &'static Link, address: &str) -> &'static str {
    if !is_address(address) {
        return "That is not an address: it begins with ws:// or wss:// and names a host.";
    }
    preferences::keep_broker_address(Some(address));
    link.connect(address.into());
    ""
}

fn is_address(address: &str) -> bool {
    let host = address
        .strip_prefix("ws://")
        .or_else(|| address.strip_prefix("wss://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(' '))
}
