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
