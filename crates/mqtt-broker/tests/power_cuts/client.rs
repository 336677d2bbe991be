//! A Client that keeps its Session State as the specification asks, and speaks in packets.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU16,
};

use bytes::Bytes;
use fastrand::Rng;
use mqtt_protocol::{
    Connack, Connect, Packet, PacketIdentifier, Properties, Property, ProtocolVersion, Puback,
    Pubcomp, Publish, Pubrec, Pubrel, QoS, ReasonCode, RetainHandling, Subscribe, Subscription,
    TopicFilter, TopicName, Unsubscribe, WillMessage,
};

use crate::{
    ClientNumber,
    book::{Arrival, AudienceNumber, Book, DATA, KEPT, MessageNumber, Reader, SHELF, WILL},
};

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) number: ClientNumber,
    pub(crate) version: ProtocolVersion,
    /// Whether its session outlives its connections.
    pub(crate) is_persistent: bool,
    pub(crate) is_publisher: bool,
    receive_maximum: Option<NonZeroU16>,
    leaves_wills: bool,
    /// How many retained messages it has put on the shelf.
    n_shelved: u32,
    pub(crate) subscriptions: Vec<Subscribed>,
    pub(crate) state: State,
    /// Whether a CONNACK has said that there is a session that outlives the connection.
    has_session: bool,
    start: Start,
    /// Whether the last connection left no session behind, as a CONNACK has said.
    has_passed: bool,
    /// Whether this is the first CONNECT after it.
    expects_no_session: bool,
    /// Whether what it has of a session is of one that is over.
    is_of_before: bool,
    /// What was published and is not acknowledged to the end, in order.
    in_flight: Vec<InFlight>,
    /// Messages of QoS 2 whose PUBREL has not come.
    receipts: BTreeMap<PacketIdentifier, MessageNumber>,
    reader: Reader,
    /// The Will of the connection, once the CONNECT is sent.
    will: Option<MessageNumber>,
    /// Acknowledgements that it has still to send, in order.
    owed: VecDeque<Packet>,
    /// What goes out next.
    pub(crate) outbox: Vec<Packet>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Offline,
    Connecting,
    Connected,
}

/// How a Client with a session connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It goes on with its session.
    Resume,
    /// It begins another.
    Anew,
    /// It ends its session, and begins one that ends with the connection.
    Pass,
}

/// A subscription of a Client.
#[derive(Debug, Clone)]
pub(crate) struct Subscribed {
    prefix: &'static str,
    topic_filter: String,
    qos: QoS,
    retain_handling: RetainHandling,
    /// `None` where nothing is promised, as the session is not to last.
    audience: Option<AudienceNumber>,
    pub(crate) is_shared: bool,
    wish: Wish,
    is_asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Subscribe,
    Keep,
    Unsubscribe,
}

#[derive(Debug, Clone)]
struct InFlight {
    packet_identifier: PacketIdentifier,
    message: MessageNumber,
    is_received: bool,
    publish: Publish,
}

impl Client {
    pub(crate) fn publisher(number: ClientNumber, is_persistent: bool, rng: &mut Rng) -> Self {
        Self {
            is_publisher: true,
            leaves_wills: is_persistent && rng.bool(),
            ..Self::new(number, is_persistent, rng)
        }
    }

    fn new(number: ClientNumber, is_persistent: bool, rng: &mut Rng) -> Self {
        let versions = [ProtocolVersion::V3_1_1, ProtocolVersion::V5_0];
        Self {
            number,
            version: versions[rng.usize(0..2)],
            is_persistent,
            is_publisher: false,
            receive_maximum: NonZeroU16::new([0, 1, 2, 5][rng.usize(0..4)]),
            leaves_wills: false,
            n_shelved: 0,
            subscriptions: Vec::new(),
            state: State::Offline,
            has_session: false,
            start: Start::Resume,
            has_passed: false,
            expects_no_session: false,
            is_of_before: false,
            in_flight: Vec::new(),
            receipts: BTreeMap::new(),
            reader: Reader::default(),
            will: None,
            owed: VecDeque::new(),
            outbox: Vec::new(),
        }
    }

