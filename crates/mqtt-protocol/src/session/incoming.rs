//! The receiving half of a session.

use std::num::NonZeroU16;

use crate::{AcknowledgedQoS, PacketIdentifier};

/// Messages of QoS 1 and 2 that came and are not yet acknowledged to the end.
///
/// Only the identifiers of QoS 2 outlive a Network Connection.
/// Our Receive Maximum is counted for each Network Connection on its own.
#[derive(Debug, Clone)]
pub struct Incoming {
    receive_maximum: u16,
    /// Invariant: not above the number of QoS 1 messages of this connection without PUBACK.
    n_at_least_once: u16,
    /// Invariant: the number of entries in `exactly_once` that are `Counted::Yes`.
    n_exactly_once: u16,
    /// Invariant: sorted by identifier.
    exactly_once: Vec<(PacketIdentifier, Counted)>,
}

/// What a PUBLISH of QoS 1 or 2 is to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceivedPublish {
    /// To be given to the application, then acknowledged.
    New,
    /// QoS 2 and given to the application before; to be acknowledged again, not to be given again.
    Duplicate,
    /// The peer sent more than our Receive Maximum allows; answered by Reason Code 0x93.
    QuotaExceeded,
}

/// What a PUBREL is to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PubrelOutcome {
    /// Answered by PUBCOMP.
    Known,
    /// Answered by PUBCOMP, on 5.0 with Reason Code 0x92.
    Unknown,
}

impl Incoming {
    /// Begins a Network Connection on which we announced `receive_maximum`.
    pub fn resume(&mut self, receive_maximum: NonZeroU16) {
        self.receive_maximum = receive_maximum.get();
        self.n_at_least_once = 0;
        self.n_exactly_once = 0;
        for (_, counted) in &mut self.exactly_once {
            *counted = Counted::No;
        }
    }

    /// Takes note of a PUBLISH and says what it is.
    pub fn handle_publish(
        &mut self,
        packet_identifier: PacketIdentifier,
        qos: AcknowledgedQoS,
    ) -> ReceivedPublish {
        match qos {
            AcknowledgedQoS::AtLeastOnce if self.is_full() => ReceivedPublish::QuotaExceeded,
            AcknowledgedQoS::AtLeastOnce => {
                self.n_at_least_once += 1;
                ReceivedPublish::New
            }
            AcknowledgedQoS::ExactlyOnce => self.handle_exactly_once(packet_identifier),
        }
    }

    /// Takes note that a PUBACK was sent.
    pub fn puback_sent(&mut self) {
        self.n_at_least_once = self.n_at_least_once.saturating_sub(1);
    }

    /// Takes note that a PUBREC with an error was sent, which ends the exchange.
    pub fn reject(&mut self, packet_identifier: PacketIdentifier) {
        self.forget(packet_identifier);
    }

    /// Ends the exchange of QoS 2.
    pub fn handle_pubrel(&mut self, packet_identifier: PacketIdentifier) -> PubrelOutcome {
        if self.forget(packet_identifier) {
            PubrelOutcome::Known
        } else {
            PubrelOutcome::Unknown
        }
    }

