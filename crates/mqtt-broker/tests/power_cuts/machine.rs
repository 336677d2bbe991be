//! The broker's machine: the real core, the real store on a disk that loses power, and what a shell does between them.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    time::Duration,
};

use bytes::Bytes;
use mqtt_broker::{
    Settings,
    store::{RedbStore, StoreError, testing::PowerCutDisk},
    testing::StoreTask,
};
use mqtt_broker_core::{Broker, ConnectionId, Output, STORE_FORMAT, StoreOperation};
use mqtt_protocol::{Decoder, Instant, Packet, ReasonCode};

use crate::LinkNumber;

/// A machine that runs.
pub(crate) struct Machine {
    pub(crate) disk: PowerCutDisk,
    broker: Broker,
    task: StoreTask,
    /// What time it was for the broker when it started, and for the world.
    started: (Instant, Duration),
    deadline: Option<Instant>,
    connections: BTreeMap<LinkNumber, (ConnectionId, Decoder)>,
    link_by_connection: BTreeMap<ConnectionId, LinkNumber>,
    /// Operations of which the store's task has not heard.
    pending: Vec<StoreOperation>,
    /// What is to be written next, and how many operations there were with it.
    group: Option<(Vec<StoreOperation>, u64)>,
    n_durable: u64,
    held: BTreeMap<LinkNumber, Held>,
    is_store_failing: bool,
    effects: Vec<Effect>,
}

/// What goes out to the network.
#[derive(Debug)]
pub(crate) enum Effect {
    Send(LinkNumber, Vec<u8>),
    Close(LinkNumber),
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Committed {
    Yes,
    /// It is tried again.
    NotYet,
    PowerIsGone,
}

/// Output of one connection that waits for the store.
#[derive(Default)]
struct Held {
    chunks: VecDeque<(u64, Vec<u8>)>,
    is_closing: bool,
}

impl Machine {
    /// Opens what is on the disk.
    pub(crate) fn start(
        disk: &PowerCutDisk,
        settings: &Settings,
        time: Duration,
    ) -> Result<Self, StoreError> {
        let store = Box::new(RedbStore::open(disk.clone(), STORE_FORMAT)?);
        let (task, broker, now, restored) = StoreTask::start(settings, 7, store, wall_clock(time))?;
        assert_eq!(restored.unreadable, [], "every record can be read");
        let mut machine = Self {
            disk: disk.clone(),
            broker,
            task,
            started: (now, time),
            deadline: None,
            connections: BTreeMap::new(),
            link_by_connection: BTreeMap::new(),
            pending: Vec::new(),
            group: None,
            n_durable: 0,
            held: BTreeMap::new(),
            is_store_failing: false,
            effects: Vec::new(),
        };
        machine.drain(now);
        Ok(machine)
    }

    /// What there is for the network since the last call.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        mem::take(&mut self.effects)
    }

    pub(crate) fn open(&mut self, link: LinkNumber, time: Duration) {
        let now = self.now(time);
        let id = self.broker.open(now);
        let decoder = Decoder::new(self.broker.settings().decoder_settings());
        self.connections.insert(link, (id, decoder));
        self.link_by_connection.insert(id, link);
        self.drain(now);
    }

    /// A Client's bytes came, in one read.
    pub(crate) fn feed(&mut self, link: LinkNumber, bytes: Vec<u8>, time: Duration) {
        let now = self.now(time);
        let Some((id, decoder)) = self.connections.get_mut(&link) else {
            return;
        };
        let packets = decode(decoder, bytes);
        self.broker.handle_packets(*id, packets, now);
        self.drain(now);
    }

    /// A Client is gone.
    pub(crate) fn close(&mut self, link: LinkNumber, time: Duration) {
        let now = self.now(time);
        self.held.remove(&link);
        if let Some((id, _)) = self.connections.remove(&link) {
            self.link_by_connection.remove(&id);
            self.broker.handle_close(id, now);
            self.drain(now);
        }
    }

    /// Meets a deadline that has come.
    pub(crate) fn pass_time(&mut self, time: Duration) {
        if self.is_due(time) {
            let now = self.now(time);
            self.broker.handle_timeout(now);
            self.drain(now);
        }
    }

