//! The server with real sockets on several threads.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where and why"
)]

mod client;
mod delivery;
mod ending;
mod settings;
mod store;
