//! A stranger on a connection of either transport, who speaks MQTT byte for byte.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use crate::{
    broker::Broker,
    http::{receive_head, send_request},
    raw::Raw,
    websocket::{BINARY, BINARY_BEGINS, CLOSE, END, HANDSHAKE, MIDDLE, PING, PONG, frame},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    /// What is sent at once is one frame.
    WebSocket,
    /// What is sent at once is one message of three fragments, with a ping behind each.
    Fragments,
}

pub(crate) const TRANSPORTS: [Transport; 3] =
    [Transport::Tcp, Transport::WebSocket, Transport::Fragments];

/// A Network Connection. What does not come in time is an error that a test can report.
pub(crate) struct Peer {
    stream: TcpStream,
    transport: Transport,
    /// MQTT that was received and not yet asked for.
    unread: VecDeque<u8>,
    has_ended: bool,
}

impl Peer {
    pub(crate) fn connect(broker: &Broker, transport: Transport) -> Self {
        let stream = match transport {
            Transport::Tcp => TcpStream::connect(broker.mqtt).unwrap(),
            Transport::WebSocket | Transport::Fragments => shake_hands(broker.http),
        };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            transport,
            unread: VecDeque::new(),
            has_ended: false,
        }
    }

    /// Sends bytes, in one frame where there are frames.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = match self.transport {
            Transport::Tcp => self.stream.write_all(bytes),
            Transport::WebSocket => self.stream.write_all(&frame(BINARY, bytes)),
            Transport::Fragments => self.stream.write_all(&fragments(bytes)),
        };
        sent.map_err(|error| format!("cannot send: {error}"))
    }

    /// One MQTT packet, with its fixed header.
    pub(crate) fn receive_packet(&mut self) -> Result<Vec<u8>, String> {
        let mut packet = vec![self.receive_byte()?];
        let mut remaining = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.receive_byte()?;
            packet.push(byte);
            remaining |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        while self.unread.len() < remaining {
            self.receive_more()?;
        }
        packet.extend(self.unread.drain(..remaining));
        Ok(packet)
    }

    /// Waits until the broker closes, having said nothing more in MQTT.
    pub(crate) fn receive_end(&mut self) -> Result<(), String> {
        while !self.has_ended && self.unread.is_empty() {
            self.receive_more_or_end()?;
        }
        if self.unread.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "received {:02X?} where the connection ends",
                self.receive_packet()?
            ))
        }
    }

    /// Goes without a word, and waits until the broker has noticed.
    pub(crate) fn vanish(&mut self) -> Result<(), String> {
        self.stream
            .shutdown(Shutdown::Write)
            .map_err(|error| error.to_string())?;
        while !self.has_ended {
            self.receive_more_or_end()?;
        }
        Ok(())
    }

    fn receive_byte(&mut self) -> Result<u8, String> {
        loop {
            if let Some(byte) = self.unread.pop_front() {
                return Ok(byte);
            }
            self.receive_more()?;
        }
    }

    fn receive_more(&mut self) -> Result<(), String> {
        self.receive_more_or_end()?;
        if self.has_ended {
            return Err("the broker closed the connection".to_owned());
        }
        Ok(())
    }

    fn receive_more_or_end(&mut self) -> Result<(), String> {
        let received = match self.transport {
            Transport::Tcp => {
                let mut bytes = vec![0; 64 * 1024];
                self.stream.read(&mut bytes).map(|n| {
                    bytes.truncate(n);
                    (n > 0).then_some(bytes)
                })
            }
            Transport::WebSocket | Transport::Fragments => self.receive_frame(),
        };
        match received {
            Ok(Some(bytes)) => self.unread.extend(bytes),
            Ok(None) => self.has_ended = true,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
                ) =>
            {
                self.has_ended = true;
            }
            Err(error) => return Err(format!("nothing came: {error}")),
        }
        Ok(())
    }

    /// The payload of a frame with MQTT; `None` at the end.
    fn receive_frame(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut header = [0; 2];
        self.stream.read_exact(&mut header)?;
        let length = match header[1] {
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length)?;
                u16::from_be_bytes(length).into()
            }
            127 => {
                let mut length = [0; 8];
                self.stream.read_exact(&mut length)?;
                usize::try_from(u64::from_be_bytes(length)).unwrap()
            }
            length => length.into(),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload)?;
        match header[0] {
            BINARY => Ok(Some(payload)),
            PONG => Ok(Some(Vec::new())),
            PING => {
                self.stream.write_all(&frame(PONG, &payload))?;
                Ok(Some(Vec::new()))
            }
            CLOSE => {
                // The answer that RFC 6455 asks for; the broker need not wait for it.
                let _ = self.stream.write_all(&frame(CLOSE, &payload));
                Ok(None)
            }
            first => panic!("a frame that begins with {first:02X}"),
        }
    }
}

fn fragments(bytes: &[u8]) -> Vec<u8> {
    let (first, rest) = bytes.split_at(bytes.len().min(1));
    let (middle, last) = rest.split_at(rest.len() / 2);
    [
        frame(BINARY_BEGINS, first),
        frame(PING, b""),
        frame(MIDDLE, middle),
        frame(PING, b"still there?"),
        frame(END, last),
        frame(PING, &[0xFF; 125]),
    ]
    .concat()
}

fn shake_hands(address: SocketAddr) -> TcpStream {
    let mut raw = Raw::connect(address);
    send_request(&mut raw, "GET", address, "/mqtt", &HANDSHAKE);
    assert_eq!(receive_head(&mut raw).status, 101);
    raw.into_stream()
}

/// Long enough for a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(10);
