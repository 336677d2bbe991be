//! A page that is killed at any moment, on a bad network, between two peers that never fail.
//!
//! The page publishes numbers at QoS 2 to a peer that counts them, and another peer publishes numbers at QoS 2 to the
//! page. Every effect is a step of its own: a write becomes durable, the page hears of it, bytes leave, bytes arrive;
//! so a kill or a cut may come between any two.

mod broker;

use std::{collections::BTreeSet, env, time};

use fastrand::Rng;
use mqtt_broker_core::ConnectionId;
use mqtt_protocol::StoreOperation;

use self::broker::{Peer, Server};
use super::*;
use crate::{MemoryStore, SharedStore};

#[test]
fn a_page_that_is_killed_at_any_moment_loses_nothing_and_repeats_nothing() {
    let secs_of_run = number_from_environment("CRASH_SECONDS").unwrap_or(20);
    let began = time::Instant::now();
    let mut total = Counts::default();
    if let Some(seed) = number_from_environment("SEED") {
        total.add(&World::run(seed));
        println!("seed {seed}: {total:?}");
        return;
    }
    let since_1970 = time::UNIX_EPOCH.elapsed().unwrap();
    let first_seed = since_1970.as_nanos() as u64;
    let mut n_runs = 0;
    while began.elapsed().as_secs() < secs_of_run {
        let seed = first_seed.wrapping_add(n_runs);
        println!("seed {seed}");
        total.add(&World::run(seed));
        n_runs += 1;
    }
    println!("{n_runs} runs: {total:?}");
    // How many runs there were depends on the machine; what happened in each does not.
    assert!(n_runs >= 3, "too slow: {n_runs} runs");
    assert!(total.n_kills >= 10 * n_runs, "too few kills: {total:?}");
    assert!(
        total.n_published >= 200 * n_runs,
        "too few messages: {total:?}"
    );
}

fn number_from_environment(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[derive(Debug, Default)]
struct Counts {
    n_kills: u64,
    n_cuts: u64,
    n_published: u64,
    n_given: u64,
    /// Messages to the page whose receipt was durable when the page was killed before it had them.
    n_excused: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.n_kills += other.n_kills;
        self.n_cuts += other.n_cuts;
        self.n_published += other.n_published;
        self.n_given += other.n_given;
        self.n_excused += other.n_excused;
    }
}

/// Bytes on their way between the page and the Server.
struct Wire {
    generation: Generation,
    connection: ConnectionId,
    to_server: Vec<u8>,
    to_page: Vec<u8>,
    /// Follows the packets to the page.
    decoder: Decoder,
}

struct World {
    rng: Rng,
    now: Instant,
    server: Server,
    counter: Peer,
    source: Peer,
    store: MemoryStore,
    options: Options,
    /// `None` between two lives.
    page: Option<Supervisor>,
    /// Subtracted from the time, as each page's clock begins with it.
    page_began: Instant,
    wire: Option<Wire>,
    /// What is being stored.
    writing: Option<(Vec<StoreOperation>, u64)>,
    /// What is durable and the page has not heard of.
    stored: Option<u64>,
    /// Numbers that were ever durable.
    durable: BTreeSet<u64>,
    /// Pump commands that were asked for on the wire that there is, and not seen by the Server yet.
    commands: BTreeSet<u64>,
    n_commands: u64,
    is_subscribed: bool,
    subscription: Option<Subscribed>,
    n_sourced: u64,
    /// Numbers that the page was given, in all its lives.
    given: Vec<u64>,
    excused: BTreeSet<u64>,
    number_by_identifier: Vec<(u16, u64)>,
    counts: Counts,
}

