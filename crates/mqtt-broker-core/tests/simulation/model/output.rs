//! What the broker sends, and the rules of the wire.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use mqtt_protocol::{
    Decoder, DecoderSettings, Instant, Packet, ProtocolVersion, Publish, QoS, ReasonCode, Role,
};

use super::{
    Link, LinkState, Message, Model, Tally,
    delivery::{Sent, SentProperties},
};
use crate::LinkNumber;

/// Reads what goes to one Client.
pub(super) struct Monitor {
    version: ProtocolVersion,
    /// There is none before a CONNECT came.
    decoder: Option<Decoder>,
    receive_maximum: u16,
    topic_alias_maximum: u16,
    topic_by_alias: BTreeMap<u16, String>,
    /// Sent on this connection and not acknowledged to the end.
    unacknowledged: BTreeSet<u16>,
    /// PUBRECs that came for nothing; their PUBRELs are for nothing too.
    released_unknown: BTreeSet<u16>,
    /// What has to be answered at once, in order.
    pub(super) replies: VecDeque<Reply>,
    is_closed: bool,
}

/// An answer that has to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Connack(bool),
    Puback(u16, ReasonCode),
    Pubrec(u16, ReasonCode),
    Pubcomp(u16, ReasonCode),
    Suback(u16, Vec<ReasonCode>),
    Unsuback(u16, Vec<ReasonCode>),
    Pingresp,
    Disconnect(ReasonCode),
}

/// A message above QoS 0 that was sent and is not acknowledged to the end.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) message: Rc<Message>,
    pub(super) qos: QoS,
    retain: bool,
    is_released: bool,
    /// The last link on which it was sent.
    sent_on: LinkNumber,
    /// Its number among the shared ones.
    shared: Option<u64>,
    pub(super) may_be_given_up: bool,
}

impl Model {
    /// The broker sends bytes.
    pub(crate) fn handle_output(&mut self, link: LinkNumber, bytes: bytes::Bytes, now: Instant) {
        let monitor = &mut self.links[link].monitor;
        assert!(!monitor.is_closed, "bytes follow the close of link {link}");
        let decoder = monitor.decoder.as_mut();
        decoder.expect("bytes came before a CONNECT").feed(bytes);
        loop {
            let decoder = self.links[link].monitor.decoder.as_mut();
            let decoder = decoder.expect("it was just there");
            match decoder.next_packet() {
                Ok(None) => break,
                Ok(Some(packet)) => self.handle_sent_packet(link, packet, now),
                Err(error) => panic!("link {link} cannot read what it was sent: {error}"),
            }
        }
    }

    /// The broker closes a connection.
    pub(crate) fn handle_closed_by_broker(&mut self, link: LinkNumber) {
        assert_eq!(self.links[link].state, LinkState::Closed, "link {link}");
        self.links[link].monitor.is_closed = true;
    }

    fn handle_sent_packet(&mut self, link: LinkNumber, packet: Packet, now: Instant) {
        let reply = match packet {
            Packet::Publish(publish) => {
                assert!(!self.awaits_connack(link), "a PUBLISH before the CONNACK");
                self.handle_sent_publish(link, publish, now);
                return;
            }
            Packet::Pubrel(pubrel) => {
                assert!(!self.awaits_connack(link), "a PUBREL before the CONNACK");
                self.handle_sent_pubrel(link, pubrel.packet_identifier.value());
                return;
            }
            Packet::Connack(connack) => {
                assert_eq!(connack.reason_code, ReasonCode::Success);
                Reply::Connack(connack.session_present)
            }
            Packet::Puback(puback) => {
                Reply::Puback(puback.packet_identifier.value(), puback.reason_code)
            }
            Packet::Pubrec(pubrec) => {
                Reply::Pubrec(pubrec.packet_identifier.value(), pubrec.reason_code)
            }
            Packet::Pubcomp(pubcomp) => {
                Reply::Pubcomp(pubcomp.packet_identifier.value(), pubcomp.reason_code)
            }
            Packet::Suback(suback) => {
                Reply::Suback(suback.packet_identifier.value(), suback.reason_codes)
            }
            Packet::Unsuback(unsuback) => {
                Reply::Unsuback(unsuback.packet_identifier.value(), unsuback.reason_codes)
            }
            Packet::Pingresp => Reply::Pingresp,
            Packet::Disconnect(disconnect) => Reply::Disconnect(disconnect.reason_code),
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Auth(_) => panic!("the broker sent {packet:?}"),
        };
        let expected = self.links[link].monitor.replies.pop_front();
        assert_eq!(Some(reply), expected, "the answer on link {link}");
    }

