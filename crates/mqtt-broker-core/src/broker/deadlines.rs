//! Time passes.

use mqtt_protocol::{Instant, QoS};

use super::Broker;
use crate::{
    peers::{Grant, Outbound, Progress},
    retained::Search,
    session::SessionIndex,
    timers::Timer,
};

impl Broker {
    /// The moment of the last [`Output::Timeout`](crate::Output::Timeout) has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.peers.counters.expired += self.retained.expire(now, &mut self.peers.journal);
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Silence(index) => {
                    if let Some(connection) = self.peers.connections.find_mut(index) {
                        connection.armed = None;
                        connection.server.handle_timeout(now);
                    }
                    self.settle(index, now);
                }
                Timer::SessionExpiry(index) => {
                    if let Some(session) = self.peers.sessions.find_mut(index.0) {
                        session.timers.expiry = None;
                    }
                    self.end_session(index, now);
                }
                Timer::Will(index) => {
                    if let Some(session) = self.peers.sessions.find_mut(index.0) {
                        session.timers.will = None;
                    }
                    self.publish_will(index, now);
                }
                Timer::More(index) => {
                    if let Some(session) = self.peers.sessions.find_mut(index.0) {
                        session.timers.more = None;
                    }
                    self.due_for_more.push(index);
                }
            }
        }
        if self.left_due.is_some() {
            self.give_what_is_left(now);
        }
        // Apart, as each may arm its timer for this very moment again.
        let mut due = std::mem::take(&mut self.due_for_more);
        for index in due.drain(..) {
            self.send_waiting(index, now);
        }
        self.due_for_more = due;
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.timers.next(), self.retained.deadline(), self.left_due]
            .into_iter()
            .flatten()
            .min()
    }

    /// Makes sure that the silence of a connection is looked at. Each packet puts its deadline off;
    /// the timer stays where it is and is set anew only when it has come.
    pub(super) fn arm_silence(&mut self, index: u32) {
        let Some(connection) = self.peers.connections.find_mut(index) else {
            return;
        };
        let deadline = connection.server.deadline();
        let is_early_enough = match (connection.armed, deadline) {
            (Some(armed), Some(deadline)) => armed <= deadline,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_early_enough {
            self.timers
                .set(&mut connection.armed, deadline, Timer::Silence(index));
        }
    }

    /// Sends what waits in a session: messages first, then retained ones for new subscriptions.
    pub(super) fn send_waiting(&mut self, index: SessionIndex, now: Instant) {
        let limits = &self.settings.limits;
        let mut progress = self
            .peers
            .send_waiting(index, &mut self.encodings, limits, now);
        while progress == Progress::Done
            && let Some(session) = self.peers.sessions.find_mut(index.0)
            && let Some(((topic_filter, up_to), replay)) = session.replays.iter_mut().next()
        {
            let after = replay.after.as_deref();
            let message = match self.retained.search(topic_filter, after, SEARCH_STEPS_MAX) {
                Search::Done => {
                    if let Some(((topic_filter, _), _)) = session.replays.pop_first() {
                        session.store_subscription(&topic_filter, &mut self.peers.journal);
                    }
                    continue;
                }
                Search::ToContinue(topic) => {
                    replay.after = Some(topic);
                    replay.has_moved = true;
                    progress = Progress::TurnOver;
                    break;
                }
                Search::Found(message) => message,
            };
            replay.has_moved = true;
            replay.after = Some(message.topic_name.as_byte_string().clone());
            if message.key > *up_to || message.is_expired(now) {
                continue;
            }
            let subscriber = replay.subscriber;
            let qos: QoS = message.qos.min(subscriber.maximum_qos);
            self.encodings.clear();
            let mut outbound = Outbound {
                message,
                topic_name: &message.topic_name,
                kept: Some(message.clone()),
                encodings: &mut self.encodings,
            };
            let grant = Grant {
                qos,
                retain: true,
                subscription_identifiers: subscriber.subscription_identifier.as_slice(),
                group: None,
            };
            self.peers.deliver(&mut outbound, index, grant, limits, now);
            progress = self
                .peers
                .send_waiting(index, &mut self.encodings, limits, now);
        }
        if let Some(session) = self.peers.sessions.find_mut(index.0) {
            if let Some(mut replay) = session.replays.first_entry()
                && std::mem::take(&mut replay.get_mut().has_moved)
            {
                let (topic_filter, _) = replay.key().clone();
                session.store_subscription(&topic_filter, &mut self.peers.journal);
            }
            let at = (progress == Progress::TurnOver).then_some(now);
            self.timers
                .set(&mut session.timers.more, at, Timer::More(index));
        }
    }
}

/// Retained messages that are looked at in one turn for one subscription.
const SEARCH_STEPS_MAX: usize = 10_000;
