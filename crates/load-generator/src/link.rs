//! Bytes of one connection, from a socket to whole packets.

use std::io::{ErrorKind, Read};

use crate::{Error, packet::Incoming, plan::Transport, websocket::Unframer};

/// What is kept between two reads of one connection.
#[derive(Debug)]
pub(crate) struct Link {
    /// There is one if the transport is WebSocket.
    unframer: Option<Unframer>,
    /// A packet that is not whole.
    partial: Vec<u8>,
}

impl Link {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            unframer: match transport {
                Transport::Tcp => None,
                Transport::WebSocket => Some(Unframer::default()),
            },
            partial: Vec::new(),
        }
    }

    pub(crate) const fn is_framed(&self) -> bool {
        self.unframer.is_some()
    }

    /// Reads once and hands over every packet that is whole; `false`: nothing more is there for now.
    ///
    /// `scratch` is shared by all connections; answers to WebSocket pings are appended to `answers`.
    pub(crate) fn read(
        &mut self,
        stream: &mut impl Read,
        scratch: &mut [u8],
        answers: &mut Vec<u8>,
        mut handle: impl FnMut(Incoming<'_>, &mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let begin = self.partial.len();
        let room = scratch.len().checked_sub(begin).filter(|room| *room > 0);
        let room = room.ok_or(Error::Unexpected("a packet that is too long"))?;
        let length = match stream.read(&mut scratch[begin..]) {
            Ok(0) => return Err(Error::Closed),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(Error::io("reading")(error)),
        };
        scratch[..begin].copy_from_slice(&self.partial);
        self.partial.clear();
        let payload_length = match &mut self.unframer {
            None => length,
            Some(unframer) => unframer.unframe(&mut scratch[begin..begin + length], answers)?,
        };
        let mut stream = &scratch[..begin + payload_length];
        while let Some(packet) = Incoming::take(&mut stream)? {
            handle(packet, answers)?;
        }
        self.partial.extend(stream);
        // A read that does not fill the room has emptied the socket.
        Ok(length == room)
    }
}
