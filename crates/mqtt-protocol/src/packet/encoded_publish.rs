//! A PUBLISH encoded once for many receivers.

use std::{num::NonZeroU16, ops::Range};

use super::publish::{DUP, PublishParts};
use crate::{
    EncodeError, PacketIdentifier, ProtocolVersion,
    data_type::{
        decode_variable_byte_integer, encode_u16, encode_variable_byte_integer,
        variable_byte_integer_len,
    },
    property::TOPIC_ALIAS,
};

/// A PUBLISH in bytes, to be copied to many receivers of one version and QoS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedPublish {
    /// The whole packet; its Packet Identifier, if it has one, is whatever the source said, or 0.
    pub bytes: Vec<u8>,
    /// Where the two bytes of the Packet Identifier are; `None` on QoS 0.
    pub packet_identifier_offset: Option<usize>,
}

impl EncodedPublish {
    /// Encodes into this, reusing its memory. Unlike `Packet::encode` it needs no Packet Identifier above QoS 0.
    ///
    /// # Errors
    ///
    /// As `Packet::encode`; then this is empty.
    pub fn encode(
        &mut self,
        publish: PublishParts<'_>,
        version: ProtocolVersion,
    ) -> Result<(), EncodeError> {
        self.bytes.clear();
        self.packet_identifier_offset = None;
        match publish.encode_whole(version, &mut self.bytes) {
            Ok(offset) => {
                self.packet_identifier_offset = offset;
                Ok(())
            }
            Err(error) => {
                self.bytes.clear();
                Err(error)
            }
        }
    }

    /// Appends a copy, above QoS 0 with this Packet Identifier and DUP flag; on QoS 0 neither applies.
    pub fn append_to(
        &self,
        output: &mut Vec<u8>,
        packet_identifier: Option<PacketIdentifier>,
        dup: bool,
    ) {
        let start = output.len();
        output.extend_from_slice(&self.bytes);
        if let (Some(offset), Some(packet_identifier)) =
            (self.packet_identifier_offset, packet_identifier)
        {
            let at = start + offset;
            output[at..at + 2].copy_from_slice(&packet_identifier.value().to_be_bytes());
            output[start] = output[start] & !DUP | if dup { DUP } else { 0 };
        }
    }

    /// The Topic Name, in UTF-8; empty if nothing is encoded.
    #[must_use]
    pub(crate) fn topic_name(&self) -> &[u8] {
        self.topic_name_range()
            .and_then(|range| self.bytes.get(range))
            .unwrap_or_default()
    }

    /// How long the packet is with this alias; `usize::MAX` where it cannot have one.
    pub(crate) fn aliased_len(&self, alias: AliasUse) -> usize {
        self.with_alias(alias)
            .map_or(usize::MAX, |aliased| aliased.packet_length)
    }

    /// Appends a copy as [`append_to`](Self::append_to) does, with a Topic Alias, and without the Topic Name if
    /// the receiver knows what the alias stands for. 5.0 only; says whether anything was appended, which it is
    /// not above `maximum` bytes.
    pub(crate) fn append_aliased_to(
        &self,
        output: &mut Vec<u8>,
        packet_identifier: Option<PacketIdentifier>,
        dup: bool,
        alias: AliasUse,
        maximum: usize,
    ) -> bool {
        let Some(aliased) = self
            .with_alias(alias)
            .filter(|aliased| aliased.packet_length <= maximum)
        else {
            return false;
        };
        output.push(match packet_identifier {
            Some(_) => self.bytes[0] & !DUP | if dup { DUP } else { 0 },
            None => self.bytes[0],
        });
        encode_variable_byte_integer(aliased.remaining_length, output);
        encode_u16(aliased.topic_name.len() as u16, output);
        output.extend_from_slice(aliased.topic_name);
        match packet_identifier {
            Some(packet_identifier) if self.packet_identifier_offset.is_some() => {
                encode_u16(packet_identifier.value(), output);
            }
            Some(_) | None => output.extend_from_slice(aliased.packet_identifier),
        }
        encode_variable_byte_integer(aliased.properties_length, output);
        output.push(TOPIC_ALIAS);
        encode_u16(alias.value().get(), output);
        output.extend_from_slice(aliased.behind);
        true
    }

    /// The parts of the packet with an alias; `None` if this is no packet of 5.0.
    fn with_alias(&self, alias: AliasUse) -> Option<Aliased<'_>> {
        let topic = self.topic_name_range()?;
        let properties_at = topic.end + self.packet_identifier_offset.map_or(0, |_| 2);
        let (properties_length, width) =
            decode_variable_byte_integer(self.bytes.get(properties_at..)?).ok()??;
        let packet_identifier = &self.bytes[topic.end..properties_at];
        let behind = &self.bytes[properties_at + width..];
        let topic_name = match alias {
            AliasUse::New(_) => &self.bytes[topic],
            AliasUse::Known(_) => &[],
        };
        let properties_length = properties_length + TOPIC_ALIAS_SIZE;
        let length = 2
            + topic_name.len()
            + packet_identifier.len()
            + variable_byte_integer_len(properties_length)
            + TOPIC_ALIAS_SIZE as usize
            + behind.len();
        let remaining_length = u32::try_from(length).ok()?;
        Some(Aliased {
            packet_length: 1 + variable_byte_integer_len(remaining_length) + length,
            remaining_length,
            topic_name,
            packet_identifier,
            properties_length,
            behind,
        })
    }

    fn topic_name_range(&self) -> Option<Range<usize>> {
        let (_, width) = decode_variable_byte_integer(self.bytes.get(1..)?).ok()??;
        let start = 1 + width + 2;
        let length = self.bytes.get(start - 2..start)?;
        let length = u16::from_be_bytes([length[0], length[1]]);
        Some(start..start + usize::from(length))
    }
}

