//! Everything in one place: the broker, the model beside it, the Clients, the network and the clock.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    num::NonZeroU16,
    time::Duration,
};

use bytes::Bytes;
use fastrand::Rng;
use mqtt_broker_core::{Broker, ConnectionId, Event, Limits, Output, Settings};
use mqtt_protocol::{ClientEvent, ClientOutput, CloseReason, Instant, Packet, ReasonCode};

use crate::{
    ClientNumber, LinkNumber,
    client::{Client, Mood},
    model::{Model, Numbers},
    network::{Link, Piece},
};

/// One run.
pub(crate) struct World {
    rng: Rng,
    now: Instant,
    broker: Broker,
    /// The broker's.
    deadline: Option<Instant>,
    model: Model,
    clients: Vec<Client>,
    links: Vec<Link>,
    link_by_connection: BTreeMap<ConnectionId, LinkNumber>,
    agenda: BinaryHeap<Reverse<(Instant, u64, Happening)>>,
    n_planned: u64,
    next_message: u64,
    mood: Mood,
    counts: Counts,
    digest: u64,
    trace: Option<VecDeque<String>>,
}

/// What a run has done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) runs: u64,
    pub(crate) steps: u64,
    pub(crate) connections: u64,
    pub(crate) cuts: u64,
    /// Connections that were begun beside an older one.
    pub(crate) doubles: u64,
    pub(crate) virtual_time: Duration,
    pub(crate) numbers: Numbers,
}

/// What comes to its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    ArrivesAtServer(LinkNumber),
    ArrivesAtClient(LinkNumber),
    ServerLearnsOfCut(LinkNumber),
    ClientLearnsOfCut(LinkNumber),
    Timer(ClientNumber, LinkNumber),
    Turn(ClientNumber),
    Writable(LinkNumber),
}

impl World {
    pub(crate) fn new(seed: u64, is_traced: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let settings = Settings {
            limits: Limits {
                receive_maximum: NonZeroU16::new(rng.u16(1..8)).expect("not zero"),
                topic_alias_maximum: rng.u16(1..4),
                sent_topic_aliases: rng.u16(0..5),
                bytes_per_turn: if rng.bool() { 300 } else { 1 << 18 },
                ..Limits::default()
            },
            ..Settings::default()
        };
        let n_clients = rng.usize(3..12);
        let model = Model::new(settings.limits.connect_timeout);
        let mut world = Self {
            clients: (0..n_clients)
                .map(|number| Client::new(number, &mut rng))
                .collect(),
            rng,
            now: Instant::START,
            broker: Broker::new(settings, seed),
            deadline: None,
            model,
            links: Vec::new(),
            link_by_connection: BTreeMap::new(),
            agenda: BinaryHeap::new(),
            n_planned: 0,
            next_message: 0,
            mood: Mood::Wild,
            counts: Counts::default(),
            digest: 0xCBF2_9CE4_8422_2325,
            trace: is_traced.then(VecDeque::new),
        };
        for client in 0..n_clients {
            world.plan(Duration::from_millis(1), Happening::Turn(client));
        }
        world
    }

    /// Runs to the end; a panic is a violation.
    pub(crate) fn run(&mut self) {
        let wild = Duration::from_secs(self.rng.u64(20..90));
        self.run_for(wild);
        self.mood = Mood::Calm;
        for link in 0..self.links.len() {
            self.set_writable(link, true);
        }
        self.run_for(Duration::from_secs(30));
        // Between two pings.
        for _ in 0..N_PAUSES_MAX {
            if self.is_quiet() {
                break;
            }
            self.run_for(Duration::from_millis(100));
        }
        self.check_complete();
        self.mood = Mood::Leaving;
        for client in 0..self.clients.len() {
            self.clients[client].disconnect(Mood::Leaving, &mut self.rng);
            self.drain_client(client);
        }
        self.run_for(Duration::from_secs(20));
        self.check_empty();
        self.counts.virtual_time = self.now.since_start();
        self.counts.numbers = self.model.numbers;
    }

    pub(crate) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Differs between runs that differ in a byte or its time.
    pub(crate) const fn digest(&self) -> u64 {
        self.digest
    }

