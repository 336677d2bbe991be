//! What the client tells its user.

use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use mqtt_protocol::{ReasonCode, TopicFilter, TopicName};

use crate::{Message, Persistence, PublishError, Status};

/// What the client tells its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The status changed. Those that nobody read in time are left out; the newest is always told.
    Status(Status),
    /// A message came.
    Message(Message),
    /// The Server answered for one Topic Filter, on the first subscription and on every renewal.
    /// The Reason Code is the QoS granted or the refusal.
    Subscribed {
        /// The Topic Filter.
        topic_filter: TopicFilter,
        /// The Server's answer.
        reason_code: ReasonCode,
    },
    /// Whether the session outlives the page has changed.
    Persistence(Persistence),
    /// What became of a publication of an earlier page, whose caller is gone.
    Published {
        /// Where it was published.
        topic_name: TopicName,
        /// The answer.
        result: Result<ReasonCode, PublishError>,
    },
    /// Messages were dropped here, the oldest first, because the reader of [`Events`] was too slow.
    Dropped {
        /// How many.
        n_messages: usize,
    },
}

/// The stream of [`Event`]s. It ends when the last [`Client`](crate::Client) is dropped.
///
/// At most [`Limits::events_len_max`](crate::Limits::events_len_max) wait in it, with at most
/// [`Limits::events_bytes_max`](crate::Limits::events_bytes_max) of messages. Beyond that the oldest are dropped,
/// of whatever QoS, and an [`Event::Dropped`] stands in their place; the newest [`Status`] is never dropped.
/// Once this is dropped, nothing waits.
#[derive(Debug)]
pub struct Events {
    queue: Rc<RefCell<EventQueue>>,
}

#[derive(Debug)]
pub(crate) struct EventQueue {
    len_max: usize,
    bytes_max: usize,
    /// Invariant: the sum of the sizes of the messages in `events`.
    n_bytes: usize,
    events: VecDeque<Event>,
    n_dropped: usize,
    /// Told after everything else that waits, so that it can be replaced by a newer one.
    status: Option<Status>,
    is_closed: bool,
    waker: Option<Waker>,
}

impl EventQueue {
    pub(crate) fn new(len_max: usize, bytes_max: usize) -> Self {
        Self {
            len_max,
            bytes_max,
            n_bytes: 0,
            events: VecDeque::new(),
            n_dropped: 0,
            status: None,
            is_closed: false,
            waker: None,
        }
    }

    pub(crate) fn push(&mut self, event: Event) {
        if self.is_closed {
            return;
        }
        if let Event::Status(status) = event {
            self.status = Some(status);
            return;
        }
        // A status is not overtaken by what came after it.
        if let Some(status) = self.status.take() {
            self.push_bounded(Event::Status(status));
        }
        self.push_bounded(event);
    }

    pub(crate) fn close(&mut self) {
        self.is_closed = true;
    }

    /// What to wake once nothing is borrowed any more.
    pub(crate) fn take_waker(&mut self) -> Option<Waker> {
        if self.is_closed || self.n_dropped > 0 || !self.events.is_empty() || self.status.is_some()
        {
            self.waker.take()
        } else {
            None
        }
    }

    fn push_bounded(&mut self, event: Event) {
        self.n_bytes += size(&event);
        while !self.events.is_empty()
            && (self.events.len() >= self.len_max || self.n_bytes > self.bytes_max)
        {
            match self.pop_event() {
                Some(Event::Message(_)) => self.n_dropped += 1,
                Some(Event::Status(status)) if !self.has_status() => self.status = Some(status),
                Some(
                    Event::Status(_)
                    | Event::Subscribed { .. }
                    | Event::Persistence(_)
                    | Event::Published { .. }
                    | Event::Dropped { .. },
                )
                | None => {}
            }
        }
        self.events.push_back(event);
    }

