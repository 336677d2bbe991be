//! PUBACK: acknowledges a QoS 1 PUBLISH.

use super::reason::{decode_acknowledgement, encode_acknowledgement};
use crate::{
    EncodeError, Fault, PacketIdentifier, PacketType, Properties, ProtocolVersion, ReasonCode,
    data_type::Reader, packet::Context,
};

/// Acknowledges a QoS 1 PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Puback {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

impl Puback {
    #[inline]
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let (packet_identifier, reason_code, properties) =
            decode_acknowledgement(reader, PacketType::Puback, context)?;
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
            PacketType::Puback,
            version,
            output,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MalformedPacket, packet::testing::*};

    fn puback(reason_code: ReasonCode, properties: Properties) -> Puback {
        Puback {
            packet_identifier: identifier(0x0102),
            reason_code,
            properties,
        }
    }

    #[test]
    fn valid() {
        let success = puback(ReasonCode::Success, Properties::new());
        check("3.1.1", V3_1_1, "40 02 01 02", success.clone());
        check("success", V5_0, "40 02 01 02", success.clone());
        let failure = puback(ReasonCode::NotAuthorized, Properties::new());
        check("failure", V5_0, "40 03 01 02 87", failure.clone());
        let explained = puback(ReasonCode::NotAuthorized, reason_string("no"));
        check(
            "properties",
            V5_0,
            "40 09 01 02 87 05 1F 00 02 'no'",
            explained,
        );
        check_decoded(
            "long success",
            V5_0,
            Client,
            "40 03 01 02 00",
            success.clone(),
        );
        check_decoded(
            "longest success",
            V5_0,
            Client,
            "40 04 01 02 00 00",
            success,
        );
        check_decoded("long failure", V5_0, Client, "40 04 01 02 87 00", failure);
    }

    #[test]
    fn invalid() {
        for (name, version, text, fault) in [
            (
                "identifier 0",
                V5_0,
                "40 02 00 00",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "no identifier",
                V5_0,
                "40 01 01",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "3.1.1 with code",
                V3_1_1,
                "40 03 01 02 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "foreign code",
                V5_0,
                "40 03 01 02 92",
                MalformedPacket::ReasonCode(0x92),
            ),
            (
                "unknown code",
                V5_0,
                "40 03 01 02 FF",
                MalformedPacket::ReasonCode(0xFF),
            ),
            (
                "trailing",
                V5_0,
                "40 05 01 02 00 00 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "foreign property",
                V5_0,
                "40 06 01 02 00 02 01 01",
                MalformedPacket::PropertyNotAllowed(0x01),
            ),
            (
                "flags",
                V5_0,
                "41 02 01 02",
                MalformedPacket::FixedHeaderFlags(0x1),
            ),
        ] {
            check_fault(name, version, Server, text, fault);
        }
        check_unencodable(
            "foreign code",
            V5_0,
            puback(ReasonCode::ServerMoved, Properties::new()),
            EncodeError::ReasonCodeNotAllowed(ReasonCode::ServerMoved),
        );
    }
}
