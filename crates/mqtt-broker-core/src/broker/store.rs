//! What is stored, and when: the broker's side of the store.

use std::collections::VecDeque;

use bytestring::ByteString;
use mqtt_protocol::{Instant, PacketIdentifier, QoS, TopicFilter};

use super::Broker;
use crate::{
    Recorder,
    message::{Delivery, Message},
    peers::Peers,
    session::{Session, SessionIndex},
    store::{Journal, KeyKind, SessionKey, SessionRecord, SessionState, StoreOperation},
    topic_tree::Subscriber,
};

/// A message of an ended session, for another member of its group.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) delivery: Delivery,
    /// Of the ended session, under which the message is still stored.
    pub(crate) session: Option<SessionKey>,
}

/// Whose stored sessions ended of late with a connection or for another, and how many store operations that takes.
///
/// When such a Client connects without a session, nothing is to be stored; still it must not hear that there was none
/// as long as a power cut could bring it back.
#[derive(Debug, Default)]
pub(crate) struct EndedSessions {
    recent: VecDeque<(ByteString, u64)>,
    /// Of those that are forgotten.
    others: u64,
}

impl EndedSessions {
    fn push(&mut self, client_identifier: ByteString, sequence: u64) {
        if self.recent.len() >= N_ENDED_SESSIONS_MAX
            && let Some((_, sequence)) = self.recent.pop_front()
        {
            self.others = sequence;
        }
        self.recent.push_back((client_identifier, sequence));
    }

    /// How many operations must be durable before this Client's last session is over for good.
    pub(crate) fn find(&self, client_identifier: &ByteString) -> u64 {
        let mut latest_first = self.recent.iter().rev();
        latest_first
            .find(|(ended, _)| ended == client_identifier)
            .map_or(self.others, |(_, sequence)| *sequence)
    }
}

/// Far more than end while one group is written; and each CONNECT without a session looks at them all.
const N_ENDED_SESSIONS_MAX: usize = 256;

impl Broker {
    /// What a store has to do since the last call, in this order; nothing for a broker without a store.
    pub fn take_store_operations(&mut self) -> Vec<StoreOperation> {
        self.peers.journal.take()
    }

    /// How many operations there were so far, those of the last call included.
    #[must_use]
    pub const fn store_sequence(&self) -> u64 {
        self.peers.journal.sequence()
    }

    /// Lets a recorder keep what messages say. It learns what is retained.
    pub fn set_recorder(&mut self, mut recorder: Box<dyn Recorder>) {
        for message in self.retained.messages() {
            recorder.learn(message.topic_name.as_str(), &message.payload);
        }
        self.recorder = Some(recorder);
    }

    /// Others who share the store have something to write too: it goes with what the broker has.
    pub fn note_change_by_others(&mut self) {
        self.peers.journal.note_change_by_others();
    }

    /// Says whether the store takes nothing for now. While it does not, whatever would have to be durable before it
    /// is acknowledged is refused; QoS 0, and what concerns no session that outlives its connection, goes on.
    pub const fn set_store_failing(&mut self, is_failing: bool) {
        self.is_store_failing = is_failing;
    }

    /// Whether it cannot be acknowledged that this message was published, as the store takes nothing.
    pub(super) fn is_store_missing_for(
        &mut self,
        message: &Message,
        publisher: SessionIndex,
        keep: bool,
    ) -> bool {
        if !self.is_store_failing || message.qos == QoS::AtMostOnce {
            return false;
        }
        let topic = message.topic_name.as_str();
        let is_recorded = |recorder: &dyn Recorder| recorder.is_interested_in(topic);
        if self.recorder.as_deref().is_some_and(is_recorded) {
            return true;
        }
        let is_stored = |index: SessionIndex| {
            let session = self.peers.sessions.find(index.0);
            session.is_some_and(|session| session.key.is_some())
        };
        let takes = |subscriber: &Subscriber| {
            subscriber.maximum_qos > QoS::AtMostOnce && is_stored(subscriber.session)
        };
        let matches = &self
            .match_cache
            .find(&message.topic_name, &mut self.topic_tree)
            .matches;
        (message.qos == QoS::ExactlyOnce && is_stored(publisher))
            || (message.retain && keep && self.settings.retain_available)
            || matches.subscribers.iter().any(takes)
            || matches
                .groups
                .iter()
                .any(|&group| self.topic_tree.members(group).iter().any(takes))
    }

