//! Topic Names and Topic Filters. Once one exists, it is valid.

use bytestring::ByteString;

/// The name that a message is published under: at least one character, no wildcard, no U+0000.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(ByteString);

/// What a subscription asks for: a topic in which `+` stands for one level and a final `#` for all that follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter(ByteString);

/// Why a text is neither a Topic Name nor a Topic Filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopic {
    /// It has no characters.
    #[error("topic is empty")]
    Empty,
}
