//! How far a value can be trusted to be of now.

use std::time::Duration;

use field::Timestamp;

/// How old what a probe said is, and whether the probe is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Readings come as usual.
    Live {
        /// Since the newest one.
        age: Duration,
    },
    /// No reading came for much longer than usual.
    Stale {
        /// Since the newest one.
        age: Duration,
    },
    /// There is no connection to the broker, so nobody knows what the probe says.
    Cut {
        /// Since the newest reading that was heard.
        age: Duration,
    },
    /// The device, or its Will, said that it is not there.
    Offline {
        /// When it was heard to say so; unknown if the message was a retained one.
        since: Option<Timestamp>,
    },
    /// Only a retained message is known, and nothing in it says when it was measured.
    RetainedOnly,
    /// The newest reading is of a time that has not come yet: the device's clock is ahead, and its age unknown.
    ClockAhead,
    /// It was announced and has not said a value.
    Silent,
}

impl Freshness {
    /// As it stands in `data-status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live { .. } => "live",
            Self::Stale { .. } => "stale",
            Self::Cut { .. } => "cut",
            Self::Offline { .. } => "offline",
            Self::RetainedOnly | Self::ClockAhead => "retained",
            Self::Silent => "silent",
        }
    }
}
