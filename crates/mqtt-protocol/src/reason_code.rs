//! Reason Codes, named as in the specification.

use std::fmt;

use crate::{MalformedPacket, PacketType, Role};

/// How an operation ended; 0x80 and above are failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ReasonCode {
    /// Success; as a DISCONNECT "normal disconnection", in a SUBACK "granted QoS 0".
    Success = 0x00,
    /// The subscription is accepted with QoS 1 at most.
    GrantedQoS1 = 0x01,
    /// The subscription is accepted with QoS 2 at most.
    GrantedQoS2 = 0x02,
    /// The Client leaves and wants its Will published.
    DisconnectWithWillMessage = 0x04,
    /// Accepted, but nobody subscribes to it.
    NoMatchingSubscribers = 0x10,
    /// There was nothing to unsubscribe from.
    NoSubscriptionExisted = 0x11,
    /// Another step of authentication follows.
    ContinueAuthentication = 0x18,
    /// The Client starts authentication again.
    ReAuthenticate = 0x19,
    /// The sender does not say why.
    UnspecifiedError = 0x80,
    /// Bytes that do not parse.
    MalformedPacket = 0x81,
    /// A packet that the protocol forbids here.
    ProtocolError = 0x82,
    /// Valid, but not accepted by this implementation.
    ImplementationSpecificError = 0x83,
    /// A version that the Server does not speak.
    UnsupportedProtocolVersion = 0x84,
    /// The Client Identifier is not allowed.
    ClientIdentifierNotValid = 0x85,
    /// The Server does not accept the credentials.
    BadUserNameOrPassword = 0x86,
    /// The Client may not do this.
    NotAuthorized = 0x87,
    /// The Server is not available.
    ServerUnavailable = 0x88,
    /// Try again later.
    ServerBusy = 0x89,
    /// The Client is barred by the administrator.
    Banned = 0x8A,
    /// The Server goes down.
    ServerShuttingDown = 0x8B,
    /// The method is not supported, or not the one of the CONNECT.
    BadAuthenticationMethod = 0x8C,
    /// Nothing came for one and a half times the Keep Alive.
    KeepAliveTimeout = 0x8D,
    /// Another connection uses the same Client Identifier.
    SessionTakenOver = 0x8E,
    /// Well formed, but not accepted by this Server.
    TopicFilterInvalid = 0x8F,
    /// Well formed, but not accepted here.
    TopicNameInvalid = 0x90,
    /// The identifier is already in use.
    PacketIdentifierInUse = 0x91,
    /// The identifier is not known.
    PacketIdentifierNotFound = 0x92,
    /// More unacknowledged messages than allowed.
    ReceiveMaximumExceeded = 0x93,
    /// Zero, above the maximum, or unknown.
    TopicAliasInvalid = 0x94,
    /// Larger than the Maximum Packet Size.
    PacketTooLarge = 0x95,
    /// Too many messages in too little time.
    MessageRateTooHigh = 0x96,
    /// An implementation or administrative limit is reached.
    QuotaExceeded = 0x97,
    /// Closed by the administrator.
    AdministrativeAction = 0x98,
    /// The payload is not what its indicator says.
    PayloadFormatInvalid = 0x99,
    /// The Server keeps no retained messages.
    RetainNotSupported = 0x9A,
    /// Above the Server's Maximum QoS.
    QoSNotSupported = 0x9B,
    /// Use another Server for now.
    UseAnotherServer = 0x9C,
    /// Use another Server from here on.
    ServerMoved = 0x9D,
    /// The Server has no Shared Subscriptions.
    SharedSubscriptionsNotSupported = 0x9E,
    /// Too many connections in too little time.
    ConnectionRateExceeded = 0x9F,
    /// The connection was allowed for this long and no longer.
    MaximumConnectTime = 0xA0,
    /// The Server has no Subscription Identifiers.
    SubscriptionIdentifiersNotSupported = 0xA1,
    /// The Server has no wildcards.
    WildcardSubscriptionsNotSupported = 0xA2,
}

impl ReasonCode {
    /// The Reason Code of a DISCONNECT that is no failure; the same number as `Success`.
    pub const NORMAL_DISCONNECTION: Self = Self::Success;
    /// The Reason Code of a SUBACK that grants QoS 0; the same number as `Success`.
    pub const GRANTED_QOS_0: Self = Self::Success;