    /// One with a session, whose subscriptions are promised to it alone.
    pub(crate) fn subscriber(number: ClientNumber, book: &mut Book, rng: &mut Rng) -> Self {
        let mut client = Self::new(number, true, rng);
        for prefix in [DATA, KEPT, SHELF, WILL] {
            if prefix == DATA || rng.bool() {
                let audience = book.audience(prefix, false);
                client.add(prefix, &format!("{prefix}#"), Some(audience), rng);
            }
        }
        client
    }

    /// One who shares a subscription.
    pub(crate) fn member(number: ClientNumber, audience: AudienceNumber, rng: &mut Rng) -> Self {
        let mut client = Self::new(number, true, rng);
        client.version = ProtocolVersion::V5_0;
        client.add(DATA, "$share/group/data/#", Some(audience), rng);
        client
    }

    /// One whom nothing is promised.
    pub(crate) fn listener(number: ClientNumber, rng: &mut Rng) -> Self {
        let mut client = Self::new(number, false, rng);
        client.add("", "#", None, rng);
        client
    }

    /// One who looks at what is retained.
    pub(crate) fn visitor(number: ClientNumber, rng: &mut Rng) -> Self {
        let mut client = Self::new(number, false, rng);
        client.add(KEPT, "kept/#", None, rng);
        client.add(SHELF, "shelf/#", None, rng);
        client
    }

    fn add(
        &mut self,
        prefix: &'static str,
        topic_filter: &str,
        audience: Option<AudienceNumber>,
        rng: &mut Rng,
    ) {
        self.subscriptions.push(Subscribed {
            prefix,
            topic_filter: topic_filter.to_owned(),
            qos: [QoS::AtLeastOnce, QoS::ExactlyOnce][rng.usize(0..2)],
            retain_handling: RetainHandling::Send,
            audience,
            is_shared: topic_filter.starts_with('$'),
            wish: Wish::Subscribe,
            is_asked: false,
        });
    }

    /// Whether nothing is left that it has to do.
    pub(crate) fn is_quiet(&self) -> bool {
        self.state == State::Connected
            && self.in_flight.is_empty()
            && self.receipts.is_empty()
            && self.owed.is_empty()
            && self.outbox.is_empty()
            && self.start != Start::Pass
            && self.subscriptions.iter().all(|it| it.wish == Wish::Keep)
    }

    pub(crate) fn connect(&mut self, book: &mut Book, rng: &mut Rng) {
        assert_eq!(self.state, State::Offline);
        self.state = State::Connecting;
        // A Client that wants to begin anew does, until it is told that it has.
        if self.may_begin_anew() && self.start == Start::Resume && rng.u8(0..20) == 0 {
            self.start = match self.version {
                ProtocolVersion::V5_0 if rng.bool() => Start::Anew,
                ProtocolVersion::V3_1_1 | ProtocolVersion::V5_0 => Start::Pass,
            };
            for subscription in &mut self.subscriptions {
                subscription.wish = Wish::Subscribe;
                if let Some(audience) = subscription.audience {
                    book.leaving(audience);
                }
            }
        }
        self.expects_no_session = std::mem::take(&mut self.has_passed);
        let outlives = self.is_persistent && self.start != Start::Pass;
        let is_v5 = self.version == ProtocolVersion::V5_0;
        let mut properties = Properties::new();
        if is_v5 {
            if outlives {
                properties.push(Property::SessionExpiryInterval(u32::MAX));
            }
            if let Some(maximum) = self.receive_maximum {
                properties.push(Property::ReceiveMaximum(maximum));
            }
        }
        let will = (self.leaves_wills && outlives && rng.bool()).then(|| {
            let topic = format!("{WILL}{}", self.number);
            let qos = [QoS::AtLeastOnce, QoS::ExactlyOnce][rng.usize(0..2)];
            let number = book.new_message(topic.clone(), qos, false);
            book.may_come_again(number);
            self.will = Some(number);
            WillMessage {
                topic_name: TopicName::new(topic).unwrap(),
                payload: payload(number, rng),
                qos,
                retain: false,
                properties: Properties::new(),
            }
        });
        self.outbox.push(Packet::Connect(Box::new(Connect {
            protocol_version: self.version,
            // On 3.1.1 that is also whether the session outlives the connection.
            clean_start: match self.version {
                ProtocolVersion::V3_1_1 => !outlives,
                ProtocolVersion::V5_0 => !outlives || self.start == Start::Anew,
            },
            keep_alive: 0,
            properties,
            client_identifier: format!("client-{}", self.number).into(),
            will,
            user_name: None,
            password: None,
        })));
    }

