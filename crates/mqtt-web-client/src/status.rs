//! How it stands with the connection, and why, in words.

use mqtt_protocol::{Instant, ReasonCode};

/// How it stands with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// An attempt is being made.
    Connecting {
        /// 1 for the first since the last stable connection; 0 while what an earlier page left is being read.
        attempt: u32,
    },
    /// The Server has accepted the connection.
    Connected {
        /// Whether the Server goes on with the session that it had.
        session_present: bool,
    },
    /// The next attempt is made by itself.
    Waiting {
        /// Why the last one failed, or why the connection ended.
        failure: Failure,
        /// When, on the clock of [`Client::now`](crate::Client::now).
        retry_at: Instant,
        /// The number of the next attempt.
        attempt: u32,
    },
    /// The Server refused in a way that trying again does not change.
    /// [`Client::reconnect_now`](crate::Client::reconnect_now) tries once more.
    Refused {
        /// What it said.
        reason_code: ReasonCode,
        /// What it said for people.
        reason_string: Option<String>,
    },
    /// No attempt is made until [`Client::reconnect_now`](crate::Client::reconnect_now).
    Stopped {
        /// Why.
        reason: StopReason,
    },
}

/// Why a connection could not be made, or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The address is none that a WebSocket can be opened to from this page.
    #[error("the address is not valid")]
    InvalidAddress,
    /// No WebSocket could be opened; browsers do not say why.
    #[error("the broker cannot be reached")]
    Unreachable,
    /// The [`CredentialsProvider`](crate::CredentialsProvider) failed.
    #[error("no credentials: {reason}")]
    NoCredentials {
        /// What it said.
        reason: String,
    },
    /// The [`CredentialsProvider`](crate::CredentialsProvider) took too long.
    #[error("the credentials did not come in time")]
    CredentialsTimeout,
    /// There is a WebSocket server, but it did not choose the subprotocol `mqtt`.
    #[error("what answers at this address does not speak MQTT")]
    SubprotocolMissing,
    /// What came was text, which MQTT never is.
    #[error("what answers at this address does not speak MQTT")]
    TextFrame,
    /// No CONNACK within its time.
    #[error("the broker did not answer in time")]
    ConnackTimeout,
    /// No PINGRESP within its time.
    #[error("the broker has stopped answering")]
    PingrespTimeout,
    /// What was to be sent did not leave the socket's buffer.
    #[error("the connection has stalled")]
    Stalled,
    /// The Network Connection ended without a word.
    #[error("the connection was lost")]
    ConnectionLost,
    /// The Server refused, for now.
    #[error("the broker refused: {}", in_words(*reason_code))]
    Refused {
        /// What it said.
        reason_code: ReasonCode,
        /// What it said for people.
        reason_string: Option<String>,
    },
    /// The Server ended the connection by DISCONNECT.
    #[error("the broker ended the connection: {}", in_words(*reason_code))]
    Disconnected {
        /// What it said.
        reason_code: ReasonCode,
        /// What it said for people.
        reason_string: Option<String>,
    },
    /// The Server told us to go to another one, which the next attempt does.
    #[error("the broker sends us to {server_reference}")]
    Elsewhere {
        /// The other one's address.
        server_reference: String,
    },
    /// The Server broke the rules.
    #[error("the broker broke the protocol: {}", in_words(*reason_code))]
    Violation {
        /// What our DISCONNECT said.
        reason_code: ReasonCode,
    },
}

/// Why no attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// [`Client::disconnect`](crate::Client::disconnect) was called.
    #[error("disconnected")]
    ByCaller,
    /// Another connection uses the same Client Identifier; coming back would only fight it.
    #[error("another tab or device uses the same Client Identifier")]
    SessionTakenOver,
    /// Another client has the stored session; connecting would only fight it.
    #[error("another tab has this session")]
    SessionInUse,
    /// The address is none that a WebSocket can be opened to from this page.
    #[error("the address is not valid")]
    InvalidAddress,
    /// What the options say is not possible in this version of MQTT.
    #[error("the connection settings are not valid")]
    InvalidOptions,
}

impl Status {
    /// Whether messages flow.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }
}

/// Says a Reason Code in words for people, for example "not authorized".
#[must_use]
pub fn in_words(reason_code: ReasonCode) -> &'static str {
    match reason_code {
        ReasonCode::Success => "success",
        ReasonCode::GrantedQoS1 => "granted QoS 1",
        ReasonCode::GrantedQoS2 => "granted QoS 2",
        ReasonCode::DisconnectWithWillMessage => "disconnected with Will Message",
        ReasonCode::NoMatchingSubscribers => "nobody subscribes to it",
        ReasonCode::NoSubscriptionExisted => "no subscription existed",
        ReasonCode::ContinueAuthentication => "continue authentication",
        ReasonCode::ReAuthenticate => "re-authenticate",
        ReasonCode::UnspecifiedError => "unspecified error",
        ReasonCode::MalformedPacket => "malformed packet",
        ReasonCode::ProtocolError => "protocol error",
        ReasonCode::ImplementationSpecificError => "implementation specific error",
        ReasonCode::UnsupportedProtocolVersion => "unsupported protocol version",
        ReasonCode::ClientIdentifierNotValid => "Client Identifier not valid",
        ReasonCode::BadUserNameOrPassword => "wrong user name or password",
        ReasonCode::NotAuthorized => "not authorized",
        ReasonCode::ServerUnavailable => "server unavailable",
        ReasonCode::ServerBusy => "server busy",
        ReasonCode::Banned => "banned",
        ReasonCode::ServerShuttingDown => "server shutting down",
        ReasonCode::BadAuthenticationMethod => "bad authentication method",
        ReasonCode::KeepAliveTimeout => "Keep Alive timeout",
        ReasonCode::SessionTakenOver => "session taken over",
        ReasonCode::TopicFilterInvalid => "Topic Filter invalid",
        ReasonCode::TopicNameInvalid => "Topic Name invalid",
        ReasonCode::PacketIdentifierInUse => "Packet Identifier in use",
        ReasonCode::PacketIdentifierNotFound => "Packet Identifier not found",
        ReasonCode::ReceiveMaximumExceeded => "Receive Maximum exceeded",
        ReasonCode::TopicAliasInvalid => "Topic Alias invalid",
        ReasonCode::PacketTooLarge => "packet too large",
        ReasonCode::MessageRateTooHigh => "message rate too high",
        ReasonCode::QuotaExceeded => "quota exceeded",
        ReasonCode::AdministrativeAction => "administrative action",
        ReasonCode::PayloadFormatInvalid => "payload format invalid",
        ReasonCode::RetainNotSupported => "retain not supported",
        ReasonCode::QoSNotSupported => "QoS not supported",
        ReasonCode::UseAnotherServer => "use another server",
        ReasonCode::ServerMoved => "server moved",
        ReasonCode::SharedSubscriptionsNotSupported => "Shared Subscriptions not supported",
        ReasonCode::ConnectionRateExceeded => "connection rate exceeded",
        ReasonCode::MaximumConnectTime => "maximum connect time",
        ReasonCode::SubscriptionIdentifiersNotSupported => "Subscription Identifiers not supported",
        ReasonCode::WildcardSubscriptionsNotSupported => "wildcard subscriptions not supported",
    }
}
