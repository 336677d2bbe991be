//! What the tree said for topics that come again and again.

use std::collections::HashMap;

use mqtt_protocol::TopicName;

use super::{Matches, TopicTree};

/// Remembers matches until a subscription changes.
#[derive(Debug, Default)]
pub(crate) struct MatchCache {
    entries: Vec<Entry>,
    index_by_topic: HashMap<TopicName, usize>,
    /// Where the last answer is: what one Client sends at once is mostly on one topic.
    last: usize,
    /// What `entries` hold.
    pub(super) n_bytes: usize,
}

/// What is known of one topic.
#[derive(Debug)]
pub(crate) struct Entry {
    /// In memory of its own, for whoever keeps a message on it.
    pub(crate) topic_name: TopicName,
    /// Whom a message goes to.
    pub(crate) matches: Matches,
}

impl MatchCache {
    /// Whom a message on this topic goes to.
    pub(crate) fn find(&mut self, topic_name: &TopicName, tree: &mut TopicTree) -> &Entry {
        let is_last = self
            .entries
            .get(self.last)
            .is_some_and(|entry| entry.topic_name == *topic_name);
        if !is_last {
            self.last = match self.index_by_topic.get(topic_name) {
                Some(&index) => index,
                None => self.add(topic_name, tree),
            };
        }
        &self.entries[self.last]
    }

    /// Forgets everything; called when a subscription comes, changes or goes.
    pub(crate) fn clear(&mut self) {
        if !self.entries.is_empty() {
            self.entries.clear();
            self.index_by_topic.clear();
            self.n_bytes = 0;
        }
    }

    fn add(&mut self, topic_name: &TopicName, tree: &mut TopicTree) -> usize {
        let mut matches = Matches::default();
        tree.collect_matches(topic_name.as_str(), &mut matches);
        if self.entries.len() >= N_TOPICS_MAX || self.n_bytes >= BYTES_MAX {
            self.clear();
        }
        self.n_bytes += topic_name.as_str().len()
            + size_of_val(&*matches.subscribers)
            + size_of_val(&*matches.groups);
        let topic_name = topic_name.detached();
        let index = self.entries.len();
        self.index_by_topic.insert(topic_name.clone(), index);
        self.entries.push(Entry {
            topic_name,
            matches,
        });
        index
    }
}

/// Enough for the topics of a large field, small enough not to matter.
const N_TOPICS_MAX: usize = 8192;

/// Of names and of lists of who gets what; the last topic may go beyond it.
pub(super) const BYTES_MAX: usize = 8 * 1024 * 1024;
