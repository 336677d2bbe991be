//! PUBCOMP: last packet of a QoS 2 exchange.

use crate::{PacketIdentifier, Properties, ReasonCode};

/// Last packet of a QoS 2 exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubcomp {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}
