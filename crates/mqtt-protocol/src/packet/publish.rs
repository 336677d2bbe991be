//! PUBLISH: an Application Message on its way.

use bytes::Bytes;

use crate::{
    EncodeError, Fault, MalformedPacket, PacketIdentifier, PacketType, Properties, ProtocolError,
    ProtocolVersion, QoS, Role, TopicName,
    data_type::{Reader, begin_length, encode_string, encode_u16, end_length},
    packet::Context,
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

impl Publish {
    pub(super) fn decode(
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
        self.encode_whole(version, output).map(drop)
    }

    /// Writes the packet with its fixed header and says where the Packet Identifier went.
    fn encode_whole(
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
        match &self.topic_name {
            Some(topic_name) => encode_string(topic_name.as_str(), output)?,
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
        output.extend_from_slice(&self.payload);
        Ok(packet_identifier_offset.map(|offset| offset + moved))
    }
}

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
        publish: &Publish,
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
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Publish);
const DUP: u8 = 0b1000;
const RETAIN: u8 = 0b0001;