    /// Whether it would break no promise to those who share a subscription with it.
    fn may_begin_anew(&self) -> bool {
        self.is_persistent && !self.subscriptions.iter().any(|it| it.is_shared)
    }

    /// The connection is over; `is_told` if a DISCONNECT was sent.
    pub(crate) fn end(&mut self, is_told: bool, book: &mut Book) {
        if self.state == State::Connected
            && !is_told
            && let Some(will) = self.will
        {
            book.acknowledged(will);
        }
        if self.state == State::Connected {
            self.is_of_before = self.start == Start::Pass;
            self.start = Start::Resume;
        }
        self.will = None;
        self.state = State::Offline;
        self.owed.clear();
        self.outbox.clear();
        for subscription in &mut self.subscriptions {
            subscription.is_asked = false;
            if !self.is_persistent {
                subscription.wish = Wish::Subscribe;
            }
        }
        if !self.is_persistent {
            self.receipts.clear();
        }
    }

    /// Its session is not wanted any more.
    pub(crate) fn leave(&mut self) {
        self.is_persistent = false;
        self.start = Start::Resume;
        self.leaves_wills = false;
        self.subscriptions.clear();
    }

    pub(crate) fn publish(&mut self, book: &mut Book, rng: &mut Rng) {
        if self.state != State::Connected || self.in_flight.len() >= IN_FLIGHT_MAX {
            return;
        }
        let prefix = match rng.u8(0..8) {
            0 | 1 => KEPT,
            2 | 3 if self.n_shelved < N_SHELVED_MAX => SHELF,
            _ => DATA,
        };
        let place = match prefix {
            SHELF => self.n_shelved,
            _ => rng.u32(0..2),
        };
        self.n_shelved += u32::from(prefix == SHELF);
        let topic = format!("{prefix}{}/{place:02}", self.number);
        let qos = match (prefix, place) {
            // Of one QoS, as only that keeps the order: what is sent again at QoS 1 is published again,
            // behind what was published at QoS 2 after it.
            (KEPT, 0) => QoS::AtLeastOnce,
            (KEPT, _) => QoS::ExactlyOnce,
            _ => a_qos(rng),
        };
        let is_removal = prefix == KEPT && rng.u8(0..5) == 0;
        let message = book.new_message(topic.clone(), qos, is_removal);
        let publish = Publish {
            dup: false,
            qos,
            retain: prefix != DATA,
            topic_name: Some(TopicName::new(topic).unwrap()),
            packet_identifier: None,
            properties: Properties::new(),
            payload: match is_removal {
                true => Bytes::new(),
                false => payload(message, rng),
            },
        };
        self.begin(message, publish, book);
    }

    fn begin(&mut self, message: MessageNumber, mut publish: Publish, book: &mut Book) {
        book.transmitted(message);
        if publish.qos > QoS::AtMostOnce {
            let packet_identifier = self.free_identifier();
            publish.packet_identifier = Some(packet_identifier);
            self.in_flight.push(InFlight {
                packet_identifier,
                message,
                is_received: false,
                publish: publish.clone(),
            });
        }
        self.outbox.push(Packet::Publish(publish));
    }

    /// The lowest, so that each is used again and again.
    fn free_identifier(&self) -> PacketIdentifier {
        let is_used = |candidate: &PacketIdentifier| {
            let mut in_flight = self.in_flight.iter();
            in_flight.any(|in_flight| in_flight.packet_identifier == *candidate)
        };
        (1..)
            .filter_map(PacketIdentifier::new)
            .find(|candidate| !is_used(candidate))
            .expect("few are in flight")
    }

