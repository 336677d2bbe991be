//! The binary as strangers see it: their MQTT clients, their mistakes, their browsers.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where and why"
)]

mod broker;
mod conformance;
mod data_directory;
#[cfg(target_os = "linux")]
mod disk_full;
mod exactly_once;
mod history;
mod history_service;
mod hostile;
mod http;
mod metrics;
mod mosquitto;
mod page;
mod paho;
mod peer;
mod raw;
mod script;
mod slow_subscriber;
mod start_and_stop;
mod third_party;
mod websocket;
