//! PUBREC: first answer to a QoS 2 PUBLISH.

use crate::{PacketIdentifier, Properties, ReasonCode};

/// First answer to a QoS 2 PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubrec {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1; an error ends the exchange.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}
