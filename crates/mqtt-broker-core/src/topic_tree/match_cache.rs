//! What the tree said for topics that come again and again.

use std::{collections::HashMap, sync::Arc};

use super::{Matches, TopicTree};

/// Remembers matches until a subscription changes.
#[derive(Debug, Default)]
pub(crate) struct MatchCache {
    matches_by_topic: HashMap<Box<str>, Arc<Matches>>,
    n_subscribers: usize,
}

impl MatchCache {
    /// Whom a message on `topic` goes to.
    pub(crate) fn matches(&mut self, topic: &str, tree: &mut TopicTree) -> Arc<Matches> {
        if let Some(matches) = self.matches_by_topic.get(topic) {
            return Arc::clone(matches);
        }
        let mut matches = Matches::default();
        tree.collect_matches(topic, &mut matches);
        let matches = Arc::new(matches);
        if self.matches_by_topic.len() >= N_TOPICS_MAX || self.n_subscribers >= N_SUBSCRIBERS_MAX {
            self.clear();
        }
        self.n_subscribers += matches.subscribers.len();
        self.matches_by_topic
            .insert(topic.into(), Arc::clone(&matches));
        matches
    }

    /// Forgets everything; called when a subscription comes, changes or goes.
    pub(crate) fn clear(&mut self) {
        if !self.matches_by_topic.is_empty() {
            self.matches_by_topic.clear();
            self.n_subscribers = 0;
        }
    }
}

/// Enough for the topics of a large field, small enough not to matter: about 1 MB.
const N_TOPICS_MAX: usize = 8192;

/// Bounds the lists of subscribers that are remembered: about 4 MB.
const N_SUBSCRIBERS_MAX: usize = 262_144;
