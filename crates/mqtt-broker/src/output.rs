//! The bytes that wait to be sent on one connection, and whose duty it is to send them.
//!
//! Anybody who runs the broker core appends to the buffers of the connections that it touched.
//! The first to append to an idle buffer takes on the duty to flush it; others' bytes join his.
//! The duty is a mark in the buffer itself, so it cannot get lost between threads:
//! whoever holds it sends without holding the lock and gives it up only when nothing is left,
//! or passes it to the connection's own task when the socket is full.

use std::{
    io::{self, ErrorKind},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Waker,
};

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
        let fell_behind = state.is_writable && state.level() > limits.high_watermark;
        if fell_behind {
            state.is_writable = false;
        }
        Appended {
            must_flush: state.take_duty(),
            fell_behind,
        }
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
    pub(crate) fn poll_status(&self, limits: &OutputLimits, waker: &Waker) -> Status {
        let mut state = self.lock();
        if !state.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        state.reader_waits = state.level() > limits.stop_reading;
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
        self.pending.len() - self.n_sent + self.taken
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    use super::*;

    const LIMITS: OutputLimits = OutputLimits {
        high_watermark: 10,
        low_watermark: 4,
        stop_reading: 20,
    };

    /// A socket that takes so many bytes, then is full.
    struct Socket {
        room: usize,
        received: Vec<u8>,
    }

    impl Socket {
        fn with_room(room: usize) -> Self {
            Self {
                room,
                received: Vec::new(),
            }
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room);
            if n == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= n;
            self.received.extend_from_slice(&bytes[..n]);
            Ok(n)
        }
    }

    #[derive(Default)]
    struct WakeCount(AtomicUsize);

    impl Wake for WakeCount {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn append(buffer: &OutputBuffer, bytes: &[u8]) -> Appended {
        buffer.append(&LIMITS, |pending| pending.extend_from_slice(bytes))
    }

    fn flush(buffer: &OutputBuffer, socket: &mut Socket) -> bool {
        buffer.flush(&LIMITS, |bytes| socket.write(bytes))
    }

    fn status(buffer: &OutputBuffer) -> Status {
        buffer.poll_status(&LIMITS, Waker::noop())
    }

    #[test]
    fn only_the_first_appender_has_to_flush() {
        let buffer = OutputBuffer::new();
        assert!(append(&buffer, b"one ").must_flush);
        assert!(!append(&buffer, b"two").must_flush);
        let mut socket = Socket::with_room(100);
        assert!(!flush(&buffer, &mut socket));
        assert_eq!(socket.received, b"one two");
        assert!(append(&buffer, b"three").must_flush);
    }

    #[test]
    fn what_is_appended_during_a_send_is_sent_by_the_same_flush() {
        let buffer = OutputBuffer::new();
        assert!(append(&buffer, b"1").must_flush);
        let mut received = Vec::new();
        let keeps_up_again = buffer.flush(&LIMITS, |bytes| {
            if received.is_empty() {
                assert!(!append(&buffer, b"2").must_flush);
            }
            received.extend_from_slice(bytes);
            Ok(bytes.len())
        });
        assert!(!keeps_up_again);
        assert_eq!(received, b"12");
    }

    #[test]
    fn a_full_socket_passes_the_duty_to_the_task_and_keeps_the_order() {
        let wakes = Arc::new(WakeCount::default());
        let buffer = OutputBuffer::new();
        let waker = Waker::from(Arc::clone(&wakes));
        assert!(!buffer.poll_status(&LIMITS, &waker).is_socket_full);

        let mut socket = Socket::with_room(3);
        assert!(append(&buffer, b"abcde").must_flush);
        assert!(!flush(&buffer, &mut socket));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert!(buffer.poll_status(&LIMITS, &waker).is_socket_full);
        assert!(!append(&buffer, b"fgh").must_flush);

        socket.room = 2;
        assert!(!flush(&buffer, &mut socket));
        socket.room = 100;
        assert!(!flush(&buffer, &mut socket));
        assert_eq!(socket.received, b"abcdefgh");
        assert!(!buffer.poll_status(&LIMITS, &waker).is_socket_full);
    }

    #[test]
    fn crossing_the_watermarks_is_told_once_each_way() {
        let buffer = OutputBuffer::new();
        assert!(!append(&buffer, &[0; 10]).fell_behind);
        assert!(append(&buffer, &[0; 1]).fell_behind);
        assert!(!append(&buffer, &[0; 1]).fell_behind);

        let mut socket = Socket::with_room(7);
        assert!(
            !flush(&buffer, &mut socket),
            "five bytes are still above the low watermark"
        );
        assert!(!buffer.try_set_writable(&LIMITS));
        socket.room = 1;
        assert!(flush(&buffer, &mut socket));
        assert!(buffer.try_set_writable(&LIMITS));
        assert!(!buffer.try_set_writable(&LIMITS), "the core knows already");
    }

    #[test]
    fn falling_behind_again_before_the_core_was_told_leaves_it_untold() {
        let buffer = OutputBuffer::new();
        assert!(append(&buffer, &[0; 11]).fell_behind);
        assert!(flush(&buffer, &mut Socket::with_room(100)));
        assert!(!append(&buffer, &[0; 11]).fell_behind);
        assert!(!buffer.try_set_writable(&LIMITS));
    }

    #[test]
    fn reading_stops_far_above_the_high_watermark_and_is_woken_again() {
        let wakes = Arc::new(WakeCount::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let buffer = OutputBuffer::new();
        assert!(append(&buffer, &[0; 20]).must_flush);
        assert!(buffer.poll_status(&LIMITS, &waker).may_read);
        assert!(!append(&buffer, &[0; 1]).must_flush);
        assert!(!buffer.poll_status(&LIMITS, &waker).may_read);
        assert!(flush(&buffer, &mut Socket::with_room(100)));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert!(buffer.poll_status(&LIMITS, &waker).may_read);
    }

    #[test]
    fn closing_sends_what_is_pending_and_takes_nothing_more() {
        let buffer = OutputBuffer::new();
        assert!(append(&buffer, b"goodbye").must_flush);
        assert!(!buffer.close(|pending| pending.push(b'!')));
        assert!(!append(&buffer, b"too late").must_flush);
        assert_eq!(status(&buffer).phase, Phase::Closing);
        let mut socket = Socket::with_room(100);
        assert!(!flush(&buffer, &mut socket));
        assert_eq!(socket.received, b"goodbye!");
        assert_eq!(status(&buffer).phase, Phase::Sent);
    }

    #[test]
    fn closing_an_idle_buffer_gives_the_duty() {
        let buffer = OutputBuffer::new();
        assert!(buffer.close(|_| {}));
        assert!(!flush(&buffer, &mut Socket::with_room(0)));
        assert_eq!(status(&buffer).phase, Phase::Sent);
    }

    #[test]
    fn a_broken_socket_drops_everything() {
        let buffer = OutputBuffer::new();
        assert!(append(&buffer, b"lost").must_flush);
        assert!(!buffer.flush(&LIMITS, |_| Err(ErrorKind::ConnectionReset.into())));
        assert_eq!(status(&buffer).phase, Phase::Broken);
        assert!(!append(&buffer, b"lost as well").must_flush);
    }

    #[test]
    fn a_long_rest_is_sent_whole_in_small_steps() {
        let buffer = OutputBuffer::new();
        let bytes: Vec<u8> = (0..1000_u32).map(|i| (i % 251) as u8).collect();
        assert!(append(&buffer, &bytes).must_flush);
        let mut socket = Socket::with_room(0);
        while socket.received.len() < bytes.len() {
            socket.room = 7;
            let _ = flush(&buffer, &mut socket);
        }
        assert!(socket.received == bytes);
    }
}
