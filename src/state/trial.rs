//! A broker that is being tried before it is kept.

use mqtt_web_client::{Failure, ReasonCode, Status, StopReason};

/// How far a trial has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trial {
    /// None is going on.
    #[default]
    None,
    /// The broker was asked.
    Trying,
    /// It was not kept.
    Failed(Fault),
    /// It was kept, and is in use.
    Kept,
}

/// What is wrong with what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field to look at, by its place in the form.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What can be done.
    pub remedy: &'static str,
}

/// The field to look at after a trial came to an end, and what can be done.
#[must_use]
pub fn remedy(status: &Status) -> (&'static str, &'static str) {
    if let Status::Stopped { reason } = status {
        if *reason == StopReason::InvalidOptions {
            return ("user", "With MQTT 3.1.1 a password needs a user name.");
        }
        return ("address", INVALID_ADDRESS);
    }
    let (Status::Refused { reason_code, .. }
    | Status::Waiting {
        failure: Failure::Refused { reason_code, .. },
        ..
    }) = status
    else {
        return ("address", UNREACHABLE);
    };
    let remedies = [
        (ReasonCode::BadUserNameOrPassword, "user", CHECK_USER),
        (ReasonCode::NotAuthorized, "user", CHECK_USER),
        (
            ReasonCode::ClientIdentifierNotValid,
            "client",
            "Choose another Client Identifier, or leave it empty.",
        ),
        (
            ReasonCode::UnsupportedProtocolVersion,
            "version",
            "Try the other version.",
        ),
    ];
    let mut remedies = remedies.into_iter();
    remedies
        .find(|(known, ..)| known == reason_code)
        .map_or(("address", ""), |(_, field, remedy)| (field, remedy))
}

/// What an address is.
pub const INVALID_ADDRESS: &str = "It begins with ws:// or wss:// and names a host. From a page that came over https, only wss:// is possible.";
const CHECK_USER: &str = "Check the user name and the password.";
const UNREACHABLE: &str = "Check the host, and the port: it has to be the one for WebSockets.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_to_look_at_is_the_one_that_was_refused() {
        for (reason_code, field) in [
            (ReasonCode::NotAuthorized, "user"),
            (ReasonCode::BadUserNameOrPassword, "user"),
            (ReasonCode::ClientIdentifierNotValid, "client"),
            (ReasonCode::UnsupportedProtocolVersion, "version"),
            (ReasonCode::Banned, "address"),
        ] {
            let refused = Status::Refused {
                reason_code,
                reason_string: None,
            };
            assert_eq!(remedy(&refused).0, field, "{reason_code:?}");
        }
        let reason = StopReason::InvalidAddress;
        assert_eq!(remedy(&Status::Stopped { reason }).1, INVALID_ADDRESS);
    }
}
