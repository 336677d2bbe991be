//! The one task that lets the store keep what the broker core wants kept.

use std::{sync::Arc, time::Duration};

use mqtt_broker_core::{
    Broker, CorruptRecord, FIRST_BYTE_OF_OTHERS, Restoration, Settings as BrokerSettings,
    StoreOperation,
};
use tokio::{
    select,
    sync::watch,
    task::{self, yield_now},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    Settings, StoreCounters,
    flush_list::FlushList,
    hub::{BackupRequest, Hub, StoreWork},
    store::{ChangeSet, Store, StoreError},
    store_clock::{self, Reading},
    store_group::StoreGroup,
    timer::stopped,
};

/// What a store had when the server started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Sessions that go on.
    pub n_sessions: u64,
    /// Messages that wait in them.
    pub n_queued_messages: u64,
    /// Retained messages.
    pub n_retained_messages: u64,
    /// Why records could not be read, one for each of them.
    pub unreadable: Vec<CorruptRecord>,
}

/// Makes a broker of what the store has; the result is also what time it is for it.
/// `clocks` are read at the very start of its own clock.
pub(crate) fn restore(
    settings: &Settings,
    seed: u64,
    store: &mut dyn Store,
    clocks: &Reading,
) -> Result<(Broker, mqtt_protocol::Instant, Restored), StoreError> {
    let mut census = Census {
        restoration: Restoration::new(settings.broker.clone(), seed),
        stored: None,
        unreadable: Vec::new(),
    };
    store.read_all(&mut |key, value| census.add(key, value))?;
    Ok(census.into_broker(clocks))
}

/// Says what a store has, for a person; the records are given in the order of their keys.
pub struct Census {
    restoration: Restoration,
    stored: Option<Reading>,
    unreadable: Vec<CorruptRecord>,
}

impl Census {
    /// Begins with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            restoration: Restoration::new(BrokerSettings::default(), 0),
            stored: None,
            unreadable: Vec::new(),
        }
    }

    /// Takes one record.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        if key == store_clock::KEY {
            self.stored = Reading::decode(value);
        } else if key
            .first()
            .is_some_and(|kind| *kind >= FIRST_BYTE_OF_OTHERS)
        {
            // Somebody else's, in the same store.
        } else if let Err(fault) = self.restoration.add(key, value) {
            self.unreadable.push(fault);
        }
    }

    /// What there is as it was stored; some may have expired since.
    #[must_use]
    pub fn finish(self) -> Restored {
        let then = self.stored.clone();
        let now = Reading::take(mqtt_protocol::Instant::START);
        self.into_broker(&then.unwrap_or(now)).2
    }

    fn into_broker(self, clocks: &Reading) -> (Broker, mqtt_protocol::Instant, Restored) {
        let now = self
            .stored
            .map_or(clocks.now, |stored| clocks.resume_from(&stored));
        let broker = self.restoration.finish(now);
        let counters = broker.counters();
        let restored = Restored {
            n_sessions: counters.sessions,
            n_queued_messages: counters.queued_messages,
            n_retained_messages: counters.retained_messages,
            unreadable: self.unreadable,
        };
        (broker, now, restored)
    }
}

