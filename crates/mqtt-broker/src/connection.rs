//! A Network Connection as everybody else sees it: the place where its bytes go out.

use std::{
    io, mem,
    net::Shutdown,
    task::{Context, Poll},
};

use mqtt_broker_core::ConnectionId;
use socket2::SockRef;
use tokio::net::tcp::OwnedWriteHalf;

use crate::{
    output::{Appended, OutputBuffer, OutputLimits, Status},
    scratch,
    websocket::{self, CloseCode},
};

/// One Network Connection: its name in the broker core, its socket, what waits to be sent.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    writer: OwnedWriteHalf,
    transport: Transport,
    output: OutputBuffer,
}

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    WebSocket,
}

impl Connection {
    pub(crate) const fn new(
        id: ConnectionId,
        writer: OwnedWriteHalf,
        transport: Transport,
    ) -> Self {
        Self {
            id,
            writer,
            transport,
            output: OutputBuffer::new(),
        }
    }

    /// Puts packets behind what is pending, in a frame where the transport has frames.
    /// What is left in `bytes` is memory to use again.
    pub(crate) fn append(&self, bytes: &mut Vec<u8>, limits: &OutputLimits) -> Appended {
        self.output.append(limits, |pending| match self.transport {
            Transport::Tcp if pending.capacity() == 0 => {
                *pending = mem::replace(bytes, scratch::take_buffer());
            }
            Transport::Tcp => pending.extend_from_slice(bytes),
            Transport::WebSocket => {
                if pending.capacity() == 0 {
                    *pending = scratch::take_buffer();
                }
                websocket::append_binary(bytes, pending);
            }
        })
    }

    /// Takes note of packets that wait for the store, as [`OutputBuffer::hold`].
    #[must_use]
    pub(crate) fn hold(&self, n_bytes: usize, limits: &OutputLimits) -> bool {
        self.output.hold(limits, n_bytes)
    }

    /// They wait no more, as [`OutputBuffer::release`].
    pub(crate) fn release(&self, n_bytes: usize) {
        self.output.release(n_bytes);
    }

    /// Puts WebSocket frames behind what is pending.
    pub(crate) fn append_frames(&self, frames: &[u8], limits: &OutputLimits) -> Appended {
        self.output
            .append(limits, |pending| pending.extend_from_slice(frames))
    }

    /// Lets what is pending be the last; tells whether the caller now has the duty to flush.
    #[must_use]
    pub(crate) fn close(&self, code: CloseCode) -> bool {
        self.output.close(|pending| match self.transport {
            Transport::Tcp => {}
            Transport::WebSocket => websocket::append_close(code, pending),
        })
    }

    /// Lets these WebSocket frames be the last, as [`Self::close`].
    #[must_use]
    pub(crate) fn close_with_frames(&self, frames: &[u8]) -> bool {
        self.output
            .close(|pending| pending.extend_from_slice(frames))
    }

    /// The socket is gone: forgets what is pending.
    pub(crate) fn abandon(&self) {
        self.output.abandon();
    }

    /// Sends what is pending, as [`OutputBuffer::flush`].
    #[must_use]
    pub(crate) fn flush(&self, limits: &OutputLimits) -> bool {
        self.output
            .flush(limits, |bytes| self.writer.try_write(bytes))
    }

    #[must_use]
    pub(crate) fn try_set_writable(&self, limits: &OutputLimits) -> bool {
        self.output.try_set_writable(limits)
    }

    pub(crate) fn poll_status(
        &self,
        limits: &OutputLimits,
        is_store_behind: bool,
        context: &Context<'_>,
    ) -> Status {
        self.output
            .poll_status(limits, is_store_behind, context.waker())
    }

    /// Whether a socket that was full takes bytes again.
    pub(crate) fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_ref().poll_write_ready(context)
    }

    /// Tells the peer that nothing more will come.
    pub(crate) fn shut_down_writing(&self) {
        // An error means that the peer has gone already.
        let _ = SockRef::from(self.writer.as_ref()).shutdown(Shutdown::Write);
    }
}
