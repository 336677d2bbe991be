//! DISCONNECT: says that the connection ends, and why.

use super::reason::{decode_reason, encode_reason};
use crate::{
    EncodeError, Fault, PacketType, Properties, Property, ProtocolError, ProtocolVersion,
    ReasonCode, Role, data_type::Reader, packet::Context,
};

/// Says that the connection ends, and why. On 3.1.1 only Clients send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// Always `NormalDisconnection` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

impl Disconnect {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let (reason_code, properties) = decode_reason(reader, PacketType::Disconnect, context)?;
        // 5.0 [MQTT-3.14.2-2]: how long a session lives is the Client's to say.
        if context.receiver == Role::Client
            && let Some(interval) = properties.session_expiry_interval()
        {
            let identifier = Property::SessionExpiryInterval(interval).identifier();
            return Err(ProtocolError::PropertyOfOtherSide(identifier).into());
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
        encode_reason(
            self.reason_code,
            &self.properties,
            PacketType::Disconnect,
            version,
            output,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MalformedPacket, packet::testing::*};

    fn disconnect(reason_code: ReasonCode, properties: Properties) -> Disconnect {
        Disconnect {
            reason_code,
            properties,
        }
    }

    #[test]
    fn valid() {
        let normal = disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::new());
        check("3.1.1", V3_1_1, "E0 00", normal.clone());
        check("normal", V5_0, "E0 00", normal.clone());
        check_decoded("normal in full", V5_0, Server, "E0 02 00 00", normal);
        let with_will = disconnect(ReasonCode::DisconnectWithWillMessage, Properties::new());
        check("with Will", V5_0, "E0 01 04", with_will);
        let expiry = properties([Property::SessionExpiryInterval(60)]);
        let normal = disconnect(ReasonCode::Success, expiry);
        check("expiry", V5_0, "E0 07 00 05 11 00 00 00 3C", normal);
        let moved = properties([Property::ServerReference("b".into())]);
        check_decoded(
            "moved",
            V5_0,
            Client,
            "E0 06 9D 04 1C 00 01 'b'",
            disconnect(ReasonCode::ServerMoved, moved),
        );
    }

    // Shows 5.0 [MQTT-3.14.2-2].
    #[test]
    fn invalid() {
        check_fault(
            "flags",
            V5_0,
            Server,
            "E1 00",
            MalformedPacket::FixedHeaderFlags(1),
        );
        check_fault(
            "3.1.1 with code",
            V3_1_1,
            Server,
            "E0 01 00",
            MalformedPacket::TrailingBytes,
        );
        check_fault(
            "unknown code",
            V5_0,
            Server,
            "E0 01 01",
            MalformedPacket::ReasonCode(1),
        );
        check_fault(
            "a Server's code from a Client",
            V5_0,
            Server,
            "E0 01 8B",
            MalformedPacket::ReasonCode(0x8B),
        );
        check_fault(
            "a Client's code from a Server",
            V5_0,
            Client,
            "E0 01 04",
            MalformedPacket::ReasonCode(0x04),
        );
        check_fault(
            "expiry from a Server",
            V5_0,
            Client,
            "E0 07 00 05 11 00 00 00 3C",
            ProtocolError::PropertyOfOtherSide(0x11),
        );
        check_fault(
            "3.1.1 from a Server",
            V3_1_1,
            Client,
            "E0 00",
            ProtocolError::UnexpectedPacket(PacketType::Disconnect),
        );
    }
}
