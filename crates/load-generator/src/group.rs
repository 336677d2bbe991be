//! What is on its way between some publishers and their subscribers.

use std::collections::VecDeque;

use crate::Error;

/// Counts a message as delivered when every subscriber has it.
#[derive(Debug)]
pub(crate) struct Group {
    n_subscribers: usize,
    undelivered_max: u64,
    published: u64,
    /// For each message that some subscriber does not have yet, the oldest first, how many have it.
    receivers: VecDeque<usize>,
}

impl Group {
    pub(crate) fn new(n_subscribers: usize, undelivered_max: u64) -> Self {
        Self {
            n_subscribers,
            undelivered_max,
            published: 0,
            receivers: VecDeque::new(),
        }
    }

    pub(crate) const fn published(&self) -> u64 {
        self.published
    }

    /// Deliveries that are owed for what was published.
    pub(crate) const fn owed(&self) -> u64 {
        self.published * self.n_subscribers as u64
    }

    /// Whether so many more messages may be on their way.
    pub(crate) fn has_room(&self, n_messages: usize) -> bool {
        (self.receivers.len() + n_messages) as u64 <= self.undelivered_max
    }

    pub(crate) fn publish(&mut self, n_messages: usize) {
        self.published += n_messages as u64;
        self.receivers.resize(self.receivers.len() + n_messages, 0);
    }

    /// A subscriber that had so many messages has one more.
    pub(crate) fn deliver(&mut self, received: u64) -> Result<(), Error> {
        let complete = self.published - self.receivers.len() as u64;
        let more = || Error::Unexpected("more messages than were published");
        let index = received.checked_sub(complete).ok_or_else(more)?;
        let n_receivers = usize::try_from(index)
            .ok()
            .and_then(|index| self.receivers.get_mut(index))
            .ok_or_else(more)?;
        *n_receivers += 1;
        while self.receivers.front() == Some(&self.n_subscribers) {
            self.receivers.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_delivered_when_the_last_subscriber_has_it() {
        let mut group = Group::new(2, 3);
        group.publish(3);
        assert!(!group.has_room(1));
        for received in 0..3 {
            group.deliver(received).unwrap();
        }
        assert!(!group.has_room(1));
        group.deliver(0).unwrap();
        assert!(group.has_room(1) && !group.has_room(2));
        assert_eq!((group.published(), group.owed()), (3, 6));
    }

    #[test]
    fn one_more_than_was_published_is_an_error() {
        let mut group = Group::new(1, 10);
        group.publish(1);
        group.deliver(0).unwrap();
        assert!(group.deliver(1).is_err());
    }
}