impl World {
    fn run(seed: u64) -> Counts {
        let mut rng = Rng::with_seed(seed);
        let mut server = Server::new(seed);
        let mut counter = Peer::new("counter", &mut server);
        counter.subscribe(&["up", "pump"], &mut server);
        let source = Peer::new("source", &mut server);
        let store = MemoryStore::default();
        let version = match rng.bool() {
            true => ProtocolVersion::V5_0,
            false => ProtocolVersion::V3_1_1,
        };
        let options = Options {
            protocol_version: version,
            client_identifier: "page".to_owned(),
            session_expiry_interval_secs: u32::MAX,
            session_store: Some(SharedStore::new(store.clone())),
            ..options()
        };
        let mut world = Self {
            rng,
            now: START,
            server,
            counter,
            source,
            store,
            options,
            page: None,
            page_began: START,
            wire: None,
            writing: None,
            stored: None,
            durable: BTreeSet::new(),
            commands: BTreeSet::new(),
            n_commands: 0,
            is_subscribed: false,
            subscription: None,
            n_sourced: 0,
            given: Vec::new(),
            excused: BTreeSet::new(),
            number_by_identifier: Vec::new(),
            counts: Counts::default(),
        };
        for _ in 0..3000 {
            world.step(true);
        }
        world.calm_down();
        world.check();
        world.counts
    }

    fn step(&mut self, is_wild: bool) {
        let choice = self.rng.u32(0..1000);
        match choice {
            0..8 if is_wild => self.kill(),
            8..20 if is_wild => self.cut(),
            20..150 if is_wild => self.publish(),
            150..180 if is_wild => self.command(),
            180..280 if is_wild && self.is_subscribed => self.source(),
            280..330 => self.open_page(),
            330..480 => self.begin_write(),
            480..580 => self.end_write(),
            580..680 => self.tell_stored(),
            680..800 => self.carry_to_server(),
            800..920 => self.carry_to_page(),
            _ => self.pass_time(),
        }
    }

    fn open_page(&mut self) {
        if self.page.is_some() {
            return;
        }
        self.page_began = self.now;
        let seed = self.rng.u64(..);
        let mut page = Supervisor::new(self.options.clone(), true, seed, Instant::START);
        // The wall clock is the time of the world.
        let wall_clock = self.now.since_start();
        page.restore(self.store.records(), wall_clock, Instant::START);
        let (answer, receipt) = receipt::pair();
        page.subscribe(
            vec![filter_of("down")],
            SubscriptionOptions {
                maximum_qos: QoS::ExactlyOnce,
                ..SubscriptionOptions::default()
            },
            answer,
        );
        self.subscription = Some(Given(receipt));
        self.page = Some(page);
        self.turn();
    }

    /// The page is gone between two of its steps. What is being stored becomes durable or not.
    fn kill(&mut self) {
        if self.page.take().is_none() {
            return;
        }
        self.counts.n_kills += 1;
        if let Some((operations, _)) = self.writing.take()
            && self.rng.bool()
        {
            self.make_durable(operations);
        }
        self.stored = None;
        self.subscription = None;
        // What the page knew to be received but had not given is lost: it is never given twice.
        for (key, _) in self.store.records() {
            if key >> 50 == 2 {
                let identifier = (key & 0xFFFF) as u16;
                let mut numbers = self.number_by_identifier.iter().rev();
                let number = numbers.find(|(known, _)| *known == identifier);
                if let Some((_, number)) = number
                    && !self.given.contains(number)
                {
                    self.excused.insert(*number);
                }
            }
        }
        self.carry_to_server();
        self.drop_wire();
    }

    fn cut(&mut self) {
        self.counts.n_cuts += u64::from(self.wire.is_some());
        if self.rng.bool() {
            self.carry_to_server();
        }
        let generation = self.wire.as_ref().map(|wire| wire.generation);
        self.drop_wire();
        let now = self.page_now();
        if let (Some(page), Some(generation)) = (&mut self.page, generation) {
            page.handle_link(generation, LinkEvent::Closed(Failure::ConnectionLost), now);
            self.turn();
        }
    }

    fn drop_wire(&mut self) {
        if let Some(wire) = self.wire.take() {
            self.server.close(wire.connection, self.now);
        }
        self.commands.clear();
        self.exchange();
    }

    fn publish(&mut self) {
        let now = self.page_now();
        let Some(page) = &mut self.page else {
            return;
        };
        self.counts.n_published += 1;
        let number = self.counts.n_published;
        let (answer, receipt) = receipt::pair();
        drop(receipt);
        let publication = Publication {
            qos: QoS::ExactlyOnce,
            queue: QueuePolicy::WhileDisconnected,
            ..Publication::new(TopicName::new("up").unwrap(), number.to_string())
        };
        page.publish(publication, answer, now);
        if self.rng.bool() {
            self.turn();
        }
    }