    /// The wire number.
    #[must_use]
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// Whether the operation failed.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.value() >= 0x80
    }

    /// Finds the Reason Code of a wire number; `None` if the specification knows none.
    #[must_use]
    pub const fn from_value(value: u8) -> Option<Self> {
        Some(match value {
            0x00 => Self::Success,
            0x01 => Self::GrantedQoS1,
            0x02 => Self::GrantedQoS2,
            0x04 => Self::DisconnectWithWillMessage,
            0x10 => Self::NoMatchingSubscribers,
            0x11 => Self::NoSubscriptionExisted,
            0x18 => Self::ContinueAuthentication,
            0x19 => Self::ReAuthenticate,
            0x80 => Self::UnspecifiedError,
            0x81 => Self::MalformedPacket,
            0x82 => Self::ProtocolError,
            0x83 => Self::ImplementationSpecificError,
            0x84 => Self::UnsupportedProtocolVersion,
            0x85 => Self::ClientIdentifierNotValid,
            0x86 => Self::BadUserNameOrPassword,
            0x87 => Self::NotAuthorized,
            0x88 => Self::ServerUnavailable,
            0x89 => Self::ServerBusy,
            0x8A => Self::Banned,
            0x8B => Self::ServerShuttingDown,
            0x8C => Self::BadAuthenticationMethod,
            0x8D => Self::KeepAliveTimeout,
            0x8E => Self::SessionTakenOver,
            0x8F => Self::TopicFilterInvalid,
            0x90 => Self::TopicNameInvalid,
            0x91 => Self::PacketIdentifierInUse,
            0x92 => Self::PacketIdentifierNotFound,
            0x93 => Self::ReceiveMaximumExceeded,
            0x94 => Self::TopicAliasInvalid,
            0x95 => Self::PacketTooLarge,
            0x96 => Self::MessageRateTooHigh,
            0x97 => Self::QuotaExceeded,
            0x98 => Self::AdministrativeAction,
            0x99 => Self::PayloadFormatInvalid,
            0x9A => Self::RetainNotSupported,
            0x9B => Self::QoSNotSupported,
            0x9C => Self::UseAnotherServer,
            0x9D => Self::ServerMoved,
            0x9E => Self::SharedSubscriptionsNotSupported,
            0x9F => Self::ConnectionRateExceeded,
            0xA0 => Self::MaximumConnectTime,
            0xA1 => Self::SubscriptionIdentifiersNotSupported,
            0xA2 => Self::WildcardSubscriptionsNotSupported,
            _ => return None,
        })
    }

    /// What it means, in words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::GrantedQoS1 => "granted QoS 1",
            Self::GrantedQoS2 => "granted QoS 2",
            Self::DisconnectWithWillMessage => "disconnect with Will Message",
            Self::NoMatchingSubscribers => "no matching subscribers",
            Self::NoSubscriptionExisted => "no subscription existed",
            Self::ContinueAuthentication => "continue authentication",
            Self::ReAuthenticate => "re-authenticate",
            Self::UnspecifiedError => "unspecified error",
            Self::MalformedPacket => "malformed packet",
            Self::ProtocolError => "protocol error",
            Self::ImplementationSpecificError => "implementation specific error",
            Self::UnsupportedProtocolVersion => "unsupported protocol version",
            Self::ClientIdentifierNotValid => "client identifier not valid",
            Self::BadUserNameOrPassword => "bad user name or password",
            Self::NotAuthorized => "not authorized",
            Self::ServerUnavailable => "server unavailable",
            Self::ServerBusy => "server busy",
            Self::Banned => "banned",
            Self::ServerShuttingDown => "server shutting down",
            Self::BadAuthenticationMethod => "bad authentication method",
            Self::KeepAliveTimeout => "keep alive timeout",
            Self::SessionTakenOver => "session taken over",
            Self::TopicFilterInvalid => "topic filter invalid",
            Self::TopicNameInvalid => "topic name invalid",
            Self::PacketIdentifierInUse => "packet identifier in use",
            Self::PacketIdentifierNotFound => "packet identifier not found",
            Self::ReceiveMaximumExceeded => "receive maximum exceeded",
            Self::TopicAliasInvalid => "topic alias invalid",
            Self::PacketTooLarge => "packet too large",
            Self::MessageRateTooHigh => "message rate too high",
            Self::QuotaExceeded => "quota exceeded",
            Self::AdministrativeAction => "administrative action",
            Self::PayloadFormatInvalid => "payload format invalid",
            Self::RetainNotSupported => "retain not supported",
            Self::QoSNotSupported => "QoS not supported",
            Self::UseAnotherServer => "use another server",
            Self::ServerMoved => "server moved",
            Self::SharedSubscriptionsNotSupported => "shared subscriptions not supported",
            Self::ConnectionRateExceeded => "connection rate exceeded",
            Self::MaximumConnectTime => "maximum connect time",
            Self::SubscriptionIdentifiersNotSupported => "subscription identifiers not supported",
            Self::WildcardSubscriptionsNotSupported => "wildcard subscriptions not supported",
        }
    }

    /// Whether some sender may put it into this packet of 5.0.
    #[must_use]
    pub const fn is_allowed_in(self, packet_type: PacketType) -> bool {
        self.places() & (place(packet_type, Role::Client) | place(packet_type, Role::Server)) != 0
    }

    /// Reads the Reason Code of a 5.0 packet that `receiver` was sent.
    pub(crate) fn decode(
        value: u8,
        packet_type: PacketType,
        receiver: Role,
    ) -> Result<Self, MalformedPacket> {
        let sender = match receiver {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        Self::from_value(value)
            .filter(|reason_code| reason_code.places() & place(packet_type, sender) != 0)
            .ok_or(MalformedPacket::ReasonCode(value))
    }

    /// Reads the Connect Return Code of 3.1.1.
    pub(crate) fn from_connect_return_code(value: u8) -> Result<Self, MalformedPacket> {
        Ok(match value {
            0 => Self::Success,
            1 => Self::UnsupportedProtocolVersion,
            2 => Self::ClientIdentifierNotValid,
            3 => Self::ServerUnavailable,
            4 => Self::BadUserNameOrPassword,
            5 => Self::NotAuthorized,
            _ => return Err(MalformedPacket::ReasonCode(value)),
        })
    }

    /// The Connect Return Code of 3.1.1 that comes nearest.
    pub(crate) const fn connect_return_code(self) -> u8 {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "3.1.1 has no code for anything else"
        )]
        match self {
            Self::Success => 0,
            Self::UnsupportedProtocolVersion => 1,
            Self::ClientIdentifierNotValid => 2,
            Self::BadUserNameOrPassword | Self::BadAuthenticationMethod => 4,
            Self::NotAuthorized | Self::Banned => 5,
            _ => 3,
        }
    }

    /// The packets of 5.0 that may carry it, as bits of `place`; table 2-6 and the tables of each packet.
    const fn places(self) -> u32 {
        match self {
            Self::Success => {
                CONNACK
                    | ACKNOWLEDGEMENTS
                    | RELEASES
                    | SUBACK
                    | UNSUBACK
                    | DISCONNECT
                    | AUTH_BY_SERVER
            }
            Self::GrantedQoS1 | Self::GrantedQoS2 => SUBACK,
            Self::DisconnectWithWillMessage => DISCONNECT_BY_CLIENT,
            Self::NoMatchingSubscribers => ACKNOWLEDGEMENTS,
            Self::NoSubscriptionExisted => UNSUBACK,
            Self::ContinueAuthentication => AUTH,
            Self::ReAuthenticate => AUTH_BY_CLIENT,
            Self::UnspecifiedError | Self::ImplementationSpecificError => {
                CONNACK | ACKNOWLEDGEMENTS | SUBACK | UNSUBACK | DISCONNECT
            }
            Self::MalformedPacket
            | Self::ProtocolError
            | Self::BadAuthenticationMethod
            | Self::PacketTooLarge => CONNACK | DISCONNECT,
            Self::UnsupportedProtocolVersion
            | Self::ClientIdentifierNotValid
            | Self::BadUserNameOrPassword
            | Self::ServerUnavailable
            | Self::Banned => CONNACK,
            Self::NotAuthorized => {
                CONNACK | ACKNOWLEDGEMENTS | SUBACK | UNSUBACK | DISCONNECT_BY_SERVER
            }
            Self::ServerBusy
            | Self::RetainNotSupported
            | Self::QoSNotSupported
            | Self::UseAnotherServer
            | Self::ServerMoved
            | Self::ConnectionRateExceeded => CONNACK | DISCONNECT_BY_SERVER,
            Self::ServerShuttingDown
            | Self::KeepAliveTimeout
            | Self::SessionTakenOver
            | Self::MaximumConnectTime => DISCONNECT_BY_SERVER,
            Self::TopicFilterInvalid => SUBACK | UNSUBACK | DISCONNECT_BY_SERVER,
            Self::TopicNameInvalid | Self::PayloadFormatInvalid => {
                CONNACK | ACKNOWLEDGEMENTS | DISCONNECT
            }
            Self::PacketIdentifierInUse => ACKNOWLEDGEMENTS | SUBACK | UNSUBACK,
            Self::PacketIdentifierNotFound => RELEASES,
            Self::ReceiveMaximumExceeded
            | Self::TopicAliasInvalid
            | Self::MessageRateTooHigh
            | Self::AdministrativeAction => DISCONNECT,
            Self::QuotaExceeded => CONNACK | ACKNOWLEDGEMENTS | SUBACK | DISCONNECT,
            Self::SharedSubscriptionsNotSupported
            | Self::SubscriptionIdentifiersNotSupported
            | Self::WildcardSubscriptionsNotSupported => SUBACK | DISCONNECT_BY_SERVER,
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.description())
    }
}