    /// Whether a deadline has come.
    pub(crate) fn is_due(&self, time: Duration) -> bool {
        let now = self.now(time);
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Lets the store's task take what gathered, if it has nothing to do.
    pub(crate) fn take_group(&mut self) {
        if self.group.is_none() {
            self.group = Some((mem::take(&mut self.pending), self.broker.store_sequence()));
        }
    }

    pub(crate) fn has_group(&self) -> bool {
        self.group.is_some()
    }

    /// Whether somebody or something waits for the store.
    pub(crate) fn is_busy(&self) -> bool {
        self.group.is_some() || !self.pending.is_empty() || !self.held.is_empty()
    }

    /// Writes the group, and tells those who waited for it how that went.
    pub(crate) fn commit(&mut self, time: Duration) -> Committed {
        let Some((operations, sequence)) = self.group.take() else {
            return Committed::Yes;
        };
        let now = self.now(time);
        let outcome = self.task.write(operations, now, wall_clock(time));
        if self.disk.is_without_power() {
            return Committed::PowerIsGone;
        }
        match outcome {
            Ok(()) => {
                if mem::take(&mut self.is_store_failing) {
                    self.broker.set_store_failing(false);
                }
                self.n_durable = sequence;
                self.release();
            }
            Err(_) => {
                self.is_store_failing = true;
                self.broker.set_store_failing(true);
                for (link, held) in mem::take(&mut self.held) {
                    if held.is_closing {
                        self.effects.push(Effect::Close(link));
                    } else if let Some((id, _)) = self.connections.get(&link) {
                        self.broker.disconnect(*id, ReasonCode::QuotaExceeded, now);
                    }
                }
                self.group = Some((mem::take(&mut self.pending), self.broker.store_sequence()));
            }
        }
        self.drain(now);
        match outcome {
            Ok(()) => Committed::Yes,
            Err(_) => Committed::NotYet,
        }
    }

    fn now(&self, time: Duration) -> Instant {
        self.started.0 + (time - self.started.1)
    }

    /// Does what a shell does.
    fn drain(&mut self, now: Instant) {
        loop {
            match self.broker.poll_output() {
                Output::Transmit {
                    connection,
                    after,
                    bytes,
                } => self.transmit(connection, after, bytes, now),
                Output::Close { connection } => {
                    if let Some(link) = self.link_by_connection.remove(&connection) {
                        self.connections.remove(&link);
                        match self.held.get_mut(&link) {
                            Some(held) => held.is_closing = true,
                            None => self.effects.push(Effect::Close(link)),
                        }
                    }
                }
                Output::Event(_) => {}
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    break;
                }
            }
        }
        self.pending.extend(self.broker.take_store_operations());
    }

    fn transmit(&mut self, connection: ConnectionId, after: u64, bytes: Vec<u8>, now: Instant) {
        let Some(&link) = self.link_by_connection.get(&connection) else {
            return;
        };
        if after <= self.n_durable && !self.held.contains_key(&link) {
            self.effects.push(Effect::Send(link, bytes));
        } else if self.is_store_failing {
            self.broker
                .disconnect(connection, ReasonCode::QuotaExceeded, now);
        } else {
            let held = self.held.entry(link).or_default();
            held.chunks.push_back((after, bytes));
        }
    }

    fn release(&mut self) {
        let (n_durable, effects) = (self.n_durable, &mut self.effects);
        self.held.retain(|&link, held| {
            while held
                .chunks
                .front()
                .is_some_and(|(after, _)| *after <= n_durable)
                && let Some((_, bytes)) = held.chunks.pop_front()
            {
                effects.push(Effect::Send(link, bytes));
            }
            if held.chunks.is_empty() && held.is_closing {
                effects.push(Effect::Close(link));
            }
            !held.chunks.is_empty()
        });
    }
}

/// What the machine's clock shows: some day on which it has been set.
fn wall_clock(time: Duration) -> Duration {
    Duration::from_secs(1_800_000_000) + time
}

/// A packet's bytes.
pub(crate) fn decode(decoder: &mut Decoder, bytes: Vec<u8>) -> Vec<Packet> {
    decoder.feed(Bytes::from(bytes));
    let mut packets = Vec::new();
    while let Some(packet) = decoder
        .next_packet()
        .expect("both sides send valid packets")
    {
        packets.push(packet);
    }
    packets
}