/// A PUBLISH with an alias, in parts.
struct Aliased<'a> {
    packet_length: usize,
    remaining_length: u32,
    topic_name: &'a [u8],
    packet_identifier: &'a [u8],
    properties_length: u32,
    /// The properties, and the payload behind them.
    behind: &'a [u8],
}

/// How a Topic Alias stands in a PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AliasUse {
    /// Beside the Topic Name, for the first time.
    New(NonZeroU16),
    /// In the place of the Topic Name.
    Known(NonZeroU16),
}

impl AliasUse {
    const fn value(self) -> NonZeroU16 {
        match self {
            Self::New(alias) | Self::Known(alias) => alias,
        }
    }
}

/// Bytes of the property: its identifier and two more.
const TOPIC_ALIAS_SIZE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Packet, Properties, Property, Publish, QoS, TopicName,
        packet::testing::{V3_1_1, V5_0, identifier},
    };

    fn message(qos: QoS, payload_length: usize) -> Publish {
        Publish {
            dup: false,
            qos,
            retain: true,
            topic_name: Some(TopicName::new("a/b").unwrap()),
            packet_identifier: None,
            properties: Properties::new(),
            payload: vec![b'x'; payload_length].into(),
        }
    }

    #[test]
    fn one_encoding_serves_many_receivers() {
        for length in [2, 200, 20_000, 3_000_000] {
            for version in [V3_1_1, V5_0] {
                let message = message(QoS::AtLeastOnce, length);
                let mut encoded = EncodedPublish::default();
                encoded.encode(message.parts(), version).unwrap();
                for (number, dup) in [(1, false), (0xABCD, true)] {
                    let packet_identifier = Some(identifier(number));
                    let mut copy = vec![0xEE];
                    encoded.append_to(&mut copy, packet_identifier, dup);
                    let mut expected = vec![0xEE];
                    Packet::from(Publish {
                        packet_identifier,
                        dup,
                        ..message.clone()
                    })
                    .encode(version, &mut expected)
                    .unwrap();
                    assert!(copy == expected, "{length} bytes, {version:?}, {number}");
                }
            }
        }
    }

    // Shows 3.1.1 [MQTT-2.3.1-5], 3.1.1 [MQTT-3.3.1-2].
    #[test]
    fn qos_0_has_neither_identifier_nor_dup() {
        let mut encoded = EncodedPublish::default();
        encoded
            .encode(message(QoS::AtMostOnce, 1).parts(), V3_1_1)
            .unwrap();
        let mut copy = Vec::new();
        encoded.append_to(&mut copy, Some(identifier(7)), true);
        assert_eq!(copy, b"\x31\x06\0\x03a/bx");
    }

    /// The packet that a receiver without an alias would get, with the alias put in by hand.
    #[track_caller]
    fn check_aliased(message: &Publish, properties: Vec<Property>, alias: AliasUse) {
        let message = Publish {
            properties: properties.clone().into_iter().collect(),
            ..message.clone()
        };
        let mut encoded = EncodedPublish::default();
        encoded.encode(message.parts(), V5_0).unwrap();
        assert_eq!(encoded.topic_name(), b"a/b");
        let packet_identifier = (message.qos > QoS::AtMostOnce).then(|| identifier(7));
        let dup = packet_identifier.is_some();
        let mut expected = Vec::new();
        Packet::from(Publish {
            packet_identifier,
            dup,
            topic_name: match alias {
                AliasUse::New(_) => message.topic_name.clone(),
                AliasUse::Known(_) => None,
            },
            properties: std::iter::once(Property::TopicAlias(alias.value()))
                .chain(properties)
                .collect(),
            ..message.clone()
        })
        .encode(V5_0, &mut expected)
        .unwrap();
        let mut copy = Vec::new();
        let mut append =
            |maximum| encoded.append_aliased_to(&mut copy, packet_identifier, dup, alias, maximum);
        assert!(!append(expected.len() - 1));
        assert!(append(expected.len()));
        assert!(copy == expected, "{alias:?}: {copy:?} is not {expected:?}");
    }

    #[test]
    fn a_topic_alias_goes_beside_the_topic_name_or_in_its_place() {
        let alias = NonZeroU16::new(0x1234).unwrap();
        // Lengths at which the alias lengthens the lengths that are before it.
        for payload_length in [0, 117, 118, 119, 122, 16_370, 16_375, 16_380] {
            for name_length in [0, 110, 118, 119, 120, 121] {
                for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                    let properties = match name_length {
                        0 => vec![],
                        length => vec![Property::ContentType("x".repeat(length).into())],
                    };
                    let message = message(qos, payload_length);
                    check_aliased(&message, properties.clone(), AliasUse::New(alias));
                    check_aliased(&message, properties, AliasUse::Known(alias));
                }
            }
        }
    }

    #[test]
    fn after_an_error_nothing_is_left_of_the_last_message() {
        let mut encoded = EncodedPublish::default();
        encoded
            .encode(message(QoS::AtLeastOnce, 1).parts(), V5_0)
            .unwrap();
        let nameless = Publish {
            topic_name: None,
            ..message(QoS::AtLeastOnce, 1)
        };
        assert_eq!(
            encoded.encode(nameless.parts(), V5_0),
            Err(EncodeError::TopicNameMissing)
        );
        assert_eq!(encoded, EncodedPublish::default());
    }
}
