//! Memory that is used again and again by one thread, so that an idle connection needs none.

use std::cell::{Cell, RefCell};

use mqtt_protocol::Packet;

/// Lends the thread's buffer for reading a socket.
pub(crate) fn with_read_buffer<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    READ_BUFFER.with_borrow_mut(|buffer| {
        if buffer.is_empty() {
            buffer.resize(READ_BYTES, 0);
        }
        read(buffer)
    })
}

/// An empty list for the packets of one read; give it back.
pub(crate) fn take_packets() -> Vec<Packet> {
    PACKETS.take()
}

/// Keeps an empty list of packets for the next read.
pub(crate) fn give_back_packets(packets: Vec<Packet>) {
    if packets.is_empty() && packets.capacity() <= PACKETS_KEPT {
        PACKETS.set(packets);
    }
}

/// An empty buffer for output, with memory if there is some to spare.
pub(crate) fn take_buffer() -> Vec<u8> {
    OUTPUT_BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Keeps a buffer whose bytes were sent.
pub(crate) fn give_back(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > OUTPUT_BYTES_KEPT {
        return;
    }
    buffer.clear();
    OUTPUT_BUFFERS.with_borrow_mut(|buffers| {
        if buffers.len() < OUTPUT_BUFFERS_KEPT {
            buffers.push(buffer);
        }
    });
}

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static PACKETS: Cell<Vec<Packet>> = const { Cell::new(Vec::new()) };
    static OUTPUT_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

const READ_BYTES: usize = 64 * 1024;
/// What 64 KiB of the smallest packets come to is 32,768; a burst of those need not be kept.
const PACKETS_KEPT: usize = 4096;
const OUTPUT_BYTES_KEPT: usize = 64 * 1024;
/// A little more than are flushed at once.
const OUTPUT_BUFFERS_KEPT: usize = 40;
