//! Topic Aliases that the Server chose.

use crate::{Publish, ReasonCode, TopicName};

/// What each Topic Alias stands for on this Network Connection.
#[derive(Debug)]
pub(super) struct TopicAliases {
    maximum: u16,
    /// At index `alias − 1`; grows up to `maximum` as aliases come.
    topic_names: Vec<Option<TopicName>>,
}

impl TopicAliases {
    pub(super) const fn new(maximum: u16) -> Self {
        Self {
            maximum,
            topic_names: Vec::new(),
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
        if alias.get() > self.maximum {
            return Err(ReasonCode::TopicAliasInvalid);
        }
        let index = usize::from(alias.get() - 1);
        if let Some(topic_name) = &publish.topic_name {
            while index >= self.topic_names.len() {
                self.topic_names.push(None);
            }
            self.topic_names[index] = Some(topic_name.clone());
            return Ok(());
        }
        publish.topic_name = self.topic_names.get(index).and_then(Clone::clone);
        match publish.topic_name {
            Some(_) => Ok(()),
            None => Err(ReasonCode::ProtocolError),
        }
    }
}
