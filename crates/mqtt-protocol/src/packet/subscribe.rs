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
            let topic_filter = reader.topic_filter(context.version)?;
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{InvalidTopic, Property, packet::testing::*};

    fn filter(text: &'static str) -> TopicFilter {
        TopicFilter::new(text).unwrap()
    }

    fn subscribe(subscriptions: Vec<Subscription>) -> Subscribe {
        let properties = Properties::new();
        Subscribe {
            packet_identifier: identifier(10),
            properties,
            subscriptions,
        }
    }

    // Shows 3.1.1 [MQTT-2.2.2-1], 5.0 [MQTT-2.1.3-1].
    #[test]
    fn valid() {
        let two = subscribe(vec![
            Subscription::new(filter("a/#"), QoS::AtMostOnce),
            Subscription::new(filter("+"), QoS::ExactlyOnce),
        ]);
        check(
            "3.1.1",
            V3_1_1,
            "82 0C 00 0A 00 03 'a/#' 00 00 01 '+' 02",
            two.clone(),
        );
        check(
            "5.0",
            V5_0,
            "82 0D 00 0A 00 00 03 'a/#' 00 00 01 '+' 02",
            two,
        );
        let options = Subscription {
            no_local: true,
            retain_as_published: true,
            retain_handling: RetainHandling::DoNotSend,
            ..Subscription::new(filter("a"), QoS::AtLeastOnce)
        };
        let identified = Subscribe {
            properties: properties([
                Property::SubscriptionIdentifier(NonZeroU32::new(128).unwrap()),
                Property::UserProperty("k".into(), "".into()),
            ]),
            ..subscribe(vec![options])
        };
        check(
            "options and properties",
            V5_0,
            "82 10 00 0A 09 0B 80 01 26 00 01 'k' 00 00 00 01 'a' 2D",
            identified,
        );
    }

    #[test]
    fn to_3_1_1_a_broken_share_is_a_filter_as_any_other() {
        for text in ["$share/g", "$share//a", "$share/+/a", "$share/g/"] {
            let mut bytes = vec![0x82, (5 + text.len()) as u8, 0, 10, 0, text.len() as u8];
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
            let mut decoder = crate::Decoder::new(crate::DecoderSettings {
                maximum_packet_size: 100,
                version: Some(V3_1_1),
                role: Server,
            });
            decoder.feed(bytes.into());
            let Ok(Some(crate::Packet::Subscribe(subscribe))) = decoder.next_packet() else {
                panic!("{text} is refused");
            };
            let topic_filter = &subscribe.subscriptions[0].topic_filter;
            assert_eq!(topic_filter.as_str(), text);
            assert!(!topic_filter.is_shared());
        }
    }

    // Shows 3.1.1 [MQTT-3.8.3-3], 3.1.1 [MQTT-3-8.3-4], 5.0 [MQTT-3.8.3-2], 5.0 [MQTT-3.8.3-4].
    // Shows 5.0 [MQTT-3.8.3-5].
    #[test]
    fn invalid() {
        let topic = MalformedPacket::InvalidTopic;
        for (name, version, text, fault) in [
            (
                "flags",
                V5_0,
                "80 07 00 0A 00 00 01 'a' 00",
                MalformedPacket::FixedHeaderFlags(0),
            ),
            (
                "identifier 0",
                V3_1_1,
                "82 06 00 00 00 01 'a' 00",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "no options",
                V3_1_1,
                "82 05 00 0A 00 01 'a'",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "3.1.1 QoS 3",
                V3_1_1,
                "82 06 00 0A 00 01 'a' 03",
                MalformedPacket::InvalidQoS,
            ),
            (
                "3.1.1 no local",
                V3_1_1,
                "82 06 00 0A 00 01 'a' 04",
                MalformedPacket::SubscriptionOptions(4),
            ),
            (
                "reserved bit",
                V5_0,
                "82 07 00 0A 00 00 01 'a' 40",
                MalformedPacket::SubscriptionOptions(0x40),
            ),
            (
                "empty filter",
                V3_1_1,
                "82 05 00 0A 00 00 00",
                topic(InvalidTopic::Empty),
            ),
            (
                "a#",
                V3_1_1,
                "82 07 00 0A 00 02 'a#' 00",
                topic(InvalidTopic::MisplacedWildcard),
            ),
            (
                "U+0000",
                V3_1_1,
                "82 06 00 0A 00 01 00 00",
                topic(InvalidTopic::NullCharacter),
            ),
            (
                "share without filter",
                V5_0,
                "82 0E 00 0A 00 00 08 '$share/g' 00",
                topic(InvalidTopic::SharedSubscription),
            ),
        ] {
            check_fault(name, version, Server, text, fault);
        }
        for (name, version, text, fault) in [
            (
                "3.1.1 empty",
                V3_1_1,
                "82 02 00 0A",
                ProtocolError::NoTopicFilter,
            ),
            (
                "empty",
                V5_0,
                "82 03 00 0A 00",
                ProtocolError::NoTopicFilter,
            ),
            (
                "QoS 3",
                V5_0,
                "82 07 00 0A 00 00 01 'a' 03",
                ProtocolError::SubscriptionOptions(3),
            ),
            (
                "handling 3",
                V5_0,
                "82 07 00 0A 00 00 01 'a' 30",
                ProtocolError::SubscriptionOptions(0x30),
            ),
            (
                "no local on a share",
                V5_0,
                "82 10 00 0A 00 00 0A '$share/g/a' 04",
                ProtocolError::NoLocalOnSharedSubscription,
            ),
            (
                "two identifiers",
                V5_0,
                "82 0B 00 0A 04 0B 01 0B 02 00 01 'a' 00",
                ProtocolError::DuplicateProperty(0x0B),
            ),
        ] {
            check_fault(name, version, Server, text, fault);
        }
        check_unencodable("empty", V5_0, subscribe(vec![]), EncodeError::NoTopicFilter);
    }
}
