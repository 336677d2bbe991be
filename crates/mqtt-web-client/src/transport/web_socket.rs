//! MQTT over a browser's WebSocket.

use crate::{Failure, Link, LinkHandler, Transport};

/// Opens WebSockets with the subprotocol `mqtt`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebSocketTransport;

impl Transport for WebSocketTransport {
    fn open(&self, _url: &str, _handler: LinkHandler) -> Result<Box<dyn Link>, Failure> {
        Err(Failure::Unreachable)
    }
}
