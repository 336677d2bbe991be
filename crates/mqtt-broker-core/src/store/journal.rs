//! What the broker has done that a store has to do too.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use mqtt_protocol::{AcknowledgedQoS, PacketIdentifier, TopicFilter, TopicName};

use super::record::{
    Key, KeyKind, Record, RecordKind, ReplayRecord, SessionKey, SessionRecord, StoreOperation,
    SubscriptionOptions,
};
use crate::{
    message::{Delivery, Message},
    topic_tree::Subscriber,
};

/// Operations in their order, counted. Without a store nothing is written down.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    is_kept: bool,
    operations: Vec<StoreOperation>,
    sequence: u64,
    last_key: u64,
}

/// How many stored records name a message. The broker alone counts; others only read the message.
#[derive(Debug, Default)]
pub(crate) struct References(AtomicU32);

impl Journal {
    /// Begins with a store that used keys up to this one.
    pub(crate) const fn kept(last_key: u64) -> Self {
        Self {
            is_kept: true,
            operations: Vec::new(),
            sequence: 0,
            last_key,
        }
    }

    /// How many operations there were; what waits for the store waits for this number.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// A number that was never used. Later ones are greater.
    pub(crate) const fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    /// Others who share the store have something to write.
    pub(crate) fn note_change_by_others(&mut self) {
        if self.is_kept {
            self.push(StoreOperation::Others);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<StoreOperation> {
        std::mem::take(&mut self.operations)
    }

    /// The name for a new session that outlives its connection.
    pub(crate) fn new_session(&mut self) -> Option<SessionKey> {
        self.is_kept.then(|| SessionKey(self.next_key()))
    }

    pub(crate) fn put_session(&mut self, record: SessionRecord) {
        self.push(StoreOperation::Update(Record(RecordKind::Session(
            Box::new(record),
        ))));
    }

    pub(crate) fn put_subscription(
        &mut self,
        session: SessionKey,
        topic_filter: &TopicFilter,
        subscriber: &Subscriber,
        replay: Option<ReplayRecord>,
    ) {
        self.push(StoreOperation::Update(Record(RecordKind::Subscription {
            session,
            topic_filter: topic_filter.clone(),
            options: SubscriptionOptions {
                subscription_identifier: subscriber.subscription_identifier,
                maximum_qos: subscriber.maximum_qos,
                no_local: subscriber.no_local,
                retain_as_published: subscriber.retain_as_published,
            },
            replay,
        })));
    }

    pub(crate) fn remove(&mut self, key: KeyKind) {
        self.push(StoreOperation::Remove(Key(key)));
    }

    /// A message begins to wait for a session or, with a Packet Identifier, goes there at once.
    /// Its place was given by [`Self::next_key`].
    pub(crate) fn insert_delivery(
        &mut self,
        session: SessionKey,
        delivery: &Delivery,
        qos: AcknowledgedQoS,
        packet_identifier: Option<PacketIdentifier>,
    ) {
        self.reference(&delivery.message);
        self.push(StoreOperation::Insert(Record(RecordKind::Delivery {
            session,
            delivery: delivery.clone(),
            qos,
            packet_identifier,
        })));
    }

    /// A message that waited is sent.
    pub(crate) fn send_delivery(
        &mut self,
        session: SessionKey,
        delivery: &Delivery,
        qos: AcknowledgedQoS,
        packet_identifier: PacketIdentifier,
    ) {
        self.push(StoreOperation::Update(Record(RecordKind::Delivery {
            session,
            delivery: delivery.clone(),
            qos,
            packet_identifier: Some(packet_identifier),
        })));
    }

    /// A message waits for this session no more.
    pub(crate) fn remove_delivery(&mut self, session: Option<SessionKey>, delivery: &Delivery) {
        if let Some(session) = session {
            self.remove(KeyKind::Delivery(session, delivery.position));
            self.unreference(&delivery.message);
        }
    }

    /// The Client has a QoS 2 message; only its release is still to be confirmed.
    pub(crate) fn release(
        &mut self,
        session: SessionKey,
        packet_identifier: PacketIdentifier,
        position: u64,
    ) {
        self.push(StoreOperation::Insert(Record(RecordKind::Release {
            session,
            packet_identifier,
            position,
        })));
    }

    pub(crate) fn insert_receipt(
        &mut self,
        session: SessionKey,
        packet_identifier: PacketIdentifier,
    ) {
        self.push(StoreOperation::Insert(Record(RecordKind::Receipt {
            session,
            packet_identifier,
        })));
    }

    /// A message is kept for its topic.
    pub(crate) fn retain(&mut self, message: &Arc<Message>) {
        if self.is_kept {
            self.reference(message);
            self.push(StoreOperation::Update(Record(RecordKind::Retained {
                topic_name: message.topic_name.clone(),
                message: message.key,
            })));
        }
    }

    /// A message is not kept for its topic any more, perhaps because another is.
    pub(crate) fn replace_retained(&mut self, message: &Message) {
        if self.is_kept {
            self.unreference(message);
        }
    }

    pub(crate) fn remove_retained(&mut self, topic_name: &TopicName) {
        if self.is_kept {
            self.remove(KeyKind::Retained(topic_name.clone()));
        }
    }

    /// Stores the message with the first record that names it.
    fn reference(&mut self, message: &Arc<Message>) {
        if message.references.0.fetch_add(1, Ordering::Relaxed) == 0 {
            self.push(StoreOperation::Insert(Record(RecordKind::Message(
                Arc::clone(message),
            ))));
        }
    }

    /// Forgets the message with the last record that named it.
    fn unreference(&mut self, message: &Message) {
        if message.references.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.remove(KeyKind::Message(message.key));
        }
    }

    fn push(&mut self, operation: StoreOperation) {
        self.sequence += 1;
        self.operations.push(operation);
    }
}

impl References {
    /// One record more was found.
    pub(crate) fn add_found(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn are_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}
