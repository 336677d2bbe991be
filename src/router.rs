//! Which page the address means, and getting from one to the other.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};

use crate::{
    dom::{Listener, window},
    signal::Signal,
    state::ProbeId,
};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Every zone.
    Field,
    /// One probe.
    Probe(ProbeId),
    /// The probes of one zone, side by side.
    Zone(String),
    /// Every pump.
    Pumps,
    /// What this browser keeps.
    Settings,
    /// Nothing stands there.
    NotFound,
}

impl Route {
    /// The page that a path means.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        match path.trim_end_matches('/') {
            "" | "/index.html" => Self::Field,
            "/pumps" => Self::Pumps,
            "/settings" => Self::Settings,
            other => match (other.strip_prefix("/probe/"), other.strip_prefix("/zone/")) {
                (Some(id), _) => Self::Probe(ProbeId::new(&decode(id))),
                (_, Some(zone)) => Self::Zone(decode(zone)),
                (None, None) => Self::NotFound,
            },
        }
    }
}

/// The address of a probe's page.
#[must_use]
pub fn probe_path(id: &ProbeId) -> String {
    let mut path = String::from("/probe");
    for level in id.as_str().split('/') {
        path.push('/');
        path.push_str(&String::from(js_sys::encode_uri_component(level)));
    }
    path
}

/// The address of a zone's page.
#[must_use]
pub fn zone_path(key: &str) -> String {
    String::from("/zone/") + &String::from(js_sys::encode_uri_component(key))
}

/// The path in the address, followed: links within the page and the browser's own buttons change it without a load.
///
/// It is followed for as long as the listeners are kept.
#[must_use]
pub fn follow_location() -> (Rc<Signal<String>>, [Listener; 2]) {
    let path = Rc::new(Signal::new(current_path()));
    let popped = {
        let path = Rc::clone(&path);
        move |_| path.set(current_path())
    };
    let clicked = {
        let path = Rc::clone(&path);
        move |event: web_sys::Event| {
            let event = event.unchecked_into();
            if let Some(href) = inner_link(&event) {
                event.prevent_default();
                go_to(&href);
                path.set(current_path());
            }
        }
    };
    let listeners = [
        Listener::new(window().into(), "popstate", Box::new(popped)),
        Listener::new(window().into(), "click", Box::new(clicked)),
    ];
    (path, listeners)
}

fn go_to(href: &str) {
    let pushed = window()
        .history()
        .and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(href)));
    if pushed.is_ok() {
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

fn current_path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// The address of the link that was clicked, if it leads to another page of ours in this very tab.
fn inner_link(event: &web_sys::MouseEvent) -> Option<String> {
    if event.default_prevented()
        || event.button() != 0
        || event.ctrl_key()
        || event.meta_key()
        || event.shift_key()
        || event.alt_key()
    {
        return None;
    }
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    let link = target.closest("a[href]").ok()??;
    let href = link.get_attribute("href")?;
    let is_inner = href.starts_with('/') && !link.has_attribute("download");
    is_inner.then_some(href)
}

/// What cannot be decoded is no probe's id either way.
fn decode(text: &str) -> String {
    js_sys::decode_uri_component(text).map_or_else(|_| text.into(), Into::into)
}
