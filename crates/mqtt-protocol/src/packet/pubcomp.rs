//! PUBCOMP: last packet of a QoS 2 exchange.

use super::reason::{decode_acknowledgement, encode_acknowledgement};
use crate::{
    EncodeError, Fault, PacketIdentifier, PacketType, Properties, ProtocolVersion, ReasonCode,
    data_type::Reader, packet::Context,
};

/// Last packet of a QoS 2 exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubcomp {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

impl Pubcomp {
    #[inline]
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let (packet_identifier, reason_code, properties) =
            decode_acknowledgement(reader, PacketType::Pubcomp, context)?;
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
            PacketType::Pubcomp,
            version,
            output,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MalformedPacket, packet::testing::*};

    fn pubcomp(reason_code: ReasonCode, properties: Properties) -> Pubcomp {
        Pubcomp {
            packet_identifier: identifier(0x0102),
            reason_code,
            properties,
        }
    }

    #[test]
    fn valid() {
        let success = pubcomp(ReasonCode::Success, Properties::new());
        check("3.1.1", V3_1_1, "70 02 01 02", success.clone());
        check("success", V5_0, "70 02 01 02", success.clone());
        let failure = pubcomp(ReasonCode::PacketIdentifierNotFound, Properties::new());
        check("failure", V5_0, "70 03 01 02 92", failure.clone());
        let explained = pubcomp(ReasonCode::PacketIdentifierNotFound, reason_string("no"));
        check(
            "properties",
            V5_0,
            "70 09 01 02 92 05 1F 00 02 'no'",
            explained,
        );
        check_decoded(
            "long success",
            V5_0,
            Client,
            "70 03 01 02 00",
            success.clone(),
        );
        check_decoded(
            "longest success",
            V5_0,
            Client,
            "70 04 01 02 00 00",
            success,
        );
        check_decoded("long failure", V5_0, Client, "70 04 01 02 92 00", failure);
    }

    #[test]
    fn invalid() {
        for (name, version, text, fault) in [
            (
                "identifier 0",
                V5_0,
                "70 02 00 00",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "no identifier",
                V5_0,
                "70 01 01",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "3.1.1 with code",
                V3_1_1,
                "70 03 01 02 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "foreign code",
                V5_0,
                "70 03 01 02 80",
                MalformedPacket::ReasonCode(0x80),
            ),
            (
                "unknown code",
                V5_0,
                "70 03 01 02 FF",
                MalformedPacket::ReasonCode(0xFF),
            ),
            (
                "trailing",
                V5_0,
                "70 05 01 02 00 00 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "foreign property",
                V5_0,
                "70 06 01 02 00 02 01 01",
                MalformedPacket::PropertyNotAllowed(0x01),
            ),
            (
                "flags",
                V5_0,
                "7F 02 01 02",
                MalformedPacket::FixedHeaderFlags(0xF),
            ),
        ] {
            check_fault(name, version, Server, text, fault);
        }
        check_unencodable(
            "foreign code",
            V5_0,
            pubcomp(ReasonCode::ServerMoved, Properties::new()),
            EncodeError::ReasonCodeNotAllowed(ReasonCode::ServerMoved),
        );
    }
}
