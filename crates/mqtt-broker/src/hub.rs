//! The one broker core, its lock, and the connections by their names in it.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mqtt_broker_core::{Authenticator, Broker, ConnectionId, Counters, Event, Output};
use mqtt_protocol::{Decoder, Instant};
use tokio::{net::tcp::OwnedWriteHalf, runtime, sync::Notify, time};

use crate::{
    Settings,
    connection::{Connection, Transport},
    flush_list::FlushList,
    log,
    websocket::CloseCode,
};

/// What all tasks share.
#[derive(Debug)]
pub(crate) struct Hub {
    settings: Settings,
    start: time::Instant,
    /// Of the runtime.
    n_threads: usize,
    core: Mutex<Core>,
    /// Tells the timer's task that the core's deadline has come nearer.
    deadline_moved: Notify,
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
}

impl Hub {
    pub(crate) fn new(settings: Settings, seed: u64) -> Self {
        Self {
            core: Mutex::new(Core {
                broker: Broker::new(settings.broker.clone(), seed),
                connections: Vec::new(),
                deadline: None,
                close_code: CloseCode::NORMAL,
            }),
            settings,
            start: time::Instant::now(),
            n_threads: runtime::Handle::current().metrics().num_workers(),
            deadline_moved: Notify::new(),
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

    /// When the timer's task has to wake; [`Self::deadline_moved`] tells when to ask again.
    pub(crate) fn deadline(&self) -> Option<time::Instant> {
        let deadline = self.lock().deadline?;
        Some(self.start + deadline.since_start())
    }

    /// Waits until the deadline is nearer than it was.
    pub(crate) async fn deadline_moved(&self) {
        self.deadline_moved.notified().await;
    }

    fn run_core<R>(&self, flushes: &mut FlushList, act: impl FnOnce(&mut Core, Instant) -> R) -> R {
        let now = Instant::from_start(self.start.elapsed());
        let mut events = Vec::new();
        let mut core = self.lock();
        let result = act(&mut core, now);
        let deadline = core.drain(&self.settings, flushes, &mut events, now);
        let has_moved = deadline.is_some_and(|deadline| core.bring_forward(deadline));
        drop(core);
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
                    mut bytes,
                } => {
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
