//! AUTH: a step of enhanced authentication.

use super::reason::{decode_reason, encode_reason};
use crate::{
    EncodeError, Fault, PacketType, Properties, ProtocolError, ProtocolVersion, ReasonCode,
    data_type::Reader, packet::Context,
};

/// A step of enhanced authentication. 5.0 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// `Success`, `ContinueAuthentication` or `ReAuthenticate`.
    pub reason_code: ReasonCode,
    /// Method, data, reason, User Properties.
    pub properties: Properties,
}

impl Auth {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let is_short = reader.is_empty();
        let (reason_code, properties) = decode_reason(reader, PacketType::Auth, context)?;
        // 5.0 §3.15.2: only the form without anything may lack the method.
        if !is_short && properties.authentication_method().is_none() {
            return Err(ProtocolError::AuthenticationMethodMissing.into());
        }
        Ok(Self {
            reason_code,
            properties,
        })
    }

    pub(super) fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if version == ProtocolVersion::V3_1_1 {
            return Err(EncodeError::PacketNotInVersion(PacketType::Auth));
        }
        encode_reason(
            self.reason_code,
            &self.properties,
            PacketType::Auth,
            version,
            output,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MalformedPacket, Property, Secret, packet::testing::*};

    #[test]
    fn valid() {
        let method = properties([
            Property::AuthenticationMethod("m".into()),
            Property::AuthenticationData(Secret(b"\x00\xFF"[..].into())),
        ]);
        let next = Auth {
            reason_code: ReasonCode::ContinueAuthentication,
            properties: method,
        };
        check(
            "continue",
            V5_0,
            "F0 0B 18 09 15 00 01 'm' 16 00 02 00 FF",
            next,
        );
        let success = Auth {
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        };
        check_decoded("short success", V5_0, Client, "F0 00", success);
    }

    // Shows 5.0 [MQTT-3.15.1-1].
    #[test]
    fn invalid() {
        check_fault(
            "3.1.1",
            V3_1_1,
            Server,
            "F0 00",
            MalformedPacket::UnknownPacketType(15),
        );
        check_fault(
            "flags",
            V5_0,
            Server,
            "F2 00",
            MalformedPacket::FixedHeaderFlags(2),
        );
        check_fault(
            "code",
            V5_0,
            Server,
            "F0 01 80",
            MalformedPacket::ReasonCode(0x80),
        );
        check_fault(
            "a Client's code from a Server",
            V5_0,
            Client,
            "F0 06 19 04 15 00 01 'm'",
            MalformedPacket::ReasonCode(0x19),
        );
        check_fault(
            "without method",
            V5_0,
            Server,
            "F0 02 18 00",
            ProtocolError::AuthenticationMethodMissing,
        );
        let auth = Auth {
            reason_code: ReasonCode::ReAuthenticate,
            properties: Properties::new(),
        };
        let error = EncodeError::PacketNotInVersion(PacketType::Auth);
        check_unencodable("3.1.1", V3_1_1, auth, error);
    }
}
