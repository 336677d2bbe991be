//! CONNACK: the Server answers a CONNECT.

use crate::{Properties, ReasonCode};

/// The Server's answer to a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connack {
    /// Whether the Server goes on with a session that it had.
    pub session_present: bool,
    /// `Success`, or why not. The codec translates to and from the five return codes of 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}
