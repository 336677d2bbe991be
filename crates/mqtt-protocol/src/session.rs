//! Session State: what outlives a Network Connection, on either side.

mod incoming;
mod outgoing;

pub use incoming::{Incoming, PubrelOutcome, ReceivedPublish};
pub use outgoing::{
    AcknowledgedQoS, AcknowledgementOutcome, InFlightState, Outgoing, OutgoingLimits,
    PubrecOutcome, QueueFull, Transmission,
};

/// The exchanges of QoS 1 and 2 that are not finished, in both directions.
///
/// `M` is what its owner keeps of a message in order to send it again.
#[derive(Debug, Clone)]
pub struct Session<M> {
    /// Messages on their way to the peer.
    pub outgoing: Outgoing<M>,
    /// Messages on their way from the peer.
    pub incoming: Incoming,
}

impl<M> Session<M> {
    /// Makes an empty session.
    #[must_use]
    pub fn new(limits: OutgoingLimits) -> Self {
        Self {
            outgoing: Outgoing::new(limits),
            incoming: Incoming::default(),
        }
    }
}

impl<M> Default for Session<M> {
    fn default() -> Self {
        Self::new(OutgoingLimits::default())
    }
}
