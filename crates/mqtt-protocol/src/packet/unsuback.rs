//! UNSUBACK: answers an UNSUBSCRIBE.

use crate::{PacketIdentifier, Properties, ReasonCode};

/// Answers an UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsuback {
    /// Of the UNSUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// One for each Topic Filter, in order; always empty on 3.1.1.
    pub reason_codes: Vec<ReasonCode>,
}
