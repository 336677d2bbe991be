//! PUBLISH: an Application Message on its way.

use bytes::Bytes;

use crate::{
    EncodeError, Fault, MalformedPacket, PacketIdentifier, PacketType, Properties, ProtocolError,
    ProtocolVersion, QoS, Role, TopicName,
    data_type::{Reader, begin_length, encode_binary, encode_u16, end_length},
    packet::{Context, take_back_unless},
    property::{PropertyOwner, SUBSCRIPTION_IDENTIFIER},
};

/// An Application Message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Whether this may be a re-delivery.
    pub dup: bool,
    /// Quality of Service.
    pub qos: QoS,
    /// To a Server: keep it. From a Server: it was kept.
    pub retain: bool,
    /// `None` only on 5.0, where a Topic Alias may stand for it.
    pub topic_name: Option<TopicName>,
    /// Present exactly when `qos` is above `AtMostOnce`.
    pub packet_identifier: Option<PacketIdentifier>,
    /// 5.0 only.
    pub properties: Properties,
    /// The application's bytes.
    pub payload: Bytes,
}

/// A PUBLISH whose parts are kept elsewhere, to be encoded.
#[derive(Debug, Clone, Copy)]
pub struct PublishParts<'a> {
    /// As in [`Publish`].
    pub dup: bool,
    /// As in [`Publish`].
    pub qos: QoS,
    /// As in [`Publish`].
    pub retain: bool,
    /// As in [`Publish`].
    pub topic_name: Option<&'a TopicName>,
    /// As in [`Publish`].
    pub packet_identifier: Option<PacketIdentifier>,
    /// As in [`Publish`].
    pub properties: &'a Properties,
    /// As in [`Publish`].
    pub payload: &'a [u8],
}

impl Publish {
    #[inline]
    pub(crate) fn decode(
        flags: u8,
        mut reader: Reader<'_>,
        context: Context,
    ) -> Result<Self, Fault> {
        let qos = QoS::decode(flags >> 1 & 0b11).ok_or(MalformedPacket::InvalidQoS)?;
        let dup = flags & DUP != 0;
        if dup && qos == QoS::AtMostOnce {
            return Err(MalformedPacket::DupOnQoS0.into());
        }
        let topic_name = match reader.peek() {
            [0, 0, ..] if context.version == ProtocolVersion::V5_0 => {
                reader.u16()?;
                None
            }
            _ => Some(reader.topic_name()?),
        };
        let packet_identifier = match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => Some(reader.packet_identifier()?),
        };
        let properties = Properties::decode(&mut reader, OWNER, context.version)?;
        if topic_name.is_none() && properties.topic_alias().is_none() {
            return Err(ProtocolError::TopicNameMissing.into());
        }
        // 5.0 [MQTT-3.3.4-6]: only the Server knows which subscriptions match.
        if context.receiver == Role::Server
            && properties.subscription_identifiers().next().is_some()
        {
            return Err(ProtocolError::PropertyOfOtherSide(SUBSCRIPTION_IDENTIFIER).into());
        }
        let retain = flags & RETAIN != 0;
        let payload = reader.rest();
        Ok(Self {
            dup,
            qos,
            retain,
            topic_name,
            packet_identifier,
            properties,
            payload,
        })
    }

    pub(super) fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if self.packet_identifier.is_some() != (self.qos != QoS::AtMostOnce) {
            return Err(EncodeError::PacketIdentifier);
        }
        self.parts().encode_whole(version, output).map(drop)
    }

    /// The same, borrowed.
    #[must_use]
    pub fn parts(&self) -> PublishParts<'_> {
        PublishParts {
            dup: self.dup,
            qos: self.qos,
            retain: self.retain,
            topic_name: self.topic_name.as_ref(),
            packet_identifier: self.packet_identifier,
            properties: &self.properties,
            payload: &self.payload,
        }
    }
}

