//! What the broker has to do, written a second time and as plainly as possible.
//!
//! The model is told what reaches the broker, packet by packet, and what leaves it. It never asks the broker
//! anything, and shares no code with it but the packets. Whatever it does not expect is a panic.

mod delivery;
mod output;
mod topics;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use mqtt_broker_core::{Counters, DisconnectCause, Event};
use mqtt_protocol::{
    Connect, Disconnect, Instant, Packet, Properties, Property, ProtocolVersion, Publish, QoS,
    ReasonCode, RetainHandling, Subscribe, Subscription, Unsubscribe, WillMessage,
};

use self::delivery::{Expected, Kind, Shared};
use self::output::{InFlight, Monitor};
use crate::{ClientNumber, LinkNumber};

/// Everything that the broker should know, and what it should still do.
pub(crate) struct Model {
    connect_timeout: Duration,
    links: Vec<Link>,
    /// The state of the network connections that are not closed.
    open_links: BTreeSet<LinkNumber>,
    sessions: BTreeMap<ClientNumber, Session>,
    n_sessions_begun: u64,
    retained: BTreeMap<String, Rc<Message>>,
    shared: BTreeMap<u64, Shared>,
    n_shared: u64,
    /// QoS 2 messages that were taken, and in which session.
    taken_exactly_once: BTreeMap<u64, SessionNumber>,
    /// Messages above QoS 0 that reached the broker.
    taken: BTreeSet<u64>,
    tallies: BTreeMap<(SessionNumber, u64, QoS), Tally>,
    last_received: BTreeMap<OrderKey, u64>,
    /// Sessions of which the Client may have another half.
    uncertain: BTreeSet<SessionNumber>,
    n_sent: u64,
    pub(crate) numbers: Numbers,
}

/// What a run has seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers {
    pub(crate) published: u64,
    pub(crate) delivered: u64,
    pub(crate) repeated: u64,
    pub(crate) take_overs: u64,
    pub(crate) wills: u64,
    pub(crate) sessions_ended: u64,
    pub(crate) shared: u64,
    pub(crate) passed_on: u64,
}

/// One session from its beginning to its end; another of the same Client has another number.
pub(crate) type SessionNumber = u64;

/// Within which messages keep their order: session, publisher, topic, QoS as published and as delivered.
type OrderKey = (SessionNumber, ClientNumber, String, QoS, QoS);

/// An Application Message as it reached the broker.
pub(crate) struct Message {
    /// Unique, and readable in the payload; 0 for an empty payload.
    pub(crate) number: u64,
    pub(crate) publisher: ClientNumber,
    pub(crate) publisher_session: SessionNumber,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
    pub(crate) expires_at: Option<Instant>,
}

/// How often a message was sent to a session and how often its application got it.
#[derive(Debug, Default)]
struct Tally {
    sent: u32,
    given_up: u32,
    received: u32,
    /// Where it stands among those whose order matters.
    order: Option<(OrderKey, u64)>,
}

struct Link {
    client: ClientNumber,
    state: LinkState,
    version: ProtocolVersion,
    session: Option<SessionNumber>,
    is_first_of_session: bool,
    keep_alive: u16,
    last_packet_at: Instant,
    writable: bool,
    reads_large_packets: bool,
    topic_by_alias: BTreeMap<u16, String>,
    monitor: Monitor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    AwaitingConnect,
    Connected,
    /// The broker is to close it, or has done so.
    Closed,
}

struct Session {
    number: SessionNumber,
    client: ClientNumber,
    link: Option<LinkNumber>,
    /// In seconds; `u32::MAX` for ever.
    expiry: u32,
    expires_at: Option<Instant>,
    will: Option<WillMessage>,
    will_at: Option<Instant>,
    subscriptions: BTreeMap<String, Terms>,
    /// QoS 2 messages from the Client that are not released.
    unreleased: BTreeSet<u16>,
    /// What is to be sent, in the order in which it was published.
    expected: VecDeque<Expected>,
    in_flight: BTreeMap<u16, InFlight>,
    /// Whether the Client knows that it has begun.
    is_known: bool,
}

