//! The one broker core, its lock, and the connections by their names in it.

use std::{
    mem,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mqtt_broker_core::{
    Action, Authenticator, Broker, ConnectionId, Counters, Event, Output, Recorder, Responder,
    StoreOperation,
};
use mqtt_protocol::{Decoder, Instant, ReasonCode, TopicName};
use tokio::{
    net::tcp::OwnedWriteHalf,
    runtime,
    sync::{Notify, oneshot},
    time,
};

use crate::{
    Settings, StoreCounters,
    connection::{Connection, Transport},
    flush_list::FlushList,
    held_output::HeldOutput,
    log,
    store::StoreError,
    websocket::CloseCode,
};

/// What all tasks share.
#[derive(Debug)]
pub(crate) struct Hub {
    settings: Settings,
    start: time::Instant,
    /// The broker core's time at `start`: it goes on over restarts.
    start_of_core: Instant,
    /// Of the runtime.
    n_threads: usize,
    core: Mutex<Core>,
    /// Tells the timer's task that the core's deadline has come nearer.
    deadline_moved: Notify,
    /// Tells the store's task that there is something to do.
    store_wanted: Notify,
    /// Whether so much waits for the store that those who wait for it may not send more.
    is_store_behind: AtomicBool,
}

#[derive(Debug)]
struct Core {
    broker: Broker,
    /// By the place that is part of their names.
    connections: Vec<Option<Arc<Connection>>>,
    /// When the timer's task wakes; never after the core's own deadline.
    deadline: Option<Instant>,
    /// The Close frame of those that the core closes.
    close_code: CloseCode,
    store: StoreState,
}

/// What the hub knows of the store.
#[derive(Debug, Default)]
struct StoreState {
    /// Whether there is one, and somebody who writes to it.
    is_kept: bool,
    /// What there is to do.
    operations: Vec<StoreOperation>,
    /// Bytes of payload in them and in what is being written.
    n_bytes: usize,
    /// Of those, what is being written.
    n_bytes_taken: usize,
    /// How many operations are durable.
    n_durable: u64,
    held: HeldOutput,
    /// Why nothing can be written, if that is so.
    failure: Option<String>,
    backups: Vec<BackupRequest>,
    /// Whether others who share the store wait for it.
    do_others_wait: bool,
    counters: StoreCounters,
}

/// Somebody wants a copy of the store.
#[derive(Debug)]
pub(crate) struct BackupRequest {
    /// Where it is to be.
    pub(crate) file: PathBuf,
    pub(crate) answer: oneshot::Sender<Result<(), StoreError>>,
}

/// What there is for the store's task to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreWork {
    None,
    /// Nobody waits for it.
    Eventually,
    /// Somebody waits.
    Now,
}

