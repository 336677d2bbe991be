//! The browser as the driver needs it: a clock, a seed, listeners.

use std::cell::Cell;

use gloo_timers::callback::Timeout;
use mqtt_protocol::Instant;
use wasm_bindgen::{JsCast as _, prelude::Closure};
use web_sys::{EventTarget, Performance};

use crate::clock;

/// The clock of the page.
pub(super) struct Clock {
    /// There is none in a worker, where the wall clock stands for it.
    monotonic: Option<Performance>,
    clock: Cell<clock::Clock>,
}

impl Clock {
    pub(super) fn new() -> Self {
        let monotonic = web_sys::window().and_then(|window| window.performance());
        let clock = clock::Clock::new(read(monotonic.as_ref()), js_sys::Date::now());
        Self {
            monotonic,
            clock: Cell::new(clock),
        }
    }

    pub(super) fn now(&self) -> Instant {
        let mut clock = self.clock.get();
        let now = clock.now(read(self.monotonic.as_ref()), js_sys::Date::now());
        self.clock.set(clock);
        now
    }
}

fn read(monotonic: Option<&Performance>) -> f64 {
    monotonic.map_or_else(js_sys::Date::now, Performance::now)
}

/// A number to begin the jitter with.
pub(crate) fn seed() -> u64 {
    (js_sys::Math::random() * TWO_TO_THE_53) as u64
}

/// Calls back after so long, unless the timer is dropped before. Compiled once for all callbacks.
pub(crate) fn call_after(milliseconds: u32, callback: Box<dyn FnOnce()>) -> Timeout {
    Timeout::new(milliseconds, callback)
}

/// Whether the page can be seen; a worker counts as visible.
pub(super) fn is_visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_none_or(|document| !document.hidden())
}

/// Listens to what in the life of the page may concern a connection, until this is dropped.
pub(super) struct PageListener {
    closure: Closure<dyn FnMut()>,
}

impl PageListener {
    pub(super) fn new(callback: Box<dyn FnMut()>) -> Self {
        let closure = Closure::wrap(callback);
        let callback = closure.as_ref().unchecked_ref();
        each_page_event(|target, event_type| {
            // It fails for no arguments of these types.
            let _ = target.add_event_listener_with_callback(event_type, callback);
        });
        Self { closure }
    }
}

impl Drop for PageListener {
    fn drop(&mut self) {
        let callback = self.closure.as_ref().unchecked_ref();
        each_page_event(|target, event_type| {
            // The same.
            let _ = target.remove_event_listener_with_callback(event_type, callback);
        });
    }
}

fn each_page_event(handle: impl Fn(&EventTarget, &str)) {
    let Some(window) = web_sys::window() else {
        return;
    };
    for event_type in ["pageshow", "online", "offline"] {
        handle(&window, event_type);
    }
    if let Some(document) = window.document() {
        for event_type in ["visibilitychange", "resume"] {
            handle(&document, event_type);
        }
    }
}

const TWO_TO_THE_53: f64 = 9_007_199_254_740_992.0;