    /// Whether it is connected only to end its session.
    pub(crate) fn is_passing(&self) -> bool {
        self.state == State::Connected && self.start == Start::Pass
    }

    /// Sends the acknowledgement that is owed for longest.
    pub(crate) fn acknowledge(&mut self) {
        self.outbox.extend(self.owed.pop_front());
    }

    pub(crate) fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Asks for what it wishes.
    pub(crate) fn ask(&mut self, book: &mut Book) {
        if self.state != State::Connected || self.start == Start::Pass {
            return;
        }
        for (n, subscription) in self.subscriptions.iter_mut().enumerate() {
            if subscription.wish == Wish::Keep || subscription.is_asked {
                continue;
            }
            subscription.is_asked = true;
            let packet_identifier = PacketIdentifier::new(FIRST_FILTER + n as u16).unwrap();
            let filter = TopicFilter::new(subscription.topic_filter.clone()).unwrap();
            self.outbox.push(if subscription.wish == Wish::Subscribe {
                if let Some(audience) = subscription.audience {
                    book.subscribing(audience, subscription.qos, subscription.retain_handling);
                }
                Packet::Subscribe(Subscribe {
                    packet_identifier,
                    properties: Properties::new(),
                    subscriptions: vec![Subscription {
                        retain_handling: subscription.retain_handling,
                        ..Subscription::new(filter, subscription.qos)
                    }],
                })
            } else {
                Packet::Unsubscribe(Unsubscribe {
                    packet_identifier,
                    properties: Properties::new(),
                    topic_filters: vec![filter],
                })
            });
        }
    }

    /// Chooses to end one of its subscriptions for a while, or to change it.
    pub(crate) fn change_mind(&mut self, book: &mut Book, rng: &mut Rng) {
        if self.state != State::Connected || self.subscriptions.is_empty() {
            return;
        }
        let n = rng.usize(0..self.subscriptions.len());
        let subscription = &mut self.subscriptions[n];
        if subscription.wish == Wish::Keep
            && !subscription.is_shared
            && let Some(audience) = subscription.audience
        {
            if rng.bool() {
                book.unsubscribing(audience);
                subscription.wish = Wish::Unsubscribe;
            } else {
                subscription.wish = Wish::Subscribe;
            }
            subscription.qos = [QoS::AtLeastOnce, QoS::ExactlyOnce][rng.usize(0..2)];
            // On 3.1.1 there is no choice.
            if self.version == ProtocolVersion::V5_0 {
                subscription.retain_handling = [
                    RetainHandling::Send,
                    RetainHandling::SendIfNew,
                    RetainHandling::DoNotSend,
                ][rng.usize(0..3)];
            }
        }
    }

    /// A packet came; `false` if the connection is over by it.
    #[must_use]
    pub(crate) fn handle(&mut self, packet: Packet, book: &mut Book, rng: &mut Rng) -> bool {
        let what = format!("client {}: {packet:?}", self.number);
        match packet {
            Packet::Connack(connack) => return self.handle_connack(&connack, book, rng),
            Packet::Publish(publish) => self.handle_publish(publish, book),
            Packet::Puback(puback) => {
                let in_flight = self.take_in_flight(puback.packet_identifier);
                let in_flight = in_flight.unwrap_or_else(|| panic!("{what} is of no message"));
                assert_eq!(in_flight.publish.qos, QoS::AtLeastOnce, "{what}");
                if !puback.reason_code.is_error() {
                    book.acknowledged(in_flight.message);
                }
            }
            Packet::Pubrec(pubrec) => self.handle_pubrec(&pubrec, book, &what),
            Packet::Pubrel(pubrel) => {
                self.receipts.remove(&pubrel.packet_identifier);
                self.owed.push_back(Packet::Pubcomp(Pubcomp {
                    packet_identifier: pubrel.packet_identifier,
                    reason_code: ReasonCode::Success,
                    properties: Properties::new(),
                }));
            }
            Packet::Pubcomp(pubcomp) => {
                let in_flight = self.take_in_flight(pubcomp.packet_identifier);
                let in_flight = in_flight.unwrap_or_else(|| panic!("{what} is of no message"));
                assert!(in_flight.is_received, "{what}");
            }
            Packet::Suback(suback) => {
                let is_granted = !suback.reason_codes[0].is_error();
                let subscription = self.asked(suback.packet_identifier, &what);
                if is_granted {
                    subscription.wish = Wish::Keep;
                    if let Some(audience) = subscription.audience {
                        book.subscribed(audience);
                    }
                }
            }
            Packet::Unsuback(unsuback) => {
                let mut reason_codes = unsuback.reason_codes.iter();
                let is_error = reason_codes.any(|reason_code| reason_code.is_error());
                let subscription = self.asked(unsuback.packet_identifier, &what);
                if !is_error {
                    subscription.wish = Wish::Subscribe;
                    if let Some(audience) = subscription.audience {
                        book.unsubscribed(audience);
                    }
                }
            }
            Packet::Disconnect(_) => return false,
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Auth(_) => panic!("{what} is not for a Client"),
        }
        true
    }