    fn pop_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.n_bytes -= size(&event);
        Some(event)
    }

    fn has_status(&self) -> bool {
        let mut events = self.events.iter();
        events.any(|event| matches!(event, Event::Status(_)))
    }

    fn pop(&mut self) -> Option<Event> {
        let n_messages = std::mem::take(&mut self.n_dropped);
        if n_messages > 0 {
            return Some(Event::Dropped { n_messages });
        }
        let event = self.pop_event();
        event.or_else(|| self.status.take().map(Event::Status))
    }
}

impl Events {
    pub(crate) fn new(queue: Rc<RefCell<EventQueue>>) -> Self {
        Self { queue }
    }

    /// Takes the next event if there is one.
    pub fn try_next(&mut self) -> Option<Event> {
        self.queue.borrow_mut().pop()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut queue = self.queue.borrow_mut();
        queue.close();
        queue.events.clear();
        queue.n_bytes = 0;
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut queue = self.queue.borrow_mut();
        if let Some(event) = queue.pop() {
            return Poll::Ready(Some(event));
        }
        if queue.is_closed {
            return Poll::Ready(None);
        }
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

fn size(event: &Event) -> usize {
    match event {
        Event::Message(message) => message.size(),
        Event::Status(_)
        | Event::Subscribed { .. }
        | Event::Persistence(_)
        | Event::Published { .. }
        | Event::Dropped { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mqtt_protocol::{Properties, QoS, TopicName};

    use super::*;

    fn message(number: u8) -> Event {
        Event::Message(Message {
            topic_name: TopicName::new("a").unwrap(),
            payload: Bytes::from(vec![number]),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Properties::new(),
        })
    }

    fn status(attempt: u32) -> Event {
        Event::Status(Status::Connecting { attempt })
    }

    fn queue(len_max: usize, events: impl IntoIterator<Item = Event>) -> Vec<Event> {
        let mut queue = EventQueue::new(len_max, 1000);
        for event in events {
            queue.push(event);
        }
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn events_keep_their_order() {
        let events = [status(1), message(1), message(2), status(2), message(3)];
        assert_eq!(queue(10, events.clone()), events);
    }

    #[test]
    fn statuses_that_nobody_read_are_replaced_by_the_newest() {
        let told = queue(10, [status(1), status(2), message(1), status(3), status(4)]);
        assert_eq!(told, [status(2), message(1), status(4)]);
    }

    #[test]
    fn the_oldest_messages_are_dropped_and_counted() {
        let told = queue(2, (1..=5).map(message));
        let dropped = Event::Dropped { n_messages: 3 };
        assert_eq!(told, [dropped, message(4), message(5)]);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        let mut queue = EventQueue::new(10, 5);
        for number in 1..=5 {
            queue.push(message(number));
        }
        let dropped = Event::Dropped { n_messages: 3 };
        let told: Vec<Event> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(told, [dropped, message(4), message(5)]);
        assert_eq!(queue.n_bytes, 0);
    }

    #[test]
    fn without_a_reader_nothing_waits() {
        let queue = Rc::new(RefCell::new(EventQueue::new(10, 1000)));
        let events = Events::new(Rc::clone(&queue));
        queue.borrow_mut().push(message(1));
        drop(events);
        queue.borrow_mut().push(message(2));
        assert!(queue.borrow().events.is_empty());
    }

    #[test]
    fn the_newest_status_is_never_dropped() {
        let told = queue(3, [status(1)].into_iter().chain((1..=9).map(message)));
        assert!(told.contains(&status(1)), "{told:?}");
        assert!(told.contains(&message(9)), "{told:?}");
    }

    #[test]
    fn an_old_status_never_comes_after_a_newer_one() {
        let early = [status(1), message(1), status(2)];
        let told = queue(3, early.into_iter().chain((2..=9).map(message)));
        let statuses: Vec<&Event> = told
            .iter()
            .filter(|event| matches!(event, Event::Status(_)))
            .collect();
        assert_eq!(statuses, [&status(2)]);
    }
}
