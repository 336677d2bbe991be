//! What the broker wants done.

use bytestring::ByteString;
use mqtt_protocol::{Instant, ProtocolVersion, ReasonCode};

use crate::ConnectionId;

/// One effect, taken with [`Broker::poll_output`](crate::Broker::poll_output).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Put these bytes on the wire, after those that were given before.
    Transmit {
        /// Where.
        connection: ConnectionId,
        /// How many of all store operations so far must be durable first; always 0 without a store.
        after: u64,
        /// Everything for this connection since the last drain, whole packets.
        bytes: Vec<u8>,
    },
    /// Send what was given before, if it may be sent, then close the Network Connection. Its name is free from here on.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// Something that a person may want to read in a log.
    Event(Event),
    /// Nothing more to do until this moment, or until something happens.
    Timeout(Option<Instant>),
}

/// What happened, in words for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A CONNECT was accepted.
    Connected {
        /// On which Network Connection.
        connection: ConnectionId,
        /// Of the Client, assigned by the broker if the Client had none.
        client_identifier: ByteString,
        /// What it speaks.
        protocol_version: ProtocolVersion,
        /// Whether an earlier session goes on.
        session_present: bool,
    },
    /// A Network Connection was closed before a CONNECT was accepted.
    Refused {
        /// Which Network Connection.
        connection: ConnectionId,
        /// Why.
        cause: DisconnectCause,
    },
    /// A connected Client is gone.
    Disconnected {
        /// Which Network Connection.
        connection: ConnectionId,
        /// Of the Client.
        client_identifier: ByteString,
        /// Why.
        cause: DisconnectCause,
    },
    /// A session and all that waited in it are gone.
    SessionEnded {
        /// Whose it was.
        client_identifier: ByteString,
    },
}

/// Why a Network Connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectCause {
    /// The Client said goodbye.
    Client(ReasonCode),
    /// The Network Connection ended without a word.
    ConnectionLost,
    /// The broker ended it, for this reason.
    Server(ReasonCode),
    /// No CONNECT came in time.
    ConnectTimeout,
    /// What came first was no CONNECT.
    NotMqtt,
}

impl DisconnectCause {
    /// Whether the Client did what the protocol forbids.
    pub(crate) const fn is_violation(self) -> bool {
        use ReasonCode as Code;
        match self {
            Self::NotMqtt => true,
            Self::Server(reason_code) => matches!(
                reason_code,
                Code::MalformedPacket
                    | Code::ProtocolError
                    | Code::UnsupportedProtocolVersion
                    | Code::TopicAliasInvalid
                    | Code::PacketTooLarge
                    | Code::ReceiveMaximumExceeded
                    | Code::QoSNotSupported
                    | Code::RetainNotSupported
                    | Code::TopicFilterInvalid
                    | Code::TopicNameInvalid
                    | Code::PayloadFormatInvalid
            ),
            Self::Client(_) | Self::ConnectionLost | Self::ConnectTimeout => false,
        }
    }
}