    /// Lets the recorder keep what a message says. What comes while the store takes nothing would gather without end.
    pub(super) fn record(&mut self, message: &Message) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let topic = message.topic_name.as_str();
        if self.is_store_failing {
            recorder.learn(topic, &message.payload);
        } else if recorder.record(topic, &message.payload) {
            self.peers.journal.note_change_by_others();
        }
    }

    /// Whether a CONNECT would have to be stored but cannot be.
    pub(super) fn is_store_missing_for_session(
        &self,
        client_identifier: &ByteString,
        expiry_interval: u32,
    ) -> bool {
        let is_stored = || {
            let index = self.session_by_client_identifier.get(client_identifier)?;
            self.peers.sessions.find(index.0)?.key
        };
        self.is_store_failing && (expiry_interval > 0 || is_stored().is_some())
    }

    /// Stores what a session is now, if it is one that is stored.
    pub(super) fn store_session(&mut self, index: SessionIndex) {
        let Some(session) = self.peers.sessions.find(index.0) else {
            return;
        };
        if let Some(key) = session.key {
            let state = match session.connection {
                Some(_) => SessionState::Connected,
                None => SessionState::Waiting {
                    expires_at: session.timers.expiry,
                    will_due: session.timers.will,
                },
            };
            self.peers.journal.put_session(session.record(key, state));
        }
    }

    /// Lets the store forget a session that ends with its connection from now on.
    pub(super) fn unstore_session(&mut self, index: SessionIndex) {
        let Some(session) = self.peers.sessions.find_mut(index.0) else {
            return;
        };
        let Some(key) = session.key else {
            return;
        };
        let journal = &mut self.peers.journal;
        session.forget_parts(key, journal);
        let outgoing = &session.exchanges.outgoing;
        let in_flight = outgoing
            .in_flight()
            .filter_map(|(_, _, _, delivery)| delivery);
        for delivery in in_flight.chain(outgoing.queued().map(|(delivery, _)| delivery)) {
            journal.remove_delivery(Some(key), delivery);
        }
        journal.remove(KeyKind::Session(key));
        session.key = None;
        let sequence = journal.sequence();
        self.ended_sessions
            .push(session.client_identifier.clone(), sequence);
    }

    /// Ends a session whose Client will not be told that it has one.
    pub(super) fn end_stored_session(&mut self, index: SessionIndex, now: Instant) {
        let ended = self.peers.sessions.find(index.0);
        let ended = ended
            .filter(|session| session.key.is_some())
            .map(|session| session.client_identifier.clone());
        self.end_session(index, now);
        if let Some(client_identifier) = ended {
            let sequence = self.peers.journal.sequence();
            self.ended_sessions.push(client_identifier, sequence);
        }
    }

    /// Lets the store forget a session that is over; gives what it leaves to other members of its groups.
    pub(super) fn take_left(&mut self, session: &mut Session) -> Vec<Left> {
        let journal = &mut self.peers.journal;
        if let Some(key) = session.key {
            session.forget_parts(key, journal);
        }
        let outgoing = &mut session.exchanges.outgoing;
        // 5.0 [MQTT-4.8.2-5]: what was sent at QoS 2 is not for anybody else.
        for delivery in outgoing.restart() {
            journal.remove_delivery(session.key, &delivery);
        }
        let mut left = Vec::new();
        while let Some(delivery) = outgoing.pop_queued() {
            if delivery.group().is_some() && !self.is_shutting_down {
                left.push(Left {
                    delivery,
                    session: session.key,
                });
            } else {
                journal.remove_delivery(session.key, &delivery);
            }
        }
        if let Some(key) = session.key {
            if left.is_empty() {
                journal.remove(KeyKind::Session(key));
            } else {
                journal.put_session(session.record(key, SessionState::Ended));
            }
        }
        left
    }

    /// Lets the store forget what was left and is now given, or to be given to nobody.
    pub(super) fn forget_left(&mut self, left: &Left) {
        let journal = &mut self.peers.journal;
        journal.remove_delivery(left.session, &left.delivery);
        // What one session left stands together.
        let mut rest = self.left.iter();
        let is_last = rest.next().is_none_or(|next| next.session != left.session);
        if let Some(key) = left.session.filter(|_| is_last) {
            journal.remove(KeyKind::Session(key));
        }
    }
}

