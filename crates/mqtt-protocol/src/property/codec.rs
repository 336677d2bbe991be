//! Properties as bytes, and which of them may come where and how often.

use std::num::{NonZeroU16, NonZeroU32};

use super::{Properties, Property, Secret};
use crate::{
    EncodeError, Fault, MalformedPacket, PacketType, ProtocolError, ProtocolVersion, QoS,
    data_type::{
        Reader, VARIABLE_BYTE_INTEGER_MAX, begin_length, encode_binary, encode_string, encode_u16,
        encode_u32, encode_variable_byte_integer, end_length,
    },
};

/// What properties belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PropertyOwner {
    Packet(PacketType),
    Will,
}

impl PropertyOwner {
    const fn bit(self) -> u16 {
        match self {
            // No packet has the number 0.
            Self::Will => WILL,
            Self::Packet(packet_type) => bit(packet_type),
        }
    }
}

impl Properties {
    /// Reads the properties with their length; on 3.1.1 there are none to read.
    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        owner: PropertyOwner,
        version: ProtocolVersion,
    ) -> Result<Self, Fault> {
        let mut properties = Self::new();
        if version == ProtocolVersion::V3_1_1 {
            return Ok(properties);
        }
        let length = reader.variable_byte_integer()?;
        let mut section = reader.section(length)?;
        let mut seen = Seen::default();
        while !section.is_empty() {
            let identifier = section.variable_byte_integer()?;
            if owners(identifier) & owner.bit() == 0 {
                return Err(MalformedPacket::PropertyNotAllowed(identifier).into());
            }
            // Every identifier that has an owner is smaller than the table.
            let identifier = identifier as u8;
            if !seen.may_come(identifier, owner) {
                return Err(ProtocolError::DuplicateProperty(identifier).into());
            }
            properties.push(Property::decode(identifier, &mut section)?);
        }
        if seen.has(AUTHENTICATION_DATA) && !seen.has(AUTHENTICATION_METHOD) {
            return Err(ProtocolError::AuthenticationMethodMissing.into());
        }
        Ok(properties)
    }

    /// Writes the properties with their length; on 3.1.1 nothing.
    pub(crate) fn encode(
        &self,
        owner: PropertyOwner,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if version == ProtocolVersion::V3_1_1 {
            return Ok(());
        }
        let start = begin_length(output);
        let mut seen = Seen::default();
        for property in &self.0 {
            let identifier = property.identifier();
            if owners(u32::from(identifier)) & owner.bit() == 0 || !seen.may_come(identifier, owner)
            {
                return Err(EncodeError::PropertyNotAllowed(identifier));
            }
            output.push(identifier);
            property.encode_value(output)?;
        }
        end_length(start, 0, output)?;
        Ok(())
    }
}

impl Property {
    /// The wire number.
    #[must_use]
    pub const fn identifier(&self) -> u8 {
        match self {
            Self::PayloadFormatIndicator(_) => 0x01,
            Self::MessageExpiryInterval(_) => 0x02,
            Self::ContentType(_) => 0x03,
            Self::ResponseTopic(_) => 0x08,
            Self::CorrelationData(_) => 0x09,
            Self::SubscriptionIdentifier(_) => SUBSCRIPTION_IDENTIFIER,
            Self::SessionExpiryInterval(_) => 0x11,
            Self::AssignedClientIdentifier(_) => 0x12,
            Self::ServerKeepAlive(_) => 0x13,
            Self::AuthenticationMethod(_) => AUTHENTICATION_METHOD,
            Self::AuthenticationData(_) => AUTHENTICATION_DATA,
            Self::RequestProblemInformation(_) => 0x17,
            Self::WillDelayInterval(_) => 0x18,
            Self::RequestResponseInformation(_) => 0x19,
            Self::ResponseInformation(_) => 0x1A,
            Self::ServerReference(_) => 0x1C,
            Self::ReasonString(_) => 0x1F,
            Self::ReceiveMaximum(_) => 0x21,
            Self::TopicAliasMaximum(_) => 0x22,
            Self::TopicAlias(_) => TOPIC_ALIAS,
            Self::MaximumQoS(_) => 0x24,
            Self::RetainAvailable(_) => 0x25,
            Self::UserProperty(..) => USER_PROPERTY,
            Self::MaximumPacketSize(_) => 0x27,
            Self::WildcardSubscriptionAvailable(_) => 0x28,
            Self::SubscriptionIdentifiersAvailable(_) => 0x29,
            Self::SharedSubscriptionAvailable(_) => 0x2A,
        }
    }

