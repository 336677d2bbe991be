//! The broker: many Network Connections in, effects out.

use mqtt_protocol::{Instant, Packet};

use crate::{ConnectionId, Counters, Output, Settings};

/// An MQTT Server for many Clients.
#[derive(Debug)]
pub struct Broker {
    settings: Settings,
    counters: Counters,
}

impl Broker {
    /// Makes a broker without connections and sessions; `seed` decides the Client Identifiers that it assigns.
    #[must_use]
    pub fn new(settings: Settings, _seed: u64) -> Self {
        Self {
            settings,
            counters: Counters::default(),
        }
    }

    /// What was chosen at the start.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The numbers so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A Network Connection was made.
    pub fn open(&mut self, _now: Instant) -> ConnectionId {
        ConnectionId {
            index: 0,
            generation: 0,
        }
    }

    /// The Client sent these packets, in this order.
    pub fn handle_packets(
        &mut self,
        _connection: ConnectionId,
        _packets: impl IntoIterator<Item = Packet>,
        _now: Instant,
    ) {
    }

    /// The Network Connection is gone without a word.
    pub fn handle_close(&mut self, _connection: ConnectionId, _now: Instant) {}

    /// Says whether the Client keeps up. While it does not, QoS 0 messages to it are dropped and others wait.
    pub fn set_writable(&mut self, _connection: ConnectionId, _writable: bool, _now: Instant) {}

    /// The moment of the last [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// Says goodbye to everybody and closes all connections.
    pub fn shut_down(&mut self, _now: Instant) {}

    /// Gives back the bytes of an [`Output::Transmit`] so that their memory is used again. Not calling it is fine.
    pub fn recycle(&mut self, _bytes: Vec<u8>) {}

    /// The next effect; [`Output::Timeout`] is the last.
    pub fn poll_output(&mut self) -> Output {
        Output::Timeout(None)
    }
}
