//! The broker core on tokio: listeners, WebSocket framing, output buffers, and a store.
//!
//! A [`Server`] takes sockets and lets them talk to the one [`mqtt_broker_core::Broker`].
//! Each connection has a task, and each task *runs to completion*: it decodes everything that came in
//! (outside the core's lock), runs the core on the batch (under a short lock), appends what came out to
//! the output buffer of every connection that it touched, and sends at once with non-blocking writes.
//! A task wakes only to read, or when its own socket was full; the core's deadline has a task of its own.
//! What must not go out before the store has something waits; the store's one task writes what gathered, then sends it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:1883").await?;
//! let server = mqtt_broker::Server::new(mqtt_broker::Settings::default(), 42);
//! tokio::select! {
//!     () = server.serve_tcp(listener) => {}
//!     _ = tokio::signal::ctrl_c() => server.shut_down().await,
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod accept;
mod address_quota;
mod connection;
mod connection_task;
mod flush_list;
mod health;
mod held_output;
mod hub;
mod keeper;
mod log;
mod output;
mod scratch;
mod server;
mod settings;
pub mod store;
mod store_clock;
mod store_counters;
mod store_group;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod timer;
mod websocket;

pub use accept::accept;
pub use address_quota::Admission;
pub use health::Health;
pub use keeper::{Census, Restored};
pub use mqtt_broker_core::{
    Action, Authenticator, Claimant, ConnectionId, CorruptRecord, Counters, Exchange,
    FIRST_BYTE_OF_OTHERS, Limits, Recorder, Refusal, Request, Responded, Responder, Response,
    STORE_FORMAT, Settings as BrokerSettings, Step,
};
pub use output::OutputLimits;
pub use server::{BackupError, Server};
pub use settings::{ConnectionLimits, Settings};
pub use store_counters::StoreCounters;
