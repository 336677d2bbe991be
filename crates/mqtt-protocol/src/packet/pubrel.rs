//! PUBREL: answer to a PUBREC.

use crate::{PacketIdentifier, Properties, ReasonCode};

/// Answer to a PUBREC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubrel {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}