    /// What happened last, if it was asked for.
    pub(crate) fn trace(&self) -> impl Iterator<Item = &String> {
        self.trace.iter().flatten()
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let planned = self.agenda.peek().map(|Reverse((at, ..))| *at);
            let deadline = [self.deadline, self.model.deadline()]
                .into_iter()
                .flatten()
                .min();
            // Every input has a moment of its own.
            let next = planned.map(|at| at.max(self.now + Duration::from_nanos(1)));
            match (deadline, next) {
                (Some(deadline), _)
                    if deadline <= end && next.is_none_or(|next| deadline <= next) =>
                {
                    self.now = self.now.max(deadline);
                    self.counts.steps += 1;
                    self.model.advance(self.now);
                    self.broker.handle_timeout(self.now);
                    self.drain();
                }
                (_, Some(next)) if next <= end => {
                    self.now = next;
                    self.counts.steps += 1;
                    if let Some(Reverse((_, _, happening))) = self.agenda.pop() {
                        self.happen(happening);
                    }
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ArrivesAtServer(link) => match self.links[link].to_server.arrive() {
                Some(Piece::Bytes(bytes)) => self.handle_bytes_at_server(link, bytes),
                Some(Piece::End) => self.close_at_server(link),
                None => {}
            },
            Happening::ArrivesAtClient(link) => match self.links[link].to_client.arrive() {
                Some(Piece::Bytes(bytes)) => self.handle_bytes_at_client(link, bytes),
                Some(Piece::End) => self.close_at_client(link),
                None => {}
            },
            Happening::ServerLearnsOfCut(link) => self.close_at_server(link),
            Happening::ClientLearnsOfCut(link) => self.close_at_client(link),
            Happening::Timer(client, link) => self.handle_timer(client, link),
            Happening::Turn(client) => self.take_turn(client),
            Happening::Writable(link) => self.set_writable(link, true),
        }
    }

    fn take_turn(&mut self, client: ClientNumber) {
        let pause = Duration::from_millis(self.rng.u64(1..500));
        self.plan(pause, Happening::Turn(client));
        let link = self.clients[client]
            .online
            .as_ref()
            .map(|online| online.link);
        let is_cut = link.is_some_and(|link| self.links[link].is_cut);
        match (self.mood, link) {
            (Mood::Wild, None) if self.rng.u8(0..4) > 0 => {}
            (Mood::Wild | Mood::Calm, None) => self.connect(client),
            (Mood::Calm, Some(link)) if is_cut => self.close_at_client(link),
            (Mood::Calm, Some(_)) => {}
            (Mood::Leaving, None) if self.model.has_session(client) => self.connect(client),
            (Mood::Leaving, _) => {
                if self.clients[client].is_connected() {
                    self.clients[client].disconnect(Mood::Leaving, &mut self.rng);
                    self.drain_client(client);
                }
            }
            (Mood::Wild, Some(link)) if self.clients[client].is_connected() => {
                self.act(client, link);
            }
            (Mood::Wild, Some(link)) => match self.rng.u8(0..20) {
                0 => self.cut(link),
                1 => self.connect(client),
                _ => {}
            },
        }
    }

    /// Does one thing of those that a connected Client may do.
    fn act(&mut self, client: ClientNumber, link: LinkNumber) {
        match self.rng.u8(0..100) {
            0..50 => self.publish(client),
            50..54 => {
                for _ in 0..self.rng.u8(2..25) {
                    self.publish(client);
                }
            }
            54..72 => self.clients[client].subscribe(&mut self.rng),
            72..78 => self.clients[client].unsubscribe(&mut self.rng),
            78..81 => self.clients[client].disconnect(self.mood, &mut self.rng),
            81..87 => self.cut(link),
            87..90 => {
                self.counts.doubles += 1;
                self.connect(client);
            }
            90..93 => {
                self.set_writable(link, false);
                let pause = Duration::from_millis(self.rng.u64(1..3000));
                self.plan(pause, Happening::Writable(link));
            }
            _ => {}
        }
        self.drain_client(client);
    }

    fn publish(&mut self, client: ClientNumber) {
        self.clients[client].publish(&mut self.next_message, self.now, &mut self.rng);
    }

    fn connect(&mut self, client: ClientNumber) {
        let connect =
            self.clients[client].choose_connect(self.mood, &mut self.next_message, &mut self.rng);
        let connection = self.broker.open(self.now);
        let link = self.links.len();
        let version = connect.protocol_version;
        self.note(|| format!("link {link}: client {client} opens {connection}: {connect:?}"));
        let settings = self.broker.settings();
        self.links.push(Link::new(
            client,
            connection,
            version,
            settings,
            &mut self.rng,
        ));
        self.link_by_connection.insert(connection, link);
        self.model.open(client, version, self.now);
        self.counts.connections += 1;
        self.drain();
        self.clients[client].begin(link, connect, self.now);
        self.drain_client(client);
    }

    /// Neither side is told at once; the broker perhaps never.
    fn cut(&mut self, link: LinkNumber) {
        self.note(|| format!("link {link} is cut"));
        self.counts.cuts += 1;
        self.links[link].cut(&mut self.rng);
        let pause = Duration::from_millis(self.rng.u64(4000..9000));
        match self.rng.u8(0..10) {
            0..6 => self.plan_soon(Happening::ServerLearnsOfCut(link)),
            6..8 => self.plan(pause, Happening::ServerLearnsOfCut(link)),
            _ => {}
        }
        self.plan_soon(Happening::ClientLearnsOfCut(link));
    }

    fn handle_bytes_at_server(&mut self, link: LinkNumber, bytes: Bytes) {
        self.mix(&[link as u8, 0]);
        self.mix(&bytes);
        let at = &mut self.links[link];
        at.decoder.feed(bytes);
        let mut packets = Vec::new();
        while let Some(packet) = at.decoder.next_packet().expect("a Client is sound") {
            packets.push(packet);
        }
        // The model is ahead of the broker by a batch, so what changes who is who has one of its own.
        let is_batch = self.rng.bool();
        let mut batch = Vec::new();
        for packet in packets {
            let is_alone = matches!(packet, Packet::Connect(_) | Packet::Disconnect(_));
            if is_alone {
                self.handle_batch(link, std::mem::take(&mut batch));
            }
            batch.push(packet);
            if is_alone || !is_batch {
                self.handle_batch(link, std::mem::take(&mut batch));
            }
        }
        self.handle_batch(link, batch);
    }

    fn handle_batch(&mut self, link: LinkNumber, batch: Vec<Packet>) {
        for packet in &batch {
            self.note(|| format!("link {link} to broker: {packet:?}"));
            self.model.handle_packet(link, packet, self.now);
        }
        let connection = self.links[link].connection;
        self.broker.handle_packets(connection, batch, self.now);
        self.drain();
    }

    fn close_at_server(&mut self, link: LinkNumber) {
        self.note(|| format!("the broker learns that link {link} is gone"));
        let connection = self.links[link].connection;
        self.model.handle_close(link, self.now);
        self.broker.handle_close(connection, self.now);
        self.drain();
    }

    fn set_writable(&mut self, link: LinkNumber, writable: bool) {
        let connection = self.links[link].connection;
        self.model.set_writable(link, writable);
        self.broker.set_writable(connection, writable, self.now);
        self.drain();
    }

    /// Takes all effects of the broker.
    fn drain(&mut self) {
        loop {
            match self.broker.poll_output() {
                Output::Transmit {
                    connection, bytes, ..
                } => {
                    let link = self.link_by_connection[&connection];
                    self.note(|| format!("broker to link {link}: {bytes:02x?}"));
                    let bytes = Bytes::from(bytes);
                    self.mix(&[link as u8, 1]);
                    self.mix(&bytes);
                    self.model.handle_output(link, bytes.clone(), self.now);
                    self.send_to_client(link, bytes);
                }
                Output::Close { connection } => {
                    let link = self.link_by_connection[&connection];
                    self.note(|| format!("the broker closes link {link}"));
                    self.model.handle_closed_by_broker(link);
                    if !self.links[link].is_cut {
                        let is_calm = self.mood != Mood::Wild;
                        let direction = &mut self.links[link].to_client;
                        let at = direction.end(self.now, is_calm, &mut self.rng);
                        self.plan_at(at, Happening::ArrivesAtClient(link));
                    }
                }
                Output::Event(event) => self.handle_event(&event),
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    break;
                }
            }
        }
        // A long hand-over goes on in the next turn, which is due at once.
        let has_more = self.deadline.is_some_and(|deadline| deadline <= self.now);
        self.model.check_step(&self.broker.counters(), has_more);
    }