impl Default for Census {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes what there is to write, in groups: whatever gathered while the last one was written.
pub(crate) async fn keep(
    hub: Arc<Hub>,
    store: Box<dyn Store>,
    mut is_closing: watch::Receiver<bool>,
) {
    hub.begin_to_store();
    keep_until_closed(&hub, store, &mut is_closing).await;
    hub.end_to_store();
}

async fn keep_until_closed(
    hub: &Arc<Hub>,
    store: Box<dyn Store>,
    is_closing: &mut watch::Receiver<bool>,
) {
    let mut keeper = Some(Keeper::new(store));
    let mut flushes = FlushList::default();
    let mut clocks = Reading::take(hub.now());
    let mut is_last = false;
    let mut must_retry = false;
    let mut complaint = Complaint::default();
    loop {
        if !is_last && !must_retry {
            is_last = select! {
                () = work(hub, &clocks) => false,
                () = stopped(is_closing) => true,
            };
        }
        let Some(mut busy) = keeper.take() else {
            return;
        };
        let (operations, sequence) = hub.take_store_operations();
        clocks = Reading::take(hub.now());
        let reading = clocks.clone();
        let backups = hub.take_backup_requests();
        let written = task::spawn_blocking(move || {
            let outcome = busy.write(operations, &reading);
            for BackupRequest { file, answer } in backups {
                let snapshot = busy.store.snapshot();
                // To copy takes long, and acknowledgements are waiting.
                task::spawn_blocking(move || {
                    // Whoever asked may have gone.
                    let _ = answer.send(snapshot.and_then(|copy| copy(&file)));
                });
            }
            (busy, outcome)
        });
        let Ok((idle, outcome)) = written.await else {
            // It panicked: what it knew is gone, and whoever waits must not be told otherwise.
            hub.store_failed("the store has failed; restart the broker", &mut flushes);
            flushes.flush_all(hub).await;
            return;
        };
        let counters = idle.counters();
        keeper = Some(idle);
        match outcome {
            Ok(()) => {
                hub.stored(sequence, counters, &mut flushes);
                must_retry = false;
                complaint = Complaint::default();
                flushes.flush_all(hub).await;
            }
            Err(error) => {
                complaint.log(&error);
                hub.store_failed(&error.to_string(), &mut flushes);
                flushes.flush_all(hub).await;
                must_retry = !is_last;
                if must_retry {
                    sleep(RETRY_AFTER).await;
                }
            }
        }
        if is_last && hub.store_work() == StoreWork::None {
            return;
        }
        yield_now().await;
    }
}

/// What is wrong is said once, and again every minute while it stays so.
#[derive(Default)]
struct Complaint {
    said: Option<(Instant, String)>,
}

impl Complaint {
    fn log(&mut self, error: &StoreError) {
        let text = error.to_string();
        let is_known = self
            .said
            .as_ref()
            .is_some_and(|(at, said)| at.elapsed() < COMPLAIN_AGAIN_AFTER && *said == text);
        if !is_known {
            tracing::error!(
                "cannot write to the store: {text}; what needs it is refused, and it is tried every second"
            );
            self.said = Some((Instant::now(), text));
        }
    }
}

/// Gives a store what there is to write, until it has it.
pub(crate) struct Keeper {
    store: Box<dyn Store>,
    /// What is not durable yet, perhaps because an earlier attempt failed.
    group: StoreGroup,
    changes: ChangeSet,
    /// As they were stored last; `None` if nobody knows.
    clocks: Option<Reading>,
    n_commits: u64,
}

impl Keeper {
    pub(crate) fn new(store: Box<dyn Store>) -> Self {
        Self {
            store,
            group: StoreGroup::default(),
            changes: ChangeSet::default(),
            clocks: None,
            n_commits: 0,
        }
    }

    /// Makes these operations durable, with those of earlier attempts that failed.
    pub(crate) fn write(
        &mut self,
        operations: Vec<StoreOperation>,
        clocks: &Reading,
    ) -> Result<(), StoreError> {
        self.group.extend(operations);
        let is_clock_to_be_set = self
            .clocks
            .as_ref()
            .is_none_or(|stored| clocks.has_jumped_since(stored));
        if self.group.is_empty() && !is_clock_to_be_set {
            // All of it has come and gone.
            return Ok(());
        }
        self.changes.clear();
        self.group.write_to(&mut self.changes);
        self.changes
            .put(store_clock::KEY, |bytes| clocks.encode(bytes));
        if let Err(error) = self.store.commit(&self.changes) {
            self.group.may_be_stored();
            // So that there is something to write, and nobody takes the store for well without having written.
            self.clocks = None;
            return Err(error);
        }
        self.n_commits += 1;
        self.clocks = Some(clocks.clone());
        self.group.clear();
        Ok(())
    }

    fn counters(&self) -> StoreCounters {
        StoreCounters {
            commits: self.n_commits,
            written_bytes: self.store.n_bytes_written(),
        }
    }
}

/// Waits until there is something to write.
///
/// What somebody waits for is written at once, the rest within [`LAZY`]: so a probe that publishes retained values
/// at QoS 0, for which nobody is promised anything, does not wear the disk out.
async fn work(hub: &Hub, clocks: &Reading) {
    let mut lazy = None;
    loop {
        match hub.store_work() {
            StoreWork::Now => return,
            StoreWork::Eventually => {
                let at = *lazy.get_or_insert_with(|| Instant::now() + LAZY);
                select! {
                    () = sleep_until(at) => return,
                    () = hub.store_wanted() => {}
                }
            }
            StoreWork::None => select! {
                () = hub.store_wanted() => {}
                () = sleep(CLOCK_CHECK) => {
                    if Reading::take(hub.now()).has_jumped_since(clocks) {
                        return;
                    }
                }
            },
        }
    }
}

/// For how long what nobody waits for may gather.
const LAZY: Duration = Duration::from_secs(1);

const COMPLAIN_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// After a failed attempt.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How often an idle store looks whether somebody has set the clock.
const CLOCK_CHECK: Duration = Duration::from_secs(60);
