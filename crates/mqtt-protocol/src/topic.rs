//! Topic Names and Topic Filters. Once one exists, it is valid.

use bytestring::ByteString;

use crate::data_type::has_null_character;

/// The name that a message is published under: at least one character, no wildcard, no U+0000.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(ByteString);

impl TopicName {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// Says which rule for Topic Names the text breaks.
    pub fn new(topic: impl Into<ByteString>) -> Result<Self, InvalidTopic> {
        Self::checked(topic.into())
    }

    fn checked(topic: ByteString) -> Result<Self, InvalidTopic> {
        check_length(&topic)?;
        // Without an early exit the loop runs on many bytes at once.
        let is_excluded = |byte| matches!(byte, b'+' | b'#' | 0);
        if topic
            .bytes()
            .fold(false, |found, byte| found | is_excluded(byte))
        {
            return Err(if has_null_character(topic.as_bytes()) {
                InvalidTopic::NullCharacter
            } else {
                InvalidTopic::WildcardInTopicName
            });
        }
        Ok(Self(topic))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with its shared buffer.
    #[must_use]
    pub const fn as_byte_string(&self) -> &ByteString {
        &self.0
    }

    /// The same name in memory of its own, for whoever keeps it longer than what was read with it.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(ByteString::from(self.0.to_string()))
    }

    /// The texts between the slashes; some may be empty.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

/// What a subscription asks for: a topic in which `+` stands for one level and a final `#` for all that follow.
///
/// `$share/<group>/<filter>` asks for a share of what `<filter>` matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter(ByteString);

impl TopicFilter {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// Says which rule for Topic Filters the text breaks.
    pub fn new(filter: impl Into<ByteString>) -> Result<Self, InvalidTopic> {
        Self::checked(filter.into())
    }

    /// Checks a text of 3.1.1, where nothing is wrong with a `$share/…` that cannot be a Shared Subscription:
    /// it is a filter like any other.
    pub(crate) fn of_3_1_1(filter: ByteString) -> Result<Self, InvalidTopic> {
        match Self::checked(filter.clone()) {
            Err(InvalidTopic::SharedSubscription) => {
                check_wildcards(filter.as_bytes()).map(|()| Self(filter))
            }
            checked => checked,
        }
    }

    fn checked(filter: ByteString) -> Result<Self, InvalidTopic> {
        check_length(&filter)?;
        if has_null_character(filter.as_bytes()) {
            return Err(InvalidTopic::NullCharacter);
        }
        check_wildcards(match filter.strip_prefix(SHARE_PREFIX) {
            Some(shared) => {
                let (_, shared) = split_shared(shared).ok_or(InvalidTopic::SharedSubscription)?;
                shared.as_bytes()
            }
            None => filter.as_bytes(),
        })?;
        Ok(Self(filter))
    }

    /// The same filter in memory of its own, for whoever keeps it longer than what was read with it.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(ByteString::from(self.0.to_string()))
    }

    /// The text, with `$share/<group>/` if it has that.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with its shared buffer.
    #[must_use]
    pub const fn as_byte_string(&self) -> &ByteString {
        &self.0
    }

    /// The texts between the slashes, wildcards as `+` and `#`; some may be empty.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether a message of this topic is asked for; of a Shared Subscription, by the filter inside.
    #[must_use]
    pub fn matches(&self, topic: &TopicName) -> bool {
        let filter = match self.shared_parts() {
            Some((_, filter)) => filter,
            None => &self.0,
        };
        matches(filter.as_bytes(), topic.0.as_bytes())
    }

    /// The group (the ShareName) and the filter inside, if this is a Shared Subscription.
    #[must_use]
    pub fn shared(&self) -> Option<(&str, Self)> {
        let (group, filter) = self.shared_parts()?;
        Some((group, Self(self.0.slice_ref(filter))))
    }

    /// Whether this is a Shared Subscription.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared_parts().is_some()
    }

    /// Whether there is a `+` or `#` in it.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        has_wildcard(self.0.as_bytes())
    }

    fn shared_parts(&self) -> Option<(&str, &str)> {
        split_shared(self.0.strip_prefix(SHARE_PREFIX)?)
    }
}

