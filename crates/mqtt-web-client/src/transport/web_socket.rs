//! MQTT over a browser's WebSocket.

use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast as _, prelude::Closure};
use web_sys::{BinaryType, MessageEvent, WebSocket};

use crate::{Failure, Link, LinkHandler, Transport};

/// Opens WebSockets with the subprotocol `mqtt`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebSocketTransport;

impl Transport for WebSocketTransport {
    fn open(&self, url: &str, handler: LinkHandler) -> Result<Box<dyn Link>, Failure> {
        // It throws for an address that is none, and for `ws:` on a page that came over `https:`.
        let socket =
            WebSocket::new_with_str(url, SUBPROTOCOL).map_err(|_| Failure::InvalidAddress)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        Ok(Box::new(WebSocketLink::new(socket, handler)))
    }
}

/// A WebSocket with what listens to it.
struct WebSocketLink {
    socket: WebSocket,
    /// Kept as long as the socket may call them.
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut()>,
}

impl WebSocketLink {
    fn new(socket: WebSocket, handler: LinkHandler) -> Self {
        let on_open: Box<dyn FnMut()> = Box::new({
            let (socket, handler) = (socket.clone(), handler.clone());
            move || {
                // [MQTT-6.0.0-3]: the Server must have chosen `mqtt`.
                if socket.protocol() == SUBPROTOCOL {
                    handler.opened();
                } else {
                    handler.closed(Failure::SubprotocolMissing);
                }
            }
        });
        let on_message: Box<dyn FnMut(MessageEvent)> = Box::new({
            let handler = handler.clone();
            move |event: MessageEvent| match event.data().dyn_into::<ArrayBuffer>() {
                Ok(buffer) => handler.received(Bytes::from(Uint8Array::new(&buffer).to_vec())),
                // [MQTT-6.0.0-1]: a text frame ends the connection.
                Err(_) => handler.closed(Failure::TextFrame),
            }
        });
        // An `error` event carries nothing and is always followed by `close`.
        let on_close: Box<dyn FnMut()> = Box::new({
            let socket = socket.clone();
            move || {
                // A socket that was never open has no subprotocol.
                handler.closed(if socket.protocol().is_empty() {
                    Failure::Unreachable
                } else {
                    Failure::ConnectionLost
                });
            }
        });
        let (on_open, on_close) = (Closure::wrap(on_open), Closure::wrap(on_close));
        let on_message = Closure::wrap(on_message);
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Self {
            socket,
            _on_open: on_open,
            _on_message: on_message,
            _on_close: on_close,
        }
    }
}

impl Link for WebSocketLink {
    fn send(&mut self, bytes: &[u8]) {
        // It fails only before the socket is open; a socket that is closing says so by `close`.
        let _ = self.socket.send_with_u8_array(bytes);
    }

    fn buffered_amount(&self) -> usize {
        self.socket.buffered_amount() as usize
    }

    fn close(&mut self) {
        // It fails only for a close code, and none is given.
        let _ = self.socket.close();
    }
}

impl Drop for WebSocketLink {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        self.close();
    }
}

const SUBPROTOCOL: &str = "mqtt";