/// On what terms a session subscribes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Terms {
    maximum_qos: QoS,
    no_local: bool,
    retain_as_published: bool,
    identifier: Option<u32>,
}

impl Model {
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            links: Vec::new(),
            open_links: BTreeSet::new(),
            sessions: BTreeMap::new(),
            n_sessions_begun: 0,
            retained: BTreeMap::new(),
            shared: BTreeMap::new(),
            n_shared: 0,
            taken_exactly_once: BTreeMap::new(),
            taken: BTreeSet::new(),
            tallies: BTreeMap::new(),
            last_received: BTreeMap::new(),
            uncertain: BTreeSet::new(),
            n_sent: 0,
            numbers: Numbers::default(),
        }
    }

    /// A connection is open at the broker; links are numbered from 0.
    pub(crate) fn open(&mut self, client: ClientNumber, version: ProtocolVersion, now: Instant) {
        self.open_links.insert(self.links.len());
        self.links.push(Link {
            client,
            state: LinkState::AwaitingConnect,
            version,
            session: None,
            is_first_of_session: false,
            keep_alive: 0,
            last_packet_at: now,
            writable: true,
            reads_large_packets: true,
            topic_by_alias: BTreeMap::new(),
            monitor: Monitor::new(version),
        });
    }

    /// When time alone changes something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let sessions = self
            .sessions
            .values()
            .flat_map(|session| [session.expires_at, session.will_at])
            .flatten();
        let links = self
            .open_links
            .iter()
            .filter_map(|&link| self.silence_ends_at(link));
        let retained = self
            .retained
            .values()
            .filter_map(|message| message.expires_at);
        sessions.chain(links).chain(retained).min()
    }

    /// Time passes, up to `now`.
    pub(crate) fn advance(&mut self, now: Instant) {
        let expired: Vec<String> = self
            .retained
            .iter()
            .filter(|(_, message)| message.is_expired(now))
            .map(|(topic, _)| topic.clone())
            .collect();
        for topic in expired {
            self.retained.remove(&topic);
            self.forget_replays(&topic);
        }
        for link in self.open_links.clone() {
            if self.silence_ends_at(link).is_some_and(|end| end <= now) {
                if self.links[link].state == LinkState::Connected {
                    self.expect_disconnect(link, ReasonCode::KeepAliveTimeout);
                }
                self.end_connection(link, false, now);
            }
        }
        let clients: Vec<ClientNumber> = self.sessions.keys().copied().collect();
        for client in clients {
            let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if is_due(self.sessions[&client].will_at) {
                self.publish_will(client, now);
            }
            if is_due(self.sessions[&client].expires_at) {
                self.end_session(client, now);
            }
        }
    }

    /// A packet reaches the broker.
    pub(crate) fn handle_packet(&mut self, link: LinkNumber, packet: &Packet, now: Instant) {
        match (self.links[link].state, packet) {
            (LinkState::Closed, _) => {}
            (LinkState::AwaitingConnect, Packet::Connect(connect)) => {
                self.connect(link, connect, now);
            }
            (LinkState::AwaitingConnect, other) => panic!("a Client began with {other:?}"),
            (LinkState::Connected, packet) => {
                self.links[link].last_packet_at = now;
                self.handle_packet_of_session(link, packet, now);
            }
        }
    }

    /// The broker learns that a connection is gone.
    pub(crate) fn handle_close(&mut self, link: LinkNumber, now: Instant) {
        self.end_connection(link, false, now);
        self.links[link].monitor.replies.clear();
    }

    pub(crate) fn set_writable(&mut self, link: LinkNumber, writable: bool) {
        self.links[link].writable = writable;
    }

    /// The broker tells of what it did.
    pub(crate) fn handle_event(&self, link: LinkNumber, event: &Event) {
        let state = self.links[link].state;
        match event {
            Event::Connected { .. } => assert_eq!(state, LinkState::Connected),
            Event::Refused { cause, .. } => {
                assert_eq!(state, LinkState::Closed, "refused: {cause:?}");
                let is_sound = matches!(
                    cause,
                    DisconnectCause::ConnectTimeout | DisconnectCause::ConnectionLost
                );
                assert!(is_sound, "a CONNECT was refused: {cause:?}");
            }
            Event::Disconnected { cause, .. } => {
                assert_eq!(state, LinkState::Closed, "disconnected: {cause:?}");
                let is_sound = match cause {
                    DisconnectCause::Client(_) | DisconnectCause::ConnectionLost => true,
                    DisconnectCause::Server(reason_code) => matches!(
                        reason_code,
                        ReasonCode::SessionTakenOver | ReasonCode::KeepAliveTimeout
                    ),
                    DisconnectCause::ConnectTimeout | DisconnectCause::NotMqtt => false,
                };
                assert!(is_sound, "the broker ended a sound connection: {cause:?}");
            }
            Event::SessionEnded { .. } => {}
        }
    }

    /// After the broker has said all that it had to say about one input, or has more to say in another turn.
    pub(crate) fn check_step(&mut self, counters: &Counters, has_more: bool) {
        for &link in &self.open_links {
            let replies = &self.links[link].monitor.replies;
            assert!(replies.is_empty(), "link {link} waits for {replies:?}");
        }
        for session in self.sessions.values_mut() {
            session.expected.retain(|expected| {
                let missed = expected.kind == Kind::AtOnce && expected.must;
                assert!(
                    !missed,
                    "client {} did not get {expected:?}",
                    session.client
                );
                expected.kind != Kind::AtOnce
            });
        }
        if !has_more {
            self.check_shared_at_once();
        }
        let n_subscriptions: usize = self
            .sessions
            .values()
            .map(|session| session.subscriptions.len())
            .sum();
        let n_clients = self
            .sessions
            .values()
            .filter(|session| session.link.is_some());
        assert_eq!(counters.sessions, self.sessions.len() as u64, "sessions");
        assert_eq!(counters.clients, n_clients.count() as u64, "clients");
        assert_eq!(
            counters.subscriptions, n_subscriptions as u64,
            "subscriptions"
        );
        let n_retained = self.retained.len() as u64;
        assert_eq!(counters.retained_messages, n_retained, "retained messages");
    }

    /// Whether a Client has a session.
    pub(crate) fn has_session(&self, client: ClientNumber) -> bool {
        self.sessions.contains_key(&client)
    }

    /// A Client heard that it is connected.
    pub(crate) fn client_connected(&mut self, link: LinkNumber, session_present: bool) {
        let Link {
            client,
            session: Some(number),
            is_first_of_session,
            ..
        } = self.links[link]
        else {
            panic!("a CONNACK came without a CONNECT");
        };
        assert_eq!(session_present, !is_first_of_session, "session present");
        let session = self
            .sessions
            .get_mut(&client)
            .filter(|session| session.number == number);
        let Some(session) = session else { return };
        if is_first_of_session {
            session.is_known = true;
        } else if !session.is_known {
            // Neither side can know that the Client's half belongs to an earlier session: its packet
            // identifiers of QoS 2 mean something else to the other side.
            self.uncertain.insert(number);
        }
    }

    /// A Client heard that its message is taken.
    pub(crate) fn check_acknowledged(&self, number: u64) {
        let is_taken = self.taken.contains(&number);
        assert!(is_taken, "message {number} was acknowledged but never came");
    }

    fn connect(&mut self, link: LinkNumber, connect: &Connect, now: Instant) {
        let client = self.links[link].client;
        if let Some(other) = self.sessions.get(&client).and_then(|session| session.link) {
            self.numbers.take_overs += 1;
            self.expect_disconnect(other, ReasonCode::SessionTakenOver);
            self.end_connection(other, false, now);
        }
        if connect.clean_start {
            self.end_session(client, now);
        }
        let session_present = self.sessions.contains_key(&client);
        if !session_present {
            self.n_sessions_begun += 1;
            self.sessions
                .insert(client, Session::new(client, self.n_sessions_begun));
        }
        let properties = &connect.properties;
        let session = self.sessions.get_mut(&client).expect("it was just made");
        session.link = Some(link);
        session.expires_at = None;
        session.will_at = None;
        session.will = connect.will.clone();
        session.expiry = match connect.protocol_version {
            ProtocolVersion::V5_0 => properties.session_expiry_interval().unwrap_or(0),
            ProtocolVersion::V3_1_1 if connect.clean_start => 0,
            ProtocolVersion::V3_1_1 => u32::MAX,
        };
        let maximum_packet_size = properties
            .maximum_packet_size()
            .map_or(u32::MAX, Into::into);
        let at = &mut self.links[link];
        at.state = LinkState::Connected;
        at.session = Some(session.number);
        at.is_first_of_session = !session_present;
        at.keep_alive = connect.keep_alive;
        at.last_packet_at = now;
        at.reads_large_packets = maximum_packet_size > crate::LARGE as u32;
        at.monitor.begin(
            maximum_packet_size,
            properties.receive_maximum().map_or(u16::MAX, Into::into),
            properties.topic_alias_maximum().unwrap_or(0),
            session_present,
        );
        if !at.reads_large_packets {
            self.give_up_large(client);
        }
    }

    fn handle_packet_of_session(&mut self, link: LinkNumber, packet: &Packet, now: Instant) {
        match packet {
            Packet::Publish(publish) => self.handle_publish(link, publish, now),
            Packet::Puback(puback) => self.handle_puback(link, puback.packet_identifier.value()),
            Packet::Pubrec(pubrec) => self.handle_pubrec(link, pubrec.packet_identifier.value()),
            Packet::Pubrel(pubrel) => {
                let packet_identifier = pubrel.packet_identifier.value();
                let was_known = self.session_of(link).unreleased.remove(&packet_identifier);
                self.expect_pubcomp(link, packet_identifier, was_known);
            }
            Packet::Pubcomp(pubcomp) => {
                self.handle_pubcomp(link, pubcomp.packet_identifier.value())
            }
            Packet::Subscribe(subscribe) => self.handle_subscribe(link, subscribe, now),
            Packet::Unsubscribe(unsubscribe) => self.handle_unsubscribe(link, unsubscribe),
            Packet::Pingreq => self.expect_pingresp(link),
            Packet::Disconnect(disconnect) => self.handle_disconnect(link, disconnect, now),
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp
            | Packet::Auth(_) => panic!("a Client sent {packet:?}"),
        }
    }

    fn handle_publish(&mut self, link: LinkNumber, publish: &Publish, now: Instant) {
        let client = self.links[link].client;
        let topic = self.links[link].resolve_alias(publish);
        let message = Message::new(
            topic,
            publish.payload.clone(),
            publish.qos,
            publish.retain,
            &publish.properties,
            now,
            (client, self.sessions[&client].number),
        );
        let number = message.number;
        let Some(packet_identifier) = publish.packet_identifier.map(|number| number.value()) else {
            self.route(Rc::new(message), now);
            return;
        };
        self.taken.insert(number);
        if publish.qos == QoS::ExactlyOnce {
            let session = self.session_of(link);
            if !session.unreleased.insert(packet_identifier) {
                self.expect_pubrec(link, packet_identifier, true);
                return;
            }
            let (is_known, in_session) = (session.is_known, session.number);
            let before = self.taken_exactly_once.insert(number, in_session);
            // Where the Client could not know of a session's begin it goes on with what is not of that session.
            assert!(
                number == 0
                    || before.is_none()
                    || !is_known
                    || self.uncertain.contains(&in_session),
                "the QoS 2 message {number} came anew"
            );
        }
        let reached = self.route(Rc::new(message), now);
        match publish.qos {
            QoS::ExactlyOnce => self.expect_pubrec(link, packet_identifier, reached),
            QoS::AtLeastOnce | QoS::AtMostOnce => {
                self.expect_puback(link, packet_identifier, reached);
            }
        }
    }

    fn handle_subscribe(&mut self, link: LinkNumber, subscribe: &Subscribe, now: Instant) {
        let identifier = subscribe.properties.subscription_identifiers().next();
        let mut reason_codes = Vec::new();
        for subscription in &subscribe.subscriptions {
            let terms = Terms {
                maximum_qos: subscription.maximum_qos,
                no_local: subscription.no_local,
                retain_as_published: subscription.retain_as_published,
                identifier: identifier.map(Into::into),
            };
            reason_codes.push(match terms.maximum_qos {
                QoS::AtMostOnce => ReasonCode::Success,
                QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
                QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
            });
            self.subscribe(link, subscription, terms, now);
        }
        let packet_identifier = subscribe.packet_identifier.value();
        self.expect_suback(link, packet_identifier, reason_codes);
    }

    fn subscribe(
        &mut self,
        link: LinkNumber,
        subscription: &Subscription,
        terms: Terms,
        now: Instant,
    ) {
        let filter = subscription.topic_filter.as_str();
        let reads_large_packets = self.links[link].reads_large_packets;
        let client = self.links[link].client;
        let session = self.sessions.get_mut(&client).expect("it is connected");
        let before = session.subscriptions.insert(filter.to_owned(), terms);
        let wants_retained = match subscription.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => before.is_none(),
            RetainHandling::DoNotSend => false,
        };
        if !wants_retained || topics::share(filter).is_some() {
            return;
        }
        for (topic, message) in &self.retained {
            if topics::matches(filter, topic) && !message.is_expired(now) {
                session.expected.push_back(Expected {
                    message: Rc::clone(message),
                    qos: message.qos.min(terms.maximum_qos),
                    retain: true,
                    identifiers: terms.identifier.into_iter().collect(),
                    kind: Kind::Replay,
                    must: reads_large_packets || !message.is_large(),
                });
            }
        }
    }

    fn handle_unsubscribe(&mut self, link: LinkNumber, unsubscribe: &Unsubscribe) {
        let session = self.session_of(link);
        let mut reason_codes = Vec::new();
        for topic_filter in &unsubscribe.topic_filters {
            let filter = topic_filter.as_str();
            reason_codes.push(match session.subscriptions.remove(filter) {
                Some(_) => ReasonCode::Success,
                None => ReasonCode::NoSubscriptionExisted,
            });
            // What waits may be sent or not.
            for expected in &mut session.expected {
                expected.must &= !topics::matches(filter, &expected.message.topic);
            }
        }
        let packet_identifier = unsubscribe.packet_identifier.value();
        self.expect_unsuback(link, packet_identifier, reason_codes);
    }

    fn handle_disconnect(&mut self, link: LinkNumber, disconnect: &Disconnect, now: Instant) {
        if let Some(expiry) = disconnect.properties.session_expiry_interval() {
            self.session_of(link).expiry = expiry;
        }
        let is_normal = disconnect.reason_code == ReasonCode::Success;
        self.end_connection(link, is_normal, now);
    }

    fn end_connection(&mut self, link: LinkNumber, normally: bool, now: Instant) {
        let state = std::mem::replace(&mut self.links[link].state, LinkState::Closed);
        self.open_links.remove(&link);
        if state != LinkState::Connected {
            return;
        }
        let client = self.links[link].client;
        let session = self.session_of(link);
        session.link = None;
        if normally {
            session.will = None;
        }
        for expected in &mut session.expected {
            expected.must &= expected.qos > QoS::AtMostOnce;
        }
        if session.expiry < u32::MAX {
            session.expires_at = Some(now + Duration::from_secs(session.expiry.into()));
        }
        let ends_now = session.expiry == 0;
        let delay = session
            .will
            .as_ref()
            .and_then(|will| will.properties.will_delay_interval())
            .unwrap_or(0);
        if ends_now || delay == 0 {
            self.publish_will(client, now);
        } else if session.will.is_some() {
            session.will_at = Some(now + Duration::from_secs(delay.into()));
        }
        if ends_now {
            self.end_session(client, now);
        }
    }

    fn publish_will(&mut self, client: ClientNumber, now: Instant) {
        let session = self.sessions.get_mut(&client).expect("its Will is due");
        session.will_at = None;
        let Some(will) = session.will.take() else {
            return;
        };
        self.numbers.wills += 1;
        let message = Message::new(
            will.topic_name.as_str().to_owned(),
            will.payload.clone(),
            will.qos,
            will.retain,
            &will.properties,
            now,
            (client, session.number),
        );
        self.route(Rc::new(message), now);
    }

    fn end_session(&mut self, client: ClientNumber, now: Instant) {
        if !self.sessions.contains_key(&client) {
            return;
        }
        self.publish_will(client, now);
        if let Some(session) = self.sessions.remove(&client) {
            self.numbers.sessions_ended += 1;
            self.pass_on(session.number, now);
        }
    }

    fn silence_ends_at(&self, link: LinkNumber) -> Option<Instant> {
        let Link {
            state,
            keep_alive,
            last_packet_at,
            ..
        } = self.links[link];
        match state {
            LinkState::AwaitingConnect => Some(last_packet_at + self.connect_timeout),
            LinkState::Connected if keep_alive > 0 => {
                Some(last_packet_at + Duration::from_millis(u64::from(keep_alive) * 1500))
            }
            LinkState::Connected | LinkState::Closed => None,
        }
    }

    fn session_of(&mut self, link: LinkNumber) -> &mut Session {
        let client = self.links[link].client;
        let session = self.sessions.get_mut(&client);
        session
            .filter(|session| session.link == Some(link))
            .expect("a connected link has its session")
    }
}

