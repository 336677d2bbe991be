//! The browser as the driver needs it: a clock, a seed, listeners.

use std::time::Duration;

use mqtt_protocol::Instant;
use wasm_bindgen::{JsCast as _, prelude::Closure};
use web_sys::{EventTarget, Performance, VisibilityState};

/// The monotonic clock of the page. The wall clock, which jumps, only where there is no other.
pub(super) struct Clock(Option<Performance>);

impl Clock {
    pub(super) fn new() -> Self {
        Self(web_sys::window().and_then(|window| window.performance()))
    }

    pub(super) fn now(&self) -> Instant {
        let milliseconds = self
            .0
            .as_ref()
            .map_or_else(js_sys::Date::now, Performance::now);
        Instant::from_start(Duration::from_micros((milliseconds * 1000.0) as u64))
    }
}

/// A number to begin the jitter with.
pub(super) fn seed() -> u64 {
    (js_sys::Math::random() * TWO_TO_THE_53) as u64
}

/// Whether the page can be seen; a worker counts as visible.
pub(super) fn is_visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_none_or(|document| document.visibility_state() != VisibilityState::Hidden)
}

/// An event listener that is removed when this is dropped.
pub(super) struct Listener {
    target: EventTarget,
    event_type: &'static str,
    closure: Closure<dyn FnMut()>,
}

impl Listener {
    pub(super) fn on_window(
        event_type: &'static str,
        callback: impl FnMut() + 'static,
    ) -> Option<Self> {
        Self::new(web_sys::window()?.into(), event_type, callback)
    }

    pub(super) fn on_document(
        event_type: &'static str,
        callback: impl FnMut() + 'static,
    ) -> Option<Self> {
        Self::new(web_sys::window()?.document()?.into(), event_type, callback)
    }

    fn new(
        target: EventTarget,
        event_type: &'static str,
        callback: impl FnMut() + 'static,
    ) -> Option<Self> {
        let closure = Closure::<dyn FnMut()>::new(callback);
        target
            .add_event_listener_with_callback(event_type, closure.as_ref().unchecked_ref())
            .ok()?;
        Some(Self {
            target,
            event_type,
            closure,
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.closure.as_ref().unchecked_ref();
        // It fails only for a listener that is not there.
        let _ = self
            .target
            .remove_event_listener_with_callback(self.event_type, callback);
    }
}

const TWO_TO_THE_53: f64 = 9_007_199_254_740_992.0;
