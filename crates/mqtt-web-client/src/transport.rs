//! The seam between the client and what carries its bytes.

mod web_socket;

pub use web_socket::WebSocketTransport;

use bytes::Bytes;

use crate::{Failure, driver::Wake};

/// Opens Network Connections.
pub trait Transport {
    /// Begins to open one; what becomes of it is told to `handler`, later or before this returns.
    ///
    /// # Errors
    ///
    /// The address is not valid.
    fn open(&self, url: &str, handler: LinkHandler) -> Result<Box<dyn Link>, Failure>;
}

/// A Network Connection that is open or being opened.
///
/// Dropping it closes it and leaves no listener behind.
pub trait Link {
    /// Sends bytes in the order of the calls. Only called after [`LinkHandler::opened`].
    fn send(&mut self, bytes: &[u8]);

    /// Bytes that were given to [`send`](Self::send) and have not left.
    fn buffered_amount(&self) -> usize;

    /// Ends the connection after what was sent has left.
    fn close(&mut self);
}

/// Tells the client what happens to one Network Connection. Calls after its end do nothing.
#[derive(Clone)]
pub struct LinkHandler {
    generation: Generation,
    wake: Wake,
}

/// Numbers the Network Connections, so that a late callback of an old one does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Generation(u64);

/// What happened to a Network Connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkEvent {
    Opened,
    Received(Bytes),
    Closed(Failure),
}

impl LinkHandler {
    pub(crate) fn new(generation: Generation, wake: Wake) -> Self {
        Self { generation, wake }
    }

    /// It is open.
    pub fn opened(&self) {
        self.tell(LinkEvent::Opened);
    }

    /// Bytes came.
    pub fn received(&self, bytes: Bytes) {
        self.tell(LinkEvent::Received(bytes));
    }

    /// It has ended or could not be opened.
    pub fn closed(&self, failure: Failure) {
        self.tell(LinkEvent::Closed(failure));
    }

    fn tell(&self, event: LinkEvent) {
        self.wake.link_event(self.generation, event);
    }
}

impl Generation {
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
