//! The bytes that wait to be sent on one connection, and whose duty it is to send them.
//!
//! Anybody who runs the broker core appends to the buffers of the connections that it touched.
//! The first to append to an idle buffer takes on the duty to flush it; others' bytes join his.
//! The duty is a mark in the buffer itself, so it cannot get lost between threads:
//! whoever holds it sends without holding the lock and gives it up only when nothing is left,
//! or passes it to the connection's own task when the socket is full.

mod buffer;

pub use self::buffer::OutputLimits;
pub(crate) use self::buffer::{Appended, OutputBuffer, Phase, Status};

/// The locks of this machine; `tests/shuttle` has others.
mod sync {
    pub(super) use std::sync::{Mutex, MutexGuard};
}

#[cfg(test)]
mod tests;
