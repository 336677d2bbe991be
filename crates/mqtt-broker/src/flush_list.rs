//! The connections that one task has the duty to flush.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::task::yield_now;

use crate::{connection::Connection, hub::Hub};

/// Connections to flush, first touched first.
///
/// The list belongs to a task, not to a thread, so it moves with the task when another thread takes that over.
#[derive(Debug, Default)]
pub(crate) struct FlushList {
    connections: VecDeque<Arc<Connection>>,
}

impl FlushList {
    pub(crate) fn push(&mut self, connection: Arc<Connection>) {
        self.connections.push_back(connection);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Flushes as many connections as may be flushed without polling sockets in between.
    ///
    /// With many more waiting, the break lets more gather in each of their buffers, so that a send carries more.
    pub(crate) fn flush_some(&mut self, hub: &Hub) {
        for _ in 0..FLUSH_BUDGET {
            let Some(connection) = self.connections.pop_front() else {
                break;
            };
            self.flush(&connection, hub);
        }
        if self.connections.is_empty() && self.connections.capacity() > FLUSH_BUDGET {
            self.connections = VecDeque::new();
        }
    }

    /// Flushes one connection whose duty the caller has.
    pub(crate) fn flush(&mut self, connection: &Connection, hub: &Hub) {
        let limits = &hub.settings().connections.output;
        if connection.flush(limits) {
            hub.run(self, |broker, now| {
                if connection.try_set_writable(limits) {
                    broker.set_writable(connection.id, true, now);
                }
            });
        }
    }

    /// Flushes everything, polling sockets in between.
    pub(crate) async fn flush_all(&mut self, hub: &Hub) {
        self.flush_some(hub);
        while !self.is_empty() {
            yield_now().await;
            self.flush_some(hub);
        }
    }
}

/// Lets the task be polled again after other tasks and the sockets.
pub(crate) fn poll_again_after_sockets(context: &mut Context<'_>) {
    // The first poll hands the waker to the scheduler, which wakes it after it has polled the sockets.
    match pin!(yield_now()).poll(context) {
        Poll::Pending => {}
        Poll::Ready(()) => context.waker().wake_by_ref(),
    }
}

const FLUSH_BUDGET: usize = 32;
