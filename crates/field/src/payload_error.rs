//! Why a payload is not what its topic promises.

use crate::InvalidTimestamp;

/// Why a payload is not what its topic promises, in words for the person who builds the device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is no text at all.
    #[error("payload is not UTF-8")]
    NotUtf8,
    /// There is nothing in it.
    #[error("payload is empty")]
    Empty,
    /// It is longer than anything of its kind needs to be.
    #[error("payload is longer than {limit} bytes")]
    TooLong {
        /// How many bytes are read.
        limit: usize,
    },
    /// It is neither JSON nor one of the plain words or numbers that may stand there.
    #[error("payload is not JSON")]
    NotJson,
    /// It is JSON, but not an object.
    #[error("payload is JSON, but not an object")]
    NotAnObject,
    /// A field that decides everything is not there.
    #[error("{field} is missing")]
    Missing {
        /// The field's key.
        field: &'static str,
    },
    /// A field holds something else than a number.
    #[error("{field} is not a number")]
    NotANumber {
        /// The field's key.
        field: &'static str,
    },
    /// A field holds a number that cannot be meant.
    #[error("{field} is out of range")]
    OutOfRange {
        /// The field's key.
        field: &'static str,
    },
    /// A field holds something else than a text, or one that is too long.
    #[error("{field} is not a short text")]
    NotAText {
        /// The field's key.
        field: &'static str,
    },
    /// A field holds something else than a moment.
    #[error("{field} is {source}")]
    NotATime {
        /// The field's key.
        field: &'static str,
        /// What a moment looks like.
        source: InvalidTimestamp,
    },
    /// A word that is none of those that may stand there.
    #[error("{field} is neither {first} nor {second}")]
    UnknownWord {
        /// The field's key, or `payload`.
        field: &'static str,
        /// One word that may stand there.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
}