    fn decode(identifier: u8, reader: &mut Reader<'_>) -> Result<Self, Fault> {
        // By the type of the value first: then only the variant is left to choose, which takes no code of its own.
        let excluded = ProtocolError::PropertyValue(identifier);
        Ok(match identifier {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2A => {
                let value = match reader.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(excluded.into()),
                };
                match identifier {
                    0x01 => Self::PayloadFormatIndicator(value),
                    0x17 => Self::RequestProblemInformation(value),
                    0x19 => Self::RequestResponseInformation(value),
                    0x24 if value => Self::MaximumQoS(QoS::AtLeastOnce),
                    0x24 => Self::MaximumQoS(QoS::AtMostOnce),
                    0x25 => Self::RetainAvailable(value),
                    0x28 => Self::WildcardSubscriptionAvailable(value),
                    0x29 => Self::SubscriptionIdentifiersAvailable(value),
                    _ => Self::SharedSubscriptionAvailable(value),
                }
            }
            0x13 => Self::ServerKeepAlive(reader.u16()?),
            0x22 => Self::TopicAliasMaximum(reader.u16()?),
            0x21 | TOPIC_ALIAS => match (NonZeroU16::new(reader.u16()?), identifier) {
                (Some(value), TOPIC_ALIAS) => Self::TopicAlias(value),
                (Some(value), _) => Self::ReceiveMaximum(value),
                (None, TOPIC_ALIAS) => return Err(ProtocolError::TopicAliasZero.into()),
                (None, _) => return Err(excluded.into()),
            },
            0x02 | 0x11 | 0x18 => {
                let value = reader.u32()?;
                match identifier {
                    0x02 => Self::MessageExpiryInterval(value),
                    0x11 => Self::SessionExpiryInterval(value),
                    _ => Self::WillDelayInterval(value),
                }
            }
            0x27 => Self::MaximumPacketSize(NonZeroU32::new(reader.u32()?).ok_or(excluded)?),
            SUBSCRIPTION_IDENTIFIER => {
                let value = reader.variable_byte_integer()?;
                Self::SubscriptionIdentifier(NonZeroU32::new(value).ok_or(excluded)?)
            }
            0x03 | 0x12 | AUTHENTICATION_METHOD | 0x1A | 0x1C | 0x1F => {
                let value = reader.string()?;
                match identifier {
                    0x03 => Self::ContentType(value),
                    0x12 => Self::AssignedClientIdentifier(value),
                    AUTHENTICATION_METHOD => Self::AuthenticationMethod(value),
                    0x1A => Self::ResponseInformation(value),
                    0x1C => Self::ServerReference(value),
                    _ => Self::ReasonString(value),
                }
            }
            0x08 => Self::ResponseTopic(reader.topic_name()?),
            0x09 => Self::CorrelationData(reader.binary()?),
            AUTHENTICATION_DATA => Self::AuthenticationData(Secret(reader.binary()?)),
            USER_PROPERTY => Self::UserProperty(reader.string()?, reader.string()?),
            _ => return Err(MalformedPacket::PropertyNotAllowed(u32::from(identifier)).into()),
        })
    }

    fn encode_value(&self, output: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::PayloadFormatIndicator(value)
            | Self::RequestProblemInformation(value)
            | Self::RequestResponseInformation(value)
            | Self::RetainAvailable(value)
            | Self::WildcardSubscriptionAvailable(value)
            | Self::SubscriptionIdentifiersAvailable(value)
            | Self::SharedSubscriptionAvailable(value) => output.push(u8::from(*value)),
            // 5.0 §3.2.2.3.4: QoS 2 is said by leaving the property out.
            Self::MaximumQoS(QoS::ExactlyOnce) => {
                return Err(EncodeError::PropertyValue(self.identifier()));
            }
            Self::MaximumQoS(value) => output.push(*value as u8),
            Self::ServerKeepAlive(value) | Self::TopicAliasMaximum(value) => {
                encode_u16(*value, output);
            }
            Self::ReceiveMaximum(value) | Self::TopicAlias(value) => {
                encode_u16(value.get(), output);
            }
            Self::MessageExpiryInterval(value)
            | Self::SessionExpiryInterval(value)
            | Self::WillDelayInterval(value) => encode_u32(*value, output),
            Self::MaximumPacketSize(value) => encode_u32(value.get(), output),
            Self::SubscriptionIdentifier(value) => {
                if value.get() > VARIABLE_BYTE_INTEGER_MAX {
                    return Err(EncodeError::PropertyValue(SUBSCRIPTION_IDENTIFIER));
                }
                encode_variable_byte_integer(value.get(), output);
            }
            Self::ContentType(value)
            | Self::AssignedClientIdentifier(value)
            | Self::AuthenticationMethod(value)
            | Self::ResponseInformation(value)
            | Self::ServerReference(value)
            | Self::ReasonString(value) => encode_string(value, output)?,
            Self::ResponseTopic(value) => encode_string(value.as_str(), output)?,
            Self::CorrelationData(value) | Self::AuthenticationData(Secret(value)) => {
                encode_binary(value, output)?;
            }
            Self::UserProperty(name, value) => {
                encode_string(name, output)?;
                encode_string(value, output)?;
            }
        }
        Ok(())
    }
}

