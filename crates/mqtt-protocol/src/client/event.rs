//! What a [`ClientConnection`](crate::ClientConnection) gives out.

use std::time::Duration;

use crate::{Connack, Disconnect, EncodeError, Instant, PacketIdentifier, Publish, ReasonCode};

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub enum ClientOutput {
    /// Put these bytes on the wire: everything since the last time, in one piece.
    Transmit(Vec<u8>),
    /// Tell the application.
    Event(ClientEvent),
    /// End the Network Connection after what was transmitted has left.
    Close,
    /// Nothing more. Call [`handle_timeout`](crate::ClientConnection::handle_timeout) at this time, if there is one.
    Timeout(Option<Instant>),
}

/// What the application is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// The Server has accepted the connection.
    Connected(Connack),
    /// A message came. It has its Topic Name, whether or not an alias stood for it, and is acknowledged already.
    Message(Publish),
    /// The exchange of a message is over. The Reason Code may be a refusal.
    PublicationAcknowledged {
        /// What the caller calls the message.
        token: PublicationToken,
        /// The Server's answer.
        reason_code: ReasonCode,
    },
    /// A message will not be sent (again).
    PublicationFailed {
        /// What the caller calls the message.
        token: PublicationToken,
        /// Why.
        failure: PublicationFailure,
    },
    /// The Server answered a SUBSCRIBE.
    Subscribed {
        /// Of the SUBSCRIBE.
        packet_identifier: PacketIdentifier,
        /// One for each Topic Filter, in order.
        reason_codes: Vec<ReasonCode>,
    },
    /// The Server answered an UNSUBSCRIBE.
    Unsubscribed {
        /// Of the UNSUBSCRIBE.
        packet_identifier: PacketIdentifier,
        /// One for each Topic Filter, in order; `Success` for each on 3.1.1.
        reason_codes: Vec<ReasonCode>,
    },
    /// The Server answered a PINGREQ.
    Pong {
        /// After this time.
        round_trip_time: Duration,
    },
    /// Nothing more is sent or handled.
    Closed(CloseReason),
}

/// What a caller calls one of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationToken(pub u64);

/// Why a message will not be sent (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicationFailure {
    /// It was sent, but the connection or the session was lost before the acknowledgement.
    #[error("it is not known whether the message arrived")]
    Indeterminate,
    /// It waited for longer than its expiry.
    #[error("the message expired before it could be sent")]
    Expired,
    /// It may not wait, and the store was slow.
    #[error("the store was too slow for a message that may not wait")]
    HeldTooLong,
    /// It breaks a rule or this Server's Maximum Packet Size.
    #[error(transparent)]
    NotEncodable(EncodeError),
}

/// Why a Network Connection is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The Server did not accept it.
    Refused(Connack),
    /// The Server ended it by DISCONNECT.
    Disconnected(Disconnect),
    /// The Server broke a rule; on 5.0 it is told so by a DISCONNECT with this Reason Code.
    Violation(ReasonCode),
    /// No CONNACK within its time.
    ConnackTimeout,
    /// No PINGRESP within its time.
    PingrespTimeout,
    /// It ended without a word.
    ConnectionLost,
    /// The CONNECT breaks a rule that only its maker can have broken.
    ConnectNotEncodable(EncodeError),
    /// [`disconnect`](crate::ClientConnection::disconnect) was called.
    ByCaller,
}
