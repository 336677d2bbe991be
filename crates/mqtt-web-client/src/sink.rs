//! Where events go besides [`Events`](crate::Events).

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use mqtt_protocol::TopicFilter;

use crate::Event;

/// Takes the events that concern it.
///
/// The driver knows sinks only as this, so that an application has in it only those kinds that it uses.
pub(crate) trait Sink {
    /// Takes note of an event. `by_identifier` says whether the Server gives messages their Subscription Identifiers.
    fn handle_event(&self, event: &Event, by_identifier: bool);

    /// Takes note that the user ended subscriptions.
    fn handle_unsubscribe(&self, topic_filters: &[TopicFilter]);

    /// Takes note that nothing more will come.
    fn close(&self);

    /// Gives one to wake, if there is something to read; to be called until it gives none.
    fn take_waker(&self) -> Option<Waker>;

    /// Passes on to another one.
    fn add(&self, _sink: Rc<dyn Sink>) {}

    /// The opposite of [`add`](Self::add).
    fn remove(&self, _sink: &Rc<dyn Sink>) {}
}

/// The reader's end of a sink's queue.
pub(crate) trait Queue {
    type Item;

    fn pop(&mut self) -> Option<Self::Item>;
    fn is_empty(&self) -> bool;
    fn is_closed(&self) -> bool;
    fn waker(&mut self) -> &mut Option<Waker>;
}

/// Polls a queue as a stream is polled.
pub(crate) fn poll_next<Q: Queue>(
    queue: &RefCell<Q>,
    context: &mut Context<'_>,
) -> Poll<Option<Q::Item>> {
    let mut queue = queue.borrow_mut();
    match queue.pop() {
        Some(item) => Poll::Ready(Some(item)),
        None if queue.is_closed() => Poll::Ready(None),
        None => {
            *queue.waker() = Some(context.waker().clone());
            Poll::Pending
        }
    }
}

/// Takes the waker of a reader that has something to read.
pub(crate) fn take_waker(queue: &RefCell<impl Queue>) -> Option<Waker> {
    let mut queue = queue.borrow_mut();
    let is_any = queue.is_closed() || !queue.is_empty();
    if is_any { queue.waker().take() } else { None }
}

/// The sinks of a driver, itself one.
#[derive(Default)]
pub(crate) struct Sinks(RefCell<Vec<Rc<dyn Sink>>>);

impl Sink for Sinks {
    fn handle_event(&self, event: &Event, by_identifier: bool) {
        for sink in &*self.0.borrow() {
            sink.handle_event(event, by_identifier);
        }
    }

    fn handle_unsubscribe(&self, topic_filters: &[TopicFilter]) {
        for sink in &*self.0.borrow() {
            sink.handle_unsubscribe(topic_filters);
        }
    }

    fn close(&self) {
        for sink in &*self.0.borrow() {
            sink.close();
        }
    }

    fn take_waker(&self) -> Option<Waker> {
        let sinks = self.0.borrow();
        sinks.iter().find_map(|sink| sink.take_waker())
    }

    fn add(&self, sink: Rc<dyn Sink>) {
        self.0.borrow_mut().push(sink);
    }

    fn remove(&self, sink: &Rc<dyn Sink>) {
        let mut sinks = self.0.borrow_mut();
        sinks.retain(|other| !Rc::ptr_eq(other, sink));
    }
}
