//! Moves what is to be stored from the supervisor to the store, and the store's answers back.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::{Driver, Wake};
use crate::{SessionStore, StoreError, StoreFuture};

/// A [`SessionStore`] for [`Options::session_store`](crate::Options).
///
/// A client without one carries nothing of all that: only [`new`](Self::new) names it.
#[derive(Clone)]
pub struct SharedStore {
    store: Rc<dyn SessionStore>,
    begin: fn(&Driver, &Rc<dyn SessionStore>),
    flush: fn(&Driver, &Rc<dyn SessionStore>),
}

impl SharedStore {
    /// Keeps the session in this store.
    #[must_use]
    pub fn new(store: impl SessionStore + 'static) -> Self {
        Self {
            store: Rc::new(store),
            begin,
            flush,
        }
    }

    pub(super) fn begin(&self, driver: &Driver) {
        (self.begin)(driver, &self.store);
    }

    /// Writes what there is to write.
    pub(super) fn flush(&self, driver: &Driver) {
        (self.flush)(driver, &self.store);
    }
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedStore")
    }
}

fn begin(driver: &Driver, store: &Rc<dyn SessionStore>) {
    let wake = driver.wake.clone();
    let lost = wake.clone();
    let loading = store.load(Box::new(move |error| {
        lost.with_supervisor(|supervisor, now| supervisor.handle_store_failed(error, now));
    }));
    spawn_local(async move {
        let result = in_time(loading).await;
        let since_1970 = Duration::from_millis(js_sys::Date::now() as u64);
        wake.with_supervisor(|supervisor, now| match result {
            Ok(records) => {
                let wall_clock_at_start = since_1970.saturating_sub(now.since_start());
                supervisor.restore(records, wall_clock_at_start, now);
            }
            Err(error) => supervisor.handle_load_failed(error, now),
        });
    });
}

/// One batch at a time: what gathers meanwhile is the next one.
fn flush(driver: &Driver, store: &Rc<dyn SessionStore>) {
    if driver.is_writing.get() {
        return;
    }
    let mut supervisor = driver.supervisor.borrow_mut();
    let operations = supervisor.take_store_operations();
    let sequence = supervisor.store_sequence();
    drop(supervisor);
    if operations.is_empty() {
        return;
    }
    driver.is_writing.set(true);
    let writing = store.write(operations);
    let (store, wake) = (Rc::clone(store), driver.wake.clone());
    spawn_local(async move {
        match in_time(writing).await {
            Ok(()) => {
                wake.done_writing();
                wake.with_supervisor(|supervisor, now| supervisor.handle_stored(sequence, now));
            }
            Err(error) => {
                wake.with_supervisor(|supervisor, now| supervisor.handle_store_failed(error, now));
                // It has failed anyway.
                let _ = store.erase().await;
            }
        }
    });
}

impl Wake {
    fn done_writing(&self) {
        if let Some(driver) = self.0.upgrade() {
            driver.is_writing.set(false);
        }
    }
}

/// Waits for a store, which may never answer.
async fn in_time<T>(mut future: StoreFuture<T>) -> Result<T, StoreError> {
    // Two timers: one that is late because the page slept fires before the store had its time.
    for _ in 0..2 {
        let mut timeout = TimeoutFuture::new(STORE_TIMEOUT_MILLISECONDS / 2);
        let poll = |context: &mut Context<'_>| match future.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => Pin::new(&mut timeout).poll(context).map(|()| None),
        };
        if let Some(result) = poll_fn(poll).await {
            return result;
        }
    }
    Err(StoreError::Timeout)
}

const STORE_TIMEOUT_MILLISECONDS: u32 = 10_000;