    fn handle_event(&mut self, event: &Event) {
        self.note(|| format!("{event:?}"));
        match event {
            Event::Connected { connection, .. }
            | Event::Refused { connection, .. }
            | Event::Disconnected { connection, .. } => {
                let link = self.link_by_connection[connection];
                self.model.handle_event(link, event);
            }
            Event::SessionEnded { .. } => {}
        }
    }

    fn handle_bytes_at_client(&mut self, link: LinkNumber, bytes: Bytes) {
        let client = self.links[link].client;
        let online = self.clients[client].online.as_mut();
        if let Some(online) = online.filter(|online| online.link == link) {
            online.connection.handle_input(bytes, self.now);
            self.drain_client(client);
        }
    }

    fn close_at_client(&mut self, link: LinkNumber) {
        let client = self.links[link].client;
        let online = self.clients[client].online.as_mut();
        if let Some(online) = online.filter(|online| online.link == link) {
            online.connection.handle_close();
            self.drain_client(client);
            self.clients[client].end();
        }
    }

    fn handle_timer(&mut self, client: ClientNumber, link: LinkNumber) {
        let online = self.clients[client].online.as_mut();
        if let Some(online) = online.filter(|online| online.link == link) {
            online.deadline = None;
            online.connection.handle_timeout(self.now);
            self.drain_client(client);
        }
    }