/// Which properties a packet has had, as bits by identifier.
#[derive(Default)]
struct Seen(u64);

impl Seen {
    const fn has(&self, identifier: u8) -> bool {
        self.0 & (1 << identifier) != 0
    }

    /// Notes the property; `false` if it must not come again.
    fn may_come(&mut self, identifier: u8, owner: PropertyOwner) -> bool {
        let is_first = !self.has(identifier);
        self.0 |= 1 << identifier;
        is_first
            || identifier == USER_PROPERTY
            // A message carries those of all subscriptions that it matched.
            || identifier == SUBSCRIPTION_IDENTIFIER
                && owner == PropertyOwner::Packet(PacketType::Publish)
    }
}

pub(crate) const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
const AUTHENTICATION_METHOD: u8 = 0x15;
pub(crate) const TOPIC_ALIAS: u8 = 0x23;
const AUTHENTICATION_DATA: u8 = 0x16;
const USER_PROPERTY: u8 = 0x26;

/// The owners of the property as bits (table 2-4); none if it is unknown.
fn owners(identifier: u32) -> u16 {
    OWNERS_BY_IDENTIFIER
        .get(identifier as usize)
        .copied()
        .unwrap_or(0)
}

const OWNERS_BY_IDENTIFIER: [u16; 0x2B] = {
    let mut owners = [0; 0x2B];
    owners[0x01] = MESSAGE;
    owners[0x02] = MESSAGE;
    owners[0x03] = MESSAGE;
    owners[0x08] = MESSAGE;
    owners[0x09] = MESSAGE;
    owners[SUBSCRIPTION_IDENTIFIER as usize] = PUBLISH | bit(PacketType::Subscribe);
    owners[0x11] = CONNECT | CONNACK | DISCONNECT;
    owners[0x12] = CONNACK;
    owners[0x13] = CONNACK;
    owners[AUTHENTICATION_METHOD as usize] = CONNECT | CONNACK | AUTH;
    owners[AUTHENTICATION_DATA as usize] = CONNECT | CONNACK | AUTH;
    owners[0x17] = CONNECT;
    owners[0x18] = WILL;
    owners[0x19] = CONNECT;
    owners[0x1A] = CONNACK;
    owners[0x1C] = CONNACK | DISCONNECT;
    owners[0x1F] = ANSWERS;
    owners[0x21] = CONNECT | CONNACK;
    owners[0x22] = CONNECT | CONNACK;
    owners[TOPIC_ALIAS as usize] = PUBLISH;
    owners[0x24] = CONNACK;
    owners[0x25] = CONNACK;
    owners[USER_PROPERTY as usize] =
        ANSWERS | CONNECT | MESSAGE | bit(PacketType::Subscribe) | bit(PacketType::Unsubscribe);
    owners[0x27] = CONNECT | CONNACK;
    owners[0x28] = CONNACK;
    owners[0x29] = CONNACK;
    owners[0x2A] = CONNACK;
    owners
};

const WILL: u16 = 1;
const CONNECT: u16 = bit(PacketType::Connect);
const CONNACK: u16 = bit(PacketType::Connack);
const PUBLISH: u16 = bit(PacketType::Publish);
const DISCONNECT: u16 = bit(PacketType::Disconnect);
const AUTH: u16 = bit(PacketType::Auth);
const MESSAGE: u16 = PUBLISH | WILL;
/// The packets with a Reason Code.
const ANSWERS: u16 = CONNACK
    | bit(PacketType::Puback)
    | bit(PacketType::Pubrec)
    | bit(PacketType::Pubrel)
    | bit(PacketType::Pubcomp)
    | bit(PacketType::Suback)
    | bit(PacketType::Unsuback)
    | DISCONNECT
    | AUTH;

