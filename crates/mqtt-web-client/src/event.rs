//! What the client tells its user.

use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use mqtt_protocol::{ReasonCode, TopicFilter};

use crate::{Message, Status};

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
    /// Messages were dropped here, the oldest first, because the reader of [`Events`] was too slow.
    Dropped {
        /// How many.
        n_messages: usize,
    },
}

/// The stream of [`Event`]s. It ends when the last [`Client`](crate::Client) is dropped.
///
/// At most [`Limits::events_len_max`](crate::Limits::events_len_max) wait in it. Beyond that the oldest are dropped,
/// of whatever QoS, and an [`Event::Dropped`] stands in their place; the newest [`Status`] is never dropped.
#[derive(Debug)]
pub struct Events {
    queue: Rc<RefCell<EventQueue>>,
}

#[derive(Debug)]
pub(crate) struct EventQueue {
    len_max: usize,
    events: VecDeque<Event>,
    n_dropped: usize,
    /// Told after everything else that waits, so that it can be replaced by a newer one.
    status: Option<Status>,
    is_closed: bool,
    waker: Option<Waker>,
}

impl EventQueue {
    pub(crate) fn new(len_max: usize) -> Self {
        Self {
            len_max,
            events: VecDeque::new(),
            n_dropped: 0,
            status: None,
            is_closed: false,
            waker: None,
        }
    }

    pub(crate) fn push(&mut self, event: Event) {
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
        if self.events.len() >= self.len_max {
            let dropped = self.events.pop_front();
            self.n_dropped += usize::from(matches!(dropped, Some(Event::Message(_))));
        }
        self.events.push_back(event);
    }

    fn pop(&mut self) -> Option<Event> {
        let n_messages = std::mem::take(&mut self.n_dropped);
        if n_messages > 0 {
            return Some(Event::Dropped { n_messages });
        }
        let event = self.events.pop_front();
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
