//! The kinds of records, and how each is found again.

use std::{num::NonZeroU32, sync::Arc};

use bytestring::ByteString;
use mqtt_protocol::{
    AcknowledgedQoS, Instant, PacketIdentifier, QoS, TopicFilter, TopicName, WillMessage,
};

use crate::message::{Delivery, Message};

/// One thing for a store to do.
#[derive(Debug, Clone)]
pub enum StoreOperation {
    /// Keep a record; there is none of this key.
    Insert(Record),
    /// Keep a record, perhaps in the place of an earlier one.
    Update(Record),
    /// Forget a record, if there is one.
    Remove(Key),
    /// Nothing of the broker's own: others who share the store have something to write in the same commit.
    Others,
}

/// Something to be kept. [`Record::key`] and [`Record::encode`] say as what.
#[derive(Debug, Clone)]
pub struct Record(pub(crate) RecordKind);

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(pub(crate) KeyKind);

/// Names a session for as long as it lasts, over restarts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionKey(pub(crate) u64);

#[derive(Debug, Clone)]
pub(crate) enum RecordKind {
    Message(Arc<Message>),
    Session(Box<SessionRecord>),
    Subscription {
        session: SessionKey,
        topic_filter: TopicFilter,
        options: SubscriptionOptions,
        /// Retained messages that it has still to get.
        replay: Option<ReplayRecord>,
    },
    /// A message that waits for a session or is in flight to it.
    Delivery {
        session: SessionKey,
        delivery: Delivery,
        qos: AcknowledgedQoS,
        /// Once it is in flight.
        packet_identifier: Option<PacketIdentifier>,
    },
    /// A QoS 2 message that the Client has received, whose PUBCOMP is awaited.
    Release {
        session: SessionKey,
        packet_identifier: PacketIdentifier,
        /// Among the deliveries of the session.
        position: u64,
    },
    /// A QoS 2 message of the Client that is published, whose PUBREL is awaited.
    Receipt {
        session: SessionKey,
        packet_identifier: PacketIdentifier,
    },
    Retained {
        topic_name: TopicName,
        message: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRecord {
    pub(crate) key: SessionKey,
    pub(crate) client_identifier: ByteString,
    /// In seconds; `u32::MAX` for ever.
    pub(crate) expiry_interval: u32,
    pub(crate) state: SessionState,
    pub(crate) will: Option<Box<WillMessage>>,
}

/// How far a stored session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionState {
    /// A Client is connected; if this is what is found at a start, the connection was lost.
    Connected,
    /// It waits for its Client.
    Waiting {
        expires_at: Option<Instant>,
        will_due: Option<Instant>,
    },
    /// It is over; what is left of Shared Subscriptions goes to other members.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubscriptionOptions {
    pub(crate) subscription_identifier: Option<NonZeroU32>,
    pub(crate) maximum_qos: QoS,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
}

/// How far the search for retained messages is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayRecord {
    pub(crate) after: Option<ByteString>,
    pub(crate) up_to: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum KeyKind {
    Message(u64),
    Session(SessionKey),
    Subscription(SessionKey, TopicFilter),
    Delivery(SessionKey, u64),
    Release(SessionKey, PacketIdentifier),
    Receipt(SessionKey, PacketIdentifier),
    Retained(TopicName),
}

impl KeyKind {
    /// The greatest number in it that [`Journal::next_key`](super::Journal::next_key) has given.
    pub(crate) fn number(&self) -> u64 {
        match *self {
            Self::Message(number) => number,
            Self::Session(session)
            | Self::Subscription(session, _)
            | Self::Release(session, _)
            | Self::Receipt(session, _) => session.0,
            Self::Delivery(session, position) => session.0.max(position),
            Self::Retained(_) => 0,
        }
    }
}

impl StoreOperation {
    /// About how many bytes of payload there are to write.
    #[must_use]
    pub fn size_hint(&self) -> usize {
        match self {
            Self::Insert(Record(RecordKind::Message(message))) => message.size(),
            Self::Insert(_) | Self::Update(_) | Self::Remove(_) | Self::Others => 0,
        }
    }
}

impl Record {
    /// Under which it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        Key(match &self.0 {
            RecordKind::Message(message) => KeyKind::Message(message.key),
            RecordKind::Session(record) => KeyKind::Session(record.key),
            RecordKind::Subscription {
                session,
                topic_filter,
                ..
            } => KeyKind::Subscription(*session, topic_filter.clone()),
            RecordKind::Delivery {
                session, delivery, ..
            } => KeyKind::Delivery(*session, delivery.position),
            RecordKind::Release {
                session,
                packet_identifier,
                ..
            } => KeyKind::Release(*session, *packet_identifier),
            RecordKind::Receipt {
                session,
                packet_identifier,
            } => KeyKind::Receipt(*session, *packet_identifier),
            RecordKind::Retained { topic_name, .. } => KeyKind::Retained(topic_name.clone()),
        })
    }
}
