//! PUBACK: acknowledges a QoS 1 PUBLISH.

use crate::{PacketIdentifier, Properties, ReasonCode};

/// Acknowledges a QoS 1 PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Puback {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}
