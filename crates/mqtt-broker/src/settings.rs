//! What a person can choose.

use std::time::Duration;

use crate::OutputLimits;

/// How a [`Server`](crate::Server) behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The broker core's own, with the limits of the protocol.
    pub broker: mqtt_broker_core::Settings,
    /// How much may wait to be sent on one connection.
    pub output: OutputLimits,
    /// Bytes of one WebSocket message; above, the connection is closed with 1009.
    pub websocket_message_bytes: u64,
    /// Time for a Client to take the last bytes and to close its side, once the broker has closed a connection.
    pub linger: Duration,
    /// Time for all Clients together to do so when the server shuts down.
    pub shut_down: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            broker: mqtt_broker_core::Settings::default(),
            output: OutputLimits::default(),
            websocket_message_bytes: 512 * 1024 * 1024,
            linger: Duration::from_secs(2),
            shut_down: Duration::from_secs(3),
        }
    }
}
