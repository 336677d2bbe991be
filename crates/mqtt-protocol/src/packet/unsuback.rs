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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::testing::*;

    fn unsuback(reason_codes: &[ReasonCode]) -> Unsuback {
        Unsuback {
            packet_identifier: identifier(10),
            properties: Properties::new(),
            reason_codes: reason_codes.into(),
        }
    }

    #[test]
    fn valid() {
        check("3.1.1", V3_1_1, "B0 02 00 0A", unsuback(&[]));
        let codes = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
        check("5.0", V5_0, "B0 05 00 0A 00 00 11", unsuback(&codes));
        let failure = Unsuback {
            properties: reason_string("no"),
            ..unsuback(&[ReasonCode::NotAuthorized])
        };
        check("failure", V5_0, "B0 09 00 0A 05 1F 00 02 'no' 87", failure);
    }

    #[test]
    fn invalid() {
        for (name, version, text, fault) in [
            (
                "flags",
                V5_0,
                "B1 04 00 0A 00 00",
                MalformedPacket::FixedHeaderFlags(1),
            ),
            (
                "identifier 0",
                V3_1_1,
                "B0 02 00 00",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "3.1.1 with codes",
                V3_1_1,
                "B0 03 00 0A 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "a SUBACK's code",
                V5_0,
                "B0 04 00 0A 00 01",
                MalformedPacket::ReasonCode(1),
            ),
            (
                "no codes",
                V5_0,
                "B0 03 00 0A 00",
                MalformedPacket::UnexpectedEnd,
            ),
        ] {
            check_fault(name, version, Client, text, fault);
        }
    }
}
