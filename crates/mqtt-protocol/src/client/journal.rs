//! What of a session is stored, as bytes, and a session made of it.
//!
//! A message is stored as the 5.0 PUBLISH that would carry it, under its token; so the order of keys is that of
//! sending. What is left of an exchange of QoS 2 is stored under its Packet Identifier.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use bytestring::ByteString;

use super::{
    Held, Lane, OutgoingMessage, PublicationToken, SessionChange, SessionIdentity, SessionKeeper,
    StoreOperation,
};
use crate::{
    AcknowledgedQoS, EncodedPublish, Fault, InFlightState, Incoming, Instant, MalformedPacket,
    OutgoingLimits, PacketIdentifier, PacketType, ProtocolVersion, Publish, PublishParts, QoS,
    Role, Session, TopicName,
    data_type::{Reader, encode_u16},
    packet::{Context, FirstByte},
};

/// Writes down what a store has to do so that a session can go on in another process.
#[derive(Debug)]
pub struct SessionJournal {
    /// Since 1970, at the moment that is 0 for [`Instant`].
    wall_clock_at_start: Duration,
    operations: Vec<StoreOperation>,
    sequence: u64,
    n_stored: u64,
    has_failed: bool,
    /// With how many operations must be durable first.
    outgoing: VecDeque<(u64, Held)>,
    incoming: VecDeque<(u64, Held)>,
}

/// What a store had.
#[derive(Debug)]
pub struct StoredSession {
    /// Whose it is; nothing is known of a session that no Server has accepted.
    pub identity: Option<SessionIdentity>,
    /// What is in flight.
    pub exchanges: Session<Box<OutgoingMessage>>,
    /// What was never sent, in order; of any QoS.
    pub queued: Vec<Box<OutgoingMessage>>,
    /// The greatest token that was used.
    pub last_token: u64,
    /// Records that could not be read.
    pub n_corrupt: usize,
}

/// A record cannot be read.
struct CorruptRecord;

impl SessionJournal {
    /// Begins to write. `wall_clock_at_start` is the time since 1970 at the moment that is 0 for [`Instant`];
    /// moments are stored by the wall clock, as it alone goes on over restarts.
    #[must_use]
    pub fn new(wall_clock_at_start: Duration) -> Self {
        Self {
            wall_clock_at_start,
            operations: Vec::new(),
            sequence: 0,
            n_stored: 0,
            has_failed: false,
            outgoing: VecDeque::new(),
            incoming: VecDeque::new(),
        }
    }

    /// Forgets what is kept under a key, whatever it is.
    pub fn forget(&mut self, key: u64) {
        self.remove(key);
    }

    fn put(&mut self, key: u64, value: Vec<u8>) {
        self.sequence += 1;
        self.operations.push(StoreOperation::Put { key, value });
    }

    fn remove(&mut self, key: u64) {
        self.sequence += 1;
        self.operations.push(StoreOperation::Remove { key });
    }

    fn put_message(
        &mut self,
        token: PublicationToken,
        packet_identifier: Option<PacketIdentifier>,
        expires_at: Option<Instant>,
        publish: PublishParts<'_>,
    ) {
        let mut value = vec![FORMAT];
        put_packet_identifier(&mut value, packet_identifier);
        let expires_at = expires_at.map_or(NONE, |at| {
            let since_1970 = self.wall_clock_at_start.saturating_add(at.since_start());
            u64::try_from(since_1970.as_millis()).unwrap_or(NONE - 1)
        });
        put_u64(&mut value, expires_at);
        // What cannot be encoded cannot be sent either; its caller is told when that is found.
        if put_publish(&mut value, publish) {
            self.put(token.0, value);
        }
    }