/// Why a text is no Topic Name or no Topic Filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopic {
    /// It has no characters.
    #[error("topic is empty")]
    Empty,
    /// It is longer than 65,535 bytes.
    #[error("topic is longer than 65,535 bytes")]
    TooLong,
    /// It contains U+0000.
    #[error("topic contains U+0000")]
    NullCharacter,
    /// A Topic Name contains `+` or `#`.
    #[error("topic name contains a wildcard")]
    WildcardInTopicName,
    /// A `+` or `#` shares its level with other characters, or levels follow a `#`.
    #[error("wildcard is not alone in its level, or not last")]
    MisplacedWildcard,
    /// `$share/` is not followed by a group without wildcards and a filter.
    #[error("shared subscription lacks its group or its filter")]
    SharedSubscription,
}

const SHARE_PREFIX: &str = "$share/";

fn check_length(text: &str) -> Result<(), InvalidTopic> {
    match text.len() {
        0 => Err(InvalidTopic::Empty),
        1..=0xFFFF => Ok(()),
        _ => Err(InvalidTopic::TooLong),
    }
}

fn check_wildcards(filter: &[u8]) -> Result<(), InvalidTopic> {
    let mut ended = false;
    for level in filter.split(|&byte| byte == b'/') {
        if ended || (level.len() > 1 && has_wildcard(level)) {
            return Err(InvalidTopic::MisplacedWildcard);
        }
        ended = level == b"#";
    }
    Ok(())
}

fn has_wildcard(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'+' | b'#'))
}

/// Compares a valid filter with a valid topic, byte by byte, as a level of UTF-8 begins and ends at a slash.
fn matches(mut filter: &[u8], mut topic: &[u8]) -> bool {
    // 5.0 [MQTT-4.7.2-1]: wildcards do not reach the Server's own topics.
    if let ([b'+' | b'#', ..], [b'$', ..]) = (filter, topic) {
        return false;
    }
    loop {
        match (filter, topic) {
            ([b'#', ..], _) => return true,
            ([b'+', filter_rest @ ..], _) => {
                let level = topic
                    .iter()
                    .position(|&byte| byte == b'/')
                    .unwrap_or(topic.len());
                (filter, topic) = (filter_rest, &topic[level..]);
            }
            ([f, filter_rest @ ..], [t, topic_rest @ ..]) if f == t => {
                (filter, topic) = (filter_rest, topic_rest);
            }
            // `a/#` asks for `a` too.
            (_, []) => return matches!(filter, [] | b"/#"),
            (_, _) => return false,
        }
    }
}

