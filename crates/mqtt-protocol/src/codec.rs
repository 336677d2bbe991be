//! From a stream of bytes to packets.

use bytes::Bytes;

use crate::{DecodeError, Packet, ProtocolVersion};

/// Cuts a stream of bytes into packets.
///
/// Payloads and strings of packets are slices of what was fed, so they keep it alive;
/// only a packet that spans several `feed`s is copied together.
#[derive(Debug)]
pub struct Decoder {
    settings: DecoderSettings,
    input: Bytes,
}

/// What a `Decoder` must know about its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecoderSettings {
    /// The largest packet that is accepted, counted with its fixed header.
    pub maximum_packet_size: u32,
    /// `None` for a Server that has yet to read the CONNECT; a Client knows which version it asked for.
    pub version: Option<ProtocolVersion>,
    /// Whose incoming bytes these are.
    pub role: Role,
}

/// The two sides of a Network Connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sent the CONNECT.
    Client,
    /// The side that accepted it.
    Server,
}

impl Decoder {
    /// A decoder for one Network Connection.
    #[must_use]
    pub const fn new(settings: DecoderSettings) -> Self {
        Self {
            settings,
            input: Bytes::new(),
        }
    }

    /// Takes what was read from the connection.
    pub fn feed(&mut self, bytes: Bytes) {
        self.input = bytes;
    }

    /// The next whole packet; `None` until more is fed. After an error it gives that error for ever.
    ///
    /// # Errors
    ///
    /// What the peer did wrong; the connection is to be closed.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        Ok(None)
    }

    /// The version of the connection, once it is known.
    #[must_use]
    pub const fn version(&self) -> Option<ProtocolVersion> {
        self.settings.version
    }
}
