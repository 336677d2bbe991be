//! CONNECT: the first packet of a Client.

use bytes::Bytes;
use bytestring::ByteString;

use crate::{
    EncodeError, Fault, MalformedPacket, PacketType, Properties, ProtocolVersion, QoS, Stage,
    TopicName,
    data_type::{Reader, encode_binary, encode_string, encode_u16},
    property::PropertyOwner,
};

/// Asks for a connection and, perhaps, a session.
#[derive(Debug, Clone, PartialEq, Eq)]
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