    fn handle_sent_publish(&mut self, link: LinkNumber, publish: Publish, now: Instant) {
        let client = self.links[link].client;
        let at = &mut self.links[link];
        let topic = at.monitor.resolve_alias(&publish);
        let is_v5 = at.version == ProtocolVersion::V5_0;
        if let Some(packet_identifier) = publish.packet_identifier {
            let monitor = &mut at.monitor;
            monitor.unacknowledged.insert(packet_identifier.value());
            assert!(
                monitor.unacknowledged.len() <= monitor.receive_maximum.into(),
                "link {link}: more in flight than its Receive Maximum"
            );
            let number = packet_identifier.value();
            let in_flight = self.session_of(link).in_flight.get_mut(&number);
            match in_flight {
                Some(in_flight) if publish.dup => {
                    in_flight.check_repetition(link, &topic, &publish);
                    self.numbers.repeated += 1;
                    return;
                }
                None if publish.dup => panic!("DUP on {number}, which is not in flight"),
                Some(in_flight) if !in_flight.may_be_given_up => {
                    panic!("identifier {number} is in flight for {in_flight:?}")
                }
                Some(_) | None => {}
            }
        }
        let sent = Sent {
            topic: &topic,
            publish: &publish,
            qos: publish.qos,
            properties: is_v5.then(|| SentProperties::of(&publish)),
        };
        let Some((message, shared)) = self.take_reason(client, &sent, now) else {
            let session = &self.sessions[&client];
            let like: Vec<_> = session
                .expected
                .iter()
                .filter(|expected| expected.message.payload == publish.payload)
                .collect();
            panic!("client {client} is not to get {publish:?} on {topic}; but {like:?}");
        };
        let session = self.session_of(link);
        let order = (
            session.number,
            message.publisher,
            topic,
            message.qos,
            publish.qos,
        );
        let key = (session.number, message.number, publish.qos);
        if let Some(packet_identifier) = publish.packet_identifier {
            let in_flight = InFlight {
                message,
                qos: publish.qos,
                retain: publish.retain,
                is_released: false,
                sent_on: link,
                shared,
                may_be_given_up: false,
            };
            session
                .in_flight
                .insert(packet_identifier.value(), in_flight);
        }
        self.n_sent += 1;
        let place = self.n_sent;
        let is_worker = shared.is_some();
        let tally = self.tallies.entry(key).or_insert_with(|| Tally {
            order: (!is_worker).then_some((order, place)),
            ..Tally::default()
        });
        tally.sent += 1;
    }

    fn handle_sent_pubrel(&mut self, link: LinkNumber, packet_identifier: u16) {
        let is_for_nothing = self.links[link]
            .monitor
            .released_unknown
            .remove(&packet_identifier);
        let in_flight = self.session_of(link).in_flight.get_mut(&packet_identifier);
        match in_flight {
            Some(in_flight) => {
                assert_eq!(in_flight.qos, QoS::ExactlyOnce, "PUBREL for {in_flight:?}");
                in_flight.is_released |= in_flight.may_be_given_up;
                assert!(in_flight.is_released, "PUBREL before PUBREC: {in_flight:?}");
            }
            None => assert!(is_for_nothing, "PUBREL for {packet_identifier}"),
        }
    }

    /// The Client's PUBACK reaches the broker.
    pub(super) fn handle_puback(&mut self, link: LinkNumber, packet_identifier: u16) {
        self.complete(link, packet_identifier);
    }

    /// The Client's PUBREC reaches the broker.
    pub(super) fn handle_pubrec(&mut self, link: LinkNumber, packet_identifier: u16) {
        let in_flight = self.session_of(link).in_flight.get_mut(&packet_identifier);
        match in_flight {
            Some(in_flight) if in_flight.qos == QoS::ExactlyOnce => in_flight.is_released = true,
            Some(in_flight) => panic!("PUBREC for {in_flight:?}"),
            None => {
                let monitor = &mut self.links[link].monitor;
                monitor.released_unknown.insert(packet_identifier);
            }
        }
    }

    /// The Client's PUBCOMP reaches the broker.
    pub(super) fn handle_pubcomp(&mut self, link: LinkNumber, packet_identifier: u16) {
        self.complete(link, packet_identifier);
    }

    fn complete(&mut self, link: LinkNumber, packet_identifier: u16) {
        let monitor = &mut self.links[link].monitor;
        monitor.unacknowledged.remove(&packet_identifier);
        let in_flight = self.session_of(link).in_flight.remove(&packet_identifier);
        if let Some(shared) = in_flight.and_then(|in_flight| in_flight.shared) {
            self.shared.remove(&shared);
        }
    }