impl Hub {
    /// Goes on with this broker, whose time is `now`.
    pub(crate) fn new(settings: Settings, broker: Broker, now: Instant) -> Self {
        Self {
            core: Mutex::new(Core {
                broker,
                connections: Vec::new(),
                deadline: None,
                close_code: CloseCode::NORMAL,
                store: StoreState::default(),
            }),
            settings,
            start: time::Instant::now(),
            start_of_core: now,
            n_threads: runtime::Handle::current().metrics().num_workers(),
            deadline_moved: Notify::new(),
            store_wanted: Notify::new(),
            is_store_behind: AtomicBool::new(false),
        }
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many threads can send at once.
    pub(crate) const fn n_threads(&self) -> usize {
        self.n_threads
    }

    /// A decoder for a new connection.
    pub(crate) fn decoder(&self) -> Decoder {
        Decoder::new(self.settings.broker.decoder_settings())
    }

    /// Makes a socket known to the core.
    pub(crate) fn open(
        &self,
        writer: OwnedWriteHalf,
        transport: Transport,
        flushes: &mut FlushList,
    ) -> Arc<Connection> {
        self.run_core(flushes, |core, now| {
            let id = core.broker.open(now);
            let connection = Arc::new(Connection::new(id, writer, transport));
            if core.connections.len() <= id.index() {
                core.connections.resize(id.index() + 1, None);
            }
            core.connections[id.index()] = Some(Arc::clone(&connection));
            connection
        })
    }

    pub(crate) fn set_authenticator(&self, authenticator: Box<dyn Authenticator>) {
        self.lock().broker.set_authenticator(authenticator);
    }

    pub(crate) fn set_recorder(&self, recorder: Box<dyn Recorder>) {
        self.lock().broker.set_recorder(recorder);
    }

    pub(crate) fn set_responder(&self, responder: Box<dyn Responder>) {
        self.lock().broker.set_responder(responder);
    }

    pub(crate) fn is_authorized(&self, connection: ConnectionId, action: Action<'_>) -> bool {
        self.lock().broker.is_authorized(connection, action)
    }

    pub(crate) fn is_reachable(&self, connection: ConnectionId, topic_name: &TopicName) -> bool {
        self.lock().broker.is_reachable(connection, topic_name)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.lock().broker.counters()
    }

    /// A connection was closed before the core knew of it.
    pub(crate) fn count_refused(&self) {
        self.lock().broker.count_refused();
    }

    /// The Network Connection is gone without a word. Saying so twice is harmless.
    pub(crate) fn close(&self, id: ConnectionId, flushes: &mut FlushList) {
        self.run_core(flushes, |core, now| {
            core.take_connection(id);
            core.store.held.forget(id);
            core.broker.handle_close(id, now);
        });
    }

    /// Runs the core and lets what comes out wait in the buffers of the connections that it touched;
    /// those that the caller has to flush are added to `flushes`.
    pub(crate) fn run<R>(
        &self,
        flushes: &mut FlushList,
        act: impl FnOnce(&mut Broker, Instant) -> R,
    ) -> R {
        self.run_core(flushes, |core, now| act(&mut core.broker, now))
    }

    /// The core's deadline has come.
    pub(crate) fn handle_timeout(&self, flushes: &mut FlushList) {
        self.run_core(flushes, |core, now| {
            core.deadline = None;
            core.broker.handle_timeout(now);
        });
    }

    /// Says goodbye to everybody.
    pub(crate) fn shut_down(&self, flushes: &mut FlushList) {
        self.run_core(flushes, |core, now| {
            core.close_code = CloseCode::GOING_AWAY;
            core.broker.shut_down(now);
        });
    }

    /// What the store's task has to do; [`Self::store_wanted`] tells when to ask again.
    pub(crate) fn store_work(&self) -> StoreWork {
        let core = self.lock();
        let store = &core.store;
        if !store.held.is_empty() || !store.backups.is_empty() || store.do_others_wait {
            StoreWork::Now
        } else if core.store.operations.is_empty() {
            StoreWork::None
        } else {
            StoreWork::Eventually
        }
    }

    /// Waits until there is more for the store to do.
    pub(crate) async fn store_wanted(&self) {
        self.store_wanted.notified().await;
    }

    pub(crate) fn is_store_behind(&self) -> bool {
        self.is_store_behind.load(Ordering::Relaxed)
    }

    /// From here on somebody writes to a store.
    pub(crate) fn begin_to_store(&self) {
        self.lock().store.is_kept = true;
    }

    /// Nobody writes any more: who still waits for a copy gets none.
    pub(crate) fn end_to_store(&self) {
        let mut core = self.lock();
        core.store.is_kept = false;
        core.store.backups.clear();
    }

    /// What is to be written, and how many operations there were with it.
    pub(crate) fn take_store_operations(&self) -> (Vec<StoreOperation>, u64) {
        let mut core = self.lock();
        core.take_store_operations(&self.is_store_behind);
        core.store.n_bytes_taken = core.store.n_bytes;
        core.store.do_others_wait = false;
        let operations = mem::take(&mut core.store.operations);
        (operations, core.broker.store_sequence())
    }

    /// So many operations are durable: all that were taken.
    pub(crate) fn stored(&self, n_durable: u64, counters: StoreCounters, flushes: &mut FlushList) {
        let limits = &self.settings.connections.output;
        let mut late = FlushList::default();
        self.run_core(flushes, |core, now| {
            let (store, broker) = (&mut core.store, &mut core.broker);
            if store.failure.take().is_some() {
                tracing::warn!("the store takes writes again");
                broker.set_store_failing(false);
            }
            store.n_durable = n_durable;
            store.counters = counters;
            store.n_bytes -= mem::take(&mut store.n_bytes_taken);
            self.is_store_behind
                .store(store.n_bytes > STORE_BACKLOG_MAX, Ordering::Relaxed);
            let fell_behind = store.held.release(n_durable, limits, &mut late, |memory| {
                broker.recycle(memory)
            });
            for id in fell_behind {
                broker.set_writable(id, false, now);
            }
        });
        flushes.append(late);
    }

    /// Nothing can be written for now.
    pub(crate) fn store_failed(&self, reason: &str, flushes: &mut FlushList) {
        let mut late = FlushList::default();
        self.run_core(flushes, |core, now| {
            if core.store.failure.replace(reason.to_owned()).is_none() {
                core.broker.set_store_failing(true);
            }
            for id in core.store.held.abandon(&mut late) {
                core.broker.disconnect(id, ReasonCode::QuotaExceeded, now);
            }
        });
        flushes.append(late);
    }

    /// Others who share the store wait for what they have to write.
    pub(crate) fn ask_to_store(&self, flushes: &mut FlushList) {
        self.run_core(flushes, |core, _| {
            core.store.do_others_wait = core.store.is_kept;
            core.broker.note_change_by_others();
        });
    }

    /// Lets the store's task write a copy.
    pub(crate) fn ask_for_backup(&self, request: BackupRequest) {
        let mut core = self.lock();
        // Without a store the request goes, and with it whoever would have answered.
        if core.store.is_kept {
            core.store.backups.push(request);
            self.store_wanted.notify_one();
        }
    }

    pub(crate) fn take_backup_requests(&self) -> Vec<BackupRequest> {
        mem::take(&mut self.lock().store.backups)
    }

    pub(crate) fn store_counters(&self) -> StoreCounters {
        self.lock().store.counters
    }

    /// Why nothing can be written, if that is so.
    pub(crate) fn store_failure(&self) -> Option<String> {
        self.lock().store.failure.clone()
    }

    /// When the timer's task has to wake; [`Self::deadline_moved`] tells when to ask again.
    pub(crate) fn deadline(&self) -> Option<time::Instant> {
        let deadline = self.lock().deadline?;
        Some(self.start + deadline.saturating_duration_since(self.start_of_core))
    }

    /// The broker core's time.
    pub(crate) fn now(&self) -> Instant {
        self.start_of_core + self.start.elapsed()
    }

    /// Waits until the deadline is nearer than it was.
    pub(crate) async fn deadline_moved(&self) {
        self.deadline_moved.notified().await;
    }

    fn run_core<R>(&self, flushes: &mut FlushList, act: impl FnOnce(&mut Core, Instant) -> R) -> R {
        let now = self.now();
        let mut events = Vec::new();
        let mut core = self.lock();
        let result = act(&mut core, now);
        let deadline = core.drain(&self.settings, flushes, &mut events, now);
        let has_moved = deadline.is_some_and(|deadline| core.bring_forward(deadline));
        let is_store_wanted = core.take_store_operations(&self.is_store_behind);
        drop(core);
        if is_store_wanted {
            self.store_wanted.notify_one();
        }
        if has_moved {
            self.deadline_moved.notify_one();
        }
        for event in events {
            log::event(&event);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic inside the core is a bug that has cost one Client its connection; the others go on.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Carries out what the core wants done; the result is its deadline.
    fn drain(
        &mut self,
        settings: &Settings,
        flushes: &mut FlushList,
        events: &mut Vec<Event>,
        now: Instant,
    ) -> Option<Instant> {
        loop {
            match self.broker.poll_output() {
                Output::Transmit {
                    connection: id,
                    after,
                    mut bytes,
                } => {
                    if after > self.store.n_durable || self.store.held.contains(id) {
                        self.hold(id, after, bytes, settings, now);
                        continue;
                    }
                    if let Some(connection) = find(&self.connections, id) {
                        let appended = connection.append(&mut bytes, &settings.connections.output);
                        if appended.must_flush {
                            flushes.push(Arc::clone(connection));
                        }
                        if appended.fell_behind {
                            self.broker.set_writable(id, false, now);
                        }
                    }
                    self.broker.recycle(mem::take(&mut bytes));
                }
                Output::Close { connection: id } => {
                    if let Some(connection) = self.take_connection(id)
                        && !self.store.held.close(id, self.close_code)
                        && connection.close(self.close_code)
                    {
                        flushes.push(connection);
                    }
                }
                Output::Event(event) => events.push(event),
                Output::Timeout(deadline) => return deadline,
            }
        }
    }

    /// Lets output wait for the store.
    fn hold(
        &mut self,
        id: ConnectionId,
        after: u64,
        bytes: Vec<u8>,
        settings: &Settings,
        now: Instant,
    ) {
        if self.store.failure.is_some() {
            // It may never be true: nobody is told, and nobody is left waiting.
            self.broker.disconnect(id, ReasonCode::QuotaExceeded, now);
        } else if let Some(connection) = find(&self.connections, id) {
            let limits = &settings.connections.output;
            if self.store.held.push(connection, after, bytes, limits) {
                self.broker.set_writable(id, false, now);
            }
        }
    }

    /// Takes what the core has for the store; tells whether the store's task must hear of it.
    fn take_store_operations(&mut self, is_behind: &AtomicBool) -> bool {
        let operations = self.broker.take_store_operations();
        if operations.is_empty() {
            return false;
        }
        let store = &mut self.store;
        store.n_bytes += operations
            .iter()
            .map(StoreOperation::size_hint)
            .sum::<usize>();
        is_behind.store(store.n_bytes > STORE_BACKLOG_MAX, Ordering::Relaxed);
        if store.operations.is_empty() {
            store.operations = operations;
        } else {
            store.operations.extend(operations);
        }
        true
    }

    /// The timer never waits longer than this; it may wake for nothing when the deadline has moved away.
    fn bring_forward(&mut self, deadline: Instant) -> bool {
        let is_nearer = self.deadline.is_none_or(|armed| deadline < armed);
        if is_nearer {
            self.deadline = Some(deadline);
        }
        is_nearer
    }

    fn take_connection(&mut self, id: ConnectionId) -> Option<Arc<Connection>> {
        self.connections
            .get_mut(id.index())?
            .take_if(|connection| connection.id == id)
    }
}

fn find(connections: &[Option<Arc<Connection>>], id: ConnectionId) -> Option<&Arc<Connection>> {
    connections
        .get(id.index())?
        .as_ref()
        .filter(|connection| connection.id == id)
}

/// Bytes of payload that may wait for the store before those who sent them must wait too.
const STORE_BACKLOG_MAX: usize = 64 * 1024 * 1024;