    fn asked(&mut self, packet_identifier: PacketIdentifier, what: &str) -> &mut Subscribed {
        let place = usize::from(packet_identifier.value() - FIRST_FILTER);
        let subscription = &mut self.subscriptions[place];
        assert!(subscription.is_asked, "{what} was asked for");
        subscription.is_asked = false;
        subscription
    }

    fn handle_connack(&mut self, connack: &Connack, book: &mut Book, rng: &mut Rng) -> bool {
        assert_eq!(self.state, State::Connecting);
        if connack.reason_code.is_error() {
            return false;
        }
        let session_present = connack.session_present;
        assert!(
            session_present
                || self.start != Start::Resume
                || !(self.has_session && self.is_persistent),
            "client {}: its session is lost",
            self.number
        );
        assert!(
            !(session_present && (self.expects_no_session || self.start != Start::Resume)),
            "client {}: its session has ended and is back",
            self.number
        );
        self.has_session = self.is_persistent && self.start != Start::Pass;
        self.has_passed = self.start == Start::Pass;
        if self.start != Start::Resume {
            for audience in self.subscriptions.iter().filter_map(|it| it.audience) {
                book.unsubscribed(audience);
            }
        }
        self.state = State::Connected;
        let goes_on = !std::mem::take(&mut self.is_of_before) && session_present;
        self.reader.begin_connection(goes_on);
        if goes_on {
            for in_flight in &mut self.in_flight {
                self.outbox.push(if in_flight.is_received {
                    pubrel(in_flight.packet_identifier)
                } else {
                    book.transmitted(in_flight.message);
                    in_flight.publish.dup = true;
                    Packet::Publish(in_flight.publish.clone())
                });
            }
        } else {
            self.receipts.clear();
            for in_flight in std::mem::take(&mut self.in_flight) {
                // Whether it was published nobody can say.
                if !in_flight.is_received && rng.bool() {
                    book.published_anew(in_flight.message);
                    let mut publish = in_flight.publish;
                    publish.dup = false;
                    self.begin(in_flight.message, publish, book);
                }
            }
        }
        true
    }

    fn handle_pubrec(&mut self, pubrec: &Pubrec, book: &mut Book, what: &str) {
        let packet_identifier = pubrec.packet_identifier;
        if pubrec.reason_code.is_error() {
            let in_flight = self.take_in_flight(packet_identifier);
            assert!(in_flight.is_some(), "{what} is of no message");
            return;
        }
        let mut all = self.in_flight.iter_mut();
        let in_flight = all.find(|it| it.packet_identifier == packet_identifier);
        let in_flight = in_flight.unwrap_or_else(|| panic!("{what} is of no message"));
        assert_eq!(in_flight.publish.qos, QoS::ExactlyOnce, "{what}");
        in_flight.is_received = true;
        book.acknowledged(in_flight.message);
        self.outbox.push(pubrel(packet_identifier));
    }

