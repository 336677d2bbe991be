//! CONNECT: the first packet of a Client.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use crate::{
    EncodeError, Fault, MalformedPacket, PacketType, Properties, ProtocolVersion, QoS, Secret,
    Stage, TopicName,
    data_type::{Reader, encode_binary, encode_string, encode_u16},
    property::PropertyOwner,
};

/// Asks for a connection and, perhaps, a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// Of everything that follows on this Network Connection.
    pub protocol_version: ProtocolVersion,
    /// Clean Start; Clean Session on 3.1.1.
    pub clean_start: bool,
    /// Seconds of silence that the Client promises not to exceed; 0 for no promise.
    pub keep_alive: u16,
    /// 5.0 only.
    pub properties: Properties,
    /// May be empty: the Server chooses.
    pub client_identifier: ByteString,
    /// What is published if the Client goes without saying so.
    pub will: Option<WillMessage>,
    /// Who the Client says it is.
    pub user_name: Option<ByteString>,
    /// How it proves it.
    pub password: Option<Bytes>,
}

/// The message that the Server publishes when the Client is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WillMessage {
    /// Where.
    pub topic_name: TopicName,
    /// What.
    pub payload: Bytes,
    /// How surely.
    pub qos: QoS,
    /// Whether it is kept.
    pub retain: bool,
    /// 5.0 only.
    pub properties: Properties,
}

impl fmt::Debug for Connect {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            protocol_version,
            clean_start,
            keep_alive,
            properties,
            client_identifier,
            will,
            user_name,
            password,
        } = self;
        f.debug_struct("Connect")
            .field("protocol_version", protocol_version)
            .field("clean_start", clean_start)
            .field("keep_alive", keep_alive)
            .field("properties", properties)
            .field("client_identifier", client_identifier)
            .field("will", will)
            .field("user_name", user_name)
            .field("password", &password.clone().map(Secret))
            .finish()
    }
}

impl Connect {
    /// Notes in `stage` how far it comes, as the answer to an error depends on that.
    pub(crate) fn decode(reader: &mut Reader<'_>, stage: &mut Stage) -> Result<Self, Fault> {
        let protocol_version = decode_version(reader, stage)?;
        *stage = Stage::Connect(protocol_version);
        let flags = reader.u8()?;
        check_flags(flags, protocol_version)?;
        let keep_alive = reader.u16()?;
        let properties = Properties::decode(reader, OWNER, protocol_version)?;
        let client_identifier = reader.string()?;
        let will = if flags & WILL_FLAG != 0 {
            Some(WillMessage::decode(flags, reader, protocol_version)?)
        } else {
            None
        };
        let user_name = if flags & USER_NAME != 0 {
            Some(reader.string()?)
        } else {
            None
        };
        let password = if flags & PASSWORD != 0 {
            Some(reader.binary()?)
        } else {
            None
        };
        reader.finish()?;
        Ok(Self {
            protocol_version,
            clean_start: flags & CLEAN_START != 0,
            keep_alive,
            properties,
            client_identifier,
            will,
            user_name,
            password,
        })
    }

    /// Writes it in its own version.
    pub(super) fn encode(&self, output: &mut Vec<u8>) -> Result<(), EncodeError> {
        let version = self.protocol_version;
        if version == ProtocolVersion::V3_1_1 && self.password.is_some() && self.user_name.is_none()
        {
            return Err(EncodeError::PasswordWithoutUserName);
        }
        encode_string(PROTOCOL_NAME, output)?;
        output.push(version as u8);
        output.push(self.flags());
        encode_u16(self.keep_alive, output);
        self.properties.encode(OWNER, version, output)?;
        encode_string(&self.client_identifier, output)?;
        if let Some(will) = &self.will {
            will.properties
                .encode(PropertyOwner::Will, version, output)?;
            encode_string(will.topic_name.as_str(), output)?;
            encode_binary(&will.payload, output)?;
        }
        if let Some(user_name) = &self.user_name {
            encode_string(user_name, output)?;
        }
        if let Some(password) = &self.password {
            encode_binary(password, output)?;
        }
        Ok(())
    }

    fn flags(&self) -> u8 {
        let bit = |condition, bit| if condition { bit } else { 0 };
        bit(self.clean_start, CLEAN_START)
            | bit(self.user_name.is_some(), USER_NAME)
            | bit(self.password.is_some(), PASSWORD)
            | self.will.as_ref().map_or(0, |will| {
                WILL_FLAG | (will.qos as u8) << WILL_QOS_SHIFT | bit(will.retain, WILL_RETAIN)
            })
    }
}