impl Numbers {
    pub(crate) fn add(&mut self, other: &Self) {
        self.published += other.published;
        self.delivered += other.delivered;
        self.repeated += other.repeated;
        self.take_overs += other.take_overs;
        self.wills += other.wills;
        self.sessions_ended += other.sessions_ended;
        self.shared += other.shared;
        self.passed_on += other.passed_on;
    }
}

impl Session {
    fn new(client: ClientNumber, number: SessionNumber) -> Self {
        Self {
            number,
            client,
            link: None,
            expiry: 0,
            expires_at: None,
            will: None,
            will_at: None,
            subscriptions: BTreeMap::new(),
            unreleased: BTreeSet::new(),
            expected: VecDeque::new(),
            in_flight: BTreeMap::new(),
            is_known: false,
        }
    }
}

impl Link {
    fn resolve_alias(&mut self, publish: &Publish) -> String {
        let topic = publish.topic_name.as_ref().map(|topic| topic.as_str());
        match (publish.properties.topic_alias(), topic) {
            (Some(alias), Some(topic)) => {
                self.topic_by_alias.insert(alias.get(), topic.to_owned());
                topic.to_owned()
            }
            (Some(alias), None) => self.topic_by_alias[&alias.get()].clone(),
            (None, topic) => topic.expect("there is a topic or an alias").to_owned(),
        }
    }
}

