//! The sending half of a session.

use std::{
    collections::{BinaryHeap, VecDeque},
    num::NonZeroU16,
};

use crate::{PacketIdentifier, QoS, ReasonCode};

/// Messages of QoS 1 and 2 on their way to the peer: those in flight, in order, and the queue behind them.
///
/// It begins suspended: nothing is sent before [`resume`](Self::resume).
#[derive(Debug, Clone)]
pub struct Outgoing<M> {
    limits: OutgoingLimits,
    /// The peer's Receive Maximum, not above `limits.in_flight_max`; 0 while suspended.
    quota: u16,
    /// What counts against `quota`: sent on this connection, or waiting for PUBCOMP.
    /// Invariant: the number of `in_flight` that are `counted`.
    n_unacknowledged: u16,
    last_packet_identifier: u16,
    next_sequence: u64,
    /// Invariant: sorted by identifier. As identifiers are given in turn and acknowledged about in turn,
    /// insertions and removals are near the ends.
    in_flight: VecDeque<InFlight<M>>,
    /// Identifiers of SUBSCRIBE and UNSUBSCRIBE, which share their numbers with PUBLISH.
    reserved: Vec<PacketIdentifier>,
    /// In flight before this connection and not yet sent again on it.
    resend: VecDeque<InOrder>,
    queue: VecDeque<(M, AcknowledgedQoS)>,
}

/// How much an [`Outgoing`] may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutgoingLimits {
    /// Messages that wait because the peer's Receive Maximum is reached, or because nobody is connected.
    pub queue_len_max: usize,
    /// Messages in flight, whatever Receive Maximum the peer announces.
    pub in_flight_max: NonZeroU16,
}

/// The Quality of Service levels that are acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AcknowledgedQoS {
    /// QoS 1.
    AtLeastOnce,
    /// QoS 2.
    ExactlyOnce,
}

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Transmission<'a, M> {
    /// A PUBLISH.
    Publish {
        /// Its identifier.
        packet_identifier: PacketIdentifier,
        /// Its Quality of Service.
        qos: AcknowledgedQoS,
        /// Whether it was sent before.
        dup: bool,
        /// What its owner kept.
        message: &'a M,
    },
    /// A PUBREL, again.
    Pubrel {
        /// Of the PUBLISH.
        packet_identifier: PacketIdentifier,
    },
}

/// What a PUBACK or PUBCOMP is to the session.
#[derive(Debug, PartialEq, Eq)]
pub enum AcknowledgementOutcome<M> {
    /// The exchange is over, with or without success. `None` if the message was abandoned before.
    Completed(Option<M>),
    /// Nothing waits for it; to be ignored.
    Unknown,
    /// What waits under this identifier is waiting for another packet.
    ProtocolError,
}

/// What a PUBREC is to the session.
#[derive(Debug, PartialEq, Eq)]
pub enum PubrecOutcome<M> {
    /// Answered by PUBREL.
    Release,
    /// The peer refused the message, which ends the exchange. `None` if the message was abandoned before.
    Rejected(Option<M>),
    /// Answered by PUBREL, on 5.0 with Reason Code 0x92.
    Unknown,
    /// A QoS 1 message waits under this identifier.
    ProtocolError,
}

/// The queue is at its limit; gives the message back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the queue of outgoing messages is full")]
pub struct QueueFull<M>(pub M);

/// How far a message in flight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InFlightState {
    /// PUBLISH was sent, PUBACK is expected.
    AwaitingPuback,
    /// PUBLISH was sent, PUBREC is expected.
    AwaitingPubrec,
    /// PUBREL was sent, PUBCOMP is expected.
    AwaitingPubcomp,
}

#[derive(Debug, Clone)]
struct InFlight<M> {
    packet_identifier: PacketIdentifier,
    /// Orders messages by their first sending.
    sequence: u64,
    state: InFlightState,
    /// Whether it counts against the quota of this connection.
    counted: bool,
    /// `None` only while an exchange goes on without its message.
    message: Option<M>,
}

