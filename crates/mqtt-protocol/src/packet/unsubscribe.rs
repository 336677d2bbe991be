//! UNSUBSCRIBE: ends subscriptions.

use crate::{PacketIdentifier, Properties, TopicFilter};

/// Ends subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Answered with the same in UNSUBACK.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// At least one.
    pub topic_filters: Vec<TopicFilter>,
}
