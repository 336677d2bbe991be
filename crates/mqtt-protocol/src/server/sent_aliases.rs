//! Topic Aliases that the Server gives.

use std::{collections::HashMap, num::NonZeroU16};

use crate::packet::AliasUse;

/// Which alias stands for which Topic Name on one Network Connection.
///
/// The first topics get one each and keep it: devices publish on the same few topics again and again, and
/// an alias that moves from topic to topic saves nothing.
#[derive(Debug)]
pub(super) struct SentAliases {
    alias_by_topic: HashMap<Box<[u8]>, NonZeroU16>,
    maximum: NonZeroU16,
}

impl SentAliases {
    /// Begins without any; `None` if none is allowed.
    pub(super) fn new(maximum: u16) -> Option<Box<Self>> {
        let maximum = NonZeroU16::new(maximum)?;
        Some(Box::new(Self {
            alias_by_topic: HashMap::new(),
            maximum,
        }))
    }

    /// How to send this Topic Name; `None` as it is.
    pub(super) fn for_topic(&self, topic: &[u8]) -> Option<AliasUse> {
        if topic.len() < WORTH_AN_ALIAS {
            return None;
        }
        if let Some(&alias) = self.alias_by_topic.get(topic) {
            return Some(AliasUse::Known(alias));
        }
        let next = u16::try_from(self.alias_by_topic.len() + 1).ok()?;
        NonZeroU16::new(next)
            .filter(|&next| next <= self.maximum)
            .map(AliasUse::New)
    }

    /// The Client knows a new alias from here on.
    pub(super) fn remember(&mut self, topic: &[u8], alias: NonZeroU16) {
        self.alias_by_topic.insert(topic.into(), alias);
    }
}

/// A shorter Topic Name takes no more bytes than its alias.
const WORTH_AN_ALIAS: usize = 4;
