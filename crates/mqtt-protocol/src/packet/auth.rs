//! AUTH: a step of enhanced authentication.

use crate::{Properties, ReasonCode};

/// A step of enhanced authentication. 5.0 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// `Success`, `ContinueAuthentication` or `ReAuthenticate`.
    pub reason_code: ReasonCode,
    /// Method, data, reason, User Properties.
    pub properties: Properties,
}
