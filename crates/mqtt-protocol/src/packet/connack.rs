//! CONNACK: the Server answers a CONNECT.

use crate::{
    EncodeError, Fault, MalformedPacket, PacketType, Properties, ProtocolError, ProtocolVersion,
    ReasonCode, data_type::Reader, packet::Context, property::PropertyOwner,
};

/// The Server's answer to a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connack {
    /// Whether the Server goes on with a session that it had.
    pub session_present: bool,
    /// `Success`, or why not. The codec translates to and from the five return codes of 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

impl Connack {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        // A Server that speaks only 3.1.1 refuses a CONNECT of 5.0 in the form that it knows.
        let version = match reader.peek() {
            [0, 1] => ProtocolVersion::V3_1_1,
            _ => context.version,
        };
        let flags = reader.u8()?;
        if flags > 1 {
            return Err(MalformedPacket::ConnackFlags(flags).into());
        }
        let session_present = flags == 1;
        let code = reader.u8()?;
        let reason_code = match version {
            ProtocolVersion::V3_1_1 => ReasonCode::from_connect_return_code(code)?,
            ProtocolVersion::V5_0 => {
                ReasonCode::decode(code, PacketType::Connack, context.receiver)?
            }
        };
        let properties = Properties::decode(reader, OWNER, version)?;
        reader.finish()?;
        // 5.0 [MQTT-3.2.2-6], 3.1.1 [MQTT-3.2.2-4].
        if session_present && reason_code != ReasonCode::Success {
            return Err(ProtocolError::SessionPresentInRefusal.into());
        }
        Ok(Self {
            session_present,
            reason_code,
            properties,
        })
    }

    pub(super) fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if !self.reason_code.is_allowed_in(PacketType::Connack) {
            return Err(EncodeError::ReasonCodeNotAllowed(self.reason_code));
        }
        output.push(u8::from(
            self.session_present && self.reason_code == ReasonCode::Success,
        ));
        output.push(match version {
            ProtocolVersion::V3_1_1 => self.reason_code.connect_return_code(),
            ProtocolVersion::V5_0 => self.reason_code.value(),
        });
        self.properties.encode(OWNER, version, output)
    }
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Connack);