/// A place in an order, and whose it is.
type InOrder = (u64, PacketIdentifier);

impl<M> Outgoing<M> {
    /// Makes an empty, suspended half.
    #[must_use]
    pub fn new(limits: OutgoingLimits) -> Self {
        Self {
            limits,
            quota: 0,
            n_unacknowledged: 0,
            last_packet_identifier: 0,
            next_sequence: 0,
            in_flight: VecDeque::new(),
            reserved: Vec::new(),
            resend: VecDeque::new(),
            queue: VecDeque::new(),
        }
    }

    /// Queues a message. [`poll_transmission`](Self::poll_transmission) then says when it may go.
    ///
    /// # Errors
    ///
    /// The queue is at its limit.
    pub fn push(&mut self, message: M, qos: AcknowledgedQoS) -> Result<(), QueueFull<M>> {
        if self.is_full() {
            return Err(QueueFull(message));
        }
        self.queue.push_back((message, qos));
        Ok(())
    }

    /// Gives the next thing to send, if the peer's Receive Maximum allows one; call it until it gives `None`.
    ///
    /// What was in flight before the connection comes first, in its order;
    /// if it is more than the peer allows now, PUBRELs before messages.
    pub fn poll_transmission(&mut self) -> Option<Transmission<'_, M>> {
        let (packet_identifier, dup) = match self.next_resend() {
            Some(packet_identifier) => (packet_identifier, true),
            None => (self.start_next()?, false),
        };
        let in_flight = &self.in_flight[self.position(packet_identifier).ok()?];
        let qos = match in_flight.state {
            InFlightState::AwaitingPuback => AcknowledgedQoS::AtLeastOnce,
            InFlightState::AwaitingPubrec => AcknowledgedQoS::ExactlyOnce,
            InFlightState::AwaitingPubcomp => {
                return Some(Transmission::Pubrel { packet_identifier });
            }
        };
        Some(Transmission::Publish {
            packet_identifier,
            qos,
            dup,
            message: in_flight.message.as_ref()?,
        })
    }

    /// Handles a PUBACK.
    pub fn handle_puback(
        &mut self,
        packet_identifier: PacketIdentifier,
    ) -> AcknowledgementOutcome<M> {
        self.complete(packet_identifier, InFlightState::AwaitingPuback)
    }

    /// Handles a PUBREC.
    pub fn handle_pubrec(
        &mut self,
        packet_identifier: PacketIdentifier,
        reason_code: ReasonCode,
    ) -> PubrecOutcome<M> {
        let Some(in_flight) = self.find_mut(packet_identifier) else {
            return PubrecOutcome::Unknown;
        };
        match in_flight.state {
            InFlightState::AwaitingPuback => PubrecOutcome::ProtocolError,
            InFlightState::AwaitingPubrec if reason_code.is_error() => {
                PubrecOutcome::Rejected(self.remove(packet_identifier))
            }
            InFlightState::AwaitingPubrec => {
                in_flight.state = InFlightState::AwaitingPubcomp;
                PubrecOutcome::Release
            }
            InFlightState::AwaitingPubcomp => PubrecOutcome::Release,
        }
    }

    /// Handles a PUBCOMP.
    pub fn handle_pubcomp(
        &mut self,
        packet_identifier: PacketIdentifier,
    ) -> AcknowledgementOutcome<M> {
        self.complete(packet_identifier, InFlightState::AwaitingPubcomp)
    }

    /// Begins a Network Connection that goes on with this session; what is in flight becomes due again.
    pub fn resume(&mut self, receive_maximum: NonZeroU16) {
        self.suspend();
        self.quota = receive_maximum.min(self.limits.in_flight_max).get();
        // PUBRELs first where there is no room for all: they hold what a message before them would wait for.
        let releases_first = self.in_flight.len() > usize::from(self.quota);
        self.resend = self.in_flight_in_order(releases_first).into();
        for in_flight in &mut self.in_flight {
            in_flight.counted = in_flight.state == InFlightState::AwaitingPubcomp;
            self.n_unacknowledged += u16::from(in_flight.counted);
        }
    }

    /// Ends the Network Connection: nothing is sent until the next [`resume`](Self::resume).
    pub fn suspend(&mut self) {
        self.quota = 0;
        self.n_unacknowledged = 0;
        for in_flight in &mut self.in_flight {
            in_flight.counted = false;
        }
        self.reserved.clear();
        self.resend.clear();
    }

    /// Starts anew because the peer has lost the session.
    ///
    /// Messages of QoS 1 go back to the front of the queue. Those of QoS 2 that were in flight are given back:
    /// nobody can know whether they arrived.
    #[must_use = "these messages will never be completed"]
    pub fn restart(&mut self) -> Vec<M> {
        self.suspend();
        let mut indeterminate = Vec::new();
        let mut in_flight = self.in_flight_in_order(false);
        while let Some((_, packet_identifier)) = in_flight.pop() {
            let qos = match self
                .find_mut(packet_identifier)
                .map(|in_flight| in_flight.state)
            {
                Some(InFlightState::AwaitingPuback) => AcknowledgedQoS::AtLeastOnce,
                Some(InFlightState::AwaitingPubrec | InFlightState::AwaitingPubcomp) | None => {
                    AcknowledgedQoS::ExactlyOnce
                }
            };
            match (self.remove(packet_identifier), qos) {
                (Some(message), AcknowledgedQoS::AtLeastOnce) => {
                    self.queue.push_front((message, qos));
                }
                (Some(message), AcknowledgedQoS::ExactlyOnce) => indeterminate.push(message),
                (None, _) => {}
            }
        }
        indeterminate.reverse();
        indeterminate
    }

    /// Gives up every message that `condition` picks, queued or in flight, so that it is never sent (again).
    ///
    /// An exchange of QoS 2 that had begun is brought to its end by a PUBREL, because the peer may know its identifier.
    pub fn abandon(&mut self, mut condition: impl FnMut(&M) -> bool) -> Vec<M> {
        self.abandon_if(&mut condition)
    }

    /// Compiled once for all conditions.
    fn abandon_if(&mut self, condition: &mut dyn FnMut(&M) -> bool) -> Vec<M> {
        let mut abandoned = Vec::new();
        for (_, packet_identifier) in self.in_flight_in_order(false) {
            let in_flight = self.find_mut(packet_identifier);
            let message = in_flight.and_then(|in_flight| in_flight.message.as_ref());
            if message.is_some_and(&mut *condition) {
                abandoned.extend(self.abandon_in_flight(packet_identifier));
            }
        }
        for _ in 0..self.queue.len() {
            let Some((message, qos)) = self.queue.pop_front() else {
                break;
            };
            if condition(&message) {
                abandoned.push(message);
            } else {
                self.queue.push_back((message, qos));
            }
        }
        abandoned
    }

    /// Takes an identifier for a SUBSCRIBE or UNSUBSCRIBE; `None` if all are in use.
    /// It is free again after [`release_packet_identifier`](Self::release_packet_identifier),
    /// and when the Network Connection ends.
    pub fn reserve_packet_identifier(&mut self) -> Option<PacketIdentifier> {
        let packet_identifier = self.allocate()?;
        self.reserved.push(packet_identifier);
        Some(packet_identifier)
    }

    /// Frees an identifier that was reserved; says whether it was.
    pub fn release_packet_identifier(&mut self, packet_identifier: PacketIdentifier) -> bool {
        let position = self
            .reserved
            .iter()
            .position(|reserved| *reserved == packet_identifier);
        position
            .map(|position| self.reserved.swap_remove(position))
            .is_some()
    }

    /// Whether a message that is pushed would be sent at once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.queue.is_empty() && self.resend.is_empty() && self.may_send()
    }

    /// Whether [`push`](Self::push) would fail.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.queue.len() >= self.limits.queue_len_max && !self.is_ready()
    }

    /// Whether something that was in flight before this connection is still to be sent again, which comes first.
    #[must_use]
    pub fn is_resending(&self) -> bool {
        !self.resend.is_empty()
    }

    /// The message that is sent next of those that were never sent; for its owner to check whether it has expired.
    #[must_use]
    pub fn front_queued(&self) -> Option<&M> {
        self.queue.front().map(|(message, _)| message)
    }

    /// Takes the message that would be sent next out of the queue.
    pub fn pop_queued(&mut self) -> Option<M> {
        self.queue.pop_front().map(|(message, _)| message)
    }

    /// Takes the message that would be sent next out of the queue if `condition` holds.
    pub fn pop_queued_if(&mut self, condition: impl FnOnce(&M) -> bool) -> Option<M> {
        self.front_queued()
            .is_some_and(condition)
            .then(|| self.pop_queued())?
    }

    /// Takes a message back that [`poll_transmission`](Self::poll_transmission) gave but that was not sent,
    /// neither before nor this time.
    pub fn withdraw(&mut self, packet_identifier: PacketIdentifier) -> Option<M> {
        self.remove(packet_identifier)
    }

    /// Gives up one message in flight. QoS 2 is brought to its end by a PUBREL, for its owner to send.
    pub fn abandon_in_flight(&mut self, packet_identifier: PacketIdentifier) -> Option<M> {
        let in_flight = self.find_mut(packet_identifier)?;
        match in_flight.state {
            InFlightState::AwaitingPuback => self.remove(packet_identifier),
            InFlightState::AwaitingPubrec | InFlightState::AwaitingPubcomp => {
                in_flight.state = InFlightState::AwaitingPubcomp;
                in_flight.message.take()
            }
        }
    }

    /// The message that is in flight under an identifier.
    #[must_use]
    pub fn in_flight_message(&self, packet_identifier: PacketIdentifier) -> Option<&M> {
        let position = self.position(packet_identifier).ok()?;
        self.in_flight.get(position)?.message.as_ref()
    }

    /// Takes a message out of an exchange that goes on without it: the peer has received it, its release is under way.
    pub fn take_received(&mut self, packet_identifier: PacketIdentifier) -> Option<M> {
        self.find_mut(packet_identifier)
            .filter(|in_flight| in_flight.state == InFlightState::AwaitingPubcomp)?
            .message
            .take()
    }

    /// Queues a message that a store kept, whatever the limits are now; in order, before [`resume`](Self::resume).
    pub fn restore_queued(&mut self, message: M, qos: AcknowledgedQoS) {
        self.queue.push_back((message, qos));
    }

    /// The messages that were never sent, in order.
    pub fn queued(&self) -> impl ExactSizeIterator<Item = (&M, AcknowledgedQoS)> {
        self.queue.iter().map(|(message, qos)| (message, *qos))
    }

    /// The messages in flight, in the order of their identifiers; `None` for an abandoned one.
    /// The number orders them by their first sending.
    pub fn in_flight(
        &self,
    ) -> impl ExactSizeIterator<Item = (PacketIdentifier, InFlightState, u64, Option<&M>)> {
        self.in_flight.iter().map(|in_flight| {
            (
                in_flight.packet_identifier,
                in_flight.state,
                in_flight.sequence,
                in_flight.message.as_ref(),
            )
        })
    }

    /// Puts a message in flight that a store kept; in the order of its first sending, before [`resume`](Self::resume).
    pub fn restore_in_flight(
        &mut self,
        packet_identifier: PacketIdentifier,
        state: InFlightState,
        message: Option<M>,
    ) {
        let sequence = self.take_sequence();
        self.last_packet_identifier = packet_identifier.value();
        self.insert(InFlight {
            packet_identifier,
            sequence,
            state,
            counted: false,
            message,
        });
    }

    fn may_send(&self) -> bool {
        self.n_unacknowledged < self.quota && self.n_identifiers() < usize::from(u16::MAX)
    }

    fn n_identifiers(&self) -> usize {
        self.in_flight.len() + self.reserved.len()
    }

    fn next_resend(&mut self) -> Option<PacketIdentifier> {
        while let Some(&(_, packet_identifier)) = self.resend.front() {
            let has_room = self.n_unacknowledged < self.quota;
            if let Some(in_flight) = self.find_mut(packet_identifier) {
                if !in_flight.counted {
                    if !has_room {
                        return None;
                    }
                    in_flight.counted = true;
                    self.n_unacknowledged += 1;
                }
                self.resend.pop_front();
                return Some(packet_identifier);
            }
            self.resend.pop_front();
        }
        None
    }

    fn start_next(&mut self) -> Option<PacketIdentifier> {
        if !self.resend.is_empty() || self.queue.is_empty() || !self.may_send() {
            return None;
        }
        let packet_identifier = self.allocate()?;
        let (message, qos) = self.queue.pop_front()?;
        let state = match qos {
            AcknowledgedQoS::AtLeastOnce => InFlightState::AwaitingPuback,
            AcknowledgedQoS::ExactlyOnce => InFlightState::AwaitingPubrec,
        };
        let sequence = self.take_sequence();
        self.insert(InFlight {
            packet_identifier,
            sequence,
            state,
            counted: true,
            message: Some(message),
        });
        self.n_unacknowledged += 1;
        Some(packet_identifier)
    }

    fn allocate(&mut self) -> Option<PacketIdentifier> {
        if self.n_identifiers() >= usize::from(u16::MAX) {
            return None;
        }
        loop {
            self.last_packet_identifier = self.last_packet_identifier.wrapping_add(1);
            let candidate = PacketIdentifier::new(self.last_packet_identifier);
            if let Some(candidate) = candidate
                && self.position(candidate).is_err()
                && !self.reserved.contains(&candidate)
            {
                return Some(candidate);
            }
        }
    }

    fn position(&self, packet_identifier: PacketIdentifier) -> Result<usize, usize> {
        // An acknowledgement is mostly of the first.
        match self.in_flight.front() {
            Some(first) if first.packet_identifier == packet_identifier => Ok(0),
            Some(_) | None => self
                .in_flight
                .binary_search_by_key(&packet_identifier, |in_flight| in_flight.packet_identifier),
        }
    }

    fn find_mut(&mut self, packet_identifier: PacketIdentifier) -> Option<&mut InFlight<M>> {
        let position = self.position(packet_identifier).ok()?;
        self.in_flight.get_mut(position)
    }

    fn insert(&mut self, in_flight: InFlight<M>) {
        match self.position(in_flight.packet_identifier) {
            Ok(position) => self.in_flight[position] = in_flight,
            Err(position) => self.in_flight.insert(position, in_flight),
        }
    }

    /// The identifiers in flight in the order of their first sending, perhaps those that await PUBCOMP before all
    /// others.
    fn in_flight_in_order(&self, releases_first: bool) -> Vec<InOrder> {
        // A heap, as a page is smaller by it than by the standard library's sort.
        let order: BinaryHeap<InOrder> = self
            .in_flight
            .iter()
            .map(|in_flight| {
                let is_later = releases_first && in_flight.state != InFlightState::AwaitingPubcomp;
                let place = in_flight.sequence | u64::from(is_later) << 63;
                (place, in_flight.packet_identifier)
            })
            .collect();
        order.into_sorted_vec()
    }

    fn take_sequence(&mut self) -> u64 {
        self.next_sequence += 1;
        self.next_sequence
    }

    fn complete(
        &mut self,
        packet_identifier: PacketIdentifier,
        expected: InFlightState,
    ) -> AcknowledgementOutcome<M> {
        match self.find_mut(packet_identifier) {
            None => AcknowledgementOutcome::Unknown,
            Some(in_flight) if in_flight.state != expected => AcknowledgementOutcome::ProtocolError,
            Some(_) => AcknowledgementOutcome::Completed(self.remove(packet_identifier)),
        }
    }

    fn remove(&mut self, packet_identifier: PacketIdentifier) -> Option<M> {
        let position = self.position(packet_identifier).ok()?;
        let in_flight = self.in_flight.remove(position)?;
        self.n_unacknowledged -= u16::from(in_flight.counted);
        in_flight.message
    }
}

