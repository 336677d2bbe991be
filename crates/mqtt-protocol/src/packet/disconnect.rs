//! DISCONNECT: says that the connection ends, and why.

use crate::{Properties, ReasonCode};

/// Says that the connection ends, and why. On 3.1.1 only Clients send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// Always `NormalDisconnection` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}