impl WillMessage {
    fn decode(flags: u8, reader: &mut Reader<'_>, version: ProtocolVersion) -> Result<Self, Fault> {
        let qos = QoS::decode(flags >> WILL_QOS_SHIFT & 0b11).ok_or(MalformedPacket::InvalidQoS)?;
        let properties = Properties::decode(reader, PropertyOwner::Will, version)?;
        Ok(Self {
            properties,
            topic_name: reader.topic_name()?,
            payload: reader.binary()?,
            qos,
            retain: flags & WILL_RETAIN != 0,
        })
    }
}

/// Reads the Protocol Name and the Protocol Version.
fn decode_version(reader: &mut Reader<'_>, stage: &mut Stage) -> Result<ProtocolVersion, Fault> {
    let name = reader.binary()?;
    let number = reader.u8()?;
    let is_3_1 = &name[..] == PROTOCOL_NAME_3_1.as_bytes();
    if !is_3_1 && &name[..] != PROTOCOL_NAME.as_bytes() {
        return Err(MalformedPacket::ProtocolName.into());
    }
    // Some Servers mark the version of a bridge with the highest bit; they go back to one without it
    // after a refusal in the form of that version.
    let (version, is_supported) = match number & 0x7F {
        4 if !is_3_1 => (ProtocolVersion::V3_1_1, number == 4),
        5 if !is_3_1 => (ProtocolVersion::V5_0, number == 5),
        6.. if !is_3_1 => (ProtocolVersion::V5_0, false),
        _ => (ProtocolVersion::V3_1_1, false),
    };
    *stage = Stage::Connect(version);
    if is_supported {
        Ok(version)
    } else {
        Err(Fault::UnsupportedProtocolVersion(number))
    }
}

fn check_flags(flags: u8, version: ProtocolVersion) -> Result<(), MalformedPacket> {
    let will_without_flag = flags & WILL_FLAG == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0;
    // 3.1.1 [MQTT-3.1.2-22]; 5.0 allows a password alone.
    let password_alone =
        version == ProtocolVersion::V3_1_1 && flags & (USER_NAME | PASSWORD) == PASSWORD;
    if flags & RESERVED != 0 || will_without_flag || password_alone {
        return Err(MalformedPacket::ConnectFlags(flags));
    }
    Ok(())
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Connect);
const PROTOCOL_NAME: &str = "MQTT";
const PROTOCOL_NAME_3_1: &str = "MQIsdp";

