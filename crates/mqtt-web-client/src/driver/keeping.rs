//! Moves what is to be stored from the supervisor to the store, and the store's answers back.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;

use super::{Driver, Wake, call_after};
use crate::{Receipt, SessionStore, StoreError, StoreFuture, receipt};

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
    let (lost, gone) = (wake.clone(), Rc::downgrade(store));
    let loading = store.load(Box::new(move |error| {
        lost.with_supervisor(|supervisor, now| supervisor.handle_store_failed(error, now));
        // The page goes on without it, so that the next one would find what is not true any more.
        if let Some(store) = gone.upgrade() {
            spawn_local(async move {
                let _ = store.erase().await;
            });
        }
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
    let mut patience = Patience::default();
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Pending if patience.is_over(context) => Poll::Ready(Err(StoreError::Timeout)),
        result @ (Poll::Ready(_) | Poll::Pending) => result,
    })
    .await
}

/// The time that a store has.
///
/// Two timers: one that is late because the page slept fires before the store had its time.
#[derive(Default)]
struct Patience {
    n_elapsed: u8,
    /// Kept as long as it is to run.
    timer: Option<(Timeout, Receipt<()>)>,
}

impl Patience {
    /// Whether it is over; if not, the task is woken then.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        while self.n_elapsed < 2 {
            let (_, elapsed) = self.timer.get_or_insert_with(|| {
                let (answer, elapsed) = receipt::pair();
                let elapse = Box::new(move || answer.give(()));
                (call_after(STORE_TIMEOUT_MILLISECONDS / 2, elapse), elapsed)
            });
            if Pin::new(elapsed).poll(context).is_pending() {
                return false;
            }
            self.timer = None;
            self.n_elapsed += 1;
        }
        true
    }
}

const STORE_TIMEOUT_MILLISECONDS: u32 = 10_000;