impl<M> Default for Outgoing<M> {
    fn default() -> Self {
        Self::new(OutgoingLimits::default())
    }
}

impl Default for OutgoingLimits {
    fn default() -> Self {
        Self {
            queue_len_max: 1000,
            in_flight_max: NonZeroU16::MAX,
        }
    }
}

impl AcknowledgedQoS {
    /// The level as one that is acknowledged; `None` for QoS 0.
    #[must_use]
    pub const fn new(qos: QoS) -> Option<Self> {
        match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => Some(Self::AtLeastOnce),
            QoS::ExactlyOnce => Some(Self::ExactlyOnce),
        }
    }
}

impl From<AcknowledgedQoS> for QoS {
    fn from(qos: AcknowledgedQoS) -> Self {
        match qos {
            AcknowledgedQoS::AtLeastOnce => Self::AtLeastOnce,
            AcknowledgedQoS::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QOS_1: AcknowledgedQoS = AcknowledgedQoS::AtLeastOnce;
    const QOS_2: AcknowledgedQoS = AcknowledgedQoS::ExactlyOnce;

    fn outgoing(receive_maximum: u16) -> Outgoing<u32> {
        let mut outgoing = Outgoing::default();
        outgoing.resume(NonZeroU16::new(receive_maximum).unwrap());
        outgoing
    }

    fn identifier(number: u16) -> PacketIdentifier {
        PacketIdentifier::new(number).unwrap()
    }

    /// What may be sent: (identifier, message), `None` for a PUBREL.
    fn sent(outgoing: &mut Outgoing<u32>) -> Vec<(u16, Option<u32>)> {
        std::iter::from_fn(|| {
            Some(match outgoing.poll_transmission()? {
                Transmission::Publish {
                    packet_identifier,
                    message,
                    ..
                } => (packet_identifier.value(), Some(*message)),
                Transmission::Pubrel { packet_identifier } => (packet_identifier.value(), None),
            })
        })
        .collect()
    }

    #[test]
    fn nothing_is_sent_without_a_connection() {
        let mut outgoing = Outgoing::default();
        outgoing.push(1, QOS_1).unwrap();
        assert_eq!(sent(&mut outgoing), []);
        outgoing.resume(NonZeroU16::MAX);
        assert_eq!(sent(&mut outgoing), [(1, Some(1))]);
        outgoing.suspend();
        outgoing.push(2, QOS_1).unwrap();
        assert_eq!(sent(&mut outgoing), []);
    }

    // Shows 3.1.1 [MQTT-2.3.1-2], 3.1.1 [MQTT-2.3.1-4], 5.0 [MQTT-2.2.1-3], 5.0 [MQTT-2.2.1-4].
    #[test]
    fn identifiers_go_round_and_skip_those_in_use() {
        let mut outgoing = outgoing(u16::MAX);
        outgoing.push(0, QOS_1).unwrap();
        assert_eq!(sent(&mut outgoing), [(1, Some(0))]);
        for message in 2..=u32::from(u16::MAX) {
            outgoing.push(message, QOS_1).unwrap();
            let [(number, _)] = sent(&mut outgoing)[..] else {
                panic!("{message} is not sent")
            };
            outgoing.handle_puback(identifier(number));
        }
        outgoing.push(7, QOS_1).unwrap();
        assert_eq!(sent(&mut outgoing), [(2, Some(7))]);
    }

    #[test]
    fn our_own_bound_holds_whatever_the_peer_accepts() {
        let mut outgoing = Outgoing::new(OutgoingLimits {
            queue_len_max: 10,
            in_flight_max: NonZeroU16::new(2).unwrap(),
        });
        outgoing.resume(NonZeroU16::MAX);
        for message in 1..=3 {
            outgoing.push(message, QOS_1).unwrap();
        }
        assert_eq!(sent(&mut outgoing), [(1, Some(1)), (2, Some(2))]);
    }

    #[test]
    fn the_queue_keeps_its_bound_while_nobody_takes_from_it() {
        let mut outgoing = Outgoing::new(OutgoingLimits {
            queue_len_max: 2,
            in_flight_max: NonZeroU16::MAX,
        });
        outgoing.resume(NonZeroU16::MAX);
        for message in 1..=2 {
            outgoing.push(message, QOS_1).unwrap();
        }
        assert_eq!(outgoing.push(3, QOS_1), Err(QueueFull(3)));
        sent(&mut outgoing);
        outgoing.push(3, QOS_1).unwrap();
    }

    #[test]
    fn an_unreleased_message_counts_on_the_next_connection_too() {
        let mut outgoing = outgoing(5);
        outgoing.push(1, QOS_2).unwrap();
        outgoing.push(2, QOS_2).unwrap();
        sent(&mut outgoing);
        let success = ReasonCode::Success;
        outgoing.handle_pubrec(identifier(2), success);
        outgoing.resume(NonZeroU16::new(1).unwrap());
        assert_eq!(sent(&mut outgoing), [(2, None)]);
        let completed = AcknowledgementOutcome::Completed(Some(2));
        assert_eq!(outgoing.handle_pubcomp(identifier(2)), completed);
        assert_eq!(sent(&mut outgoing), [(1, Some(1))]);
    }

    #[test]
    fn a_restored_half_goes_on_where_it_was() {
        let mut before = outgoing(9);
        for (message, qos) in [(1, QOS_1), (2, QOS_2), (3, QOS_2)] {
            before.push(message, qos).unwrap();
        }
        sent(&mut before);
        before.handle_pubrec(identifier(2), ReasonCode::Success);
        let mut kept: Vec<_> = before
            .in_flight()
            .map(|(identifier, state, sequence, message)| {
                (sequence, identifier, state, message.copied())
            })
            .collect();
        kept.sort_unstable_by_key(|(sequence, ..)| *sequence);

        let mut after = Outgoing::default();
        for (_, identifier, state, message) in kept {
            after.restore_in_flight(identifier, state, message);
        }
        after.resume(NonZeroU16::MAX);
        after.push(4, QOS_1).unwrap();
        let expected = [(1, Some(1)), (2, None), (3, Some(3)), (4, Some(4))];
        assert_eq!(sent(&mut after), expected);
    }

    #[test]
    fn abandoned_messages_are_given_back_in_order_and_never_sent() {
        let mut outgoing = outgoing(2);
        for (message, qos) in [(10, QOS_1), (11, QOS_2), (12, QOS_1), (13, QOS_1)] {
            outgoing.push(message, qos).unwrap();
        }
        sent(&mut outgoing);
        assert_eq!(outgoing.abandon(|message| *message != 13), [10, 11, 12]);
        assert_eq!(sent(&mut outgoing), [(3, Some(13))]);
        outgoing.resume(NonZeroU16::MAX);
        assert_eq!(sent(&mut outgoing), [(2, None), (3, Some(13))]);
        let completed = AcknowledgementOutcome::Completed(None);
        assert_eq!(outgoing.handle_pubcomp(identifier(2)), completed);
    }

    #[test]
    fn reserved_identifiers_are_free_again_with_the_next_connection() {
        let mut outgoing = outgoing(9);
        let reserved = outgoing.reserve_packet_identifier().unwrap();
        outgoing.push(1, QOS_1).unwrap();
        assert_eq!(sent(&mut outgoing), [(2, Some(1))]);
        outgoing.suspend();
        assert!(!outgoing.release_packet_identifier(reserved));
    }
}
