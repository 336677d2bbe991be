//! PUBREL: answer to a PUBREC.

use super::reason::{decode_acknowledgement, encode_acknowledgement};
use crate::{
    EncodeError, Fault, PacketIdentifier, PacketType, Properties, ProtocolVersion, ReasonCode,
    data_type::Reader, packet::Context,
};

/// Answer to a PUBREC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubrel {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

impl Pubrel {
    #[inline]
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let (packet_identifier, reason_code, properties) =
            decode_acknowledgement(reader, PacketType::Pubrel, context)?;
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
            PacketType::Pubrel,
            version,
            output,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MalformedPacket, packet::testing::*};

    fn pubrel(reason_code: ReasonCode, properties: Properties) -> Pubrel {
        Pubrel {
            packet_identifier: identifier(0x0102),
            reason_code,
            properties,
        }
    }

    // Shows 3.1.1 [MQTT-2.2.2-1], 5.0 [MQTT-2.1.3-1].
    #[test]
    fn valid() {
        let success = pubrel(ReasonCode::Success, Properties::new());
        check("3.1.1", V3_1_1, "62 02 01 02", success.clone());
        check("success", V5_0, "62 02 01 02", success.clone());
        let failure = pubrel(ReasonCode::PacketIdentifierNotFound, Properties::new());
        check("failure", V5_0, "62 03 01 02 92", failure.clone());
        let explained = pubrel(ReasonCode::PacketIdentifierNotFound, reason_string("no"));
        check(
            "properties",
            V5_0,
            "62 09 01 02 92 05 1F 00 02 'no'",
            explained,
        );
        check_decoded(
            "long success",
            V5_0,
            Client,
            "62 03 01 02 00",
            success.clone(),
        );
        check_decoded(
            "longest success",
            V5_0,
            Client,
            "62 04 01 02 00 00",
            success,
        );
        check_decoded("long failure", V5_0, Client, "62 04 01 02 92 00", failure);
    }

    #[test]
    fn invalid() {
        for (name, version, text, fault) in [
            (
                "identifier 0",
                V5_0,
                "62 02 00 00",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "no identifier",
                V5_0,
                "62 01 01",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "3.1.1 with code",
                V3_1_1,
                "62 03 01 02 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "foreign code",
                V5_0,
                "62 03 01 02 10",
                MalformedPacket::ReasonCode(0x10),
            ),
            (
                "unknown code",
                V5_0,
                "62 03 01 02 FF",
                MalformedPacket::ReasonCode(0xFF),
            ),
            (
                "trailing",
                V5_0,
                "62 05 01 02 00 00 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "foreign property",
                V5_0,
                "62 06 01 02 00 02 01 01",
                MalformedPacket::PropertyNotAllowed(0x01),
            ),
            (
                "flags",
                V5_0,
                "60 02 01 02",
                MalformedPacket::FixedHeaderFlags(0x0),
            ),
        ] {
            check_fault(name, version, Server, text, fault);
        }
        check_unencodable(
            "foreign code",
            V5_0,
            pubrel(ReasonCode::ServerMoved, Properties::new()),
            EncodeError::ReasonCodeNotAllowed(ReasonCode::ServerMoved),
        );
    }
}
