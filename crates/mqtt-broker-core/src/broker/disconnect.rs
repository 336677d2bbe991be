//! A connection ends, and perhaps its session and its Will with it.

use std::time::Duration;

use mqtt_protocol::{Instant, ReasonCode};

use super::Broker;
use crate::{
    ConnectionId, DisconnectCause, Event, message::Message, session::SessionIndex, timers::Timer,
};

impl Broker {
    /// Parts a connection from its session. Does nothing the second time.
    pub(super) fn end_connection(&mut self, index: u32, cause: DisconnectCause, now: Instant) {
        let Some(generation) = self.peers.connections.generation(index) else {
            return;
        };
        let id = ConnectionId { index, generation };
        let Some(connection) = self.peers.connections.find_mut(index) else {
            return;
        };
        self.timers
            .set(&mut connection.armed, None, Timer::Silence(index));
        let is_ended = std::mem::replace(&mut connection.is_ended, true);
        self.peers.counters.protocol_violations += u64::from(!is_ended && cause.is_violation());
        let Some(session_index) = connection.session.take() else {
            if !is_ended {
                self.peers.counters.connections_refused += 1;
                self.events.push_back(Event::Refused {
                    connection: id,
                    cause,
                });
            }
            return;
        };
        let session_expiry_interval = connection.server.session_expiry_interval();
        let Some(session) = self.peers.sessions.find_mut(session_index.0) else {
            return;
        };
        self.peers.counters.clients -= 1;
        self.events.push_back(Event::Disconnected {
            connection: id,
            client_identifier: session.client_identifier.clone(),
            cause,
        });
        session.connection = None;
        // A DISCONNECT may have chosen another.
        session.expiry_interval = session_expiry_interval;
        session.exchanges.outgoing.suspend();
        self.timers
            .set(&mut session.timers.more, None, Timer::More(session_index));
        // [MQTT-3.14.4-3]
        if cause == DisconnectCause::Client(ReasonCode::NORMAL_DISCONNECTION) {
            session.will = None;
        }
        self.let_wait(session_index, now);
    }

    /// Lets a session without a connection wait for its Client, and perhaps its Will for its time.
    pub(super) fn let_wait(&mut self, session_index: SessionIndex, now: Instant) {
        let Some(session) = self.peers.sessions.find_mut(session_index.0) else {
            return;
        };
        let session_expiry_interval = session.expiry_interval;
        let will_delay = session
            .will
            .as_ref()
            .map(|will| will.properties.will_delay_interval().unwrap_or(0));
        if session_expiry_interval < u32::MAX {
            let at = now + Duration::from_secs(u64::from(session_expiry_interval));
            self.timers.set(
                &mut session.timers.expiry,
                Some(at),
                Timer::SessionExpiry(session_index),
            );
        }
        match will_delay {
            None => {}
            Some(delay) if delay > 0 && session_expiry_interval > 0 => {
                let at = now + Duration::from_secs(u64::from(delay));
                self.timers.set(
                    &mut session.timers.will,
                    Some(at),
                    Timer::Will(session_index),
                );
            }
            Some(_) => self.publish_will(session_index, now),
        }
        if session_expiry_interval == 0 {
            self.end_stored_session(session_index, now);
        } else {
            self.store_session(session_index);
        }
    }

    /// Frees the place of a connection.
    pub(super) fn forget_connection(&mut self, index: u32) {
        if let Some(connection) = self.peers.connections.find_mut(index) {
            self.timers
                .set(&mut connection.armed, None, Timer::Silence(index));
        }
        self.peers.connections.remove(index);
    }

    /// Publishes the Will of a session, if it has one.
    pub(super) fn publish_will(&mut self, session_index: SessionIndex, now: Instant) {
        let Some(session) = self.peers.sessions.find_mut(session_index.0) else {
            return;
        };
        self.timers
            .set(&mut session.timers.will, None, Timer::Will(session_index));
        if let Some(will) = session.will.take() {
            let message = Message::from_will(&will, now);
            // A request of a Client that has gone has nobody to be answered, and is nobody else's either.
            if !self.is_request(&message.topic_name) {
                let keep = self.has_room_for(&message);
                self.peers.counters.retained_refused += u64::from(!keep);
                self.record(&message);
                self.route(&message, Some(session_index), keep, now);
            }
            self.store_session(session_index);
        }
    }

    /// Discards a session without a connection and all that it has.
    pub(super) fn end_session(&mut self, session_index: SessionIndex, now: Instant) {
        // [MQTT-3.1.3-9]: the end of the session ends the delay.
        self.publish_will(session_index, now);
        let Some(mut session) = self.peers.sessions.remove(session_index.0) else {
            return;
        };
        self.session_by_client_identifier
            .remove(&session.client_identifier);
        for topic_filter in session.subscriptions.keys() {
            self.remove_from_tree(topic_filter, session_index);
        }
        let timers = &mut session.timers;
        self.timers.set(
            &mut timers.expiry,
            None,
            Timer::SessionExpiry(session_index),
        );
        self.timers
            .set(&mut timers.more, None, Timer::More(session_index));
        let counters = &mut self.peers.counters;
        counters.subscriptions -= session.subscriptions.len() as u64;
        counters.queued_messages -= session.exchanges.outgoing.queued().len() as u64;
        counters.queued_bytes = counters
            .queued_bytes
            .saturating_sub(session.queued_bytes as u64);
        let left = self.take_left(&mut session);
        self.events.push_back(Event::SessionEnded {
            client_identifier: session.client_identifier,
        });
        self.left.extend(left);
        self.give_what_is_left(now);
    }
}
