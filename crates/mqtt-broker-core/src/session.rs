//! Session State, which may outlive Network Connections.

use std::collections::BTreeMap;

use bytestring::ByteString;
use mqtt_protocol::{Instant, Session as Exchanges, TopicFilter, WillMessage};

use crate::{
    Limits,
    message::Delivery,
    store::{ReplayRecord, SessionKey},
    topic_tree::Subscriber,
};

/// The place of a session in the broker's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionIndex(pub(crate) u32);

/// What the broker knows about one Client, connected or not.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client_identifier: ByteString,
    /// Of a session that outlives its connection and the broker.
    pub(crate) key: Option<SessionKey>,
    /// How many seconds it outlives its connection; `u32::MAX` for ever.
    pub(crate) expiry_interval: u32,
    /// The place of its connection, if it has one.
    pub(crate) connection: Option<u32>,
    /// Messages of QoS 1 and 2 in both directions.
    pub(crate) exchanges: Exchanges<Delivery>,
    /// Bytes of the messages that wait in `exchanges` and were never sent.
    pub(crate) queued_bytes: usize,
    /// Bytes of the messages that are in flight, or more: what was acknowledged is left out when it matters.
    pub(crate) in_flight_bytes: usize,
    /// With `$share/…` where it is one.
    pub(crate) subscriptions: BTreeMap<TopicFilter, Subscriber>,
    /// How many of `subscriptions` have both a wildcard and a Subscription Identifier.
    pub(crate) n_identified_wildcards: usize,
    /// Published when the connection is lost; then, if it is delayed, it still waits here.
    pub(crate) will: Option<Box<WillMessage>>,
    /// Searches for the retained messages of `subscriptions` that are not finished.
    pub(crate) replays: BTreeMap<ReplayKey, Replay>,
    pub(crate) timers: SessionTimers,
}

impl Session {
    /// Whether a message above QoS 0 may be sent now, as far as the Client's Receive Maximum and our memory go.
    pub(crate) fn may_send(&mut self, limits: &Limits) -> bool {
        self.exchanges.outgoing.is_ready() && self.has_room_in_flight(limits)
    }

    /// Whether what the Client has not acknowledged leaves room for more.
    pub(crate) fn has_room_in_flight(&mut self, limits: &Limits) -> bool {
        if self.in_flight_bytes >= limits.in_flight_bytes {
            // Seldom: each time as many bytes were sent before.
            self.in_flight_bytes = self
                .exchanges
                .outgoing
                .in_flight()
                .filter_map(|(_, _, _, delivery)| delivery)
                .map(Delivery::size)
                .sum();
        }
        self.in_flight_bytes < limits.in_flight_bytes
    }

    /// What a subscription has still to get; all of it comes with the latest of its replays.
    pub(crate) fn replay_record(&self, topic_filter: &TopicFilter) -> Option<ReplayRecord> {
        let key = |up_to| (topic_filter.clone(), up_to);
        let ((_, up_to), replay) = self.replays.range(key(0)..=key(u64::MAX)).next_back()?;
        Some(ReplayRecord {
            after: replay.after.clone(),
            up_to: *up_to,
        })
    }
}

/// The deadlines that are armed for a session.
#[derive(Debug, Default)]
pub(crate) struct SessionTimers {
    pub(crate) expiry: Option<Instant>,
    pub(crate) will: Option<Instant>,
    pub(crate) more: Option<Instant>,
}

/// A subscription, and a number that tells its SUBSCRIBEs apart: messages kept under a greater one came by themselves.
pub(crate) type ReplayKey = (TopicFilter, u64);

/// Retained messages on their way to a subscription.
#[derive(Debug)]
pub(crate) struct Replay {
    /// As its SUBSCRIBE asked for them; another may have changed the subscription since.
    pub(crate) subscriber: Subscriber,
    /// The last topic that was looked at.
    pub(crate) after: Option<ByteString>,
    /// Whether the store does not know how far it is.
    pub(crate) has_moved: bool,
}
