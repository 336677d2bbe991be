//! SUBSCRIBE: asks for messages.

use crate::{PacketIdentifier, Properties, QoS, TopicFilter};

/// Asks for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// Answered with the same in SUBACK.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
}

/// One Topic Filter of a SUBSCRIBE with its Subscription Options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Which topics.
    pub topic_filter: TopicFilter,
    /// The highest QoS that the Server may send with.
    pub maximum_qos: QoS,
    /// Not those that this very client published. 5.0 only.
    pub no_local: bool,
    /// Whether RETAIN is forwarded as the publisher set it. 5.0 only.
    pub retain_as_published: bool,
    /// Whether retained messages are sent on subscribing. 5.0 only.
    pub retain_handling: RetainHandling,
}

/// Whether retained messages are sent on subscribing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// On every SUBSCRIBE.
    #[default]
    Send = 0,
    /// Only if the subscription did not exist.
    SendIfNew = 1,
    /// Never.
    DoNotSend = 2,
}
