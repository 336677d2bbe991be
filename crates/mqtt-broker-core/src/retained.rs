//! Retained messages: the last of each topic that its publisher wanted kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use bytestring::ByteString;
use mqtt_protocol::{Instant, TopicFilter};

use crate::{message::Message, store::Journal};

/// All retained messages, in the order of their topics.
#[derive(Debug, Default)]
pub(crate) struct RetainedMessages {
    message_by_topic: BTreeMap<ByteString, Arc<Message>>,
    topics_by_expiry: BTreeSet<(Instant, ByteString)>,
    n_bytes: usize,
}

/// What a bounded search found.
#[derive(Debug)]
pub(crate) enum Search<'a> {
    /// The next message whose topic matches.
    Found(&'a Arc<Message>),
    /// Nothing so far; to be continued behind this topic.
    ToContinue(ByteString),
    /// Nothing more.
    Done,
}

impl RetainedMessages {
    /// Whether `message` fits into the limits, its predecessor gone.
    pub(crate) fn has_room_for(
        &self,
        message: &Message,
        messages_max: usize,
        bytes_max: usize,
    ) -> bool {
        let (n_messages, n_bytes) = match self.message_by_topic.get(message.topic_name.as_str()) {
            Some(previous) => (self.len() - 1, self.n_bytes - previous.size()),
            None => (self.len(), self.n_bytes),
        };
        n_messages < messages_max && n_bytes + message.size() <= bytes_max
    }

    /// Keeps a message in the place of its predecessor.
    pub(crate) fn keep(&mut self, message: Arc<Message>, journal: &mut Journal) {
        let previous = self.take(message.topic_name.as_str());
        journal.retain(&message);
        if let Some(previous) = previous {
            journal.replace_retained(&previous);
        }
        self.restore(message);
    }

    /// Keeps a message that the store kept.
    pub(crate) fn restore(&mut self, message: Arc<Message>) {
        self.n_bytes += message.size();
        let topic = message.topic_name.as_byte_string().clone();
        if let Some(expires_at) = message.expires_at() {
            self.topics_by_expiry.insert((expires_at, topic.clone()));
        }
        self.message_by_topic.insert(topic, message);
    }

    /// Forgets the message of a topic, if there is one.
    pub(crate) fn remove(&mut self, topic: &str, journal: &mut Journal) {
        if let Some(message) = self.take(topic) {
            journal.remove_retained(&message.topic_name);
            journal.replace_retained(&message);
        }
    }

    fn take(&mut self, topic: &str) -> Option<Arc<Message>> {
        let (topic, message) = self.message_by_topic.remove_entry(topic)?;
        self.n_bytes -= message.size();
        if let Some(expires_at) = message.expires_at() {
            self.topics_by_expiry.remove(&(expires_at, topic));
        }
        Some(message)
    }

    /// Forgets what has expired; says how many.
    pub(crate) fn expire(&mut self, now: Instant, journal: &mut Journal) -> u64 {
        let mut n_expired = 0;
        while let Some((expires_at, topic)) = self.topics_by_expiry.first()
            && *expires_at <= now
        {
            let topic = topic.clone();
            self.remove(&topic, journal);
            n_expired += 1;
        }
        n_expired
    }

    /// When the next message expires.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.topics_by_expiry
            .first()
            .map(|(expires_at, _)| *expires_at)
    }

    /// Looks for the next message behind `after` that `filter` matches, at no more than `steps_max` messages.
    pub(crate) fn search(
        &self,
        filter: &TopicFilter,
        after: Option<&str>,
        steps_max: usize,
    ) -> Search<'_> {
        let prefix = literal_prefix(filter.as_str());
        if !filter.has_wildcard() {
            return match self.message_by_topic.get(prefix) {
                Some(retained) if after.is_none() => Search::Found(retained),
                Some(_) | None => Search::Done,
            };
        }
        let start = match after {
            Some(topic) => Bound::Excluded(topic),
            None => Bound::Included(prefix),
        };
        let range = self
            .message_by_topic
            .range::<str, _>((start, Bound::Unbounded));
        for (n_steps, (topic, retained)) in (1..).zip(range) {
            if !topic.starts_with(prefix) {
                break;
            }
            if filter.matches(&retained.topic_name) {
                return Search::Found(retained);
            }
            if n_steps >= steps_max {
                return Search::ToContinue(topic.clone());
            }
        }
        Search::Done
    }

    /// All of them.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.message_by_topic.values().map(|message| &**message)
    }

    pub(crate) fn len(&self) -> usize {
        self.message_by_topic.len()
    }

    pub(crate) const fn n_bytes(&self) -> usize {
        self.n_bytes
    }
}

