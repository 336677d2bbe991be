//! The buffer itself, which only locks what `super::sync` names: so `tests/shuttle` can decide who runs when.

use std::{
    io::{self, ErrorKind},
    mem,
    sync::PoisonError,
    task::Waker,
};

use super::sync::{Mutex, MutexGuard};
use crate::scratch;

/// What waits to be sent on one connection.
#[derive(Debug)]
pub(crate) struct OutputBuffer {
    state: Mutex<State>,
}

/// How much may wait for one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct OutputLimits {
    /// Above, the Client does not keep up: QoS 0 messages to it are dropped and others wait in its session.
    pub high_watermark: usize,
    /// At or below, it keeps up again.
    pub low_watermark: usize,
    /// Above, nothing more is read from the Client, so that answers to what it sends cannot pile up.
    /// Higher than `high_watermark`: a slow link alone does not stop its PINGREQ from being heard.
    pub stop_reading: usize,
}

impl Default for OutputLimits {
    fn default() -> Self {
        Self {
            high_watermark: 1024 * 1024,
            low_watermark: 512 * 1024,
            stop_reading: 4 * 1024 * 1024,
        }
    }
}

#[derive(Debug)]
struct State {
    /// Without memory of its own while empty, so that an idle connection is small.
    pending: Vec<u8>,
    /// How many bytes at the front of `pending` are sent already.
    n_sent: usize,
    /// Bytes that the holder of the duty took and has not sent yet.
    taken: usize,
    /// Bytes that wait for the store before they come here.
    held: usize,
    duty: Duty,
    phase: Phase,
    /// Whether the broker core was last told that this Client keeps up.
    is_writable: bool,
    /// Whether the connection's task reads nothing until less is pending.
    reader_waits: bool,
    /// Of the connection's own task.
    waker: Option<Waker>,
}

/// Who has to send what is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// Nobody: nothing is pending.
    Idle,
    /// Somebody is about to, or does.
    Scheduled,
    /// The connection's own task, as soon as the socket takes more.
    SocketFull,
}

/// How far towards its end the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Bytes come and go.
    Open,
    /// What is pending is still sent; nothing more is taken.
    Closing,
    /// All was sent and nothing more will come.
    Sent,
    /// The socket is gone; what was pending is lost.
    Broken,
}

/// What appending brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Appended {
    /// The caller now has the duty to flush this buffer.
    pub(crate) must_flush: bool,
    /// The Client does not keep up any more: the broker core must hear it.
    pub(crate) fell_behind: bool,
}

/// What the connection's task must know when it wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) phase: Phase,
    /// The task has the duty to flush once the socket takes more.
    pub(crate) is_socket_full: bool,
    /// Whether there is room for answers to what would be read.
    pub(crate) may_read: bool,
}

