//! Records as bytes.
//!
//! A key begins with its kind, so that what others refer to is read first, and numbers are big-endian,
//! so that the order of keys is that of numbers. A message is stored as the 5.0 PUBLISH that would carry it.

use bytes::BufMut;
use mqtt_protocol::{
    EncodedPublish, Instant, Properties, Property, ProtocolVersion, PublishParts, QoS, TopicName,
    WillMessage,
};

use super::record::{
    Key, KeyKind, Record, RecordKind, SessionRecord, SessionState, SubscriptionOptions,
};
use crate::message::Message;

/// The first byte of a key. The order is that in which a [`Restoration`](crate::Restoration) needs them.
pub(super) mod kind {
    pub(crate) const MESSAGE: u8 = 1;
    pub(crate) const SESSION: u8 = 2;
    pub(crate) const SUBSCRIPTION: u8 = 3;
    pub(crate) const DELIVERY: u8 = 4;
    pub(crate) const RELEASE: u8 = 5;
    pub(crate) const RECEIPT: u8 = 6;
    pub(crate) const RETAINED: u8 = 7;
}

/// Where nothing is: no moment, no Packet Identifier.
pub(super) const NONE: u64 = u64::MAX;

impl Key {
    /// Appends the key's bytes. Their first is from 1 to 7.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        match &self.0 {
            KeyKind::Message(number) => {
                bytes.put_u8(kind::MESSAGE);
                bytes.put_u64(*number);
            }
            KeyKind::Session(session) => {
                bytes.put_u8(kind::SESSION);
                bytes.put_u64(session.0);
            }
            KeyKind::Subscription(session, topic_filter) => {
                bytes.put_u8(kind::SUBSCRIPTION);
                bytes.put_u64(session.0);
                bytes.put_slice(topic_filter.as_str().as_bytes());
            }
            KeyKind::Delivery(session, position) => {
                bytes.put_u8(kind::DELIVERY);
                bytes.put_u64(session.0);
                bytes.put_u64(*position);
            }
            KeyKind::Release(session, packet_identifier) => {
                bytes.put_u8(kind::RELEASE);
                bytes.put_u64(session.0);
                bytes.put_u16(packet_identifier.value());
            }
            KeyKind::Receipt(session, packet_identifier) => {
                bytes.put_u8(kind::RECEIPT);
                bytes.put_u64(session.0);
                bytes.put_u16(packet_identifier.value());
            }
            KeyKind::Retained(topic_name) => {
                bytes.put_u8(kind::RETAINED);
                bytes.put_slice(topic_name.as_str().as_bytes());
            }
        }
    }
}

impl Record {
    /// Appends the bytes that are kept under its key.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        match &self.0 {
            RecordKind::Message(message) => put_message(bytes, message),
            RecordKind::Session(session) => put_session(bytes, session),
            RecordKind::Subscription {
                options, replay, ..
            } => {
                put_options(bytes, *options);
                if let Some(replay) = replay {
                    bytes.put_u64(replay.up_to);
                    if let Some(after) = &replay.after {
                        put_text(bytes, after);
                    }
                }
            }
            RecordKind::Delivery {
                delivery,
                qos,
                packet_identifier,
                ..
            } => {
                bytes.put_u64(delivery.message.key);
                bytes.put_u16(packet_identifier.map_or(0, |identifier| identifier.value()));
                bytes.put_u8(QoS::from(*qos) as u8);
                bytes.put_u8(u8::from(delivery.retain));
                put_len(bytes, delivery.subscription_identifiers().len());
                for identifier in delivery.subscription_identifiers() {
                    bytes.put_u32(identifier.get());
                }
                if let Some(group) = delivery.group() {
                    put_text(bytes, group.share_name());
                    put_text(bytes, group.filter());
                }
            }
            RecordKind::Release { position, .. } => bytes.put_u64(*position),
            RecordKind::Receipt { .. } => {}
            RecordKind::Retained { message, .. } => bytes.put_u64(*message),
        }
    }
}

fn put_session(bytes: &mut Vec<u8>, session: &SessionRecord) {
    put_text(bytes, &session.client_identifier);
    bytes.put_u32(session.expiry_interval);
    match session.state {
        SessionState::Connected => bytes.put_u8(0),
        SessionState::Waiting {
            expires_at,
            will_due,
        } => {
            bytes.put_u8(1);
            put_moment(bytes, expires_at);
            put_moment(bytes, will_due);
        }
        SessionState::Ended => bytes.put_u8(2),
    }
    if let Some(will) = &session.will {
        put_will(bytes, will);
    }
}

fn put_options(bytes: &mut Vec<u8>, options: SubscriptionOptions) {
    bytes.put_u32(options.subscription_identifier.map_or(0, u32::from));
    bytes.put_u8(options.maximum_qos as u8);
    bytes.put_u8(u8::from(options.no_local));
    bytes.put_u8(u8::from(options.retain_as_published));
}

fn put_message(bytes: &mut Vec<u8>, message: &Message) {
    put_moment(bytes, message.expires_at());
    bytes.put_u8(message.qos as u8);
    bytes.put_u8(u8::from(message.retain));
    put_publish(
        bytes,
        &message.topic_name,
        message.properties(),
        &message.payload,
    );
}

fn put_will(bytes: &mut Vec<u8>, will: &WillMessage) {
    bytes.put_u8(will.qos as u8);
    bytes.put_u8(u8::from(will.retain));
    let delay = will.properties.will_delay_interval();
    bytes.put_u64(delay.map_or(NONE, u64::from));
    // The one property of a Will that a PUBLISH has not.
    let properties: Properties = will
        .properties
        .iter()
        .filter(|property| !matches!(property, Property::WillDelayInterval(_)))
        .cloned()
        .collect();
    put_publish(bytes, &will.topic_name, &properties, &will.payload);
}

fn put_publish(
    bytes: &mut Vec<u8>,
    topic_name: &TopicName,
    properties: &Properties,
    payload: &[u8],
) {
    let publish = PublishParts {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic_name: Some(topic_name),
        packet_identifier: None,
        properties,
        payload,
    };
    let mut encoded = EncodedPublish::default();
    // What came in a packet fits into one.
    if encoded.encode(publish, ProtocolVersion::V5_0).is_ok() {
        bytes.put_slice(&encoded.bytes);
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_len(bytes, text.len());
    bytes.put_slice(text.as_bytes());
}

fn put_len(bytes: &mut Vec<u8>, len: usize) {
    bytes.put_u32(u32::try_from(len).unwrap_or(u32::MAX));
}

fn put_moment(bytes: &mut Vec<u8>, moment: Option<Instant>) {
    let nanoseconds = moment.map(|moment| moment.since_start().as_nanos());
    bytes.put_u64(nanoseconds.map_or(NONE, |number| u64::try_from(number).unwrap_or(NONE - 1)));
}
