//! A message comes and goes to those who subscribe to it.

use std::{num::NonZeroU32, sync::Arc};

use mqtt_protocol::{Instant, Publish, QoS, ReasonCode, TopicName};

use super::Broker;
use crate::{
    Limits,
    message::{Delivery, Message, is_as_indicated},
    peers::{Grant, Outbound, Peers},
    session::SessionIndex,
    topic_tree::{Entry, GroupRef, Subscriber, TopicTree},
};

impl Broker {
    pub(super) fn handle_publish(
        &mut self,
        index: u32,
        publisher: SessionIndex,
        publish: Publish,
        now: Instant,
    ) {
        let counters = &mut self.peers.counters;
        counters.messages_received += 1;
        counters.payload_bytes_received += publish.payload.len() as u64;
        let packet_identifier = publish.packet_identifier;
        let qos = publish.qos;
        let is_removal = publish.retain && publish.payload.is_empty();
        let sequence = self.peers.journal.sequence();
        let (reason_code, reason) = self.accept_publish(index, publisher, publish, now);
        let (Some(connection), Some(session)) = (
            self.peers.connections.find_mut(index),
            self.peers.sessions.find_mut(publisher.0),
        ) else {
            return;
        };
        if connection.server.closing().is_some() {
            // It was not taken, and will be sent again: then it must be new.
            if let Some(packet_identifier) = packet_identifier {
                session.exchanges.incoming.reject(packet_identifier);
            }
            return;
        }
        match packet_identifier {
            Some(packet_identifier) => {
                connection.server.acknowledge(
                    qos,
                    packet_identifier,
                    reason_code,
                    reason,
                    &mut session.exchanges,
                );
                let journal = &mut self.peers.journal;
                if let Some(key) = session.key
                    && qos == QoS::ExactlyOnce
                    && !reason_code.is_error()
                {
                    journal.insert_receipt(key, packet_identifier);
                }
                // To acknowledge is to take responsibility: not before it is kept. A retained message that is not
                // there any more may still be in the store, when its removal is asked for again.
                if journal.sequence() > sequence || is_removal {
                    connection.waits_for = journal.sequence();
                }
            }
            None if reason_code == ReasonCode::PayloadFormatInvalid => {
                connection.server.disconnect(reason_code)
            }
            // Nothing can be said to the sender of a QoS 0 message that was not accepted.
            None => {}
        }
    }

    /// Whether a Client may publish on this topic.
    pub(super) fn is_acceptable(&self, topic_name: &TopicName) -> bool {
        let limits = &self.settings.limits;
        let topic = topic_name.as_str();
        // [MQTT-4.7.2-1]: topics that begin with `$` are the Server's own.
        !topic.starts_with('$')
            && topic.len() <= limits.topic_length
            && topic.bytes().filter(|&byte| byte == b'/').count() < limits.topic_levels
    }

    /// Whether the message is kept, if it asks for that.
    pub(super) fn has_room_for(&self, message: &Message) -> bool {
        let limits = &self.settings.limits;
        !message.retain
            || message.payload.is_empty()
            || self
                .retained
                .has_room_for(message, limits.retained_messages, limits.retained_bytes)
    }

    /// What its acknowledgement says, and for a request that is refused the same for a person.
    fn accept_publish(
        &mut self,
        index: u32,
        publisher: SessionIndex,
        publish: Publish,
        now: Instant,
    ) -> (ReasonCode, Option<&'static str>) {
        let Some(message) = Message::from_publish(publish, now) else {
            return (ReasonCode::ProtocolError, None);
        };
        if let Some(reason_code) = self.reason_to_refuse_message(&message) {
            self.peers.counters.messages_refused += 1;
            return (reason_code, None);
        }
        if self.is_request(&message.topic_name) {
            return match self.handle_request(index, publisher, &message) {
                Ok(()) => (ReasonCode::Success, None),
                Err(refusal) => (refusal.reason_code, Some(refusal.reason)),
            };
        }
        let keep = self.has_room_for(&message);
        if !keep {
            self.peers.counters.retained_refused += 1;
            // Who can be told may try again; for the others the present subscribers are better than nobody.
            if message.qos > QoS::AtMostOnce && self.speaks_reason_codes(index) {
                return (ReasonCode::QuotaExceeded, None);
            }
        }
        if self.is_store_missing_for(&message, publisher, keep) {
            self.peers.counters.store_refused += 1;
            // 3.1.1 has no word for it, and silence would let the Client wait for ever.
            if !self.speaks_reason_codes(index)
                && let Some(connection) = self.peers.connections.find_mut(index)
            {
                connection.server.disconnect(ReasonCode::QuotaExceeded);
            }
            return (ReasonCode::QuotaExceeded, None);
        }
        self.record(&message);
        match self.route(&message, Some(publisher), keep, now) {
            true => (ReasonCode::Success, None),
            false => (ReasonCode::NoMatchingSubscribers, None),
        }
    }

