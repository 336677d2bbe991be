//! Publications that wait.

use std::{collections::VecDeque, time::Duration};

use mqtt_protocol::{Instant, PublicationToken};

use crate::Publication;

/// Publications that wait for a connection or for the Server's Receive Maximum, in order, within bounds.
#[derive(Debug)]
pub(crate) struct Queue {
    len_max: usize,
    bytes_max: usize,
    /// Invariant: the sum of the sizes of `waiting`.
    n_bytes: usize,
    /// In boxes, as they are moved about.
    waiting: VecDeque<Box<Waiting>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) token: PublicationToken,
    pub(crate) publication: Publication,
    pub(crate) expires_at: Option<Instant>,
    /// Whether the session's keeper knows of it.
    pub(crate) is_noted: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

#[expect(
    clippy::vec_box,
    reason = "they move from one list to another, and moving what is large is more code"
)]
impl Queue {
    pub(crate) fn new(len_max: usize, bytes_max: usize) -> Self {
        Self {
            len_max,
            bytes_max,
            n_bytes: 0,
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn push(&mut self, waiting: Box<Waiting>) -> Result<(), Full> {
        let n_bytes = self.n_bytes + waiting.size();
        if self.waiting.len() >= self.len_max || n_bytes > self.bytes_max {
            return Err(Full);
        }
        self.n_bytes = n_bytes;
        self.waiting.push_back(waiting);
        Ok(())
    }

    pub(crate) fn pop_if(&mut self, condition: &dyn Fn(&Waiting) -> bool) -> Option<Box<Waiting>> {
        let front = self.waiting.front()?;
        condition(front).then(|| self.pop())?
    }

    pub(crate) fn pop(&mut self) -> Option<Box<Waiting>> {
        let waiting = self.waiting.pop_front()?;
        self.n_bytes -= waiting.size();
        Some(waiting)
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        let expiries = self.waiting.iter().filter_map(|waiting| waiting.expires_at);
        expiries.min()
    }

    /// Takes out what has waited for too long.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Vec<Box<Waiting>> {
        if self.next_expiry().is_none_or(|expiry| expiry > now) {
            return Vec::new();
        }
        self.take_if(&|waiting| waiting.is_expired(now))
    }

    /// Takes out what `condition` picks; the rest keeps its order.
    pub(crate) fn take_if(&mut self, condition: &dyn Fn(&Waiting) -> bool) -> Vec<Box<Waiting>> {
        let mut taken = Vec::new();
        for _ in 0..self.waiting.len() {
            let Some(waiting) = self.pop() else { break };
            if condition(&waiting) {
                taken.push(waiting);
            } else {
                self.n_bytes += waiting.size();
                self.waiting.push_back(waiting);
            }
        }
        taken
    }

    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Waiting> {
        self.waiting.iter_mut().map(Box::as_mut)
    }

    /// Puts something first that was accepted before, whatever the bounds are.
    pub(crate) fn push_front(&mut self, waiting: Box<Waiting>) {
        self.n_bytes += waiting.size();
        self.waiting.push_front(waiting);
    }
}

impl Waiting {
    /// Seconds that are left of the expiry, rounded up.
    pub(crate) fn expiry_secs_left(&self, now: Instant) -> Option<u32> {
        let left = self.expires_at?.saturating_duration_since(now);
        let whole = left.as_secs() + u64::from(left > Duration::from_secs(left.as_secs()));
        Some(u32::try_from(whole).unwrap_or(u32::MAX))
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn size(&self) -> usize {
        self.publication.payload.len() + self.publication.topic_name.as_str().len()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mqtt_protocol::TopicName;

    use super::*;

    const NOW: Instant = Instant::from_start(Duration::from_secs(100));

    fn waiting(token: u64, payload_len: usize, expiry_secs: Option<u64>) -> Box<Waiting> {
        Box::new(Waiting {
            token: PublicationToken(token),
            publication: Publication::new(
                TopicName::new("t").unwrap(),
                Bytes::from(vec![0; payload_len]),
            ),
            expires_at: expiry_secs.map(|secs| NOW + Duration::from_secs(secs)),
            is_noted: false,
        })
    }

    fn tokens(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop())
            .map(|waiting| waiting.token.0)
            .collect()
    }

    #[test]
    fn keeps_the_order() {
        let mut queue = Queue::new(10, 100);
        for token in 0..5 {
            queue.push(waiting(token, 1, None)).unwrap();
        }
        assert_eq!(tokens(&mut queue), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn is_bounded_in_number() {
        let mut queue = Queue::new(2, 100);
        queue.push(waiting(0, 1, None)).unwrap();
        queue.push(waiting(1, 1, None)).unwrap();
        assert_eq!(queue.push(waiting(2, 1, None)), Err(Full));
        assert_eq!(tokens(&mut queue), [0, 1]);
    }

    #[test]
    fn is_bounded_in_bytes_and_counts_them_down() {
        let mut queue = Queue::new(10, 10);
        queue.push(waiting(0, 5, None)).unwrap();
        assert_eq!(queue.push(waiting(1, 5, None)), Err(Full));
        queue.pop().unwrap();
        queue.push(waiting(2, 5, None)).unwrap();
    }

    #[test]
    fn what_expired_is_taken_out_and_the_rest_keeps_its_order() {
        let mut queue = Queue::new(10, 1000);
        for (token, expiry) in [(0, None), (1, Some(1)), (2, Some(9)), (3, Some(1))] {
            queue.push(waiting(token, 1, expiry)).unwrap();
        }
        assert_eq!(queue.next_expiry(), Some(NOW + Duration::from_secs(1)));
        assert_eq!(queue.take_expired(NOW), []);
        let expired = queue.take_expired(NOW + Duration::from_secs(1));
        let expired: Vec<u64> = expired.iter().map(|waiting| waiting.token.0).collect();
        assert_eq!(expired, [1, 3]);
        assert_eq!(tokens(&mut queue), [0, 2]);
    }

    #[test]
    fn the_rest_of_an_expiry_is_rounded_up() {
        let waiting = waiting(0, 1, Some(2));
        assert_eq!(waiting.expiry_secs_left(NOW), Some(2));
        let later = NOW + Duration::from_millis(1);
        assert_eq!(waiting.expiry_secs_left(later), Some(2));
        let later = NOW + Duration::from_millis(1001);
        assert_eq!(waiting.expiry_secs_left(later), Some(1));
    }
}
