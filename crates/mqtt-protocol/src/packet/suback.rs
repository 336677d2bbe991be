//! SUBACK: answers a SUBSCRIBE.

use crate::{
    EncodeError, Fault, MalformedPacket, PacketIdentifier, PacketType, Properties, ProtocolVersion,
    ReasonCode,
    data_type::{Reader, encode_u16},
    packet::Context,
    property::PropertyOwner,
};

/// Answers a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suback {
    /// Of the SUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// One for each Topic Filter, in order; every failure is `UnspecifiedError` on 3.1.1.
    pub reason_codes: Vec<ReasonCode>,
}

impl Suback {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let packet_identifier = reader.packet_identifier()?;
        let properties = Properties::decode(reader, OWNER, context.version)?;
        let mut reason_codes = Vec::with_capacity(reader.remaining());
        while !reader.is_empty() {
            let value = reader.u8()?;
            // 3.1.1 [MQTT-3.9.3-2].
            if context.version == ProtocolVersion::V3_1_1 && !matches!(value, 0..=2 | 0x80) {
                return Err(MalformedPacket::ReasonCode(value).into());
            }
            reason_codes.push(ReasonCode::decode(
                value,
                PacketType::Suback,
                context.receiver,
            )?);
        }
        if reason_codes.is_empty() {
            return Err(MalformedPacket::UnexpectedEnd.into());
        }
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
        for &reason_code in &self.reason_codes {
            if !reason_code.is_allowed_in(PacketType::Suback) {
                return Err(EncodeError::ReasonCodeNotAllowed(reason_code));
            }
            let is_3_1_1_failure = version == ProtocolVersion::V3_1_1 && reason_code.is_error();
            let reason_code = if is_3_1_1_failure {
                ReasonCode::UnspecifiedError
            } else {
                reason_code
            };
            output.push(reason_code.value());
        }
        Ok(())
    }
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Suback);