    /// Takes all effects of a Client.
    fn drain_client(&mut self, client: ClientNumber) {
        while let Some(online) = &mut self.clients[client].online {
            let link = online.link;
            match online.connection.poll_output() {
                ClientOutput::Transmit(bytes) => {
                    let bytes = self.links[link].abbreviate(bytes, &mut self.rng);
                    self.send_to_server(link, bytes.into());
                }
                ClientOutput::Event(event) => self.handle_client_event(client, link, event),
                ClientOutput::Close => {
                    if !self.links[link].is_cut {
                        let is_calm = self.mood != Mood::Wild;
                        let direction = &mut self.links[link].to_server;
                        let at = direction.end(self.now, is_calm, &mut self.rng);
                        self.plan_at(at, Happening::ArrivesAtServer(link));
                    }
                    self.clients[client].end();
                }
                ClientOutput::Timeout(deadline) => {
                    if let Some(at) = deadline
                        && online.deadline != deadline
                    {
                        online.deadline = deadline;
                        self.plan_at(at, Happening::Timer(client, link));
                    }
                    break;
                }
            }
        }
    }

    fn handle_client_event(&mut self, client: ClientNumber, link: LinkNumber, event: ClientEvent) {
        self.note(|| format!("client {client} on link {link}: {event:?}"));
        match event {
            ClientEvent::Connected(connack) => {
                self.model.client_connected(link, connack.session_present);
            }
            ClientEvent::Message(publish) => self.model.handle_received(link, &publish),
            ClientEvent::PublicationAcknowledged { token, reason_code } => {
                assert!(!reason_code.is_error(), "{token:?}: {reason_code:?}");
                let unfinished = self.clients[client].unfinished.remove(&token.0);
                if unfinished.expect("it is finished for the first time") {
                    self.model.check_acknowledged(token.0);
                }
            }
            ClientEvent::PublicationFailed { token, .. } => {
                let unfinished = self.clients[client].unfinished.remove(&token.0);
                assert!(unfinished.is_some(), "{token:?} is finished twice");
            }
            ClientEvent::Closed(reason) => self.handle_closed(client, link, &reason),
            ClientEvent::Subscribed { .. }
            | ClientEvent::Unsubscribed { .. }
            | ClientEvent::Pong { .. } => {}
        }
    }

