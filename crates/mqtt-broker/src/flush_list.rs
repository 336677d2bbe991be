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
    /// Whether others have their part already of what is in it.
    is_shared: bool,
}

/// What one task took over of another's list.
struct Part {
    list: FlushList,
    hub: Arc<Hub>,
}

impl Drop for Part {
    fn drop(&mut self) {
        // However the task ends, no duty is lost.
        while !self.list.is_empty() {
            self.list.flush_some(&self.hub);
        }
    }
}

impl FlushList {
    pub(crate) fn push(&mut self, connection: Arc<Connection>) {
        self.connections.push_back(connection);
    }

    /// Takes over what another list has.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.connections.append(&mut other.connections);
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
        if self.connections.is_empty() {
            self.is_shared = false;
            if self.connections.capacity() > FLUSH_BUDGET {
                self.connections = VecDeque::new();
            }
        }
    }

    /// Gives parts of a long list to tasks of their own, so that other threads send while this one does.
    ///
    /// To wake a thread costs as much as several sends, so a part is long.
    pub(crate) fn share(&mut self, hub: &Arc<Hub>) {
        let n_parts = hub.n_threads().min(self.connections.len() / PART_MIN);
        if n_parts < 2 || self.is_shared {
            return;
        }
        for n_left in (2..=n_parts).rev() {
            let n_kept = self.connections.len() - self.connections.len() / n_left;
            let mut part = Part {
                list: Self {
                    connections: self.connections.split_off(n_kept),
                    is_shared: true,
                },
                hub: Arc::clone(hub),
            };
            tokio::spawn(async move { part.list.flush_all(&part.hub).await });
        }
        self.is_shared = true;
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

/// Measured: with more, less gathers in the buffers behind; with fewer, sockets are polled for nothing.
const FLUSH_BUDGET: usize = 12;

/// Connections in a part that another thread gets.
const PART_MIN: usize = 64;
