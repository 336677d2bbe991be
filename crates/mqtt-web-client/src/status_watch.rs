//! The status as a value that can be watched.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use mqtt_protocol::TopicFilter;

use crate::{
    Event, Status,
    driver::Driver,
    sink::{self, Queue, Sink},
};

/// The stream of a client's [`Status`]: the present one at once, then every change.
///
/// Changes that nobody read in time are left out, the newest never: what was read last is always how it stands
/// or stood at the end. It ends when the last [`Client`](crate::Client) is dropped.
#[derive(Debug)]
pub struct StatusWatch {
    driver: Weak<Driver>,
    sink: Rc<StatusSink>,
}

impl StatusWatch {
    pub(crate) fn new(driver: &Rc<Driver>) -> Self {
        let sink = Rc::new(StatusSink(RefCell::new(Newest {
            status: Some(driver.status()),
            is_closed: false,
            waker: None,
        })));
        driver.add_sink(Rc::<StatusSink>::clone(&sink));
        Self {
            driver: Rc::downgrade(driver),
            sink,
        }
    }
}

impl Drop for StatusWatch {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.upgrade() {
            let sink: Rc<dyn Sink> = Rc::<StatusSink>::clone(&self.sink);
            driver.remove_sink(&sink);
        }
    }
}

impl Stream for StatusWatch {
    type Item = Status;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Status>> {
        sink::poll_next(&self.sink.0, context)
    }
}

#[derive(Debug)]
struct StatusSink(RefCell<Newest>);

#[derive(Debug)]
struct Newest {
    /// What the reader has not seen.
    status: Option<Status>,
    is_closed: bool,
    waker: Option<Waker>,
}

impl Sink for StatusSink {
    fn handle_event(&self, event: &Event, _by_identifier: bool) {
        if let Event::Status(status) = event {
            self.0.borrow_mut().status = Some(status.clone());
        }
    }

    fn handle_unsubscribe(&self, _topic_filters: &[TopicFilter]) {}

    fn close(&self) {
        self.0.borrow_mut().is_closed = true;
    }

    fn take_waker(&self) -> Option<Waker> {
        sink::take_waker(&self.0)
    }
}

impl Queue for Newest {
    type Item = Status;

    fn pop(&mut self) -> Option<Status> {
        self.status.take()
    }

    fn is_empty(&self) -> bool {
        self.status.is_none()
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn waker(&mut self) -> &mut Option<Waker> {
        &mut self.waker
    }
}
