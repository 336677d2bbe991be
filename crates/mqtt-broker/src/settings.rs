//! What a person can choose.

use std::{num::NonZeroU32, time::Duration};

use crate::OutputLimits;

/// How a [`Server`](crate::Server) behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The broker core's own, with the limits of the protocol.
    pub broker: mqtt_broker_core::Settings,
    /// What one Network Connection, or one address, may take.
    pub connections: ConnectionLimits,
    /// Time for a Client to take the last bytes and to close its side, once the broker has closed a connection.
    pub linger: Duration,
    /// Time for all Clients together to do so when the server shuts down.
    pub shut_down: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            broker: mqtt_broker_core::Settings::default(),
            connections: ConnectionLimits::default(),
            linger: Duration::from_secs(2),
            shut_down: Duration::from_secs(3),
        }
    }
}

/// Bounds on what Network Connections can take before a packet is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct ConnectionLimits {
    /// Connections at once from one address (of IPv6: from one /64 network); more are closed at once.
    /// Those from this machine are not counted.
    pub per_address: NonZeroU32,
    /// Bytes of one WebSocket message; above, the connection is closed with 1009.
    pub websocket_message_bytes: u64,
    /// How much may wait to be sent on one connection.
    pub output: OutputLimits,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            per_address: NonZeroU32::new(1000).expect("not zero"),
            websocket_message_bytes: 512 * 1024 * 1024,
            output: OutputLimits::default(),
        }
    }
}
