use std::{
    io::{self, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
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
    buffer.poll_status(&LIMITS, false, Waker::noop())
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
    assert!(!buffer.poll_status(&LIMITS, false, &waker).is_socket_full);

    let mut socket = Socket::with_room(3);
    assert!(append(&buffer, b"abcde").must_flush);
    assert!(!flush(&buffer, &mut socket));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(buffer.poll_status(&LIMITS, false, &waker).is_socket_full);
    assert!(!append(&buffer, b"fgh").must_flush);

    socket.room = 2;
    assert!(!flush(&buffer, &mut socket));
    socket.room = 100;
    assert!(!flush(&buffer, &mut socket));
    assert_eq!(socket.received, b"abcdefgh");
    assert!(!buffer.poll_status(&LIMITS, false, &waker).is_socket_full);
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
    assert!(buffer.poll_status(&LIMITS, false, &waker).may_read);
    assert!(!append(&buffer, &[0; 1]).must_flush);
    assert!(!buffer.poll_status(&LIMITS, false, &waker).may_read);
    assert!(flush(&buffer, &mut Socket::with_room(100)));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(buffer.poll_status(&LIMITS, false, &waker).may_read);
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