impl Session {
    /// Stores a subscription as it is now, and how far its retained messages are, if the session is one that is stored.
    pub(super) fn store_subscription(&self, topic_filter: &TopicFilter, journal: &mut Journal) {
        if let (Some(key), Some(subscriber)) = (self.key, self.subscriptions.get(topic_filter)) {
            let replay = self.replay_record(topic_filter);
            journal.put_subscription(key, topic_filter, subscriber, replay);
        }
    }

    fn record(&self, key: SessionKey, state: SessionState) -> SessionRecord {
        SessionRecord {
            key,
            client_identifier: self.client_identifier.clone(),
            expiry_interval: self.expiry_interval,
            state,
            will: self.will.clone(),
        }
    }

    /// Lets the store forget all but the session itself and its messages.
    fn forget_parts(&self, key: SessionKey, journal: &mut Journal) {
        for topic_filter in self.subscriptions.keys() {
            journal.remove(KeyKind::Subscription(key, topic_filter.clone()));
        }
        for packet_identifier in self.exchanges.incoming.packet_identifiers() {
            journal.remove(KeyKind::Receipt(key, packet_identifier));
        }
        for (packet_identifier, _, _, delivery) in self.exchanges.outgoing.in_flight() {
            if delivery.is_none() {
                journal.remove(KeyKind::Release(key, packet_identifier));
            }
        }
    }
}

impl Peers {
    /// Lets what a connection has for its Client wait until everything so far is durable, if its session is stored.
    pub(crate) fn wait_for_store(&mut self, index: u32, session: SessionIndex) {
        let is_stored = self
            .sessions
            .find(session.0)
            .is_some_and(|session| session.key.is_some());
        if is_stored && let Some(connection) = self.connections.find_mut(index) {
            connection.waits_for = self.journal.sequence();
        }
    }

    /// An exchange with a Client is over.
    pub(crate) fn complete(
        &mut self,
        session: SessionIndex,
        packet_identifier: PacketIdentifier,
        delivery: Option<Delivery>,
    ) {
        let Some(session) = self.sessions.find(session.0) else {
            return;
        };
        match (delivery, session.key) {
            (Some(delivery), key) => self.journal.remove_delivery(key, &delivery),
            (None, Some(key)) => self
                .journal
                .remove(KeyKind::Release(key, packet_identifier)),
            (None, None) => {}
        }
    }

    /// The Client has received a QoS 2 message. If we forgot that after the PUBREL, it would come twice.
    pub(crate) fn receive(
        &mut self,
        index: u32,
        session_index: SessionIndex,
        packet_identifier: PacketIdentifier,
    ) {
        let Some(session) = self.sessions.find_mut(session_index.0) else {
            return;
        };
        let received = session.exchanges.outgoing.take_received(packet_identifier);
        if let (Some(key), Some(delivery)) = (session.key, received) {
            self.journal.remove_delivery(Some(key), &delivery);
            self.journal
                .release(key, packet_identifier, delivery.position);
        }
        self.wait_for_store(index, session_index);
    }

    /// The Client has released a QoS 2 message of its own. If we forgot that after the PUBCOMP,
    /// the next message under this identifier would be taken for the same.
    pub(crate) fn release(
        &mut self,
        index: u32,
        session_index: SessionIndex,
        packet_identifier: PacketIdentifier,
    ) {
        if let Some(session) = self.sessions.find(session_index.0)
            && let Some(key) = session.key
        {
            self.journal
                .remove(KeyKind::Receipt(key, packet_identifier));
        }
        self.wait_for_store(index, session_index);
    }
}