    /// Keeps a message if it is to be kept, and sends it to all who subscribe; says whether there is anybody.
    pub(super) fn route(
        &mut self,
        message: &Message,
        publisher: Option<SessionIndex>,
        keep: bool,
        now: Instant,
    ) -> bool {
        let Entry {
            topic_name,
            matches,
        } = self
            .match_cache
            .find(&message.topic_name, &mut self.topic_tree);
        let mut kept = None;
        if message.retain && self.settings.retain_available {
            let journal = &mut self.peers.journal;
            if message.payload.is_empty() {
                self.retained.remove(topic_name.as_str(), journal);
            } else if keep {
                let message = Arc::new(message.detached(topic_name, journal.next_key()));
                kept = Some(Arc::clone(&message));
                self.retained.keep(message, journal);
            }
        }
        self.encodings.clear();
        let mut outbound = Outbound {
            message,
            topic_name,
            kept,
            encodings: &mut self.encodings,
        };
        let limits = &self.settings.limits;
        let mut identifiers: Vec<NonZeroU32> = Vec::new();
        let mut reached = false;
        for overlapping in matches
            .subscribers
            .chunk_by(|left, right| left.session == right.session)
        {
            let Some(grant) = merge(overlapping, message, publisher, &mut identifiers) else {
                continue;
            };
            reached = true;
            self.peers
                .deliver(&mut outbound, overlapping[0].session, grant, limits, now);
        }
        for &group in &matches.groups {
            reached |= self.peers.deliver_to_member(
                &mut self.topic_tree,
                group,
                &mut outbound,
                limits,
                now,
            );
        }
        reached
    }

    /// Gives a turn's worth of what ended sessions left to other members, in order.
    pub(super) fn give_what_is_left(&mut self, now: Instant) {
        for _ in 0..LEFT_PER_TURN {
            let Some(left) = self.left.pop_front() else {
                break;
            };
            self.give_left(&left.delivery, now);
            self.forget_left(&left);
        }
        self.left_due = (!self.left.is_empty()).then_some(now);
    }

    fn give_left(&mut self, delivery: &Delivery, now: Instant) {
        let group = delivery.group().map(|name| &**name);
        let Some(group) = group.and_then(|name| self.topic_tree.find_group(name)) else {
            return;
        };
        if delivery.message.is_expired(now) {
            self.peers.counters.expired += 1;
            return;
        }
        self.encodings.clear();
        let mut outbound = Outbound {
            message: &delivery.message,
            topic_name: &delivery.message.topic_name,
            kept: Some(Arc::clone(&delivery.message)),
            encodings: &mut self.encodings,
        };
        self.peers.deliver_to_member(
            &mut self.topic_tree,
            group,
            &mut outbound,
            &self.settings.limits,
            now,
        );
    }

    fn reason_to_refuse_message(&self, message: &Message) -> Option<ReasonCode> {
        let properties = message.properties();
        if !self.is_acceptable(&message.topic_name) {
            Some(ReasonCode::TopicNameInvalid)
        } else if properties.is_empty() {
            None
        } else if properties.user_properties().count() > self.settings.limits.user_properties {
            Some(ReasonCode::QuotaExceeded)
        } else if !is_as_indicated(properties, &message.payload) {
            Some(ReasonCode::PayloadFormatInvalid)
        } else {
            None
        }
    }

    pub(super) fn speaks_reason_codes(&self, index: u32) -> bool {
        self.peers
            .connections
            .find(index)
            .is_some_and(|connection| {
                connection.server.version() == mqtt_protocol::ProtocolVersion::V5_0
            })
    }
}

/// Each may ask all members of a group, and the other Clients want their turn.
const LEFT_PER_TURN: usize = 64;

/// What the overlapping subscriptions of one session come to: one delivery with the highest QoS and all
/// Subscription Identifiers. `None` if the session is not to have its own message.
pub(super) fn merge<'a>(
    overlapping: &[Subscriber],
    message: &Message,
    publisher: Option<SessionIndex>,
    identifiers: &'a mut Vec<NonZeroU32>,
) -> Option<Grant<'a>> {
    identifiers.clear();
    let mut maximum_qos = None;
    let mut retain_as_published = false;
    for subscriber in overlapping {
        // 5.0 [MQTT-3.8.3-3]
        if subscriber.no_local && publisher == Some(subscriber.session) {
            continue;
        }
        maximum_qos = maximum_qos.max(Some(subscriber.maximum_qos));
        retain_as_published |= subscriber.retain_as_published;
        identifiers.extend(subscriber.subscription_identifier);
    }
    Some(Grant {
        qos: message.qos.min(maximum_qos?),
        retain: message.retain && retain_as_published,
        subscription_identifiers: identifiers,
        group: None,
    })
}

impl Peers {
    /// Sends a message to one member of a group; says whether there is one who takes it.
    fn deliver_to_member(
        &mut self,
        tree: &mut TopicTree,
        group: GroupRef,
        outbound: &mut Outbound<'_>,
        limits: &Limits,
        now: Instant,
    ) -> bool {
        let message = outbound.message;
        let Some(member) = choose_member(tree, self, group, message) else {
            return false;
        };
        let grant = Grant {
            qos: message.qos.min(member.maximum_qos),
            retain: message.retain && member.retain_as_published,
            subscription_identifiers: member.subscription_identifier.as_slice(),
            group: Some(tree.group_name(group)),
        };
        self.deliver(outbound, member.session, grant, limits, now);
        true
    }
}

/// The next member of a group who can take the message now; else one who has a session for it.
fn choose_member(
    tree: &mut TopicTree,
    peers: &Peers,
    group: GroupRef,
    message: &Message,
) -> Option<Subscriber> {
    let (members, turn) = tree.take_turn(group);
    let in_turn = || members[turn..].iter().chain(&members[..turn]);
    let qos_for = |member: &Subscriber| message.qos.min(member.maximum_qos);
    in_turn()
        .find(|member| peers.is_ready(member.session, qos_for(member)))
        .or_else(|| in_turn().find(|member| peers.is_connected(member.session)))
        .or_else(|| in_turn().find(|member| qos_for(member) > QoS::AtMostOnce))
        .copied()
}