/// Splits what follows `$share/`.
fn split_shared(shared: &str) -> Option<(&str, &str)> {
    let slash = shared.bytes().position(|byte| byte == b'/')?;
    let (group, filter) = (shared.get(..slash)?, shared.get(slash + 1..)?);
    let is_valid = !group.is_empty() && !has_wildcard(group.as_bytes()) && !filter.is_empty();
    is_valid.then_some((group, filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &str, topic: &str) -> bool {
        TopicFilter::new(filter)
            .unwrap()
            .matches(&TopicName::new(topic).unwrap())
    }

    // Shows 3.1.1 [MQTT-4.7.1-1], 3.1.1 [MQTT-4.7.3-1], 3.1.1 [MQTT-4.7.3-2], 3.1.1 [MQTT-4.7.3-3].
    // Shows 5.0 [MQTT-4.7.0-1], 5.0 [MQTT-4.7.3-1], 5.0 [MQTT-4.7.3-2], 5.0 [MQTT-4.7.3-3].
    #[test]
    fn topic_names_follow_the_rules() {
        for valid in ["/", "a", "a//b", " ", "$SYS/x", "/finance", "Ångström/水"] {
            assert_eq!(
                TopicName::new(valid).map(|t| t.as_str().to_owned()),
                Ok(valid.to_owned())
            );
        }
        for (invalid, error) in [
            ("", InvalidTopic::Empty),
            ("a/+", InvalidTopic::WildcardInTopicName),
            ("a#", InvalidTopic::WildcardInTopicName),
            ("a\0b", InvalidTopic::NullCharacter),
        ] {
            assert_eq!(TopicName::new(invalid), Err(error), "{invalid:?}");
        }
        assert!(TopicName::new("a".repeat(65_535)).is_ok());
        assert_eq!(
            TopicName::new("a".repeat(65_536)),
            Err(InvalidTopic::TooLong)
        );
    }

    // Shows 3.1.1 [MQTT-4.7.1-2], 3.1.1 [MQTT-4.7.1-3], 3.1.1 [MQTT-4.7.3-1], 3.1.1 [MQTT-4.7.3-2].
    // Shows 5.0 [MQTT-4.7.1-1], 5.0 [MQTT-4.7.1-2], 5.0 [MQTT-4.7.3-1], 5.0 [MQTT-4.7.3-2].
    // Shows 5.0 [MQTT-4.8.2-1], 5.0 [MQTT-4.8.2-2].
    #[test]
    fn topic_filters_follow_the_rules() {
        for valid in [
            "#",
            "+",
            "/",
            "+/+",
            "/+",
            "a/#",
            "+/a/#",
            "a//+",
            "$share",
            "$share/g/#",
            "$share/g//",
        ] {
            assert!(TopicFilter::new(valid).is_ok(), "{valid:?}");
        }
        for (invalid, error) in [
            ("", InvalidTopic::Empty),
            ("a#", InvalidTopic::MisplacedWildcard),
            ("a/#/b", InvalidTopic::MisplacedWildcard),
            ("#/", InvalidTopic::MisplacedWildcard),
            ("a+/b", InvalidTopic::MisplacedWildcard),
            ("++", InvalidTopic::MisplacedWildcard),
            ("a\0", InvalidTopic::NullCharacter),
            ("$share/", InvalidTopic::SharedSubscription),
            ("$share/g", InvalidTopic::SharedSubscription),
            ("$share/g/", InvalidTopic::SharedSubscription),
            ("$share//a", InvalidTopic::SharedSubscription),
            ("$share/g+/a", InvalidTopic::SharedSubscription),
            ("$share/#/a", InvalidTopic::SharedSubscription),
            ("$share/g/a#", InvalidTopic::MisplacedWildcard),
        ] {
            assert_eq!(TopicFilter::new(invalid), Err(error), "{invalid:?}");
        }
    }

    // Shows 3.1.1 [MQTT-4.7.2-1], 5.0 [MQTT-4.7.2-1].
    #[test]
    fn filters_match_as_in_the_specification() {
        for (filter, topic) in [
            ("sport/tennis/player1/#", "sport/tennis/player1"),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
            ),
            ("sport/#", "sport"),
            ("#", "sport"),
            ("#", "/"),
            ("sport/tennis/+", "sport/tennis/player1"),
            ("sport/+", "sport/"),
            ("+/+", "/finance"),
            ("/+", "/finance"),
            ("+", "sport"),
            ("$SYS/#", "$SYS/uptime"),
            ("$SYS/+", "$SYS/uptime"),
            ("a/b", "a/b"),
            ("$share/group/a/+", "a/b"),
        ] {
            assert!(matches(filter, topic), "{filter} should match {topic}");
        }
        for (filter, topic) in [
            ("sport/tennis/+", "sport/tennis/player1/ranking"),
            ("sport/+", "sport"),
            ("+", "/finance"),
            ("#", "$SYS/uptime"),
            ("+/uptime", "$SYS/uptime"),
            ("a/b", "a/b/c"),
            ("a/b/c", "a/b"),
            ("a/b", "A/b"),
            ("a/b", "a/b/"),
            ("$share/group/#", "$SYS/uptime"),
        ] {
            assert!(!matches(filter, topic), "{filter} should not match {topic}");
        }
    }

    #[test]
    fn a_shared_subscription_has_a_group_and_a_filter() {
        let filter = TopicFilter::new("$share/pumps/north/+/set").unwrap();
        let (group, inner) = filter.shared().unwrap();
        assert_eq!((group, inner.as_str()), ("pumps", "north/+/set"));
        assert_eq!(TopicFilter::new("$shared/a/b").unwrap().shared(), None);
    }
}