    /// The identifiers of QoS 2 messages that were received and not released: what a store keeps.
    pub fn packet_identifiers(&self) -> impl Iterator<Item = PacketIdentifier> + '_ {
        self.exactly_once.iter().map(|(identifier, _)| *identifier)
    }

    /// Makes the half again from what a store kept.
    pub fn restore(packet_identifiers: impl IntoIterator<Item = PacketIdentifier>) -> Self {
        let mut incoming = Self::default();
        for packet_identifier in packet_identifiers {
            if let Err(position) = incoming.position(packet_identifier) {
                let entry = (packet_identifier, Counted::No);
                incoming.exactly_once.insert(position, entry);
            }
        }
        incoming
    }

    /// Messages of this Network Connection that count against our Receive Maximum.
    #[must_use]
    pub fn n_unacknowledged(&self) -> u16 {
        self.n_at_least_once.saturating_add(self.n_exactly_once)
    }

    fn handle_exactly_once(&mut self, packet_identifier: PacketIdentifier) -> ReceivedPublish {
        match self.position(packet_identifier) {
            Ok(position) if self.exactly_once[position].1 == Counted::Yes => {
                ReceivedPublish::Duplicate
            }
            _ if self.is_full() => ReceivedPublish::QuotaExceeded,
            Ok(position) => {
                self.n_exactly_once += 1;
                self.exactly_once[position].1 = Counted::Yes;
                ReceivedPublish::Duplicate
            }
            Err(position) => {
                self.n_exactly_once += 1;
                let entry = (packet_identifier, Counted::Yes);
                self.exactly_once.insert(position, entry);
                ReceivedPublish::New
            }
        }
    }

    fn is_full(&self) -> bool {
        self.n_unacknowledged() >= self.receive_maximum
    }

    fn forget(&mut self, packet_identifier: PacketIdentifier) -> bool {
        let Ok(position) = self.position(packet_identifier) else {
            return false;
        };
        let (_, counted) = self.exactly_once.remove(position);
        self.n_exactly_once -= u16::from(counted == Counted::Yes);
        true
    }

    fn position(&self, packet_identifier: PacketIdentifier) -> Result<usize, usize> {
        self.exactly_once
            .binary_search_by_key(&packet_identifier, |(identifier, _)| *identifier)
    }
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            receive_maximum: u16::MAX,
            n_at_least_once: 0,
            n_exactly_once: 0,
            exactly_once: Vec::new(),
        }
    }
}

/// Whether a QoS 2 message came on this Network Connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(number: u16) -> PacketIdentifier {
        PacketIdentifier::new(number).unwrap()
    }

    fn incoming(receive_maximum: u16) -> Incoming {
        let mut incoming = Incoming::default();
        incoming.resume(NonZeroU16::new(receive_maximum).unwrap());
        incoming
    }

    #[test]
    fn qos_1_counts_until_its_puback() {
        let mut incoming = incoming(1);
        let qos = AcknowledgedQoS::AtLeastOnce;
        assert_eq!(
            incoming.handle_publish(identifier(1), qos),
            ReceivedPublish::New
        );
        assert_eq!(
            incoming.handle_publish(identifier(2), qos),
            ReceivedPublish::QuotaExceeded
        );
        incoming.puback_sent();
        assert_eq!(
            incoming.handle_publish(identifier(2), qos),
            ReceivedPublish::New
        );
    }

    // Shows 5.0 [MQTT-4.3.3-9].
    #[test]
    fn qos_2_counts_until_its_pubrel_or_its_rejection() {
        let mut incoming = incoming(2);
        let qos = AcknowledgedQoS::ExactlyOnce;
        for number in [1, 2] {
            incoming.handle_publish(identifier(number), qos);
        }
        assert_eq!(incoming.n_unacknowledged(), 2);
        incoming.reject(identifier(1));
        assert_eq!(incoming.n_unacknowledged(), 1);
        assert_eq!(incoming.handle_pubrel(identifier(2)), PubrelOutcome::Known);
        assert_eq!(incoming.n_unacknowledged(), 0);
        assert_eq!(
            incoming.handle_pubrel(identifier(2)),
            PubrelOutcome::Unknown
        );
    }

    #[test]
    fn a_restored_half_knows_its_duplicates_and_counts_them_when_they_come_again() {
        let mut before = incoming(5);
        let qos = AcknowledgedQoS::ExactlyOnce;
        before.handle_publish(identifier(7), qos);
        let mut after = Incoming::restore(before.packet_identifiers());
        after.resume(NonZeroU16::new(1).unwrap());
        assert_eq!(after.n_unacknowledged(), 0);
        assert_eq!(
            after.handle_publish(identifier(7), qos),
            ReceivedPublish::Duplicate
        );
        assert_eq!(after.n_unacknowledged(), 1);
        assert_eq!(
            after.handle_publish(identifier(8), qos),
            ReceivedPublish::QuotaExceeded
        );
    }
}