    pub(super) fn expect_disconnect(&mut self, link: LinkNumber, reason_code: ReasonCode) {
        if self.links[link].version == ProtocolVersion::V5_0 {
            self.expect(link, Reply::Disconnect(reason_code));
        }
    }

    pub(super) fn expect_puback(&mut self, link: LinkNumber, identifier: u16, is_reached: bool) {
        let reason_code = self.links[link].taken(is_reached);
        self.expect(link, Reply::Puback(identifier, reason_code));
    }

    pub(super) fn expect_pubrec(&mut self, link: LinkNumber, identifier: u16, is_reached: bool) {
        let reason_code = self.links[link].taken(is_reached);
        self.expect(link, Reply::Pubrec(identifier, reason_code));
    }

    pub(super) fn expect_pubcomp(&mut self, link: LinkNumber, identifier: u16, was_known: bool) {
        let reason_code = if was_known || self.links[link].version == ProtocolVersion::V3_1_1 {
            ReasonCode::Success
        } else {
            ReasonCode::PacketIdentifierNotFound
        };
        self.expect(link, Reply::Pubcomp(identifier, reason_code));
    }

    pub(super) fn expect_suback(
        &mut self,
        link: LinkNumber,
        identifier: u16,
        reason_codes: Vec<ReasonCode>,
    ) {
        self.expect(link, Reply::Suback(identifier, reason_codes));
    }

    pub(super) fn expect_unsuback(
        &mut self,
        link: LinkNumber,
        identifier: u16,
        reason_codes: Vec<ReasonCode>,
    ) {
        let reason_codes = match self.links[link].version {
            ProtocolVersion::V5_0 => reason_codes,
            ProtocolVersion::V3_1_1 => Vec::new(),
        };
        self.expect(link, Reply::Unsuback(identifier, reason_codes));
    }

    pub(super) fn expect_pingresp(&mut self, link: LinkNumber) {
        self.expect(link, Reply::Pingresp);
    }

    fn expect(&mut self, link: LinkNumber, reply: Reply) {
        self.links[link].monitor.replies.push_back(reply);
    }

    fn awaits_connack(&self, link: LinkNumber) -> bool {
        let first = self.links[link].monitor.replies.front();
        matches!(first, Some(Reply::Connack(_)))
    }
}

impl Monitor {
    pub(super) const fn new(version: ProtocolVersion) -> Self {
        Self {
            version,
            decoder: None,
            receive_maximum: 0,
            topic_alias_maximum: 0,
            topic_by_alias: BTreeMap::new(),
            unacknowledged: BTreeSet::new(),
            released_unknown: BTreeSet::new(),
            replies: VecDeque::new(),
            is_closed: false,
        }
    }

    /// A CONNECT came.
    pub(super) fn begin(
        &mut self,
        maximum_packet_size: u32,
        receive_maximum: u16,
        topic_alias_maximum: u16,
        session_present: bool,
    ) {
        self.decoder = Some(Decoder::new(DecoderSettings {
            maximum_packet_size,
            version: Some(self.version),
            role: Role::Client,
        }));
        self.receive_maximum = receive_maximum;
        self.topic_alias_maximum = topic_alias_maximum;
        self.replies.push_back(Reply::Connack(session_present));
    }

    fn resolve_alias(&mut self, publish: &Publish) -> String {
        let topic = publish.topic_name.as_ref().map(|topic| topic.as_str());
        let Some(alias) = publish.properties.topic_alias() else {
            return topic.expect("there is a topic or an alias").to_owned();
        };
        assert!(
            alias.get() <= self.topic_alias_maximum,
            "{alias} is above the Topic Alias Maximum"
        );
        if let Some(topic) = topic {
            self.topic_by_alias.insert(alias.get(), topic.to_owned());
        }
        self.topic_by_alias[&alias.get()].clone()
    }
}

impl Link {
    /// How a message is acknowledged.
    fn taken(&self, is_reached: bool) -> ReasonCode {
        if is_reached || self.version == ProtocolVersion::V3_1_1 {
            ReasonCode::Success
        } else {
            ReasonCode::NoMatchingSubscribers
        }
    }
}

impl InFlight {
    fn check_repetition(&mut self, link: LinkNumber, topic: &str, publish: &Publish) {
        assert!(!self.is_released, "{self:?} was sent after its PUBREC");
        assert_ne!(
            self.sent_on, link,
            "{self:?} was repeated on one connection"
        );
        self.sent_on = link;
        let is_same = self.qos == publish.qos
            && self.retain == publish.retain
            && self.message.topic == topic
            && self.message.payload == publish.payload;
        assert!(is_same, "{publish:?} on {topic} repeats {self:?}");
    }
}
