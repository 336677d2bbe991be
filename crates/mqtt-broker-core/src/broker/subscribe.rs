//! Subscriptions come and go.

use mqtt_protocol::{
    Instant, QoS, ReasonCode, RetainHandling, Subscribe, Subscription, TopicFilter, Unsubscribe,
};

use super::Broker;
use crate::{
    peers::Peers,
    session::{Replay, SessionIndex},
    store::KeyKind,
    topic_tree::Subscriber,
};

impl Broker {
    pub(super) fn handle_subscribe(
        &mut self,
        index: u32,
        session_index: SessionIndex,
        subscribe: &Subscribe,
        now: Instant,
    ) {
        let identifier = subscribe.properties.subscription_identifiers().next();
        let reason_codes = subscribe
            .subscriptions
            .iter()
            .map(|subscription| {
                let subscriber = Subscriber {
                    session: session_index,
                    subscription_identifier: identifier,
                    maximum_qos: subscription.maximum_qos,
                    no_local: subscription.no_local,
                    retain_as_published: subscription.retain_as_published,
                };
                match self.subscribe(subscription, subscriber) {
                    Ok(()) => granted(subscription.maximum_qos),
                    Err(reason_code) => {
                        self.peers.counters.subscriptions_refused += 1;
                        reason_code
                    }
                }
            })
            .collect();
        if let Some(connection) = self.peers.connections.find_mut(index) {
            connection
                .server
                .suback(subscribe.packet_identifier, reason_codes);
        }
        self.peers.wait_for_store(index, session_index);
        self.send_waiting(session_index, now);
    }

    pub(super) fn handle_unsubscribe(
        &mut self,
        index: u32,
        session_index: SessionIndex,
        unsubscribe: &Unsubscribe,
    ) {
        let reason_codes = unsubscribe
            .topic_filters
            .iter()
            .map(|topic_filter| {
                if self.unsubscribe(session_index, topic_filter) {
                    ReasonCode::Success
                } else {
                    ReasonCode::NoSubscriptionExisted
                }
            })
            .collect();
        if let Some(connection) = self.peers.connections.find_mut(index) {
            connection
                .server
                .unsuback(unsubscribe.packet_identifier, reason_codes);
        }
        self.peers.wait_for_store(index, session_index);
    }

    /// Takes a subscription out of the tree, whoever still remembers it.
    pub(super) fn remove_from_tree(
        &mut self,
        topic_filter: &TopicFilter,
        session_index: SessionIndex,
    ) {
        self.match_cache.clear();
        match topic_filter.shared() {
            Some((group, inner)) => {
                self.topic_tree
                    .remove(inner.as_str(), Some(group), session_index)
            }
            None => self
                .topic_tree
                .remove(topic_filter.as_str(), None, session_index),
        };
    }

