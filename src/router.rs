//! Which page the address means, and getting from one to the other.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};

use crate::{
    dom::{Listener, window},
    signal::Signal,
    state::ProbeId,
    store::use_brokers,
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
    link_to(&path)
}

/// The address of a page of ours that shows the broker in use. Whoever asks is told when that is another one.
#[must_use]
pub fn link_to(path: &str) -> String {
    with_broker(path, &use_brokers().in_use())
}

/// The address of a page of ours that shows a broker; an empty label is the one that served it.
#[must_use]
pub fn with_broker(path: &str, label: &str) -> String {
    let mut address = String::from(path);
    push_field(&mut address, '?', BROKER, label);
    address
}

/// A field of the page's address; empty if it is not there.
#[must_use]
pub fn field_in_address(name: &str) -> String {
    let search = window().location().search().unwrap_or_default();
    let mut rest = search.strip_prefix('?').unwrap_or_default();
    while !rest.is_empty() {
        let (field, after) = rest.split_once('&').unwrap_or((rest, ""));
        if let Some((known, value)) = field.split_once('=')
            && known == name
        {
            return decode(value);
        }
        rest = after;
    }
    String::new()
}

/// Puts another value into a field of the page's address; an empty one leaves the field out.
///
/// Going back leads to another page, not through every step of a zoom. What is no field of ours may be
/// a secret, and is left out.
pub fn show_in_address(name: &str, value: &str) {
    let mut address = current_path();
    let mut joint = '?';
    for known in [BROKER, WINDOW, BESIDE] {
        let kept = (known != name).then(|| field_in_address(known));
        if push_field(&mut address, joint, known, kept.as_deref().unwrap_or(value)) {
            joint = '&';
        }
    }
    replace_address(&address);
}

fn push_field(address: &mut String, joint: char, name: &str, value: &str) -> bool {
    if value.is_empty() {
        return false;
    }
    address.push(joint);
    address.push_str(name);
    address.push('=');
    address.push_str(&String::from(js_sys::encode_uri_component(value)));
    true
}

/// Puts another address in the place of the page's.
pub fn replace_address(address: &str) {
    if let Ok(history) = window().history() {
        // An address of another site is refused, and too many at once; then it stays as it was.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// The address of a zone's page.
#[must_use]
pub fn zone_path(key: &str) -> String {
    let key = String::from(js_sys::encode_uri_component(key));
    link_to(&["/zone/", &key].concat())
}

/// The path in the address, followed: links within the page and the browser's own buttons change it without a load.
///
/// It is followed for as long as the listeners are kept; `moved` is called when the browser went to an earlier or later address.
#[must_use]
pub fn follow_location(moved: impl Fn() + 'static) -> (Rc<Signal<String>>, [Listener; 2]) {
    let path = Rc::new(Signal::new(current_path()));
    let popped = {
        let path = Rc::clone(&path);
        move |_| {
            moved();
            path.set(current_path());
        }
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

/// The path in the address.
#[must_use]
pub fn current_path() -> String {
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

/// What cannot be decoded means nothing either way.
#[must_use]
pub fn decode(text: &str) -> String {
    js_sys::decode_uri_component(text).map_or_else(|_| text.into(), Into::into)
}

/// The field of the address with the broker in use.
pub const BROKER: &str = "broker";
/// The field of the address with the part of time that charts show.
pub const WINDOW: &str = "window";
/// The field of the address with the probes that share a chart with the page's own.
pub const BESIDE: &str = "beside";
