//! Topics and filters against a matcher that is slow and plain.

use mqtt_protocol::{TopicFilter, TopicName};

/// A filter, a line end, a topic.
pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (filter_text, topic_text) = text.split_once('\n').unwrap_or((text, text));
    let filter = TopicFilter::new(filter_text);
    let topic = TopicName::new(topic_text);
    let levels = valid_filter(filter_text);
    assert_eq!(filter.is_ok(), levels.is_some(), "{filter:?}");
    assert_eq!(topic.is_ok(), is_valid_topic(topic_text), "{topic:?}");

    let (Ok(filter), Some((group, levels))) = (filter, levels) else {
        return;
    };
    let has_wildcard = levels.iter().any(|level| ["+", "#"].contains(level));
    assert_eq!(filter.has_wildcard(), has_wildcard);
    assert_eq!(filter.is_shared(), group.is_some());
    assert_eq!(filter.shared().map(|(group, _)| group), group);
    let Ok(topic) = topic else { return };
    let topic_levels: Vec<_> = topic_text.split('/').collect();
    let is_hidden = topic_text.starts_with('$') && ["+", "#"].contains(&levels[0]);
    let expected = !is_hidden && matches(&levels, &topic_levels);
    assert_eq!(filter.matches(&topic), expected, "{filter:?} {topic:?}");
    // What is asked for may itself begin with `$share/`, and would then be read as a share of a share.
    if let Some((_, inner)) = filter.shared().filter(|(_, inner)| !inner.is_shared()) {
        assert_eq!(inner.matches(&topic), expected, "{inner:?} {topic:?}");
    }
}

fn is_valid_topic(text: &str) -> bool {
    (1..=65_535).contains(&text.len()) && !text.contains(['+', '#', '\0'])
}

/// The group of a Shared Subscription and the levels of what is asked for.
fn valid_filter(text: &str) -> Option<(Option<&str>, Vec<&str>)> {
    if !(1..=65_535).contains(&text.len()) || text.contains('\0') {
        return None;
    }
    let (group, filter) = match text.strip_prefix("$share/") {
        Some(shared) => {
            let (group, filter) = shared.split_once('/')?;
            if group.is_empty() || group.contains(['+', '#']) || filter.is_empty() {
                return None;
            }
            (Some(group), filter)
        }
        None => (None, text),
    };
    let levels: Vec<_> = filter.split('/').collect();
    let is_whole = |level: &&str| level.len() == 1 || !level.contains(['+', '#']);
    let ends = !levels[..levels.len() - 1].contains(&"#");
    (levels.iter().all(is_whole) && ends).then_some((group, levels))
}

fn matches(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) => true,
        (["+", filter @ ..], [_, topic @ ..]) => matches(filter, topic),
        ([wanted, filter @ ..], [level, topic @ ..]) => wanted == level && matches(filter, topic),
        ([], []) => true,
        ([], _) | (_, []) => false,
    }
}
