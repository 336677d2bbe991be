//! An MQTT broker without I/O: many Network Connections in, effects out.
//!
//! A [`Broker`] is driven like every machine of this workspace: tell it what happened, then drain
//! [`Broker::poll_output`] until it says [`Output::Timeout`]. That is the only rule a caller must know.
//!
//! ```
//! use mqtt_broker_core::{Broker, Output, Settings};
//! use mqtt_protocol::Instant;
//!
//! let mut broker = Broker::new(Settings::default(), 42);
//! let connection = broker.open(Instant::START);
//! broker.handle_packets(connection, Vec::new(), Instant::START);
//! let deadline = loop {
//!     match broker.poll_output() {
//!         Output::Transmit { connection: _, after: _, bytes: _ } => {} // append to the connection's socket
//!         Output::Close { connection: _ } => {}              // flush, then close the socket
//!         Output::Event(_) => {}                             // log it
//!         Output::Timeout(deadline) => break deadline,       // call `handle_timeout` then
//!     }
//! };
//! assert!(deadline.is_some(), "the CONNECT is awaited for a limited time");
//! ```
//!
//! Bytes become packets outside, in a [`mqtt_protocol::Decoder`] of the shell's own, so that a lock
//! around the broker is held only for the logic.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod authentication;
mod broker;
mod connection_id;
mod counters;
mod encodings;
mod message;
mod output;
mod peers;
mod recorder;
mod responder;
mod retained;
mod session;
mod settings;
mod slab;
mod store;
mod timers;
mod topic_tree;

pub use authentication::{Action, Authenticator, Claimant, Exchange, Step};
pub use broker::{Broker, Restoration};
pub use connection_id::ConnectionId;
pub use counters::Counters;
pub use output::{DisconnectCause, Event, Output};
pub use recorder::Recorder;
pub use responder::{Refusal, Request, Responded, Responder, Response};
pub use settings::{Limits, Settings};
pub use store::{CorruptRecord, FIRST_BYTE_OF_OTHERS, Key, Record, STORE_FORMAT, StoreOperation};
