//! Reason Codes, named as in the specification.

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
}
