//! Application Messages as the broker keeps them.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use mqtt_protocol::{
    Instant, Properties, Property, ProtocolVersion, Publish, QoS, TopicName, WillMessage,
};

use crate::topic_tree::GroupName;

/// A message without what belongs to one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic_name: TopicName,
    pub(crate) payload: Bytes,
    /// What is forwarded unaltered, in order; the Message Expiry Interval is counted down apart.
    pub(crate) properties: Properties,
    /// As published.
    pub(crate) qos: QoS,
    /// As published.
    pub(crate) retain: bool,
    pub(crate) expires_at: Option<Instant>,
}

impl Message {
    /// Takes what a PUBLISH carries; `None` without a Topic Name.
    pub(crate) fn from_publish(publish: Publish, now: Instant) -> Option<Self> {
        Some(Self::new(
            publish.topic_name?,
            publish.payload,
            publish.properties,
            publish.qos,
            publish.retain,
            now,
        ))
    }

    /// Takes what a Will says; its interval begins when it is published.
    pub(crate) fn from_will(will: &WillMessage, now: Instant) -> Self {
        Self::new(
            will.topic_name.clone(),
            will.payload.clone(),
            will.properties.clone(),
            will.qos,
            will.retain,
            now,
        )
    }

    fn new(
        topic_name: TopicName,
        payload: Bytes,
        mut properties: Properties,
        qos: QoS,
        retain: bool,
        now: Instant,
    ) -> Self {
        let expires_at = properties
            .message_expiry_interval()
            .map(|seconds| now + Duration::from_secs(u64::from(seconds)));
        properties.0.retain(is_forwarded);
        Self {
            topic_name,
            payload,
            properties,
            qos,
            retain,
            expires_at,
        }
    }

    /// The same message in memory of its own: what is kept must not keep all that was read with it.
    pub(crate) fn detached(&self) -> Self {
        let mut message = self.clone();
        if self.payload.len() < WORTH_SHARING {
            let topic = self.topic_name.as_str();
            let mut memory = BytesMut::with_capacity(topic.len() + self.payload.len());
            memory.extend_from_slice(topic.as_bytes());
            memory.extend_from_slice(&self.payload);
            let mut memory = memory.freeze();
            let topic = memory.split_to(topic.len());
            message.payload = memory;
            message.topic_name = ByteString::try_from(topic)
                .ok()
                .and_then(|topic| TopicName::new(topic).ok())
                .expect("a copy of a valid name is valid");
        } else {
            message.topic_name = detached_topic_name(&self.topic_name);
        }
        for property in &mut message.properties.0 {
            *property = detached_property(property);
        }
        message
    }

    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Bytes of topic, payload and properties.
    pub(crate) fn size(&self) -> usize {
        let properties: usize = self.properties.iter().map(property_size).sum();
        self.topic_name.as_str().len() + self.payload.len() + properties
    }

    /// The packet for a receiver, still without its Packet Identifier.
    pub(crate) fn to_publish(
        &self,
        qos: QoS,
        retain: bool,
        subscription_identifiers: &[NonZeroU32],
        version: ProtocolVersion,
        now: Instant,
    ) -> Publish {
        let mut properties = Properties::new();
        if version == ProtocolVersion::V5_0 {
            properties = self.properties.clone();
            if let Some(expires_at) = self.expires_at {
                // 5.0 [MQTT-3.3.2-6]: less the whole seconds that it waited here.
                let left = expires_at.saturating_duration_since(now);
                let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
                properties.push(Property::MessageExpiryInterval(
                    u32::try_from(seconds).unwrap_or(u32::MAX),
                ));
            }
            for &identifier in subscription_identifiers {
                properties.push(Property::SubscriptionIdentifier(identifier));
            }
        }
        Publish {
            dup: false,
            qos,
            retain,
            topic_name: Some(self.topic_name.clone()),
            packet_identifier: None,
            properties,
            payload: self.payload.clone(),
        }
    }
}

/// A message on its way to one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) message: Arc<Message>,
    pub(crate) retain: bool,
    pub(crate) subscription_identifiers: Box<[NonZeroU32]>,
    /// Of a Shared Subscription: who gets the message if this session ends before it did.
    pub(crate) group: Option<Arc<GroupName>>,
}

impl Delivery {
    /// What it counts for in a session's queue, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.message.size() + size_of_val(&*self.subscription_identifiers)
    }
}

/// From this size on a payload is worth the rest of the read that it came with.
const WORTH_SHARING: usize = 4096;

pub(crate) fn detached_topic_name(topic_name: &TopicName) -> TopicName {
    TopicName::new(topic_name.as_str().to_owned()).expect("a copy of a valid name is valid")
}

/// A Will in memory of its own.
pub(crate) fn detached_will(will: &WillMessage) -> WillMessage {
    WillMessage {
        topic_name: detached_topic_name(&will.topic_name),
        payload: Bytes::copy_from_slice(&will.payload),
        qos: will.qos,
        retain: will.retain,
        properties: will.properties.iter().map(detached_property).collect(),
    }
}

/// Whether a property is the application's; all others belong to one hop.
const fn is_forwarded(property: &Property) -> bool {
    matches!(
        property,
        Property::PayloadFormatIndicator(_)
            | Property::ContentType(_)
            | Property::ResponseTopic(_)
            | Property::CorrelationData(_)
            | Property::UserProperty(_, _)
    )
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other properties hold no memory"
)]
fn detached_property(property: &Property) -> Property {
    let copy = |text: &ByteString| ByteString::from(text.to_string());
    match property {
        Property::ContentType(text) => Property::ContentType(copy(text)),
        Property::ResponseTopic(topic_name) => {
            Property::ResponseTopic(detached_topic_name(topic_name))
        }
        Property::CorrelationData(data) => Property::CorrelationData(Bytes::copy_from_slice(data)),
        Property::UserProperty(name, value) => Property::UserProperty(copy(name), copy(value)),
        other => other.clone(),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other properties are a few bytes"
)]
fn property_size(property: &Property) -> usize {
    match property {
        Property::ContentType(text) => text.len(),
        Property::ResponseTopic(topic_name) => topic_name.as_str().len(),
        Property::CorrelationData(data) => data.len(),
        Property::UserProperty(name, value) => name.len() + value.len(),
        _ => 4,
    }
}
