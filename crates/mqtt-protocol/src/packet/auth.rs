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
