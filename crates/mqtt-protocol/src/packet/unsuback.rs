//! UNSUBACK: answers an UNSUBSCRIBE.

use crate::{
    EncodeError, Fault, MalformedPacket, PacketIdentifier, PacketType, Properties, ProtocolVersion,
    ReasonCode,
    data_type::{Reader, encode_u16},
    packet::Context,
    property::PropertyOwner,
};

/// Answers an UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsuback {
    /// Of the UNSUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// One for each Topic Filter, in order; always empty on 3.1.1.
    pub reason_codes: Vec<ReasonCode>,
}

impl Unsuback {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let packet_identifier = reader.packet_identifier()?;
        let properties = Properties::decode(reader, OWNER, context.version)?;
        let mut reason_codes = Vec::new();
        if context.version == ProtocolVersion::V5_0 {
            while !reader.is_empty() {
                let code =
                    ReasonCode::decode(reader.u8()?, PacketType::Unsuback, context.receiver)?;
                reason_codes.push(code);
            }
            if reason_codes.is_empty() {
                return Err(MalformedPacket::UnexpectedEnd.into());
            }
        }
        reader.finish()?;
        Ok(Self {
            packet_identifier,
            properties,
            reason_codes,
        })
    }

    pub(super) fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        encode_u16(self.packet_identifier.value(), output);
        self.properties.encode(OWNER, version, output)?;
        if version == ProtocolVersion::V5_0 {
            for &reason_code in &self.reason_codes {
                if !reason_code.is_allowed_in(PacketType::Unsuback) {
                    return Err(EncodeError::ReasonCodeNotAllowed(reason_code));
                }
                output.push(reason_code.value());
            }
        }
        Ok(())
    }
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Unsuback);
