//! PUBREC: first answer to a QoS 2 PUBLISH.

use super::reason::{decode_acknowledgement, encode_acknowledgement};
use crate::{
    EncodeError, Fault, PacketIdentifier, PacketType, Properties, ProtocolVersion, ReasonCode,
    data_type::Reader, packet::Context,
};

/// First answer to a QoS 2 PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubrec {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1; an error ends the exchange.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

impl Pubrec {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let (packet_identifier, reason_code, properties) =
            decode_acknowledgement(reader, PacketType::Pubrec, context)?;
        Ok(Self {
            packet_identifier,
            reason_code,
            properties,
        })
    }

    pub(super) fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        encode_acknowledgement(
            self.packet_identifier,
            self.reason_code,
            &self.properties,
            PacketType::Pubrec,
            version,
            output,
        )
    }
}
