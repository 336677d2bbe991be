//! Topic Aliases that the Server chose.

use std::collections::BTreeMap;

use crate::{Publish, ReasonCode, TopicName};

/// What each Topic Alias stands for on this Network Connection.
#[derive(Debug)]
pub(super) struct TopicAliases {
    maximum: u16,
    topic_name_by_alias: BTreeMap<u16, TopicName>,
}

impl TopicAliases {
    pub(super) const fn new(maximum: u16) -> Self {
        Self {
            maximum,
            topic_name_by_alias: BTreeMap::new(),
        }
    }

    /// Learns the alias of a PUBLISH, or puts the Topic Name that it stands for in its place.
    pub(super) fn resolve(&mut self, publish: &mut Publish) -> Result<(), ReasonCode> {
        let Some(alias) = publish.properties.topic_alias() else {
            return match publish.topic_name {
                Some(_) => Ok(()),
                None => Err(ReasonCode::ProtocolError),
            };
        };
        let alias = alias.get();
        if alias > self.maximum {
            return Err(ReasonCode::TopicAliasInvalid);
        }
        if let Some(topic_name) = &publish.topic_name {
            self.topic_name_by_alias.insert(alias, topic_name.clone());
        } else {
            let topic_name = self.topic_name_by_alias.get(&alias);
            publish.topic_name = Some(topic_name.ok_or(ReasonCode::ProtocolError)?.clone());
        }
        Ok(())
    }
}