impl OutputBuffer {
    pub(crate) const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                pending: Vec::new(),
                n_sent: 0,
                taken: 0,
                held: 0,
                duty: Duty::Idle,
                phase: Phase::Open,
                is_writable: true,
                reader_waits: false,
                waker: None,
            }),
        }
    }

    /// Puts what `write` appends behind what is pending.
    ///
    /// Called under the broker core's lock, so that the order of the core is the order on the wire.
    pub(crate) fn append(
        &self,
        limits: &OutputLimits,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Appended {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return Appended {
                must_flush: false,
                fell_behind: false,
            };
        }
        write(&mut state.pending);
        let fell_behind = state.falls_behind(limits);
        Appended {
            must_flush: state.take_duty(),
            fell_behind,
        }
    }

    /// Takes note of bytes that wait for the store; tells whether the Client falls behind with them.
    pub(crate) fn hold(&self, limits: &OutputLimits, n_bytes: usize) -> bool {
        let mut state = self.lock();
        state.held += n_bytes;
        state.falls_behind(limits)
    }

    /// Bytes wait for the store no more: they are appended next, or never.
    pub(crate) fn release(&self, n_bytes: usize) {
        let mut state = self.lock();
        state.held = state.held.saturating_sub(n_bytes);
    }

    /// Lets what `write` appends be the last; tells whether the caller now has the duty to flush.
    #[must_use]
    pub(crate) fn close(&self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return false;
        }
        write(&mut state.pending);
        state.phase = Phase::Closing;
        state.take_duty()
    }

    /// The socket is gone: forgets what is pending.
    pub(crate) fn abandon(&self) {
        self.lock().abandon();
    }

    /// Sends what is pending through `write` until it is all gone or the socket is full.
    ///
    /// Only the holder of the duty may call it.
    /// Tells whether the Client keeps up again, which [`Self::try_set_writable`] then settles.
    #[must_use]
    pub(crate) fn flush(
        &self,
        limits: &OutputLimits,
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> bool {
        loop {
            let mut state = self.lock();
            if state.pending.is_empty() {
                state.duty = Duty::Idle;
                if state.phase == Phase::Closing {
                    state.phase = Phase::Sent;
                    state.wake();
                }
                return state.settle(limits);
            }
            state.duty = Duty::Scheduled;
            let batch = mem::take(&mut state.pending);
            let mut n_sent = mem::take(&mut state.n_sent);
            state.taken = batch.len() - n_sent;
            drop(state);

            let outcome = write_all(&batch, &mut n_sent, &mut write);

            let mut state = self.lock();
            state.taken = 0;
            match outcome {
                Ok(()) => {
                    drop(state);
                    scratch::give_back(batch);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.put_back(batch, n_sent);
                    state.duty = Duty::SocketFull;
                    state.wake();
                    return state.settle(limits);
                }
                Err(_) => {
                    state.abandon();
                    return false;
                }
            }
        }
    }

    /// Marks the Client as keeping up again, if it still does; the caller then tells the broker core.
    ///
    /// Like [`Self::append`], called under the broker core's lock: so the core always hears the latest.
    #[must_use]
    pub(crate) fn try_set_writable(&self, limits: &OutputLimits) -> bool {
        let mut state = self.lock();
        let keeps_up_again = state.keeps_up_again(limits);
        if keeps_up_again {
            state.is_writable = true;
        }
        keeps_up_again
    }

    /// What the connection's task has to do; from here on `waker` wakes it.
    ///
    /// While the store is behind, nothing more is read from a Client whose last packets still wait for it.
    pub(crate) fn poll_status(
        &self,
        limits: &OutputLimits,
        is_store_behind: bool,
        waker: &Waker,
    ) -> Status {
        let mut state = self.lock();
        if !state.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        state.reader_waits =
            state.level() > limits.stop_reading || (is_store_behind && state.held > 0);
        Status {
            phase: state.phase,
            is_socket_full: state.duty == Duty::SocketFull,
            may_read: !state.reader_waits,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn level(&self) -> usize {
        self.pending.len() - self.n_sent + self.taken + self.held
    }

    fn falls_behind(&mut self, limits: &OutputLimits) -> bool {
        let falls_behind =
            self.is_writable && self.phase == Phase::Open && self.level() > limits.high_watermark;
        if falls_behind {
            self.is_writable = false;
        }
        falls_behind
    }

    /// What follows from having sent: the reader may go on; tells whether the Client keeps up again.
    fn settle(&mut self, limits: &OutputLimits) -> bool {
        if self.reader_waits && self.level() <= limits.stop_reading {
            self.wake();
        }
        self.keeps_up_again(limits)
    }

    /// Puts the rest of a batch in front of what was appended while it was being sent.
    fn put_back(&mut self, mut batch: Vec<u8>, n_sent: usize) {
        batch.append(&mut self.pending);
        self.pending = batch;
        self.n_sent = n_sent;
        // Moving the rest to the front only now and then keeps the cost of a long one linear.
        if self.n_sent > self.pending.len() / 2 {
            self.pending.drain(..self.n_sent);
            self.n_sent = 0;
        }
    }

    fn keeps_up_again(&self, limits: &OutputLimits) -> bool {
        !self.is_writable && self.phase == Phase::Open && self.level() <= limits.low_watermark
    }

    fn take_duty(&mut self) -> bool {
        let is_free = self.duty == Duty::Idle;
        if is_free {
            self.duty = Duty::Scheduled;
        }
        is_free
    }

    fn abandon(&mut self) {
        self.pending = Vec::new();
        self.n_sent = 0;
        self.duty = Duty::Idle;
        self.phase = Phase::Broken;
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

/// Writes until everything is gone or something is in the way.
fn write_all(
    bytes: &[u8],
    n_sent: &mut usize,
    write: &mut impl FnMut(&[u8]) -> io::Result<usize>,
) -> io::Result<()> {
    while *n_sent < bytes.len() {
        match write(&bytes[*n_sent..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => *n_sent += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
