//! Which Topic Filter matches which topic, level by level.

/// The Share Name and the filter of a Shared Subscription.
pub(super) fn share(filter: &str) -> Option<(&str, &str)> {
    filter.strip_prefix("$share/")?.split_once('/')
}

/// Whether a filter, that of a Shared Subscription included, matches a topic.
pub(super) fn matches(filter: &str, topic: &str) -> bool {
    let filter = share(filter).map_or(filter, |(_, filter)| filter);
    let filter: Vec<&str> = filter.split('/').collect();
    let topic: Vec<&str> = topic.split('/').collect();
    levels_match(&filter, &topic)
}

fn levels_match(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) => true,
        (["+", filter @ ..], [_, topic @ ..]) => levels_match(filter, topic),
        ([level, filter @ ..], [name, topic @ ..]) => level == name && levels_match(filter, topic),
        ([], []) => true,
        ([], _) | (_, []) => false,
    }
}
