//! SUBSCRIBE: asks for messages.

use crate::{
    EncodeError, Fault, MalformedPacket, PacketIdentifier, PacketType, Properties, ProtocolError,
    ProtocolVersion, QoS, TopicFilter,
    data_type::{Reader, encode_string, encode_u16},
    packet::Context,
    property::PropertyOwner,
};

/// Asks for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// Answered with the same in SUBACK.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
}

/// One Topic Filter of a SUBSCRIBE with its Subscription Options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Which topics.
    pub topic_filter: TopicFilter,
    /// The highest QoS that the Server may send with.
    pub maximum_qos: QoS,
    /// Not those that this very client published. 5.0 only.
    pub no_local: bool,
    /// Whether RETAIN is forwarded as the publisher set it. 5.0 only.
    pub retain_as_published: bool,
    /// Whether retained messages are sent on subscribing. 5.0 only.
    pub retain_handling: RetainHandling,
}

/// Whether retained messages are sent on subscribing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// On every SUBSCRIBE.
    #[default]
    Send = 0,
    /// Only if the subscription did not exist.
    SendIfNew = 1,
    /// Never.
    DoNotSend = 2,
}

impl Subscribe {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let packet_identifier = reader.packet_identifier()?;
        let properties = Properties::decode(reader, OWNER, context.version)?;
        let mut subscriptions = Vec::new();
        while !reader.is_empty() {
            let topic_filter = reader.topic_filter()?;
            subscriptions.push(Subscription::decode(
                topic_filter,
                reader.u8()?,
                context.version,
            )?);
        }
        if subscriptions.is_empty() {
            return Err(ProtocolError::NoTopicFilter.into());
        }
        Ok(Self {
            packet_identifier,
            properties,
            subscriptions,
        })
    }

    pub(super) fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if self.subscriptions.is_empty() {
            return Err(EncodeError::NoTopicFilter);
        }
        encode_u16(self.packet_identifier.value(), output);
        self.properties.encode(OWNER, version, output)?;
        for subscription in &self.subscriptions {
            encode_string(subscription.topic_filter.as_str(), output)?;
            output.push(subscription.options(version)?);
        }
        Ok(())
    }
}

impl Subscription {
    /// Asks for what matches, with all other options at their default.
    #[must_use]
    pub const fn new(topic_filter: TopicFilter, maximum_qos: QoS) -> Self {
        Self {
            topic_filter,
            maximum_qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }

    fn decode(
        topic_filter: TopicFilter,
        options: u8,
        version: ProtocolVersion,
    ) -> Result<Self, Fault> {
        let reserved = match version {
            ProtocolVersion::V3_1_1 => 0b1111_1100,
            ProtocolVersion::V5_0 => 0b1100_0000,
        };
        // 3.1.1 [MQTT-3-8.3-4] calls QoS 3 malformed, 5.0 §3.8.3.1 a Protocol Error.
        let excluded = match version {
            ProtocolVersion::V3_1_1 => Fault::from(MalformedPacket::InvalidQoS),
            ProtocolVersion::V5_0 => ProtocolError::SubscriptionOptions(options).into(),
        };
        if options & reserved != 0 {
            return Err(MalformedPacket::SubscriptionOptions(options).into());
        }
        let maximum_qos = QoS::decode(options & 0b11).ok_or(excluded)?;
        let no_local = options & NO_LOCAL != 0;
        // 5.0 [MQTT-3.8.3-4].
        if no_local && topic_filter.is_shared() {
            return Err(ProtocolError::NoLocalOnSharedSubscription.into());
        }
        let retain_handling = match options >> 4 & 0b11 {
            0 => RetainHandling::Send,
            1 => RetainHandling::SendIfNew,
            2 => RetainHandling::DoNotSend,
            _ => return Err(excluded),
        };
        Ok(Self {
            topic_filter,
            maximum_qos,
            no_local,
            retain_as_published: options & RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        })
    }

    /// The byte of the Subscription Options; on 3.1.1 only the maximum QoS.
    fn options(&self, version: ProtocolVersion) -> Result<u8, EncodeError> {
        let mut options = self.maximum_qos as u8;
        if version == ProtocolVersion::V5_0 {
            if self.no_local {
                if self.topic_filter.is_shared() {
                    return Err(EncodeError::NoLocalOnSharedSubscription);
                }
                options |= NO_LOCAL;
            }
            if self.retain_as_published {
                options |= RETAIN_AS_PUBLISHED;
            }
            options |= (self.retain_handling as u8) << 4;
        }
        Ok(options)
    }
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Subscribe);
const NO_LOCAL: u8 = 0b0100;
const RETAIN_AS_PUBLISHED: u8 = 0b1000;