const fn bit(packet_type: PacketType) -> u16 {
    1 << packet_type as u16
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::packet::testing::{V5_0, bytes};

    /// Table 2-4 of the specification, each property with a valid value.
    const TABLE: [(&str, &str); 27] = [
        ("01 01", "PUBLISH Will"),
        ("02 00 00 00 01", "PUBLISH Will"),
        ("03 00 01 'x'", "PUBLISH Will"),
        ("08 00 01 'x'", "PUBLISH Will"),
        ("09 00 01 'x'", "PUBLISH Will"),
        ("0B 01", "PUBLISH SUBSCRIBE"),
        ("11 00 00 00 01", "CONNECT CONNACK DISCONNECT"),
        ("12 00 01 'x'", "CONNACK"),
        ("13 00 01", "CONNACK"),
        ("15 00 01 'x'", "CONNECT CONNACK AUTH"),
        ("16 00 01 'x'", "CONNECT CONNACK AUTH"),
        ("17 01", "CONNECT"),
        ("18 00 00 00 01", "Will"),
        ("19 01", "CONNECT"),
        ("1A 00 01 'x'", "CONNACK"),
        ("1C 00 01 'x'", "CONNACK DISCONNECT"),
        (
            "1F 00 01 'x'",
            "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH",
        ),
        ("21 00 01", "CONNECT CONNACK"),
        ("22 00 01", "CONNECT CONNACK"),
        ("23 00 01", "PUBLISH"),
        ("24 01", "CONNACK"),
        ("25 01", "CONNACK"),
        (
            "26 00 01 'x' 00 01 'y'",
            "CONNECT CONNACK PUBLISH Will PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK \
             UNSUBSCRIBE UNSUBACK DISCONNECT AUTH",
        ),
        ("27 00 00 00 01", "CONNECT CONNACK"),
        ("28 01", "CONNACK"),
        ("29 01", "CONNACK"),
        ("2A 01", "CONNACK"),
    ];

    fn all_owners() -> Vec<(&'static str, PropertyOwner)> {
        let packets = (1..=15).filter_map(PacketType::from_number);
        let mut owners: Vec<_> = packets
            .map(|packet_type| (packet_type.name(), PropertyOwner::Packet(packet_type)))
            .collect();
        owners.push(("Will", PropertyOwner::Will));
        owners
    }

    fn decode(text: &str, owner: PropertyOwner) -> Result<Properties, Fault> {
        let mut encoded = bytes(text);
        encoded.insert(0, encoded.len() as u8);
        let encoded = Bytes::from(encoded);
        Properties::decode(&mut Reader::new(&encoded, 0, encoded.len()), owner, V5_0)
    }

    #[test]
    fn every_property_stays_in_its_packets() {
        for (text, owners) in TABLE {
            let identifier = u32::from(bytes(text)[0]);
            for (name, owner) in all_owners() {
                // Authentication Data needs its method.
                let text = if identifier == 0x16 && owners.contains(name) {
                    &format!("15 00 01 'm' {text}")
                } else {
                    text
                };
                match decode(text, owner) {
                    Ok(properties) => {
                        assert!(
                            owners.split_whitespace().any(|o| o == name),
                            "{text} in {name}"
                        );
                        let mut output = Vec::new();
                        properties.encode(owner, V5_0, &mut output).unwrap();
                        assert_eq!(output[1..], bytes(text), "{text} in {name}");
                    }
                    Err(fault) => {
                        assert!(
                            !owners.split_whitespace().any(|o| o == name),
                            "{text} in {name}"
                        );
                        assert_eq!(
                            fault,
                            MalformedPacket::PropertyNotAllowed(identifier).into()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn only_some_properties_come_again() {
        for (text, owners) in TABLE {
            let identifier = bytes(text)[0];
            for (name, owner) in all_owners() {
                if !owners.split_whitespace().any(|o| o == name) {
                    continue;
                }
                let may_repeat = identifier == USER_PROPERTY
                    || identifier == SUBSCRIPTION_IDENTIFIER && name == "PUBLISH";
                let result = decode(&format!("{text} {text}"), owner);
                if may_repeat {
                    assert_eq!(result.unwrap().0.len(), 2, "{text} in {name}");
                } else {
                    let fault = ProtocolError::DuplicateProperty(identifier).into();
                    assert_eq!(result, Err(fault), "{text} in {name}");
                }
            }
        }
    }

    #[test]
    fn unknown_identifiers_are_malformed() {
        for text in [
            "00 00",
            "04 00",
            "2B 00",
            "7F 00",
            "80 01 00",
            "FF FF FF 7F 00",
        ] {
            let result = decode(text, PropertyOwner::Will);
            assert!(
                matches!(
                    result,
                    Err(Fault::MalformedPacket(MalformedPacket::PropertyNotAllowed(
                        _
                    )))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn accessors_find_what_is_there() {
        let owner = PropertyOwner::Packet(PacketType::Publish);
        let properties = decode(
            "26 00 01 'a' 00 01 'b' 0B 01 02 00 00 00 09 0B 02 26 00 00 00 00",
            owner,
        )
        .unwrap();
        assert_eq!(properties.message_expiry_interval(), Some(9));
        assert_eq!(properties.content_type(), None);
        let identifiers = properties.subscription_identifiers().map(NonZeroU32::get);
        assert_eq!(identifiers.collect::<Vec<_>>(), [1, 2]);
        let names: Vec<_> = properties
            .user_properties()
            .map(|(name, _)| &name[..])
            .collect();
        assert_eq!(names, ["a", ""]);
    }
}
