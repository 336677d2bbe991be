//! A Client connects: its session begins or goes on.

use std::collections::BTreeMap;

use bytes::Bytes;
use bytestring::ByteString;
use mqtt_protocol::{
    Acceptance, Connect, Instant, OutgoingLimits, ReasonCode, Session as Exchanges,
};

use super::Broker;
use crate::{
    Event,
    message::{detached_will, is_as_indicated},
    session::{Session, SessionIndex, SessionTimers},
    timers::Timer,
};

impl Broker {
    /// Lets a Client in that nothing speaks against.
    pub(super) fn connect(
        &mut self,
        index: u32,
        connect: &Connect,
        authentication_data: Option<Bytes>,
        now: Instant,
    ) {
        let expiry_interval = self
            .peers
            .connections
            .find(index)
            .map_or(0, |connection| connection.server.session_expiry_interval());
        if self.is_store_missing_for_session(&connect.client_identifier, expiry_interval) {
            self.peers.counters.store_refused += 1;
            self.refuse(index, ReasonCode::QuotaExceeded);
            return;
        }
        let sequence = self.peers.journal.sequence();
        let assigned = connect
            .client_identifier
            .is_empty()
            .then(|| self.assign_client_identifier());
        let existing = match assigned {
            Some(_) => None,
            None => self.take_over(&connect.client_identifier, connect.clean_start, now),
        };
        let session_index = match existing {
            Some(session_index) => session_index,
            None if self.peers.sessions.len() >= self.settings.limits.sessions => {
                self.refuse(index, ReasonCode::QuotaExceeded);
                return;
            }
            None => self.begin_session(assigned.as_ref().unwrap_or(&connect.client_identifier)),
        };
        let (Some(session), Some(connection)) = (
            self.peers.sessions.find_mut(session_index.0),
            self.peers.connections.find_mut(index),
        ) else {
            return;
        };
        self.timers.set(
            &mut session.timers.expiry,
            None,
            Timer::SessionExpiry(session_index),
        );
        // [MQTT-3.1.3-9]: back before its Will was due.
        self.timers
            .set(&mut session.timers.will, None, Timer::Will(session_index));
        session.will = connect
            .will
            .as_ref()
            .map(|will| Box::new(detached_will(will)));
        session.connection = Some(index);
        session.expiry_interval = connection.server.session_expiry_interval();
        connection.session = Some(session_index);
        connection.server.accept(
            connect,
            Acceptance {
                session_present: existing.is_some(),
                assigned_client_identifier: assigned,
                authentication_data,
            },
            &mut session.exchanges,
        );
        self.peers.counters.clients += 1;
        self.events.push_back(Event::Connected {
            connection: crate::ConnectionId {
                index,
                generation: self.peers.connections.generation(index).unwrap_or_default(),
            },
            client_identifier: session.client_identifier.clone(),
            protocol_version: connect.protocol_version,
            session_present: existing.is_some(),
        });
        self.peers.touch(index);
        self.store_connected(session_index);
        if let Some(connection) = self.peers.connections.find_mut(index) {
            connection.waits_for = match self.peers.journal.sequence() {
                stored if stored > sequence => stored,
                _ => self.ended_sessions.find(&connect.client_identifier),
            };
        }
        self.send_waiting(session_index, now);
    }

    /// Stores a session whose Client is connected if it is to outlive the connection, and else what it was before no more.
    fn store_connected(&mut self, session_index: SessionIndex) {
        let Some(session) = self.peers.sessions.find_mut(session_index.0) else {
            return;
        };
        if session.expiry_interval > 0 {
            // One that goes on has its name already: it would be over if it had not been stored.
            if session.key.is_none() {
                session.key = self.peers.journal.new_session();
            }
            self.store_session(session_index);
        } else if session.key.is_some() {
            self.unstore_session(session_index);
        }
    }

    pub(super) fn reason_to_refuse(&self, connect: &Connect) -> Option<ReasonCode> {
        let limits = &self.settings.limits;
        let will = connect.will.as_ref();
        let n_user_properties = connect
            .properties
            .user_properties()
            .count()
            .max(will.map_or(0, |will| will.properties.user_properties().count()));
        if self.is_shutting_down {
            Some(ReasonCode::ServerUnavailable)
        } else if self.peers.connections.len() > limits.connections
            || n_user_properties > limits.user_properties
        {
            Some(ReasonCode::QuotaExceeded)
        } else if connect.client_identifier.len() > limits.client_identifier_length {
            Some(ReasonCode::ClientIdentifierNotValid)
        } else if will.is_some_and(|will| will.payload.len() > limits.will_payload) {
            Some(ReasonCode::QuotaExceeded)
        } else if will.is_some_and(|will| !self.is_acceptable(&will.topic_name)) {
            Some(ReasonCode::TopicNameInvalid)
        } else if will.is_some_and(|will| !is_as_indicated(&will.properties, &will.payload)) {
            Some(ReasonCode::PayloadFormatInvalid)
        } else {
            None
        }
    }

    pub(super) fn refuse(&mut self, index: u32, reason_code: ReasonCode) {
        if let Some(connection) = self.peers.connections.find_mut(index) {
            connection.server.refuse(reason_code);
        }
    }

    /// Ends the other connection of this Client; gives the session that goes on.
    fn take_over(
        &mut self,
        client_identifier: &ByteString,
        clean_start: bool,
        now: Instant,
    ) -> Option<SessionIndex> {
        let session_index = *self.session_by_client_identifier.get(client_identifier)?;
        if let Some(other) = self.peers.sessions.find(session_index.0)?.connection {
            // [MQTT-3.1.4-3]
            if let Some(connection) = self.peers.connections.find_mut(other) {
                connection.server.disconnect(ReasonCode::SessionTakenOver);
            }
            self.settle(other, now);
        }
        // [MQTT-3.1.2-4]. The session may also have ended with its connection.
        if clean_start {
            self.end_stored_session(session_index, now);
        }
        self.session_by_client_identifier
            .get(client_identifier)
            .copied()
    }

    pub(super) fn begin_session(&mut self, client_identifier: &ByteString) -> SessionIndex {
        let limits = &self.settings.limits;
        // Its memory is its own: a session lives long, and must not keep what was read with the CONNECT.
        let client_identifier = ByteString::from(client_identifier.to_string());
        let (index, _) = self.peers.sessions.insert(Session {
            client_identifier: client_identifier.clone(),
            key: None,
            expiry_interval: 0,
            connection: None,
            exchanges: Exchanges::new(OutgoingLimits {
                queue_len_max: limits.queued_messages_per_session,
                in_flight_max: limits.in_flight_messages,
            }),
            queued_bytes: 0,
            in_flight_bytes: 0,
            subscriptions: BTreeMap::new(),
            n_identified_wildcards: 0,
            will: None,
            replays: BTreeMap::new(),
            timers: SessionTimers::default(),
        });
        let index = SessionIndex(index);
        self.session_by_client_identifier
            .insert(client_identifier, index);
        index
    }

    /// Makes a Client Identifier that no session has.
    fn assign_client_identifier(&mut self) -> ByteString {
        loop {
            // SplitMix64: every number comes once before one comes again.
            self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut number = self.seed;
            number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            number ^= number >> 31;
            let candidate = ByteString::from(format!("auto-{number:016x}"));
            if !self.session_by_client_identifier.contains_key(&candidate) {
                return candidate;
            }
        }
    }
}
