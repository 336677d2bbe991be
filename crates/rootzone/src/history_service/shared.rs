//! The history, for those who write, read and count.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use history::{CorruptRecord, Counters, History, Key, Output, Restoration, Settings};
use mqtt_broker::store::{ChangeSet, RedbStore, StoreError};
use tokio::sync::watch;

use super::HistoryCounters;

/// One history. Nobody holds its lock while reading chunks, looking at all series' names or encoding an answer: only for
/// a reading, a plan, a few names, what one commit takes along, and once an hour, or at every step while chunks have to
/// go, a look at which ones.
#[derive(Debug)]
pub(crate) struct Shared {
    history: Mutex<History>,
    /// How many operations are durable.
    stored: watch::Sender<u64>,
    /// Milliseconds since the Unix epoch.
    clock: fn() -> i64,
    pub(super) beyond_series: Counter,
    /// What messages of probes should say and do not.
    pub(super) not_readings: Counter,
    pub(super) requests: Counter,
    pub(super) bad_requests: Counter,
    pub(super) answer_bytes: Counter,
}

/// What only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Shared {
    pub(super) fn new(history: History, clock: fn() -> i64) -> Self {
        Self {
            history: Mutex::new(history),
            stored: watch::Sender::new(0),
            clock,
            beyond_series: Counter::default(),
            not_readings: Counter::default(),
            requests: Counter::default(),
            bad_requests: Counter::default(),
            answer_bytes: Counter::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, History> {
        // A panic inside is a bug that has cost one reading or one answer; the others go on.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Writes down what is new; the result is how many operations there were with it.
    pub(super) fn write_to(&self, changes: &mut ChangeSet) -> u64 {
        let mut history = self.lock();
        write_to(&mut history, changes);
        history.store_sequence()
    }

    /// So many operations are durable.
    pub(super) fn handle_stored(&self, sequence: u64) {
        let now = self.now();
        self.lock().handle_stored(sequence, now);
        self.stored.send_replace(sequence);
    }

    /// Waits until so many operations are durable.
    pub(super) async fn stored(&self, sequence: u64) {
        let mut stored = self.stored.subscribe();
        // The sender lives as long as this.
        let _ = stored.wait_for(|stored| *stored >= sequence).await;
    }

    pub(super) fn counters(&self) -> HistoryCounters {
        let history = self.lock();
        let counters = history.counters();
        HistoryCounters {
            history: Counters {
                invalid: counters.invalid + self.not_readings.value(),
                ..counters
            },
            n_series: history.n_series() as u64,
            beyond_series: self.beyond_series.value(),
            requests: self.requests.value(),
            bad_requests: self.bad_requests.value(),
            answer_bytes: self.answer_bytes.value(),
        }
    }
}

/// The history that a store has, and which records of it cannot be read and are left out.
pub(crate) fn restore(
    store: &mut RedbStore,
    settings: Settings,
    now: i64,
) -> Result<(History, Vec<CorruptRecord>), StoreError> {
    let mut restoration = Restoration::new(settings);
    let mut corrupt = Vec::new();
    store.read_range(Key::RESTORED, &mut |key, value| {
        corrupt.extend(restoration.add(key, value).err());
    })?;
    Ok((restoration.finish(now), corrupt))
}

/// Drains a history into changes of its store.
pub(crate) fn write_to(history: &mut History, changes: &mut ChangeSet) {
    let mut name = Vec::new();
    loop {
        let (key, value) = match history.poll_output() {
            Output::Put { key, value } => (key, Some(value)),
            Output::Remove { key } => (key, None),
            Output::Timeout(_) => return,
        };
        name.clear();
        key.encode(&mut name);
        match value {
            Some(value) => changes.put(&name, |bytes| bytes.extend(value)),
            None => changes.remove(&name),
        }
    }
}