impl PublishParts<'_> {
    /// The same as `Packet::encode_within`, without a packet that owns its parts.
    pub(crate) fn encode_within(
        &self,
        version: ProtocolVersion,
        maximum_packet_size: u32,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let start = output.len();
        let result = self.encode_whole(version, output).map(drop);
        take_back_unless(result, start, maximum_packet_size, output)
    }

    /// Writes the packet with its fixed header and says where the Packet Identifier went.
    pub(super) fn encode_whole(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<Option<usize>, EncodeError> {
        if self.dup && self.qos == QoS::AtMostOnce {
            return Err(EncodeError::DupOnQoS0);
        }
        let mut first_byte = (PacketType::Publish as u8) << 4 | (self.qos as u8) << 1;
        if self.dup {
            first_byte |= DUP;
        }
        if self.retain {
            first_byte |= RETAIN;
        }
        output.push(first_byte);
        let start = begin_length(output);
        match self.topic_name {
            // It was checked when it was made.
            Some(topic_name) => encode_binary(topic_name.as_str().as_bytes(), output)?,
            None if version == ProtocolVersion::V5_0 && self.properties.topic_alias().is_some() => {
                encode_u16(0, output);
            }
            None => return Err(EncodeError::TopicNameMissing),
        }
        let mut packet_identifier_offset = None;
        if self.qos != QoS::AtMostOnce {
            packet_identifier_offset = Some(output.len());
            encode_u16(
                self.packet_identifier.map_or(0, PacketIdentifier::value),
                output,
            );
        }
        self.properties.encode(OWNER, version, output)?;
        let moved = end_length(start, self.payload.len(), output)?;
        output.extend_from_slice(self.payload);
        Ok(packet_identifier_offset.map(|offset| offset + moved))
    }
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Publish);
pub(super) const DUP: u8 = 0b1000;
const RETAIN: u8 = 0b0001;

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU16, NonZeroU32};

    use super::*;
    use crate::{InvalidTopic, Packet, Property, packet::testing::*};

    fn publish() -> Publish {
        Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic_name: Some(TopicName::new("a/b").unwrap()),
            packet_identifier: None,
            properties: Properties::new(),
            payload: Bytes::from_static(b"hi"),
        }
    }

    // Shows 3.1.1 [MQTT-3.3.2-1], 5.0 [MQTT-2.2.2-1], 5.0 [MQTT-3.3.2-1].
    #[test]
    fn valid() {
        check("3.1.1", V3_1_1, "30 07 00 03 'a/b' 'hi'", publish());
        check("5.0", V5_0, "30 08 00 03 'a/b' 00 'hi'", publish());
        let retained = Publish {
            retain: true,
            payload: Bytes::new(),
            ..publish()
        };
        check("retained and empty", V3_1_1, "31 05 00 03 'a/b'", retained);
        let again = Publish {
            dup: true,
            qos: QoS::ExactlyOnce,
            packet_identifier: Some(identifier(10)),
            ..publish()
        };
        check(
            "again",
            V3_1_1,
            "3C 09 00 03 'a/b' 00 0A 'hi'",
            again.clone(),
        );
        check("again", V5_0, "3C 0A 00 03 'a/b' 00 0A 00 'hi'", again);
        let alias = properties([Property::TopicAlias(NonZeroU16::MIN)]);
        let aliased = Publish {
            topic_name: None,
            properties: alias,
            ..publish()
        };
        check("alias alone", V5_0, "30 08 00 00 03 23 00 01 'hi'", aliased);
    }

    #[test]
    fn with_every_property() {
        let one = NonZeroU32::MIN;
        let most = NonZeroU32::new(268_435_455).unwrap();
        let all = properties([
            Property::PayloadFormatIndicator(true),
            Property::MessageExpiryInterval(2),
            Property::ContentType("c".into()),
            Property::ResponseTopic(TopicName::new("r").unwrap()),
            Property::CorrelationData(b"\0"[..].into()),
            Property::SubscriptionIdentifier(one),
            Property::SubscriptionIdentifier(most),
            Property::UserProperty("k".into(), "v".into()),
            Property::UserProperty("k".into(), "v".into()),
            Property::TopicAlias(NonZeroU16::MAX),
        ]);
        check_decoded(
            "all",
            V5_0,
            Client,
            "30 33 00 03 'a/b' 2B 01 01 02 00 00 00 02 03 00 01 'c' 08 00 01 'r' 09 00 01 00 \
             0B 01 0B FF FF FF 7F 26 00 01 'k' 00 01 'v' 26 00 01 'k' 00 01 'v' 23 FF FF 'hi'",
            Publish {
                properties: all,
                ..publish()
            },
        );
    }

    // Shows 3.1.1 [MQTT-2.3.1-1], 3.1.1 [MQTT-3.3.1-2], 3.1.1 [MQTT-3.3.1-4], 3.1.1 [MQTT-3.3.2-1].
    // Shows 3.1.1 [MQTT-3.3.2-2], 5.0 [MQTT-3.3.1-2], 5.0 [MQTT-3.3.1-4], 5.0 [MQTT-3.3.2-2].
    // Shows 5.0 [MQTT-3.3.2-14].
    #[test]
    fn malformed() {
        let topic = MalformedPacket::InvalidTopic;
        for (name, version, text, fault) in [
            (
                "QoS 3",
                V5_0,
                "36 07 00 03 'a/b' 00 01",
                MalformedPacket::InvalidQoS,
            ),
            (
                "DUP on QoS 0",
                V5_0,
                "38 06 00 03 'a/b' 00",
                MalformedPacket::DupOnQoS0,
            ),
            (
                "identifier 0",
                V3_1_1,
                "32 07 00 03 'a/b' 00 00",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "no identifier",
                V3_1_1,
                "32 05 00 03 'a/b'",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "no properties",
                V5_0,
                "30 05 00 03 'a/b'",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "topic too long",
                V3_1_1,
                "30 05 00 04 'a/b'",
                MalformedPacket::UnexpectedEnd,
            ),
            ("nothing", V3_1_1, "30 00", MalformedPacket::UnexpectedEnd),
            (
                "empty topic",
                V3_1_1,
                "30 02 00 00",
                topic(InvalidTopic::Empty),
            ),
            (
                "+",
                V5_0,
                "30 05 00 02 'a+' 00",
                topic(InvalidTopic::WildcardInTopicName),
            ),
            (
                "#",
                V3_1_1,
                "30 03 00 01 '#'",
                topic(InvalidTopic::WildcardInTopicName),
            ),
            (
                "U+0000",
                V3_1_1,
                "30 04 00 02 'a' 00",
                topic(InvalidTopic::NullCharacter),
            ),
            (
                "not UTF-8",
                V3_1_1,
                "30 03 00 01 FF",
                MalformedPacket::InvalidUtf8,
            ),
            (
                "surrogate",
                V3_1_1,
                "30 05 00 03 ED A0 80",
                MalformedPacket::InvalidUtf8,
            ),
            (
                "response topic",
                V5_0,
                "30 08 00 01 'a' 04 08 00 01 '#'",
                topic(InvalidTopic::WildcardInTopicName),
            ),
            (
                "foreign property",
                V5_0,
                "30 09 00 01 'a' 05 11 00 00 00 00",
                MalformedPacket::PropertyNotAllowed(0x11),
            ),
            (
                "property beyond its length",
                V5_0,
                "30 06 00 01 'a' 01 01 01",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "identifier too long",
                V5_0,
                "30 08 00 01 'a' 04 0B FF FF FF",
                MalformedPacket::UnexpectedEnd,
            ),
        ] {
            check_fault(name, version, Client, text, fault);
        }
    }

    // Shows 5.0 [MQTT-3.3.2-8], 5.0 [MQTT-3.3.4-6].
    #[test]
    fn protocol_errors() {
        for (name, text, fault) in [
            (
                "neither topic nor alias",
                "30 03 00 00 00",
                ProtocolError::TopicNameMissing,
            ),
            (
                "alias 0",
                "30 06 00 00 03 23 00 00",
                ProtocolError::TopicAliasZero,
            ),
            (
                "identifier 0",
                "30 06 00 01 'a' 02 0B 00",
                ProtocolError::PropertyValue(0x0B),
            ),
            (
                "indicator 2",
                "30 06 00 01 'a' 02 01 02",
                ProtocolError::PropertyValue(0x01),
            ),
            (
                "twice",
                "30 08 00 01 'a' 04 01 01 01 01",
                ProtocolError::DuplicateProperty(0x01),
            ),
        ] {
            check_fault(name, V5_0, Client, text, fault);
        }
        check_fault(
            "subscription identifier from a Client",
            V5_0,
            Server,
            "30 06 00 01 'a' 02 0B 01",
            ProtocolError::PropertyOfOtherSide(0x0B),
        );
    }

    // Shows 3.1.1 [MQTT-2.3.1-5], 3.1.1 [MQTT-3.3.1-2], 5.0 [MQTT-2.2.1-2], 5.0 [MQTT-3.3.1-2].
    #[test]
    fn unencodable() {
        let qos_1 = Publish {
            qos: QoS::AtLeastOnce,
            ..publish()
        };
        check_unencodable("no identifier", V5_0, qos_1, EncodeError::PacketIdentifier);
        let qos_0 = Publish {
            packet_identifier: Some(identifier(1)),
            ..publish()
        };
        check_unencodable("identifier", V5_0, qos_0, EncodeError::PacketIdentifier);
        let again = Publish {
            dup: true,
            ..publish()
        };
        check_unencodable("DUP on QoS 0", V5_0, again, EncodeError::DupOnQoS0);
        let nameless = Publish {
            topic_name: None,
            ..publish()
        };
        check_unencodable("no topic", V5_0, nameless, EncodeError::TopicNameMissing);
    }

    #[test]
    fn a_maximum_packet_size_is_kept_when_asked_for() {
        let packet = Packet::from(publish());
        let mut output = vec![0xEE];
        assert_eq!(packet.encode_within(V3_1_1, 9, &mut output), Ok(()));
        let error = EncodeError::PacketTooLarge {
            length: 9,
            maximum: 8,
        };
        assert_eq!(packet.encode_within(V3_1_1, 8, &mut output), Err(error));
        assert_eq!(output.len(), 10);
    }
}