    fn handle_closed(&mut self, client: ClientNumber, link: LinkNumber, reason: &CloseReason) {
        match reason {
            // It never heard of the session that the broker goes on with.
            CloseReason::Violation(ReasonCode::ProtocolError)
                if self.clients[client].is_without_session() =>
            {
                self.clients[client].has_to_start_anew = true;
            }
            CloseReason::Refused(_)
            | CloseReason::Violation(_)
            | CloseReason::ConnectNotEncodable(_) => {
                panic!("link {link} of client {client} ended by {reason:?}")
            }
            CloseReason::Disconnected(_)
            | CloseReason::ConnackTimeout
            | CloseReason::PingrespTimeout
            | CloseReason::ConnectionLost
            | CloseReason::ByCaller => {}
        }
    }

    fn send_to_server(&mut self, link: LinkNumber, bytes: Bytes) {
        if self.links[link].is_cut {
            return;
        }
        let is_calm = self.mood != Mood::Wild;
        let direction = &mut self.links[link].to_server;
        for at in direction.send(bytes, self.now, is_calm, &mut self.rng) {
            self.plan_at(at, Happening::ArrivesAtServer(link));
        }
    }

    fn send_to_client(&mut self, link: LinkNumber, bytes: Bytes) {
        if self.links[link].is_cut {
            return;
        }
        let is_calm = self.mood != Mood::Wild;
        let direction = &mut self.links[link].to_client;
        for at in direction.send(bytes, self.now, is_calm, &mut self.rng) {
            self.plan_at(at, Happening::ArrivesAtClient(link));
        }
    }

    fn is_quiet(&self) -> bool {
        self.clients.iter().all(|client| {
            client.online.as_ref().is_some_and(|online| {
                let link = &self.links[online.link];
                link.to_server.is_empty() && link.to_client.is_empty()
            })
        })
    }

    fn check_complete(&self) {
        assert!(self.is_quiet(), "the Clients never come to rest");
        for client in &self.clients {
            let number = client.number;
            let online = client.online.as_ref();
            let online = online.filter(|online| online.connection.is_connected());
            let Some(online) = online else {
                panic!("client {number} cannot connect");
            };
            let unfinished = &client.unfinished;
            assert!(unfinished.is_empty(), "client {number}: {unfinished:?}");
            let exchanges = &online.connection.session().exchanges;
            let n_outgoing =
                exchanges.outgoing.in_flight().len() + exchanges.outgoing.queued().len();
            assert_eq!(n_outgoing, 0, "client {number} has messages to send");
            let unreleased: Vec<_> = exchanges.incoming.packet_identifiers().collect();
            assert!(
                unreleased.is_empty() || self.model.is_uncertain(online.link),
                "client {number} waits for PUBRELs: {unreleased:?}"
            );
        }
        self.model.check_complete(self.now);
        let counters = self.broker.counters();
        assert_eq!(counters.queued_messages, 0, "queued messages");
        assert_eq!(counters.dropped_queue_full, 0, "dropped messages");
        assert_eq!(
            counters.connections,
            self.clients.len() as u64,
            "connections"
        );
    }

    fn check_empty(&self) {
        self.model.check_empty();
        let counters = self.broker.counters();
        let left = (
            counters.connections,
            counters.clients,
            counters.sessions,
            counters.subscriptions,
            counters.queued_messages,
        );
        assert_eq!(left, (0, 0, 0, 0, 0), "something is left");
    }

    fn plan(&mut self, after: Duration, happening: Happening) {
        self.plan_at(self.now + after, happening);
    }

    fn plan_soon(&mut self, happening: Happening) {
        let pause = Duration::from_millis(self.rng.u64(0..400));
        self.plan(pause, happening);
    }

    fn plan_at(&mut self, at: Instant, happening: Happening) {
        self.n_planned += 1;
        self.agenda.push(Reverse((at, self.n_planned, happening)));
    }

    /// FNV-1a.
    fn mix(&mut self, bytes: &[u8]) {
        let nanoseconds = self.now.since_start().as_nanos() as u64;
        for &byte in nanoseconds.to_le_bytes().iter().chain(bytes) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            if trace.len() >= N_TRACED {
                trace.pop_front();
            }
            let seconds = self.now.since_start().as_secs_f64();
            trace.push_back(format!("{seconds:>10.6} {}", line()));
        }
    }
}

const N_PAUSES_MAX: usize = 6000;

/// Lines that are kept for a failure.
const N_TRACED: usize = 100_000;
