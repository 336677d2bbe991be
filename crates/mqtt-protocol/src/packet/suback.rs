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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Packet, packet::testing::*};

    fn suback(reason_codes: &[ReasonCode]) -> Suback {
        Suback {
            packet_identifier: identifier(10),
            properties: Properties::new(),
            reason_codes: reason_codes.into(),
        }
    }

    #[test]
    fn valid() {
        let granted = [ReasonCode::GRANTED_QOS_0, ReasonCode::GrantedQoS2];
        check("3.1.1", V3_1_1, "90 04 00 0A 00 02", suback(&granted));
        check("5.0", V5_0, "90 05 00 0A 00 00 02", suback(&granted));
        let failure = suback(&[ReasonCode::UnspecifiedError]);
        check("3.1.1 failure", V3_1_1, "90 03 00 0A 80", failure);
        let failure = Suback {
            properties: reason_string("no"),
            ..suback(&[ReasonCode::SharedSubscriptionsNotSupported])
        };
        check("failure", V5_0, "90 09 00 0A 05 1F 00 02 'no' 9E", failure);
    }

    // Shows 3.1.1 [MQTT-3.9.3-2].
    #[test]
    fn every_failure_is_the_same_on_3_1_1() {
        let mut output = Vec::new();
        let refused = suback(&[ReasonCode::NotAuthorized, ReasonCode::GrantedQoS1]);
        Packet::from(refused).encode(V3_1_1, &mut output).unwrap();
        assert_eq!(output, bytes("90 04 00 0A 80 01"));
    }

    // Shows 3.1.1 [MQTT-3.9.3-2].
    #[test]
    fn invalid() {
        for (name, version, text, fault) in [
            (
                "flags",
                V5_0,
                "92 04 00 0A 00 00",
                MalformedPacket::FixedHeaderFlags(2),
            ),
            (
                "identifier 0",
                V5_0,
                "90 04 00 00 00 00",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "3.1.1 other code",
                V3_1_1,
                "90 03 00 0A 87",
                MalformedPacket::ReasonCode(0x87),
            ),
            (
                "unknown code",
                V5_0,
                "90 04 00 0A 00 03",
                MalformedPacket::ReasonCode(3),
            ),
            (
                "3.1.1 no codes",
                V3_1_1,
                "90 02 00 0A",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "no codes",
                V5_0,
                "90 03 00 0A 00",
                MalformedPacket::UnexpectedEnd,
            ),
        ] {
            check_fault(name, version, Client, text, fault);
        }
    }
}
