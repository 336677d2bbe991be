//! SUBACK: answers a SUBSCRIBE.

use crate::{PacketIdentifier, Properties, ReasonCode};

/// Answers a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suback {
    /// Of the SUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// One for each Topic Filter, in order; every failure is `UnspecifiedError` on 3.1.1.
    pub reason_codes: Vec<ReasonCode>,
}
