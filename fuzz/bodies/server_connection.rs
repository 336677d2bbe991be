//! A broker and a few Clients that do and send whatever the input says.

use std::{
    collections::{BTreeSet, VecDeque},
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

use bytes::Bytes;
use mqtt_broker_core::{
    Authenticator, Broker, Claimant, ConnectionId, Counters, Exchange, Limits, Output, Settings,
    Step,
};
use mqtt_protocol::{
    Auth, Connect, DecodeError, Decoder, DecoderSettings, Disconnect, Instant, Packet,
    PacketIdentifier, Properties, Property, ProtocolVersion, Puback, Pubcomp, Publish, Pubrec,
    Pubrel, QoS, ReasonCode, RetainHandling, Role, Secret, Stage, Subscribe, Subscription,
    TopicFilter, TopicName, Unsubscribe, WillMessage,
};

/// Each step is a byte, whose low half says what happens and whose high half to which Client, and its arguments.
pub(crate) fn check(input: &[u8]) {
    let mut world = World::new();
    let mut script = Script(input);
    while let Some(step) = script.next() {
        world.take_step(step, &mut script);
        world.drain();
        world.check_counters();
    }
    // Whatever waits for its time gets it.
    for _ in 0..8 {
        world.now += Duration::from_secs(100_000);
        world.handle_timeout();
        world.check_counters();
    }
}

struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn argument(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

struct World {
    broker: Broker,
    now: Instant,
    deadline: Option<Instant>,
    clients: [Option<Client>; N_CLIENTS],
    before: Counters,
}

/// A Client's end of a Network Connection, and what it has promised and been promised.
struct Client {
    connection: ConnectionId,
    at_server: Decoder,
    error: Option<DecodeError>,
    maximum_packet_size: u32,
    receive_maximum: u16,
    topic_alias_maximum: u16,
    known_aliases: BTreeSet<u16>,
    /// Packet Identifiers of what the broker sent with QoS 1 or 2 and this Client has not finished.
    in_flight: BTreeSet<u16>,
    /// What a faithful Client would say to what it got.
    answers: VecDeque<Packet>,
}

impl World {
    fn new() -> Self {
        let mut broker = Broker::new(settings(), 1);
        broker.set_authenticator(Box::new(Doorkeeper));
        Self {
            broker,
            now: Instant::START,
            deadline: None,
            clients: [const { None }; N_CLIENTS],
            before: Counters::default(),
        }
    }

    fn take_step(&mut self, step: u8, script: &mut Script<'_>) {
        let index = usize::from(step >> 4) % N_CLIENTS;
        match step & 0x0F {
            0 => {
                let length = script.argument();
                self.send_bytes(index, script.take(length.into()));
            }
            1 => {
                let packet = authentication(script.argument(), script.argument());
                self.send(index, &packet);
            }
            2 => {
                let connect = connect(script.argument(), script.argument());
                self.send(index, &connect.into());
            }
            3 => {
                let (options, filter) = (script.argument(), script.argument());
                self.send(index, &subscribe(options, filter).into());
            }
            4 | 5 => {
                let publish = publish(script.argument(), script.argument(), script.argument());
                self.send(index, &publish.into());
            }
            6 => {
                let filter = script.argument();
                let unsubscribe = Unsubscribe {
                    packet_identifier: identifier(filter),
                    properties: Properties::new(),
                    topic_filters: vec![topic_filter(filter)],
                };
                self.send(index, &unsubscribe.into());
            }
            7 | 8 => {
                let answer = self.clients[index]
                    .as_mut()
                    .and_then(|client| client.answers.pop_front());
                self.send(index, &answer.unwrap_or(Packet::Pingreq));
            }
            9 => {
                let release = Pubrel {
                    packet_identifier: identifier(script.argument()),
                    reason_code: ReasonCode::Success,
                    properties: Properties::new(),
                };
                self.send(index, &release.into());
            }
            10 => {
                let reason_code = if script.argument() & 1 == 0 {
                    ReasonCode::NORMAL_DISCONNECTION
                } else {
                    ReasonCode::DisconnectWithWillMessage
                };
                let properties = Properties::new();
                let disconnect = Disconnect {
                    reason_code,
                    properties,
                };
                self.send(index, &disconnect.into());
            }
            11 => {
                if let Some(client) = self.clients[index].take() {
                    self.broker.handle_close(client.connection, self.now);
                }
            }
            12 => {
                let writable = script.argument() & 1 == 0;
                if let Some(client) = &self.clients[index] {
                    self.broker
                        .set_writable(client.connection, writable, self.now);
                }
            }
            13 => {
                let amount = script.argument();
                self.now += match amount {
                    0..=127 => Duration::from_millis(u64::from(amount) * 100),
                    128.. => Duration::from_secs(u64::from(amount - 127) * 30),
                };
                self.handle_timeout();
            }
            14 => {
                if let Some(deadline) = self.deadline {
                    self.now = self.now.max(deadline);
                }
                self.handle_timeout();
            }
            _ if index == 0 && script.argument() == 0xFF => self.broker.shut_down(self.now),
            _ => {
                let publish = publish(script.argument(), script.argument(), 0);
                self.broker.publish(publish, self.now);
            }
        }
    }

    fn send(&mut self, index: usize, packet: &Packet) {
        let version = match packet {
            Packet::Connect(connect) => connect.protocol_version,
            _ => self
                .client(index)
                .at_server
                .version()
                .unwrap_or(ProtocolVersion::V5_0),
        };
        let mut bytes = Vec::new();
        // Some of them have no form in 3.1.1.
        if packet.encode(version, &mut bytes).is_ok() {
            self.send_bytes(index, &bytes);
        }
    }

    /// As a shell does it: the packets of one read together, then what is no packet.
    fn send_bytes(&mut self, index: usize, bytes: &[u8]) {
        let client = self.client(index);
        if client.error.is_some() {
            return;
        }
        client.at_server.feed(Bytes::copy_from_slice(bytes));
        let mut packets = Vec::new();
        client.error = loop {
            match client.at_server.next_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        for packet in &packets {
            client.note_sent(packet);
        }
        let (connection, error) = (client.connection, client.error);
        self.broker.handle_packets(connection, packets, self.now);
        if let Some(error) = error {
            self.broker
                .handle_decode_error(connection, &error, self.now);
        }
    }

    /// Opens a connection where there is none.
    fn client(&mut self, index: usize) -> &mut Client {
        let Self { broker, now, .. } = self;
        self.clients[index].get_or_insert_with(|| Client {
            connection: broker.open(*now),
            at_server: Decoder::new(broker.settings().decoder_settings()),
            error: None,
            maximum_packet_size: u32::MAX,
            receive_maximum: u16::MAX,
            topic_alias_maximum: 0,
            known_aliases: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            answers: VecDeque::new(),
        })
    }

    fn drain(&mut self) {
        loop {
            match self.broker.poll_output() {
                Output::Transmit {
                    connection, bytes, ..
                } => {
                    let client = self
                        .clients
                        .iter_mut()
                        .flatten()
                        .find(|client| client.connection == connection)
                        .expect("bytes are for a connection that is open");
                    client.receive(&bytes);
                    self.broker.recycle(bytes);
                }
                Output::Close { connection } => {
                    let client = self
                        .clients
                        .iter_mut()
                        .find(|client| {
                            client
                                .as_ref()
                                .is_some_and(|client| client.connection == connection)
                        })
                        .expect("only a connection that is open is closed");
                    *client = None;
                }
                Output::Event(_) => {}
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return;
                }
            }
        }
    }

    /// A shell that wakes at the deadline comes to an end with it.
    fn handle_timeout(&mut self) {
        for _ in 0..TURNS_MAX {
            self.broker.handle_timeout(self.now);
            self.drain();
            if self.deadline.is_none_or(|deadline| deadline > self.now) {
                return;
            }
        }
        panic!("a deadline that never passes");
    }

    fn check_counters(&mut self) {
        let counters = self.broker.counters();
        let Limits {
            connections,
            sessions,
            subscriptions_per_session,
            queued_messages_per_session,
            retained_messages,
            retained_bytes,
            ..
        } = self.broker.settings().limits;
        let n_open = self.clients.iter().flatten().count() as u64;
        assert_eq!(counters.connections, n_open);
        assert!(counters.clients <= counters.connections);
        assert!(counters.clients <= counters.sessions);
        assert!(counters.clients <= connections as u64);
        assert!(counters.sessions <= sessions as u64);
        let of_sessions = |each: usize| counters.sessions * each as u64;
        assert!(counters.subscriptions <= of_sessions(subscriptions_per_session));
        assert!(counters.queued_messages <= of_sessions(queued_messages_per_session));
        assert!(counters.retained_messages <= retained_messages as u64);
        assert!(counters.retained_bytes <= retained_bytes as u64);
        let before = std::mem::replace(&mut self.before, counters);
        assert!(before.connections_opened <= counters.connections_opened);
        assert!(before.packets_received <= counters.packets_received);
        assert!(before.messages_received <= counters.messages_received);
        assert!(before.messages_sent <= counters.messages_sent);
        assert!(before.bytes_sent <= counters.bytes_sent);
        assert!(counters.messages_received <= counters.packets_received);
    }
}

impl Client {
    /// What the Server will know of this Client.
    fn note_sent(&mut self, packet: &Packet) {
        match packet {
            Packet::Connect(connect) => {
                let properties = &connect.properties;
                self.maximum_packet_size = properties
                    .maximum_packet_size()
                    .map_or(u32::MAX, NonZeroU32::get);
                self.receive_maximum = properties
                    .receive_maximum()
                    .map_or(u16::MAX, NonZeroU16::get);
                self.topic_alias_maximum = properties.topic_alias_maximum().unwrap_or(0);
            }
            Packet::Puback(puback) => self.finish(puback.packet_identifier),
            Packet::Pubcomp(pubcomp) => self.finish(pubcomp.packet_identifier),
            Packet::Pubrec(pubrec) if pubrec.reason_code.is_error() => {
                self.finish(pubrec.packet_identifier);
            }
            _ => {}
        }
    }

    fn finish(&mut self, packet_identifier: PacketIdentifier) {
        self.in_flight.remove(&packet_identifier.value());
    }

    /// Reads what the broker sent, which is whole packets that a Client of this kind may get.
    fn receive(&mut self, bytes: &[u8]) {
        check_lengths(bytes, self.maximum_packet_size);
        // A CONNECT that did not decode is answered in the form that its sender understands.
        let stage = self.error.map(|error| error.stage);
        let version = self.at_server.version().or(match stage {
            Some(Stage::Connect(version) | Stage::Connected(version)) => Some(version),
            Some(Stage::BeforeConnect) | None => None,
        });
        let mut decoder = Decoder::new(DecoderSettings {
            maximum_packet_size: u32::MAX,
            version,
            role: Role::Client,
        });
        decoder.feed(Bytes::copy_from_slice(bytes));
        while let Some(packet) = decoder
            .next_packet()
            .unwrap_or_else(|error| panic!("{error} in {bytes:02x?}"))
        {
            self.handle(&packet);
        }
    }

    fn handle(&mut self, packet: &Packet) {
        let properties = Properties::new();
        let reason_code = ReasonCode::Success;
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish),
            Packet::Pubrel(pubrel) => self.answers.push_back(
                Pubcomp {
                    packet_identifier: pubrel.packet_identifier,
                    reason_code,
                    properties,
                }
                .into(),
            ),
            Packet::Pubrec(pubrec) => self.answers.push_back(
                Pubrel {
                    packet_identifier: pubrec.packet_identifier,
                    reason_code,
                    properties,
                }
                .into(),
            ),
            _ => {}
        }
    }

    fn handle_publish(&mut self, publish: &Publish) {
        let alias = publish.properties.topic_alias().map(NonZeroU16::get);
        if let Some(alias) = alias {
            assert!(alias <= self.topic_alias_maximum, "{publish:?}");
            let is_known = !self.known_aliases.insert(alias);
            assert!(is_known || publish.topic_name.is_some(), "{publish:?}");
        }
        let Some(packet_identifier) = publish.packet_identifier else {
            return;
        };
        self.in_flight.insert(packet_identifier.value());
        assert!(self.in_flight.len() <= self.receive_maximum.into());
        let properties = Properties::new();
        let reason_code = ReasonCode::Success;
        self.answers.push_back(if publish.qos == QoS::AtLeastOnce {
            Puback {
                packet_identifier,
                reason_code,
                properties,
            }
            .into()
        } else {
            Pubrec {
                packet_identifier,
                reason_code,
                properties,
            }
            .into()
        });
    }
}