impl Message {
    fn new(
        topic: String,
        payload: Bytes,
        qos: QoS,
        retain: bool,
        properties: &Properties,
        now: Instant,
        (publisher, publisher_session): (ClientNumber, SessionNumber),
    ) -> Self {
        let expires_at = properties
            .message_expiry_interval()
            .map(|seconds| now + Duration::from_secs(seconds.into()));
        Self {
            number: number_in(&payload),
            publisher,
            publisher_session,
            topic,
            payload,
            qos,
            retain,
            properties: application_properties(properties),
            expires_at,
        }
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn is_large(&self) -> bool {
        self.payload.len() >= crate::LARGE
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            publisher,
            topic,
            payload,
            qos,
            ..
        } = self;
        let length = payload.len();
        write!(
            formatter,
            "{number} of client {publisher} on {topic} at {qos:?}, {length} bytes"
        )
    }
}

/// The number that a payload begins with.
pub(crate) fn number_in(payload: &[u8]) -> u64 {
    let digits = payload.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// What goes from the publisher to the subscriber as it is.
fn application_properties(properties: &Properties) -> Properties {
    let is_of_application = |property: &&Property| {
        matches!(
            property,
            Property::PayloadFormatIndicator(_)
                | Property::ContentType(_)
                | Property::ResponseTopic(_)
                | Property::CorrelationData(_)
                | Property::UserProperty(_, _)
        )
    };
    Properties(
        properties
            .iter()
            .filter(is_of_application)
            .cloned()
            .collect(),
    )
}