const RESERVED: u8 = 0x01;
const CLEAN_START: u8 = 0x02;
const WILL_FLAG: u8 = 0x04;
const WILL_QOS: u8 = 0x18;
const WILL_QOS_SHIFT: u8 = 3;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USER_NAME: u8 = 0x80;

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU16, NonZeroU32};

    use super::*;
    use crate::{InvalidTopic, Packet, Property, ProtocolError, packet::testing::*};

    fn connect(protocol_version: ProtocolVersion) -> Connect {
        Connect {
            protocol_version,
            clean_start: true,
            keep_alive: 60,
            properties: Properties::new(),
            client_identifier: "c".into(),
            will: None,
            user_name: None,
            password: None,
        }
    }

    fn will() -> WillMessage {
        WillMessage {
            topic_name: TopicName::new("w").unwrap(),
            payload: Bytes::from_static(b"off"),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::new(),
        }
    }

    // Shows 3.1.1 [MQTT-3.1.3-1], 3.1.1 [MQTT-3.1.3-3], 5.0 [MQTT-2.2.2-1], 5.0 [MQTT-3.1.3-1].
    // Shows 5.0 [MQTT-3.1.3-3].
    #[test]
    fn valid() {
        check(
            "3.1.1",
            V3_1_1,
            "10 0D 00 04 'MQTT' 04 02 00 3C 00 01 'c'",
            connect(V3_1_1),
        );
        check(
            "5.0",
            V5_0,
            "10 0E 00 04 'MQTT' 05 02 00 3C 00 00 01 'c'",
            connect(V5_0),
        );
        let full = Connect {
            clean_start: false,
            client_identifier: "".into(),
            will: Some(will()),
            user_name: Some("u".into()),
            password: Some(b"p"[..].into()),
            ..connect(V3_1_1)
        };
        check(
            "3.1.1 in full",
            V3_1_1,
            "10 1A 00 04 'MQTT' 04 EC 00 3C 00 00 00 01 'w' 00 03 'off' 00 01 'u' 00 01 'p'",
            full.clone(),
        );
        check(
            "5.0 in full",
            V5_0,
            "10 1C 00 04 'MQTT' 05 EC 00 3C 00 00 00 00 00 01 'w' 00 03 'off' 00 01 'u' 00 01 'p'",
            Connect {
                protocol_version: V5_0,
                ..full
            },
        );
        let password = Some(b"p"[..].into());
        check(
            "password alone",
            V5_0,
            "10 11 00 04 'MQTT' 05 42 00 3C 00 00 01 'c' 00 01 'p'",
            Connect {
                password: password.clone(),
                ..connect(V5_0)
            },
        );
        check_unencodable(
            "3.1.1 password alone",
            V3_1_1,
            Connect {
                password,
                ..connect(V3_1_1)
            },
            EncodeError::PasswordWithoutUserName,
        );
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let data = Property::AuthenticationData(Secret(b"hush"[..].into()));
        let connect = Connect {
            password: Some(b"hush"[..].into()),
            properties: properties([data]),
            ..connect(V5_0)
        };
        // Bytes are shown as text or as numbers.
        let shown = format!("{connect:?} {connect:#?}");
        assert!(!shown.contains("hush") && !shown.contains("104"), "{shown}");
        assert_eq!(shown.matches("(secret)").count(), 4);
    }

    #[test]
    fn with_every_property() {
        let all = properties([
            Property::SessionExpiryInterval(u32::MAX),
            Property::ReceiveMaximum(NonZeroU16::MIN),
            Property::MaximumPacketSize(NonZeroU32::MIN),
            Property::TopicAliasMaximum(2),
            Property::RequestResponseInformation(true),
            Property::RequestProblemInformation(false),
            Property::UserProperty("k".into(), "v".into()),
            Property::AuthenticationMethod("m".into()),
            Property::AuthenticationData(Secret(b"d"[..].into())),
        ]);
        let all_of_will = properties([
            Property::WillDelayInterval(3),
            Property::PayloadFormatIndicator(true),
            Property::MessageExpiryInterval(4),
            Property::ContentType("t".into()),
            Property::ResponseTopic(TopicName::new("r").unwrap()),
            Property::CorrelationData(b"x"[..].into()),
            Property::UserProperty("k".into(), "v".into()),
        ]);
        check(
            "all",
            V5_0,
            "10 59 00 04 'MQTT' 05 2E 00 3C \
             23 11 FF FF FF FF 21 00 01 27 00 00 00 01 22 00 02 19 01 17 00 \
             26 00 01 'k' 00 01 'v' 15 00 01 'm' 16 00 01 'd' 00 01 'c' \
             1F 18 00 00 00 03 01 01 02 00 00 00 04 03 00 01 't' 08 00 01 'r' 09 00 01 'x' \
             26 00 01 'k' 00 01 'v' 00 01 'w' 00 03 'off'",
            Connect {
                properties: all,
                will: Some(WillMessage {
                    properties: all_of_will,
                    ..will()
                }),
                ..connect(V5_0)
            },
        );
    }

    #[test]
    fn a_connect_is_encoded_in_its_own_version() {
        let mut output = Vec::new();
        Packet::from(connect(V3_1_1))
            .encode(V5_0, &mut output)
            .unwrap();
        assert_eq!(output[8], 4);
    }

    // Shows 3.1.1 [MQTT-3.1.2-11], 3.1.1 [MQTT-3.1.2-13], 3.1.1 [MQTT-3.1.2-14].
    // Shows 3.1.1 [MQTT-3.1.2-15], 3.1.1 [MQTT-3.1.2-22], 3.1.1 [MQTT-3.1.3-3].
    // Shows 3.1.1 [MQTT-3.1.3-4].
    #[test]
    fn malformed() {
        for (name, text, fault) in [
            (
                "fixed header",
                "11 00",
                MalformedPacket::FixedHeaderFlags(1),
            ),
            (
                "protocol name",
                "10 0D 00 04 'MQTX' 04 02 00 3C 00 01 'c'",
                MalformedPacket::ProtocolName,
            ),
            (
                "reserved flag",
                "10 0D 00 04 'MQTT' 04 03 00 3C 00 01 'c'",
                MalformedPacket::ConnectFlags(3),
            ),
            (
                "Will QoS alone",
                "10 0D 00 04 'MQTT' 04 0A 00 3C 00 01 'c'",
                MalformedPacket::ConnectFlags(0x0A),
            ),
            (
                "Will Retain alone",
                "10 0D 00 04 'MQTT' 04 22 00 3C 00 01 'c'",
                MalformedPacket::ConnectFlags(0x22),
            ),
            (
                "3.1.1 password alone",
                "10 10 00 04 'MQTT' 04 42 00 3C 00 01 'c' 00 01 'p'",
                MalformedPacket::ConnectFlags(0x42),
            ),
            (
                "Will QoS 3",
                "10 13 00 04 'MQTT' 04 1E 00 3C 00 01 'c' 00 01 'w' 00 01 'x'",
                MalformedPacket::InvalidQoS,
            ),
            (
                "Will topic with wildcard",
                "10 13 00 04 'MQTT' 04 06 00 3C 00 01 'c' 00 01 '#' 00 01 'x'",
                MalformedPacket::InvalidTopic(InvalidTopic::WildcardInTopicName),
            ),
            (
                "U+0000",
                "10 0D 00 04 'MQTT' 04 02 00 3C 00 01 00",
                MalformedPacket::NullCharacter,
            ),
            (
                "not UTF-8",
                "10 0D 00 04 'MQTT' 04 02 00 3C 00 01 80",
                MalformedPacket::InvalidUtf8,
            ),
            (
                "no user name",
                "10 0D 00 04 'MQTT' 04 82 00 3C 00 01 'c'",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "no identifier",
                "10 0A 00 04 'MQTT' 04 02 00 3C",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "trailing",
                "10 0E 00 04 'MQTT' 04 02 00 3C 00 01 'c' 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "a Will's property",
                "10 13 00 04 'MQTT' 05 02 00 3C 05 18 00 00 00 00 00 01 'c'",
                MalformedPacket::PropertyNotAllowed(0x18),
            ),
        ] {
            check_fault(name, V3_1_1, Server, text, fault);
        }
        check_fault(
            "data without method",
            V5_0,
            Server,
            "10 11 00 04 'MQTT' 05 02 00 3C 03 16 00 00 00 01 'c'",
            ProtocolError::AuthenticationMethodMissing,
        );
    }

    // Shows 3.1.1 [MQTT-3.1.2-1], 5.0 [MQTT-3.1.2-1].
    #[test]
    fn the_answer_to_an_error_depends_on_how_far_it_came() {
        for (name, text, stage) in [
            (
                "another protocol",
                "10 0D 00 04 'HTTP' 04 02 00 3C 00 01 'c'",
                Stage::BeforeConnect,
            ),
            ("no name", "10 02 00 04", Stage::BeforeConnect),
            (
                "3.1.1",
                "10 0D 00 04 'MQTT' 04 03 00 3C 00 01 'c'",
                Stage::Connect(V3_1_1),
            ),
            (
                "5.0",
                "10 0E 00 04 'MQTT' 05 03 00 3C 00 00 01 'c'",
                Stage::Connect(V5_0),
            ),
        ] {
            assert_eq!(
                decode(V5_0, Server, text).unwrap_err().stage,
                stage,
                "{name}"
            );
        }
    }

    // Shows 3.1.1 [MQTT-3.1.2-2], 5.0 [MQTT-3.1.2-2].
    #[test]
    fn other_versions_are_refused_in_a_form_that_they_understand() {
        for (name, text, number, form) in [
            (
                "3.1",
                "10 0F 00 06 'MQIsdp' 03 02 00 3C 00 01 'c'",
                3,
                V3_1_1,
            ),
            (
                "3 by the new name",
                "10 0D 00 04 'MQTT' 03 02 00 3C 00 01 'c'",
                3,
                V3_1_1,
            ),
            ("6", "10 0D 00 04 'MQTT' 06 02 00 3C 00 01 'c'", 6, V5_0),
            (
                "a bridge of 3.1.1",
                "10 0D 00 04 'MQTT' 84 02 00 3C 00 01 'c'",
                0x84,
                V3_1_1,
            ),
            (
                "a bridge of 5.0",
                "10 0D 00 04 'MQTT' 85 02 00 3C 00 01 'c'",
                0x85,
                V5_0,
            ),
        ] {
            let error = decode(V5_0, Server, text).unwrap_err();
            assert_eq!(
                error.fault,
                Fault::UnsupportedProtocolVersion(number),
                "{name}"
            );
            assert_eq!(error.stage, Stage::Connect(form), "{name}");
        }
    }
}
