//! A page that is nothing but the MQTT client, as JavaScript calls it.
//!
//! Its size is the client's, and its tests drive it in real browsers against real brokers.

mod client;

pub use client::PageClient;
