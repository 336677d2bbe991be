//! What can become of a call.

use mqtt_protocol::ReasonCode;

use crate::in_words;

/// Why a publication did not reach the Server, or is not known to have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// There is no connection, and the publication may not wait.
    #[error("not connected")]
    NotConnected,
    /// The Server's Receive Maximum is reached or the socket is slow, and the publication may not wait.
    #[error("the connection is busy")]
    Busy,
    /// The queue is at its limit.
    #[error("the queue is full")]
    QueueFull,
    /// Larger than the Server accepts, or than a packet can be.
    #[error("the message is too large")]
    TooLarge,
    /// A QoS, or RETAIN, that the Server said it does not support.
    #[error("the broker does not support this")]
    NotSupported,
    /// A property that does not belong in a publication.
    #[error("the message is not valid")]
    Invalid,
    /// It waited for longer than its expiry.
    #[error("the message expired before it could be sent")]
    Expired,
    /// The Server refused it.
    #[error("the broker refused: {}", in_words(*.0))]
    Refused(ReasonCode),
    /// It was sent, but the connection or the session was lost before the acknowledgement.
    #[error("it is not known whether the message arrived")]
    Indeterminate,
    /// The client was stopped or dropped.
    #[error("the client has stopped")]
    Stopped,
}

/// Why a subscription was not made or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// A list of no Topic Filters.
    #[error("there is no topic filter")]
    Empty,
    /// As many requests wait for a connection or an answer as may.
    #[error("too many requests are waiting")]
    TooManyRequests,
    /// The request breaks a rule, for example No Local on a Shared Subscription.
    #[error("the request is not valid")]
    Invalid,
    /// The request is larger than the Server accepts.
    #[error("the request is too large")]
    TooLarge,
    /// The Server refused every Topic Filter; the first refusal.
    #[error("the broker refused: {}", in_words(*.0))]
    Refused(ReasonCode),
    /// The client was stopped or dropped.
    #[error("the client has stopped")]
    Stopped,
}
