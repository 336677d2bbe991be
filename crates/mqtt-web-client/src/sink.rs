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

    /// Gives what to wake once nothing is borrowed any more, because there is something to read.
    fn take_wakers(&self, wakers: &mut Vec<Waker>);
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
pub(crate) fn take_waker(queue: &RefCell<impl Queue>, wakers: &mut Vec<Waker>) {
    let mut queue = queue.borrow_mut();
    if queue.is_closed() || !queue.is_empty() {
        wakers.extend(queue.waker().take());
    }
}

/// The driver's sinks.
#[derive(Default)]
pub(crate) struct Sinks(RefCell<Vec<Rc<dyn Sink>>>);

impl Sinks {
    pub(crate) fn add(&self, sink: Rc<dyn Sink>) {
        self.0.borrow_mut().push(sink);
    }

    pub(crate) fn remove(&self, sink: &Rc<dyn Sink>) {
        let mut sinks = self.0.borrow_mut();
        sinks.retain(|other| !Rc::ptr_eq(other, sink));
    }

    pub(crate) fn each(&self, mut handle: impl FnMut(&(dyn Sink + 'static))) {
        for sink in &*self.0.borrow() {
            handle(&**sink);
        }
    }

    pub(crate) fn take_wakers(&self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        self.each(|sink| sink.take_wakers(&mut wakers));
        wakers
    }
}