/// Every packet is whole and no larger than the Client takes.
fn check_lengths(mut bytes: &[u8], maximum_packet_size: u32) {
    while !bytes.is_empty() {
        let mut length = 0;
        let mut header_length = 1;
        for (index, byte) in bytes[1..].iter().take(4).enumerate() {
            length |= usize::from(byte & 0x7F) << (7 * index);
            header_length += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let packet_length = header_length + length;
        assert!(packet_length <= bytes.len(), "a part of a packet");
        assert!(packet_length <= maximum_packet_size as usize, "too large");
        bytes = &bytes[packet_length..];
    }
}

fn connect(options: u8, more: u8) -> Connect {
    let is = |bit: u8| options & (1 << bit) != 0;
    let protocol_version = if is(0) {
        ProtocolVersion::V5_0
    } else {
        ProtocolVersion::V3_1_1
    };
    let mut properties = Properties::new();
    if is(2) {
        let seconds = u32::from(more >> 4) * 20;
        properties = properties.with(Property::SessionExpiryInterval(seconds));
    }
    if is(3) {
        let maximum = NonZeroU32::new(48).expect("not zero");
        properties = properties.with(Property::MaximumPacketSize(maximum));
    }
    if is(4) {
        properties = properties.with(Property::TopicAliasMaximum(2));
    }
    if is(5) {
        properties = properties.with(Property::ReceiveMaximum(NonZeroU16::MIN));
    }
    let will = is(6).then(|| WillMessage {
        topic_name: topic_name(more),
        payload: Bytes::from_static(b"will"),
        qos: qos(more >> 2),
        retain: more & 1 == 1,
        properties: if is(7) && is(0) {
            Properties::new().with(Property::WillDelayInterval(5))
        } else {
            Properties::new()
        },
    });
    Connect {
        protocol_version,
        clean_start: is(1),
        keep_alive: if is(7) { 7 } else { 0 },
        properties,
        client_identifier: ["a", "b", "c", ""][usize::from(more & 3)].into(),
        will,
        user_name: None,
        password: None,
    }
}

/// A CONNECT that has more to show, or a step on that way.
fn authentication(options: u8, data: u8) -> Packet {
    let method = if options & 0x80 == 0 { "m" } else { "other" };
    let properties = Properties::new()
        .with(Property::AuthenticationMethod(method.into()))
        .with(Property::AuthenticationData(Secret(vec![data].into())));
    let reason_code = match options & 3 {
        0 => ReasonCode::ContinueAuthentication,
        1 => ReasonCode::ReAuthenticate,
        _ => {
            let mut connect = connect(options >> 1 | 1, data);
            connect.properties.0.extend(properties.0);
            return connect.into();
        }
    };
    Auth {
        reason_code,
        properties,
    }
    .into()
}

/// Lets everybody in who shows the right byte, after as many steps as the Client likes.
#[derive(Debug)]
struct Doorkeeper;

impl Authenticator for Doorkeeper {
    fn check(&mut self, _connect: &Connect) -> Result<(), ReasonCode> {
        Ok(())
    }

    fn begin(&mut self, method: &str, _claimant: Claimant<'_>) -> Option<Box<dyn Exchange>> {
        (method == "m").then(|| Box::new(Self) as Box<dyn Exchange>)
    }
}

impl Exchange for Doorkeeper {
    fn step(&mut self, data: Option<&Bytes>) -> Step {
        match data.and_then(|data| data.first()).map(|byte| byte >> 6) {
            None | Some(0) => Step::Success(None),
            Some(1) => Step::Continue(Bytes::from_static(b"more")),
            Some(2) => Step::Success(data.cloned()),
            Some(_) => Step::Failure(ReasonCode::NotAuthorized),
        }
    }
}

fn subscribe(options: u8, filter: u8) -> Subscribe {
    let mut subscription = Subscription::new(topic_filter(filter), qos(options));
    subscription.no_local = options & 4 != 0 && !subscription.topic_filter.is_shared();
    subscription.retain_as_published = options & 8 != 0;
    subscription.retain_handling = match options >> 4 & 3 {
        1 => RetainHandling::SendIfNew,
        2 => RetainHandling::DoNotSend,
        _ => RetainHandling::Send,
    };
    let identifier_property = NonZeroU32::new(u32::from(options >> 6));
    Subscribe {
        packet_identifier: identifier(options),
        properties: identifier_property
            .map(Property::SubscriptionIdentifier)
            .into_iter()
            .collect(),
        subscriptions: vec![subscription],
    }
}

fn publish(options: u8, topic: u8, length: u8) -> Publish {
    let qos = qos(options);
    let is_acknowledged = qos != QoS::AtMostOnce;
    let mut properties = Properties::new();
    if options & 0x10 != 0 {
        properties = properties.with(Property::MessageExpiryInterval(u32::from(topic >> 4)));
    }
    if let Some(alias) = NonZeroU16::new(u16::from(options >> 5 & 3)) {
        properties = properties.with(Property::TopicAlias(alias));
    }
    let by_alias = options & 0x80 != 0 && options & 0x60 != 0;
    Publish {
        dup: is_acknowledged && options & 8 != 0,
        qos,
        retain: options & 4 != 0,
        topic_name: (!by_alias).then(|| topic_name(topic)),
        packet_identifier: is_acknowledged.then(|| identifier(topic >> 3)),
        properties,
        payload: vec![b'x'; length.into()].into(),
    }
}

fn identifier(number: u8) -> PacketIdentifier {
    PacketIdentifier::new(1 + u16::from(number)).expect("not zero")
}

fn qos(bits: u8) -> QoS {
    match bits & 3 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

fn topic_name(number: u8) -> TopicName {
    let name = ["a", "a/b", "a/b/c", "b", "/", "$x", "c//d", "e"][usize::from(number % 8)];
    TopicName::new(name).expect("it is one")
}

fn topic_filter(number: u8) -> TopicFilter {
    let filter = [
        "a",
        "a/b",
        "#",
        "+",
        "a/#",
        "+/b",
        "a/+/c",
        "$share/g/a",
        "$share/g/#",
        "$share/h/a",
        "+/+",
        "/",
        "$x",
        "c//#",
        "e",
        "b",
    ][usize::from(number % 16)];
    TopicFilter::new(filter).expect("it is one")
}

/// So low that a short input reaches them.
fn settings() -> Settings {
    Settings {
        limits: Limits {
            packet_size: 512,
            connections: 3,
            client_identifier_length: 16,
            will_payload: 16,
            sessions: 3,
            session_expiry_interval: Some(Duration::from_secs(1_000)),
            subscriptions_per_session: 4,
            identified_wildcards_per_session: 2,
            topic_length: 32,
            topic_levels: 4,
            queued_messages_per_session: 6,
            queued_bytes_per_session: 400,
            in_flight_messages: NonZeroU16::new(4).expect("not zero"),
            receive_maximum: NonZeroU16::new(3).expect("not zero"),
            topic_alias_maximum: 2,
            user_properties: 2,
            retained_messages: 3,
            retained_bytes: 300,
            retained_replays_per_session: 2,
            bytes_per_turn: 100,
            ..Limits::default()
        },
        keep_alive_max: NonZeroU16::new(600),
        response_information: Some("answers/".into()),
        ..Settings::default()
    }
}

const N_CLIENTS: usize = 4;
const TURNS_MAX: usize = 10_000;