    /// A command for a pump, which goes now or not at all.
    fn command(&mut self) {
        let now = self.page_now();
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][self.rng.usize(0..3)];
        let Some(page) = &mut self.page else {
            return;
        };
        self.n_commands += 1;
        self.commands.insert(self.n_commands);
        let (answer, receipt) = receipt::pair();
        drop(receipt);
        let publication = Publication {
            qos,
            ..Publication::new(TopicName::new("pump").unwrap(), self.n_commands.to_string())
        };
        page.publish(publication, answer, now);
        self.turn();
    }

    fn source(&mut self) {
        self.n_sourced += 1;
        self.source
            .publish("down", self.n_sourced, &mut self.server);
        self.exchange();
    }

    fn begin_write(&mut self) {
        if self.writing.is_some() || self.stored.is_some() {
            return;
        }
        if let Some(page) = &mut self.page {
            let operations = page.take_store_operations();
            let sequence = page.store_sequence();
            if !operations.is_empty() {
                self.writing = Some((operations, sequence));
            }
        }
    }

    fn end_write(&mut self) {
        if let Some((operations, sequence)) = self.writing.take() {
            self.make_durable(operations);
            self.stored = Some(sequence);
        }
    }

    fn make_durable(&mut self, operations: Vec<StoreOperation>) {
        self.store.apply(operations).unwrap();
        let limits = OutgoingLimits::default();
        let records = self.store.records();
        let found = mqtt_protocol::StoredSession::read(&records, Duration::ZERO, limits);
        assert_eq!(found.n_corrupt, 0);
        let in_flight = found.exchanges.outgoing.in_flight();
        let in_flight = in_flight.filter_map(|(_, _, _, message)| message);
        for message in in_flight.chain(&found.queued) {
            let text = std::str::from_utf8(&message.publish.payload).unwrap();
            // Of one that was released only the topic is kept.
            if let Ok(number) = text.parse() {
                assert_eq!(message.publish.topic_name.as_ref().unwrap().as_str(), "up");
                self.durable.insert(number);
            }
        }
    }

    fn tell_stored(&mut self) {
        let now = self.page_now();
        if let (Some(sequence), Some(page)) = (self.stored.take(), &mut self.page) {
            page.handle_stored(sequence, now);
            self.turn();
        }
    }

    fn carry_to_server(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let n = self.rng.usize(0..=wire.to_server.len());
        let bytes: Vec<u8> = wire.to_server.drain(..n).collect();
        let packets = self.server.receive(wire.connection, bytes, self.now);
        for packet in packets {
            if let Packet::Publish(publish) = packet
                && publish
                    .topic_name
                    .is_some_and(|topic| topic.as_str() == "pump")
            {
                let number = std::str::from_utf8(&publish.payload)
                    .unwrap()
                    .parse()
                    .unwrap();
                assert!(
                    self.commands.remove(&number),
                    "command {number} came late or twice"
                );
            }
        }
        self.exchange();
    }

    fn carry_to_page(&mut self) {
        let now = self.page_now();
        let Some(wire) = &mut self.wire else { return };
        let n = self.rng.usize(0..=wire.to_page.len());
        let bytes: Vec<u8> = wire.to_page.drain(..n).collect();
        wire.decoder.feed(bytes.clone().into());
        while let Some(packet) = wire.decoder.next_packet().unwrap() {
            if let Packet::Publish(publish) = packet
                && let Some(identifier) = publish.packet_identifier
            {
                let number = std::str::from_utf8(&publish.payload)
                    .unwrap()
                    .parse()
                    .unwrap();
                self.number_by_identifier.push((identifier.value(), number));
            }
        }
        let event = LinkEvent::Received(bytes.into());
        if let Some(page) = &mut self.page {
            page.handle_link(wire.generation, event, now);
            self.turn();
        }
    }

    fn pass_time(&mut self) {
        self.now += Duration::from_millis(self.rng.u64(1..200));
        self.server.handle_timeout(self.now);
        self.exchange();
        self.turn();
    }

    /// One turn of the page's event loop.
    fn turn(&mut self) {
        let now = self.page_now();
        let Some(page) = &mut self.page else { return };
        page.handle_timeout(now);
        loop {
            match page.poll_output() {
                Output::Open(generation) => {
                    let connection = self.server.open(self.now);
                    self.wire = Some(Wire {
                        generation,
                        connection,
                        to_server: Vec::new(),
                        to_page: Vec::new(),
                        decoder: Decoder::new(DecoderSettings {
                            maximum_packet_size: u32::MAX,
                            version: Some(self.options.protocol_version),
                            role: Role::Client,
                        }),
                    });
                    page.handle_link(generation, LinkEvent::Opened, now);
                }
                Output::Transmit(bytes) => {
                    if let Some(wire) = &mut self.wire {
                        wire.to_server.extend(bytes);
                    }
                }
                Output::Close => {
                    if let Some(wire) = self.wire.take() {
                        self.server.close(wire.connection, self.now);
                    }
                    self.commands.clear();
                }
                Output::Event(Event::Message(message)) => {
                    let text = std::str::from_utf8(&message.payload).unwrap();
                    self.given.push(text.parse().unwrap());
                }
                Output::Event(Event::Published { result, .. }) => {
                    assert_eq!(result, Ok(ReasonCode::Success));
                }
                Output::Event(_) | Output::AskForCredentials(_) => {}
                Output::Published(answer, result) => answer.give(result),
                Output::Subscribed(answer, result) => answer.give(result),
                Output::Timeout(_) => break,
            }
        }
        if let Some(Some(Ok(_))) = self.subscription.as_mut().map(Given::take) {
            // From here on the Server has a session of the page's, and the page's store knows of it.
            self.is_subscribed |= self.stored_session_is_established();
            self.subscription = None;
        }
    }

    fn stored_session_is_established(&self) -> bool {
        let limits = OutgoingLimits::default();
        let records = self.store.records();
        let found = mqtt_protocol::StoredSession::read(&records, Duration::ZERO, limits);
        found
            .identity
            .is_some_and(|identity| !identity.server.is_empty())
    }

    /// Carries what the Server has for everybody.
    fn exchange(&mut self) {
        loop {
            let outputs = self.server.drain();
            if outputs.is_empty() {
                break;
            }
            for (connection, bytes) in outputs {
                let wire = self.wire.as_mut();
                if let Some(wire) = wire.filter(|wire| wire.connection == connection) {
                    wire.to_page.extend(bytes);
                } else {
                    self.counter.receive(connection, &bytes, &mut self.server);
                    self.source.receive(connection, &bytes, &mut self.server);
                }
            }
        }
    }

    /// Nothing fails any more, and everything comes to its end.
    fn calm_down(&mut self) {
        for _ in 0..200_000 {
            self.step(false);
            if self.rng.u8(..) == 0 && self.is_done() {
                return;
            }
        }
        panic!("it does not come to its end: {:?}", self.counts);
    }

    fn is_done(&self) -> bool {
        let is_known = |number: &u64| self.given.contains(number) || self.excused.contains(number);
        let is_quiet = self.writing.is_none() && self.stored.is_none();
        is_quiet
            && self.page.is_some()
            && self.store.records().len() == 1
            && (1..=self.n_sourced).all(|number| is_known(&number))
    }

    fn check(&mut self) {
        let counted = self.counter.take_numbers("up");
        let durable: Vec<u64> = self.durable.iter().copied().collect();
        assert_eq!(counted, durable, "lost, twice or out of order");
        let mut given = self.given.clone();
        given.dedup();
        assert_eq!(
            given.len(),
            self.given.len(),
            "given twice: {:?}",
            self.given
        );
        assert!(given.is_sorted(), "out of order: {given:?}");
        let commands = self.counter.take_numbers("pump");
        let distinct: BTreeSet<u64> = commands.iter().copied().collect();
        assert_eq!(distinct.len(), commands.len(), "a command came twice");
        self.counts.n_given = given.len() as u64;
        self.counts.n_excused = self.excused.len() as u64;
    }

    fn page_now(&self) -> Instant {
        Instant::from_start(self.now.saturating_duration_since(self.page_began))
    }
}
