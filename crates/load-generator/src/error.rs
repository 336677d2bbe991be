//! What can go wrong between the generator and a broker.

use std::io;

/// Why a measurement is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker could not be reached, or a socket failed.
    #[error("{doing} failed")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The broker closed a connection.
    #[error("the broker closed a connection")]
    Closed,
    /// The broker did not accept the WebSocket handshake.
    #[error("the broker refused the WebSocket handshake: {0}")]
    Handshake(String),
    /// The broker did not accept the CONNECT or the SUBSCRIBE.
    #[error("the broker answered {packet} with {code:#04x}")]
    Refused {
        /// What was sent.
        packet: &'static str,
        /// The Return Code or Reason Code.
        code: u8,
    },
    /// The broker sent something that does not parse, or that nobody asked for.
    #[error("the broker sent {0}")]
    Unexpected(&'static str),
    /// Connections were not accepted in time.
    #[error("only {opened} connections were accepted in {seconds} s")]
    Slow {
        /// How many were.
        opened: usize,
        /// In which time.
        seconds: u64,
    },
    /// Nothing moved for a long time.
    #[error("nothing moved for {seconds} s; {published} messages published, {delivered} delivered")]
    Stalled {
        /// How long.
        seconds: u64,
        /// What was sent until then.
        published: u64,
        /// What came back until then.
        delivered: u64,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