    fn subscribe(
        &mut self,
        subscription: &Subscription,
        subscriber: Subscriber,
    ) -> Result<(), ReasonCode> {
        self.check_filter(&subscription.topic_filter, &subscriber)?;
        let is_store_failing = self.is_store_failing;
        let limits = &self.settings.limits;
        let session = self
            .peers
            .sessions
            .find_mut(subscriber.session.0)
            .ok_or(ReasonCode::UnspecifiedError)?;
        if is_store_failing && session.key.is_some() {
            self.peers.counters.store_refused += 1;
            return Err(ReasonCode::QuotaExceeded);
        }
        let previous = session.subscriptions.get(&subscription.topic_filter);
        let is_new = previous.is_none();
        let is_counted =
            |subscriber| is_identified_wildcard(&subscription.topic_filter, subscriber);
        let n_identified_wildcards = session.n_identified_wildcards
            - usize::from(previous.is_some_and(is_counted))
            + usize::from(is_counted(&subscriber));
        let is_shared = subscription.topic_filter.is_shared();
        // A Shared Subscription gets no retained messages (5.0 §4.8.2).
        let is_replayed = !is_shared
            && match subscription.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => is_new,
                RetainHandling::DoNotSend => false,
            };
        if (is_new && session.subscriptions.len() >= limits.subscriptions_per_session)
            || n_identified_wildcards > limits.identified_wildcards_per_session
            || (is_replayed && session.replays.len() >= limits.retained_replays_per_session)
        {
            return Err(ReasonCode::QuotaExceeded);
        }
        // A subscription lives long.
        let topic_filter = subscription.topic_filter.detached();
        self.insert_subscription(topic_filter.clone(), subscriber);
        let Peers {
            sessions, journal, ..
        } = &mut self.peers;
        if let Some(session) = sessions.find_mut(subscriber.session.0) {
            if is_replayed {
                let key = (topic_filter.clone(), journal.next_key());
                let replay = Replay {
                    subscriber,
                    after: None,
                    has_moved: false,
                };
                session.replays.insert(key, replay);
            }
            session.store_subscription(&topic_filter, journal);
        }
        Ok(())
    }

    /// Lets a session have a subscription, perhaps in the place of an earlier one.
    pub(super) fn insert_subscription(
        &mut self,
        topic_filter: TopicFilter,
        subscriber: Subscriber,
    ) {
        let Some(session) = self.peers.sessions.find_mut(subscriber.session.0) else {
            return;
        };
        match topic_filter.shared() {
            Some((group, inner)) => self
                .topic_tree
                .insert(inner.as_str(), Some(group), subscriber),
            None => self
                .topic_tree
                .insert(topic_filter.as_str(), None, subscriber),
        };
        session.n_identified_wildcards +=
            usize::from(is_identified_wildcard(&topic_filter, &subscriber));
        let previous = session
            .subscriptions
            .insert(topic_filter.clone(), subscriber);
        match previous {
            Some(previous) => {
                session.n_identified_wildcards -=
                    usize::from(is_identified_wildcard(&topic_filter, &previous));
            }
            None => self.peers.counters.subscriptions += 1,
        }
        self.match_cache.clear();
    }

    fn unsubscribe(&mut self, session_index: SessionIndex, topic_filter: &TopicFilter) -> bool {
        let Some(session) = self.peers.sessions.find_mut(session_index.0) else {
            return false;
        };
        let Some(subscriber) = session.subscriptions.remove(topic_filter) else {
            return false;
        };
        session.n_identified_wildcards -=
            usize::from(is_identified_wildcard(topic_filter, &subscriber));
        if let Some(key) = session.key {
            self.peers
                .journal
                .remove(KeyKind::Subscription(key, topic_filter.clone()));
        }
        session
            .replays
            .retain(|(replayed, _), _| replayed != topic_filter);
        self.peers.counters.subscriptions -= 1;
        self.remove_from_tree(topic_filter, session_index);
        true
    }

    fn check_filter(
        &self,
        topic_filter: &TopicFilter,
        subscriber: &Subscriber,
    ) -> Result<(), ReasonCode> {
        let settings = &self.settings;
        let filter = topic_filter.as_str();
        if filter.len() > settings.limits.topic_length
            || topic_filter.levels().count() > settings.limits.topic_levels
        {
            return Err(ReasonCode::QuotaExceeded);
        }
        if topic_filter.is_shared() && !settings.shared_subscription_available {
            return Err(ReasonCode::SharedSubscriptionsNotSupported);
        }
        if topic_filter.has_wildcard() && !settings.wildcard_subscription_available {
            return Err(ReasonCode::WildcardSubscriptionsNotSupported);
        }
        if subscriber.subscription_identifier.is_some()
            && !settings.subscription_identifiers_available
        {
            return Err(ReasonCode::SubscriptionIdentifiersNotSupported);
        }
        Ok(())
    }
}

/// Whether it adds its identifier to messages that other subscriptions of the session match too.
///
/// Of those without a wildcard only one matches a topic, and of Shared Subscriptions each has its own message.
fn is_identified_wildcard(topic_filter: &TopicFilter, subscriber: &Subscriber) -> bool {
    subscriber.subscription_identifier.is_some()
        && topic_filter.has_wildcard()
        && !topic_filter.is_shared()
}

const fn granted(qos: QoS) -> ReasonCode {
    match qos {
        QoS::AtMostOnce => ReasonCode::GRANTED_QOS_0,
        QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
        QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
    }
}