/// The bit of a packet; DISCONNECT and AUTH have one for each sender.
const fn place(packet_type: PacketType, sender: Role) -> u32 {
    let by_server = matches!(sender, Role::Server)
        && matches!(packet_type, PacketType::Disconnect | PacketType::Auth);
    1 << (packet_type as u32 + if by_server { 16 } else { 0 })
}

const CONNACK: u32 = place(PacketType::Connack, Role::Server);
const ACKNOWLEDGEMENTS: u32 =
    place(PacketType::Puback, Role::Server) | place(PacketType::Pubrec, Role::Server);
const RELEASES: u32 =
    place(PacketType::Pubrel, Role::Server) | place(PacketType::Pubcomp, Role::Server);
const SUBACK: u32 = place(PacketType::Suback, Role::Server);
const UNSUBACK: u32 = place(PacketType::Unsuback, Role::Server);
const DISCONNECT_BY_CLIENT: u32 = place(PacketType::Disconnect, Role::Client);
const DISCONNECT_BY_SERVER: u32 = place(PacketType::Disconnect, Role::Server);
const DISCONNECT: u32 = DISCONNECT_BY_CLIENT | DISCONNECT_BY_SERVER;
const AUTH_BY_CLIENT: u32 = place(PacketType::Auth, Role::Client);
const AUTH_BY_SERVER: u32 = place(PacketType::Auth, Role::Server);
const AUTH: u32 = AUTH_BY_CLIENT | AUTH_BY_SERVER;

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = ReasonCode> {
        (0..=u8::MAX).filter_map(ReasonCode::from_value)
    }

    #[test]
    fn every_number_leads_back_to_its_code() {
        assert_eq!(all().count(), 43);
        assert!(
            (0..=u8::MAX).all(|n| ReasonCode::from_value(n).is_none_or(|code| code.value() == n))
        );
    }

    #[test]
    fn every_code_has_a_place() {
        assert!(all().all(|code| code.places() != 0));
    }

    #[test]
    fn codes_stay_in_their_packets() {
        assert!(ReasonCode::PacketIdentifierNotFound.is_allowed_in(PacketType::Pubrel));
        assert!(!ReasonCode::PacketIdentifierNotFound.is_allowed_in(PacketType::Puback));
        assert!(ReasonCode::DisconnectWithWillMessage.is_allowed_in(PacketType::Disconnect));
        assert!(!ReasonCode::Success.is_allowed_in(PacketType::Publish));
    }

    #[test]
    fn some_codes_belong_to_one_side() {
        let decode = |code: ReasonCode, receiver| {
            ReasonCode::decode(code.value(), PacketType::Disconnect, receiver)
        };
        let server_only = ReasonCode::SessionTakenOver;
        assert_eq!(decode(server_only, Role::Client), Ok(server_only));
        assert_eq!(
            decode(server_only, Role::Server),
            Err(MalformedPacket::ReasonCode(0x8E))
        );
        let client_only = ReasonCode::DisconnectWithWillMessage;
        assert_eq!(decode(client_only, Role::Server), Ok(client_only));
        assert_eq!(
            decode(client_only, Role::Client),
            Err(MalformedPacket::ReasonCode(0x04))
        );
    }

    #[test]
    fn connect_return_codes_lead_back() {
        for number in 0..=5 {
            let code = ReasonCode::from_connect_return_code(number).unwrap();
            assert_eq!(code.connect_return_code(), number);
        }
        assert!(ReasonCode::from_connect_return_code(6).is_err());
    }

    #[test]
    fn people_can_read_a_code() {
        assert_eq!(ReasonCode::NotAuthorized.to_string(), "not authorized");
    }
}