/// What every topic that a filter matches begins with.
fn literal_prefix(filter: &str) -> &str {
    let Some(wildcard) = filter.find(['+', '#']) else {
        return filter;
    };
    let prefix = &filter[..wildcard];
    match filter[wildcard..].starts_with('#') {
        // `a/#` matches `a` too.
        true => prefix.strip_suffix('/').unwrap_or(prefix),
        false => prefix,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mqtt_protocol::{Properties, Property, Publish, QoS, TopicName};

    use super::*;

    fn message(topic: &str, payload: &'static str, expiry: Option<u32>) -> Arc<Message> {
        let properties: Properties = expiry
            .map(Property::MessageExpiryInterval)
            .into_iter()
            .collect();
        let publish = Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: true,
            topic_name: Some(TopicName::new(topic.to_owned()).unwrap()),
            packet_identifier: None,
            properties,
            payload: Bytes::from_static(payload.as_bytes()),
        };
        Arc::new(Message::from_publish(publish, Instant::START).unwrap())
    }

    fn check_search(filter: &str, steps_max: usize, expected: &[&str]) {
        let mut retained = RetainedMessages::default();
        for topic in [
            "a", "a!", "a/b", "a/b/c", "a/b0", "a/c", "a0", "b", "b/b", "$SYS/a",
        ] {
            retained.keep(message(topic, "x", None), &mut Journal::default());
        }
        let filter = TopicFilter::new(filter.to_owned()).unwrap();
        let mut found = Vec::new();
        let mut after: Option<ByteString> = None;
        loop {
            match retained.search(&filter, after.as_deref(), steps_max) {
                Search::Done => break,
                Search::ToContinue(topic) => after = Some(topic),
                Search::Found(retained) => {
                    let topic = retained.topic_name.as_byte_string().clone();
                    found.push(topic.to_string());
                    after = Some(topic);
                }
            }
        }
        assert_eq!(found, expected, "{}", filter.as_str());
    }

    #[test]
    fn a_search_finds_all_that_match_in_order_however_small_its_steps() {
        for steps_max in [1, 2, 3, 100] {
            check_search("a/b", steps_max, &["a/b"]);
            check_search("a/#", steps_max, &["a", "a/b", "a/b/c", "a/b0", "a/c"]);
            check_search("a/+", steps_max, &["a/b", "a/b0", "a/c"]);
            check_search("+/b", steps_max, &["a/b", "b/b"]);
            check_search("+", steps_max, &["a", "a!", "a0", "b"]);
            check_search("none/#", steps_max, &[]);
            check_search("$SYS/#", steps_max, &["$SYS/a"]);
        }
    }

    #[test]
    fn bytes_are_counted_as_messages_come_and_go() {
        let mut retained = RetainedMessages::default();
        retained.keep(message("ab", "12345", None), &mut Journal::default());
        assert_eq!(retained.n_bytes(), 7);
        retained.keep(message("ab", "1", None), &mut Journal::default());
        assert_eq!((retained.len(), retained.n_bytes()), (1, 3));
        retained.remove("ab", &mut Journal::default());
        assert_eq!((retained.len(), retained.n_bytes()), (0, 0));
    }

    #[test]
    fn a_replaced_message_takes_its_deadline_with_it() {
        let mut retained = RetainedMessages::default();
        retained.keep(message("a", "x", Some(10)), &mut Journal::default());
        retained.keep(message("a", "y", None), &mut Journal::default());
        assert_eq!(retained.deadline(), None);
        let late = Instant::START + std::time::Duration::from_secs(100);
        assert_eq!(retained.expire(late, &mut Journal::default()), 0);
        assert_eq!(retained.len(), 1);
    }
}
