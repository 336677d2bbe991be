//! The real binaries, a real browser and other people's MQTT clients, together.
//!
//! `cargo xtask test end-to-end` builds what is under test and says where it is by environment variables.

#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and reports by printing"
)]

mod broker_restart;
mod busy_zone;
mod client;
mod connection_settings;
mod harness;
mod history;
mod misbehaviour;
mod pump;
mod real_input;
mod screenshots;
mod third_party;
