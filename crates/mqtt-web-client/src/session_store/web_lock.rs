//! Who has what among the tabs, by Web Locks. By reflection, as web-sys does not count them as stable.

use std::{cell::Cell, rc::Rc};

use gloo_timers::callback::Timeout;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

use super::{property, text};
use crate::{
    driver::call_after,
    receipt::{self, Receipt},
};

/// A lock that is held until this is dropped or the page ends.
pub(super) struct WebLock {
    release: Function,
}

/// What became of a request for a lock.
pub(super) enum Locking {
    Held(WebLock),
    /// Another has it.
    Taken,
    /// The browser has no locks for this page.
    Unsupported,
}

impl Drop for WebLock {
    fn drop(&mut self) {
        // It resolves a promise, which does not fail.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// Asks for the lock of this name; the timer, which is to be kept as long, gives up when it has not come.
pub(super) fn lock(name: &str, patience_milliseconds: u32) -> (Receipt<Locking>, Option<Timeout>) {
    let (answer, receipt) = receipt::pair();
    let answer = Rc::new(Cell::new(Some(answer)));
    let give = move |locking| {
        if let Some(answer) = answer.take() {
            answer.give(locking);
        }
    };
    let granted = Closure::once({
        let give = give.clone();
        move |_lock: JsValue| -> JsValue {
            let mut release = None;
            let promise = Promise::new(&mut |resolve, _| release = Some(resolve));
            if let Some(release) = release {
                give(Locking::Held(WebLock {
                    release: release.unchecked_into(),
                }));
            }
            promise.into()
        }
    });
    let controller = AbortController::new().ok();
    let request = || -> Option<Promise> {
        let navigator = property(&js_sys::global(), "navigator")?;
        let locks = property(&navigator, "locks")?;
        let options = Object::new();
        if let Some(controller) = &controller {
            Reflect::set(&options, &"signal".into(), &controller.signal()).ok()?;
        }
        let request = property(&locks, "request")?.unchecked_into::<Function>();
        let promise = request.call3(&locks, &name.into(), &options, granted.as_ref());
        Some(promise.ok()?.unchecked_into())
    };
    let Some(promise) = request() else {
        return (receipt::given(Locking::Unsupported), None);
    };
    let patience = controller
        .map(|controller| call_after(patience_milliseconds, Box::new(move || controller.abort())));
    spawn_local(async move {
        // It ends with the lock.
        if let Err(error) = JsFuture::from(promise).await {
            give(if text(&error, "name").as_deref() == Some("AbortError") {
                Locking::Taken
            } else {
                Locking::Unsupported
            });
        }
        drop(granted);
    });
    (receipt, patience)
}
