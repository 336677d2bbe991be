//! Whether a device is there.

use crate::PayloadError;

/// Whether a device is there: what it says on connecting, and what its Will says for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is connected.
    Online,
    /// It is not.
    Offline,
}

impl Status {
    /// Reads the payload of a [`Channel::Status`](crate::Channel::Status) topic.
    ///
    /// # Errors
    /// If it is any other word.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        match payload {
            b"online" => Ok(Self::Online),
            b"offline" => Ok(Self::Offline),
            _ => Err(PayloadError::UnknownWord {
                field: "payload",
                first: "online",
                second: "offline",
            }),
        }
    }

    /// The payload.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_words_are_read_as_written() {
        for status in [Status::Online, Status::Offline] {
            assert_eq!(Status::parse(status.as_str().as_bytes()), Ok(status));
        }
    }

    #[test]
    fn any_other_word_is_refused() {
        assert_eq!(
            Status::parse(b"asleep").unwrap_err().to_string(),
            "payload is neither online nor offline"
        );
    }
}
