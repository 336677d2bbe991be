//! How it stands with the broker, in words that fit on a page.

use field::Timestamp;

/// How it stands with the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// A person has to say first that this is the broker to use.
    Asking,
    /// An attempt is being made.
    Connecting {
        /// Whether there was a connection before.
        again: bool,
    },
    /// Messages flow.
    Connected,
    /// The next attempt is made by itself.
    Waiting {
        /// Why there is no connection.
        reason: String,
        /// When it is made.
        retry_at: Timestamp,
    },
    /// The broker refused, and waiting will not change it.
    Refused {
        /// Its Reason Code in words, and what it said itself.
        reason: String,
    },
    /// No attempt is made until a person asks for one.
    Stopped {
        /// Why.
        reason: String,
    },
}

impl Connection {
    /// As it stands in `data-state`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Connecting { .. } => "connecting",
            Self::Connected => "connected",
            Self::Waiting { .. } => "waiting",
            Self::Refused { .. } => "refused",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// What the badge says.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Asking => "Not connected",
            Self::Connecting { again: false } => "Connecting",
            Self::Connecting { again: true } | Self::Waiting { .. } => "Reconnecting",
            Self::Connected => "Connected",
            Self::Refused { .. } => "Refused",
            Self::Stopped { .. } => "Stopped",
        }
    }

    /// Why there is no connection.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Asking | Self::Connecting { .. } | Self::Connected => None,
            Self::Waiting { reason, .. } | Self::Refused { reason } | Self::Stopped { reason } => {
                Some(reason)
            }
        }
    }

    /// Whether messages flow.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }

    /// Whether a person has to say first which broker to use.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        matches!(self, Self::Asking)
    }

    /// What is the matter, as a sentence.
    #[must_use]
    pub fn lead(&self) -> String {
        let (begin, reason) = match self {
            Self::Asking => ("Not connected: ", "this broker has to be confirmed first"),
            Self::Connecting { .. } | Self::Connected => return "Reconnecting.".into(),
            Self::Waiting { reason, .. } => ("Not connected: ", reason.as_str()),
            Self::Refused { reason } => ("The broker refused: ", reason.as_str()),
            Self::Stopped { reason } => ("Stopped: ", reason.as_str()),
        };
        [begin, reason, "."].concat()
    }
}
