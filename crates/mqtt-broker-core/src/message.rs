//! Application Messages as the broker keeps them.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bytes::Bytes;
use bytestring::ByteString;
use mqtt_protocol::{
    EncodeError, EncodedPublish, Instant, Properties, Property, ProtocolVersion, Publish,
    PublishParts, QoS, TopicName, WillMessage,
};

use crate::{encodings::Form, store::References, topic_tree::GroupName};

/// A message without what belongs to one delivery.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic_name: TopicName,
    pub(crate) payload: Bytes,
    /// What few messages have, so that a million of them without it are smaller.
    pub(crate) extra: Option<Box<Extra>>,
    /// As published.
    pub(crate) qos: QoS,
    /// As published.
    pub(crate) retain: bool,
    /// Under which it is stored; 0 if it is not kept.
    pub(crate) key: u64,
    pub(crate) references: References,
}

/// What belongs to a message of 5.0 alone.
#[derive(Debug)]
pub(crate) struct Extra {
    /// What is forwarded unaltered, in order; the Message Expiry Interval is counted down apart.
    properties: Properties,
    expires_at: Option<Instant>,
}

impl Extra {
    /// `None` if there is nothing.
    pub(crate) fn new(properties: Properties, expires_at: Option<Instant>) -> Option<Box<Self>> {
        let is_there = !properties.is_empty() || expires_at.is_some();
        is_there.then(|| {
            Box::new(Self {
                properties,
                expires_at,
            })
        })
    }
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

    pub(crate) fn new(
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
            extra: Extra::new(properties, expires_at),
            qos,
            retain,
            key: 0,
            references: References::default(),
        }
    }

    /// The same message in memory of its own: what is kept must not keep all that was read with it.
    /// Its Topic Name is given, as many messages share one; so is the number under which it is kept.
    pub(crate) fn detached(&self, topic_name: &TopicName, key: u64) -> Self {
        let payload = if self.payload.len() < WORTH_SHARING {
            Bytes::copy_from_slice(&self.payload)
        } else {
            self.payload.clone()
        };
        let properties = self.properties().iter().map(detached_property).collect();
        Self {
            topic_name: topic_name.clone(),
            payload,
            extra: Extra::new(properties, self.expires_at()),
            qos: self.qos,
            retain: self.retain,
            key,
            references: References::default(),
        }
    }

    /// What is forwarded unaltered, in order.
    pub(crate) fn properties(&self) -> &Properties {
        static NONE: Properties = Properties::new();
        self.extra.as_ref().map_or(&NONE, |extra| &extra.properties)
    }

    pub(crate) fn expires_at(&self) -> Option<Instant> {
        self.extra.as_ref()?.expires_at
    }

    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at()
            .is_some_and(|expires_at| expires_at <= now)
    }

    /// Bytes of topic, payload and properties.
    pub(crate) fn size(&self) -> usize {
        let properties: usize = self.properties().iter().map(property_size).sum();
        self.topic_name.as_str().len() + self.payload.len() + properties
    }

    /// Encodes the packet for a receiver, still without its Packet Identifier.
    ///
    /// # Errors
    ///
    /// The message is too large for the protocol.
    pub(crate) fn encode(
        &self,
        form: Form<'_>,
        now: Instant,
        encoded: &mut EncodedPublish,
    ) -> Result<(), EncodeError> {
        let is_plain = self.expires_at().is_none() && form.subscription_identifiers.is_empty();
        let own;
        let properties = match form.version {
            ProtocolVersion::V5_0 if !is_plain => {
                own = self.properties_for(form.subscription_identifiers, now);
                &own
            }
            ProtocolVersion::V5_0 | ProtocolVersion::V3_1_1 => self.properties(),
        };
        let publish = PublishParts {
            dup: false,
            qos: form.qos,
            retain: form.retain,
            topic_name: Some(&self.topic_name),
            packet_identifier: None,
            properties,
            payload: &self.payload,
        };
        encoded.encode(publish, form.version)
    }

    fn properties_for(&self, subscription_identifiers: &[NonZeroU32], now: Instant) -> Properties {
        let mut properties = self.properties().clone();
        if let Some(expires_at) = self.expires_at() {
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
        properties
    }
}

/// A message on its way to one session.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) message: Arc<Message>,
    /// Its place among all deliveries that are stored.
    pub(crate) position: u64,
    pub(crate) retain: bool,
    /// What few deliveries have.
    pub(crate) details: Option<Box<Details>>,
}

/// What belongs to a delivery because of the subscription that it is for.
#[derive(Debug, Clone)]
pub(crate) struct Details {
    subscription_identifiers: Box<[NonZeroU32]>,
    group: Option<Arc<GroupName>>,
}

impl Details {
    /// `None` if there is nothing.
    pub(crate) fn new(
        subscription_identifiers: impl Into<Box<[NonZeroU32]>>,
        group: Option<Arc<GroupName>>,
    ) -> Option<Box<Self>> {
        let subscription_identifiers = subscription_identifiers.into();
        let is_there = !subscription_identifiers.is_empty() || group.is_some();
        is_there.then(|| {
            Box::new(Self {
                subscription_identifiers,
                group,
            })
        })
    }
}

impl Delivery {
    pub(crate) fn subscription_identifiers(&self) -> &[NonZeroU32] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.subscription_identifiers)
    }

    /// Of a Shared Subscription: who gets the message if this session ends before it did.
    pub(crate) fn group(&self) -> Option<&Arc<GroupName>> {
        self.details.as_ref()?.group.as_ref()
    }

    /// What it counts for in a session's queue, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.message.size() + size_of_val(self.subscription_identifiers())
    }
}

/// A packet of this size does not fit into what a shell reads at once, so it has memory of its own already.
/// A smaller payload is copied: it would keep all that was read with it.
const WORTH_SHARING: usize = 64 * 1024;

/// Whether a payload is UTF-8 if its Payload Format Indicator says so.
pub(crate) fn is_as_indicated(properties: &Properties, payload: &[u8]) -> bool {
    properties.payload_format_indicator() != Some(true) || std::str::from_utf8(payload).is_ok()
}

/// A Will in memory of its own.
pub(crate) fn detached_will(will: &WillMessage) -> WillMessage {
    WillMessage {
        topic_name: will.topic_name.detached(),
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
        Property::ResponseTopic(topic_name) => Property::ResponseTopic(topic_name.detached()),
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