    /// What was in flight either waits again, as new, or has failed.
    fn put_lost(&mut self, session: &Session<Box<OutgoingMessage>>) {
        for packet_identifier in session.incoming.packet_identifiers() {
            self.remove(RECEIPTS + u64::from(packet_identifier.value()));
        }
        for (packet_identifier, state, _, message) in session.outgoing.in_flight() {
            if state != InFlightState::AwaitingPuback {
                self.remove(RELEASES + u64::from(packet_identifier.value()));
            }
            let Some(message) = message.filter(|message| message.may_wait) else {
                continue;
            };
            match state {
                InFlightState::AwaitingPuback => {
                    let publish = message.publish.parts();
                    self.put_message(message.token, None, message.expires_at, publish);
                }
                InFlightState::AwaitingPubrec => self.remove(message.token.0),
                InFlightState::AwaitingPubcomp => {}
            }
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut VecDeque<(u64, Held)> {
        match lane {
            Lane::Outgoing => &mut self.outgoing,
            Lane::Incoming => &mut self.incoming,
        }
    }
}

impl SessionKeeper for SessionJournal {
    fn note(&mut self, change: SessionChange<'_>) {
        if self.has_failed {
            return;
        }
        let of = |packet_identifier: PacketIdentifier| u64::from(packet_identifier.value());
        match change {
            SessionChange::Identity(identity) => {
                let mut value = vec![FORMAT];
                value.push(identity.protocol_level);
                put_text(&mut value, &identity.address);
                put_text(&mut value, &identity.server);
                put_text(&mut value, &identity.client_identifier);
                self.put(IDENTITY, value);
            }
            SessionChange::Queued {
                token,
                expires_at,
                publish,
            } => self.put_message(token, None, expires_at, publish),
            SessionChange::Sent(packet_identifier, message) => self.put_message(
                message.token,
                Some(packet_identifier),
                message.expires_at,
                message.publish.parts(),
            ),
            SessionChange::Released(packet_identifier, message) => {
                let mut value = vec![FORMAT];
                put_u64(&mut value, message.token.0);
                if message.may_wait {
                    self.remove(message.token.0);
                    if let Some(topic_name) = &message.publish.topic_name {
                        value.extend_from_slice(topic_name.as_str().as_bytes());
                    }
                }
                self.put(RELEASES + of(packet_identifier), value);
            }
            SessionChange::MessageEnded(token) => self.remove(token.0),
            SessionChange::ReleaseEnded(packet_identifier) => {
                self.remove(RELEASES + of(packet_identifier));
            }
            SessionChange::Received(packet_identifier) => {
                self.put(RECEIPTS + of(packet_identifier), vec![FORMAT]);
            }
            SessionChange::ReceiptEnded(packet_identifier) => {
                self.remove(RECEIPTS + of(packet_identifier));
            }
            SessionChange::Lost(session) => self.put_lost(session),
        }
    }

    fn hold(&mut self, lane: Lane, rests_on_store: bool, held: Held) -> Option<Held> {
        let after = if rests_on_store && !self.has_failed {
            self.sequence
        } else {
            0
        };
        let n_stored = self.n_stored;
        let lane = self.lane(lane);
        if lane.is_empty() && after <= n_stored {
            return Some(held);
        }
        lane.push_back((after, held));
        None
    }

    fn is_holding(&self, lane: Lane) -> bool {
        let lane = match lane {
            Lane::Outgoing => &self.outgoing,
            Lane::Incoming => &self.incoming,
        };
        !lane.is_empty()
    }

    fn release(&mut self) -> Option<Held> {
        let n_stored = self.n_stored;
        for lane in [&mut self.incoming, &mut self.outgoing] {
            if lane.front().is_some_and(|(after, _)| *after <= n_stored) {
                return lane.pop_front().map(|(_, held)| held);
            }
        }
        None
    }

    fn forget_packets(&mut self) {
        self.outgoing.clear();
        self.incoming
            .retain(|(_, held)| matches!(held, Held::Event(_)));
    }

    fn take_operations(&mut self) -> Vec<StoreOperation> {
        std::mem::take(&mut self.operations)
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn handle_stored(&mut self, sequence: u64) {
        self.n_stored = self.n_stored.max(sequence);
    }

    fn handle_store_failed(&mut self) {
        self.has_failed = true;
        self.operations.clear();
        self.n_stored = self.sequence;
    }
}

impl StoredSession {
    /// Makes a session of what a store had, in any order. What cannot be read is left out.
    #[must_use]
    pub fn read(
        records: &[(u64, Bytes)],
        wall_clock_at_start: Duration,
        limits: OutgoingLimits,
    ) -> Self {
        let mut stored = Self {
            identity: None,
            exchanges: Session::new(limits),
            queued: Vec::new(),
            last_token: 0,
            n_corrupt: 0,
        };
        let mut receipts = Vec::new();
        let mut messages: Vec<Box<FoundMessage>> = Vec::new();
        for (key, value) in records {
            let read = read(*key, value, wall_clock_at_start);
            match read {
                Ok(Found::Identity(identity)) => stored.identity = Some(identity),
                // Into its place, which mostly is the end: a page is smaller by it than by a sort.
                Ok(Found::Message(found)) => {
                    let place = messages.partition_point(|other| other.token < found.token);
                    messages.insert(place, found);
                }
                Ok(Found::Receipt(packet_identifier)) => receipts.push(packet_identifier),
                Err(_) => stored.n_corrupt += 1,
            }
        }
        stored.exchanges.incoming = Incoming::restore(receipts);
        for found in messages {
            stored.last_token = stored.last_token.max(found.token.0);
            match (found.in_flight, found.message) {
                (Some((packet_identifier, state)), message) => {
                    let outgoing = &mut stored.exchanges.outgoing;
                    outgoing.restore_in_flight(packet_identifier, state, message);
                }
                (None, Some(message)) => stored.queued.push(message),
                (None, None) => {}
            }
        }
        stored
    }

    /// Messages that are to go on.
    #[must_use]
    pub fn n_messages(&self) -> usize {
        let in_flight = self.exchanges.outgoing.in_flight();
        let in_flight = in_flight.filter(|(_, _, _, message)| message.is_some());
        self.queued.len() + in_flight.count()
    }
}

enum Found {
    Identity(SessionIdentity),
    /// In a box, as it is moved about.
    Message(Box<FoundMessage>),
    Receipt(PacketIdentifier),
}

struct FoundMessage {
    token: PublicationToken,
    in_flight: Option<(PacketIdentifier, InFlightState)>,
    message: Option<Box<OutgoingMessage>>,
}

/// Reads one record, and trusts nothing.
fn read(key: u64, value: &Bytes, wall_clock_at_start: Duration) -> Result<Found, CorruptRecord> {
    let mut reader = Reader::new(value, 0, value.len());
    if reader.u8()? != FORMAT {
        return Err(CorruptRecord);
    }
    let number = u16::try_from(key % KIND)
        .ok()
        .and_then(PacketIdentifier::new);
    let packet_identifier = number.ok_or(CorruptRecord);
    Ok(match key {
        IDENTITY => Found::Identity(SessionIdentity {
            protocol_level: reader.u8()?,
            address: reader.string()?.to_string(),
            server: reader.string()?.to_string(),
            client_identifier: reader.string()?.to_string(),
        }),
        RELEASES.. if key < RECEIPTS => {
            let token = PublicationToken(u64(&mut reader)?);
            let topic_name = match reader.is_empty() {
                true => None,
                false => Some(topic_name(reader)?),
            };
            let message = topic_name.map(|topic_name| {
                Box::new(OutgoingMessage {
                    publish: Publish {
                        dup: false,
                        qos: QoS::ExactlyOnce,
                        retain: false,
                        topic_name: Some(topic_name),
                        packet_identifier: None,
                        properties: crate::Properties::new(),
                        payload: Bytes::new(),
                    },
                    token,
                    may_wait: true,
                    expires_at: None,
                })
            });
            Found::Message(Box::new(FoundMessage {
                token,
                in_flight: Some((packet_identifier?, InFlightState::AwaitingPubcomp)),
                message,
            }))
        }
        RECEIPTS.. => Found::Receipt(packet_identifier?),
        _ => {
            let token = PublicationToken(key);
            let packet_identifier = PacketIdentifier::new(reader.u16()?);
            let expires_at = match u64(&mut reader)? {
                NONE => None,
                since_1970 => {
                    let since_1970 = Duration::from_millis(since_1970);
                    let since_start = since_1970.saturating_sub(wall_clock_at_start);
                    Some(Instant::from_start(since_start))
                }
            };
            let publish = publish(reader)?;
            let state = match AcknowledgedQoS::new(publish.qos) {
                Some(AcknowledgedQoS::AtLeastOnce) => Some(InFlightState::AwaitingPuback),
                Some(AcknowledgedQoS::ExactlyOnce) => Some(InFlightState::AwaitingPubrec),
                None => None,
            };
            Found::Message(Box::new(FoundMessage {
                token,
                in_flight: packet_identifier.zip(state),
                message: Some(Box::new(OutgoingMessage {
                    publish,
                    token,
                    may_wait: true,
                    expires_at,
                })),
            }))
        }
    })
}

fn u64(reader: &mut Reader<'_>) -> Result<u64, CorruptRecord> {
    Ok(u64::from(reader.u32()?) << 32 | u64::from(reader.u32()?))
}

/// A Topic Name that fills the rest.
fn topic_name(reader: Reader<'_>) -> Result<TopicName, CorruptRecord> {
    let text = ByteString::try_from(reader.rest()).map_err(|_| CorruptRecord)?;
    TopicName::new(text).map_err(|_| CorruptRecord)
}

/// A PUBLISH that fills the rest, without what belongs to one Network Connection.
fn publish(mut reader: Reader<'_>) -> Result<Publish, CorruptRecord> {
    let first_byte = FirstByte::decode(reader.u8()?)?;
    let length = reader.variable_byte_integer()?;
    if first_byte.packet_type != PacketType::Publish || length as usize != reader.remaining() {
        return Err(CorruptRecord);
    }
    let context = Context {
        version: ProtocolVersion::V5_0,
        // What a Client reads is in the page already, and a PUBLISH is the same both ways.
        receiver: Role::Client,
    };
    let publish = Publish::decode(first_byte.flags, reader, context)?;
    Ok(Publish {
        packet_identifier: None,
        ..publish
    })
}

impl From<MalformedPacket> for CorruptRecord {
    fn from(_: MalformedPacket) -> Self {
        Self
    }
}

impl From<Fault> for CorruptRecord {
    fn from(_: Fault) -> Self {
        Self
    }
}

/// Says whether it could be encoded.
fn put_publish(bytes: &mut Vec<u8>, publish: PublishParts<'_>) -> bool {
    let mut encoded = EncodedPublish::default();
    let publish = PublishParts {
        dup: false,
        // Above QoS 0 a packet has some identifier; which one it has in flight is stored before it.
        packet_identifier: (publish.qos > QoS::AtMostOnce).then_some(PLACEHOLDER),
        ..publish
    };
    let result = encoded.encode(publish, ProtocolVersion::V5_0);
    bytes.extend_from_slice(&encoded.bytes);
    result.is_ok()
}

fn put_packet_identifier(bytes: &mut Vec<u8>, packet_identifier: Option<PacketIdentifier>) {
    encode_u16(packet_identifier.map_or(0, PacketIdentifier::value), bytes);
}

fn put_u64(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend_from_slice(&value.to_be_bytes());
}

/// A text that is longer than any that MQTT knows is cut, and then matches none.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    encode_u16(len, bytes);
    bytes.extend_from_slice(&text[..usize::from(len)]);
}

/// Grows whenever records are written that an earlier version would not understand.
const FORMAT: u8 = 1;
/// Where nothing is.
const NONE: u64 = u64::MAX;
const PLACEHOLDER: PacketIdentifier = PacketIdentifier::new(1).expect("not zero");

// The keys: one record, tokens, then Packet Identifiers of two kinds.
const KIND: u64 = 1 << 50;
const IDENTITY: u64 = 0;
const RELEASES: u64 = KIND;
const RECEIPTS: u64 = 2 * KIND;
