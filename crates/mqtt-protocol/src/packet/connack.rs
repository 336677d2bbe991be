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

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU16, NonZeroU32};

    use super::*;
    use crate::{Packet, Property, QoS, Secret, packet::testing::*};

    fn connack(reason_code: ReasonCode, properties: Properties) -> Connack {
        Connack {
            session_present: false,
            reason_code,
            properties,
        }
    }

    // Shows 5.0 [MQTT-3.2.2-1].
    #[test]
    fn valid() {
        let success = connack(ReasonCode::Success, Properties::new());
        check("3.1.1 success", V3_1_1, "20 02 00 00", success.clone());
        check("success", V5_0, "20 03 00 00 00", success.clone());
        let present = Connack {
            session_present: true,
            ..success
        };
        check(
            "3.1.1 session present",
            V3_1_1,
            "20 02 01 00",
            present.clone(),
        );
        check("session present", V5_0, "20 03 01 00 00", present);
        let refused = connack(ReasonCode::NotAuthorized, Properties::new());
        check("3.1.1 refused", V3_1_1, "20 02 00 05", refused.clone());
        check("refused", V5_0, "20 03 00 87 00", refused);
    }

    #[test]
    fn with_every_property() {
        let all = properties([
            Property::SessionExpiryInterval(1),
            Property::ReceiveMaximum(NonZeroU16::new(2).unwrap()),
            Property::MaximumQoS(QoS::AtLeastOnce),
            Property::RetainAvailable(false),
            Property::MaximumPacketSize(NonZeroU32::new(3).unwrap()),
            Property::AssignedClientIdentifier("i".into()),
            Property::TopicAliasMaximum(4),
            Property::ReasonString("r".into()),
            Property::UserProperty("k".into(), "v".into()),
            Property::WildcardSubscriptionAvailable(true),
            Property::SubscriptionIdentifiersAvailable(false),
            Property::SharedSubscriptionAvailable(true),
            Property::ServerKeepAlive(5),
            Property::ResponseInformation("p".into()),
            Property::ServerReference("s".into()),
            Property::AuthenticationMethod("m".into()),
            Property::AuthenticationData(Secret(b"d"[..].into())),
        ]);
        check(
            "all",
            V5_0,
            "20 3F 00 00 3C 11 00 00 00 01 21 00 02 24 01 25 00 27 00 00 00 03 12 00 01 'i' \
             22 00 04 1F 00 01 'r' 26 00 01 'k' 00 01 'v' 28 01 29 00 2A 01 13 00 05 \
             1A 00 01 'p' 1C 00 01 's' 15 00 01 'm' 16 00 01 'd'",
            connack(ReasonCode::Success, all),
        );
    }

    #[test]
    fn codes_that_3_1_1_lacks_become_the_nearest() {
        for (reason_code, return_code) in [
            (ReasonCode::Banned, 5),
            (ReasonCode::BadAuthenticationMethod, 4),
            (ReasonCode::ServerBusy, 3),
            (ReasonCode::QuotaExceeded, 3),
        ] {
            let mut output = Vec::new();
            Packet::from(connack(reason_code, reason_string("why")))
                .encode(V3_1_1, &mut output)
                .unwrap();
            assert_eq!(output, [0x20, 2, 0, return_code]);
        }
    }

    #[test]
    fn a_3_1_1_server_refuses_version_5() {
        let refusal = connack(ReasonCode::UnsupportedProtocolVersion, Properties::new());
        check_decoded("3.1.1 form", V5_0, Client, "20 02 00 01", refusal);
    }

    // Shows 5.0 [MQTT-3.2.2-1], 5.0 [MQTT-3.2.2-6].
    #[test]
    fn invalid() {
        for (name, version, text, fault) in [
            (
                "flags",
                V5_0,
                "21 03 00 00 00",
                MalformedPacket::FixedHeaderFlags(1),
            ),
            (
                "reserved bits",
                V3_1_1,
                "20 02 02 00",
                MalformedPacket::ConnackFlags(2),
            ),
            (
                "return code 6",
                V3_1_1,
                "20 02 00 06",
                MalformedPacket::ReasonCode(6),
            ),
            (
                "a SUBACK's code",
                V5_0,
                "20 03 00 01 00",
                MalformedPacket::ReasonCode(1),
            ),
            (
                "no properties",
                V5_0,
                "20 02 00 00",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "3.1.1 with properties",
                V3_1_1,
                "20 03 00 00 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "properties too long",
                V5_0,
                "20 03 00 00 01",
                MalformedPacket::UnexpectedEnd,
            ),
            (
                "trailing",
                V5_0,
                "20 04 00 00 00 00",
                MalformedPacket::TrailingBytes,
            ),
            (
                "a Will's",
                V5_0,
                "20 08 00 00 05 18 00 00 00 00",
                MalformedPacket::PropertyNotAllowed(0x18),
            ),
            (
                "unknown",
                V5_0,
                "20 05 00 00 02 2B 00",
                MalformedPacket::PropertyNotAllowed(0x2B),
            ),
            (
                "far",
                V5_0,
                "20 06 00 00 03 80 02 00",
                MalformedPacket::PropertyNotAllowed(0x100),
            ),
        ] {
            check_fault(name, version, Client, text, fault);
        }
        for (name, text, fault) in [
            (
                "session in a refusal",
                "20 03 01 87 00",
                ProtocolError::SessionPresentInRefusal,
            ),
            (
                "twice",
                "20 09 00 00 06 22 00 01 22 00 01",
                ProtocolError::DuplicateProperty(0x22),
            ),
            (
                "receive maximum 0",
                "20 06 00 00 03 21 00 00",
                ProtocolError::PropertyValue(0x21),
            ),
            (
                "packet size 0",
                "20 08 00 00 05 27 00 00 00 00",
                ProtocolError::PropertyValue(0x27),
            ),
            (
                "maximum QoS 2",
                "20 05 00 00 02 24 02",
                ProtocolError::PropertyValue(0x24),
            ),
            (
                "no boolean",
                "20 05 00 00 02 25 02",
                ProtocolError::PropertyValue(0x25),
            ),
            (
                "data without method",
                "20 06 00 00 03 16 00 00",
                ProtocolError::AuthenticationMethodMissing,
            ),
        ] {
            check_fault(name, V5_0, Client, text, fault);
        }
    }

    #[test]
    fn unencodable() {
        let with = |property| connack(ReasonCode::Success, properties([property]));
        for (name, packet, error) in [
            (
                "maximum QoS 2",
                with(Property::MaximumQoS(QoS::ExactlyOnce)),
                EncodeError::PropertyValue(0x24),
            ),
            (
                "foreign property",
                with(Property::WillDelayInterval(1)),
                EncodeError::PropertyNotAllowed(0x18),
            ),
            (
                "U+0000",
                with(Property::ReasonString("\0".into())),
                EncodeError::NullCharacter,
            ),
            (
                "too long",
                with(Property::ReasonString("x".repeat(65_536).into())),
                EncodeError::FieldTooLong,
            ),
        ] {
            check_unencodable(name, V5_0, packet, error);
        }
        let twice = properties([Property::ServerKeepAlive(1), Property::ServerKeepAlive(2)]);
        let packet = connack(ReasonCode::Success, twice);
        check_unencodable("twice", V5_0, packet, EncodeError::PropertyNotAllowed(0x13));
    }
}