    fn handle_publish(&mut self, publish: Publish, book: &mut Book) {
        let what = format!("client {}: {publish:?}", self.number);
        let topic = publish.topic_name.expect("no Topic Alias is allowed");
        let message = number_in(&publish.payload);
        if message != REMOVAL {
            let known = book.messages.get(message);
            let known = known.unwrap_or_else(|| panic!("{what} was never published"));
            assert_eq!(known.topic, topic.as_str(), "{what} is on another topic");
        }
        let acknowledgement = publish.packet_identifier.map(|packet_identifier| {
            let (reason_code, properties) = (ReasonCode::Success, Properties::new());
            match publish.qos {
                QoS::AtMostOnce | QoS::AtLeastOnce => Packet::Puback(Puback {
                    packet_identifier,
                    reason_code,
                    properties,
                }),
                QoS::ExactlyOnce => Packet::Pubrec(Pubrec {
                    packet_identifier,
                    reason_code,
                    properties,
                }),
            }
        });
        self.owed.extend(acknowledgement);
        if publish.qos == QoS::ExactlyOnce
            && let Some(packet_identifier) = publish.packet_identifier
        {
            match self.receipts.insert(packet_identifier, message) {
                None => {}
                Some(earlier) => {
                    assert!(publish.dup, "{what} is under an identifier in use");
                    assert_eq!(earlier, message, "{what} has another's identifier");
                    return;
                }
            }
        }
        if message == REMOVAL {
            return;
        }
        let mut subscriptions = self.subscriptions.iter();
        let subscription = subscriptions.find(|it| topic.as_str().starts_with(it.prefix));
        let subscription = subscription.unwrap_or_else(|| panic!("{what} was not asked for"));
        if publish.retain {
            match subscription.audience {
                Some(audience) => book.replayed(self.number, audience, message),
                None if subscription.prefix.is_empty() => {}
                None => book.found_retained(topic.as_str().to_owned(), message),
            }
            return;
        }
        if let Some(audience) = subscription.audience {
            let arrival = Arrival {
                message,
                qos: publish.qos,
                dup: publish.dup,
                packet_identifier: publish.packet_identifier.map_or(0, PacketIdentifier::value),
            };
            book.arrived(self.number, audience, &mut self.reader, arrival);
        }
    }

    fn take_in_flight(&mut self, packet_identifier: PacketIdentifier) -> Option<InFlight> {
        let mut in_flight = self.in_flight.iter();
        let place = in_flight.position(|it| it.packet_identifier == packet_identifier)?;
        Some(self.in_flight.remove(place))
    }
}

fn pubrel(packet_identifier: PacketIdentifier) -> Packet {
    Packet::Pubrel(Pubrel {
        packet_identifier,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

fn a_qos(rng: &mut Rng) -> QoS {
    [
        QoS::AtMostOnce,
        QoS::AtLeastOnce,
        QoS::AtLeastOnce,
        QoS::ExactlyOnce,
        QoS::ExactlyOnce,
    ][rng.usize(0..5)]
}

/// The number of the message, and now and then enough to fill pages of a store.
fn payload(message: MessageNumber, rng: &mut Rng) -> Bytes {
    let n_bytes = if rng.u8(0..12) == 0 {
        rng.usize(0..6000)
    } else {
        0
    };
    format!("{message}.{}", "x".repeat(n_bytes)).into()
}

fn number_in(payload: &[u8]) -> MessageNumber {
    if payload.is_empty() {
        return REMOVAL;
    }
    let text = str::from_utf8(payload).expect("only numbers are published");
    let number = text
        .split('.')
        .next()
        .and_then(|number| number.parse().ok());
    number.expect("only numbers are published")
}

/// What has no payload has no number.
const REMOVAL: MessageNumber = MessageNumber::MAX;

const IN_FLIGHT_MAX: usize = 6;

/// Enough for a replay of many turns.
const N_SHELVED_MAX: u32 = 20;

/// Packet Identifiers of SUBSCRIBE and UNSUBSCRIBE.
const FIRST_FILTER: u16 = 60_000;
