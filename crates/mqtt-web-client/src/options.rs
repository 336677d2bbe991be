//! What a client is told once, when it begins.

use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

use bytes::Bytes;
use mqtt_protocol::{ProtocolVersion, QoS, WillMessage};

use crate::{BackoffSettings, CredentialsProvider, FollowServerReference, SharedStore};

/// Where to connect, as whom, and how patiently.
///
/// It has no `Debug`, so that a password cannot get into a log by it.
#[derive(Clone)]
pub struct Options {
    /// The broker's address, beginning with `ws://` or `wss://`.
    pub url: String,
    /// By default 5.0.
    pub protocol_version: ProtocolVersion,
    /// By default empty: the Server chooses, and what it chose is used again on reconnection.
    pub client_identifier: String,
    /// Who the user says they are.
    pub user_name: Option<String>,
    /// How they prove it.
    pub password: Option<Bytes>,
    /// Asked for the user name and password of every attempt, in place of those above; by default not.
    pub credentials_provider: Option<CredentialsProvider>,
    /// How long that may take; by default 10 s.
    pub credentials_timeout: Duration,
    /// Whether a broker may send its clients to another one (Use another server, Server moved).
    /// By default not. 5.0 only.
    pub follow_server_reference: Option<FollowServerReference>,
    /// Seconds that the Server keeps the session without a connection, so that a reconnection goes on with
    /// unfinished exchanges. Without a [`session_store`](Self::session_store) the first connection begins anew.
    /// 5.0 only; by default 5 min.
    pub session_expiry_interval_secs: u32,
    /// Seconds; by default 120, with a ping at half of it, because browsers run the timers
    /// of a hidden page only once a minute. 0 for no pings.
    pub keep_alive_secs: u16,
    /// Sent with every CONNECT.
    pub will: Option<WillMessage>,
    /// From opening the socket to CONNACK; by default 10 s.
    pub connack_timeout: Duration,
    /// From PINGREQ to PINGRESP; by default 20 s.
    pub pingresp_timeout: Duration,
    /// Where the session is kept beyond the life of the page; by default nowhere.
    pub session_store: Option<SharedStore>,
    /// Which publications may wait for a connection and go on after a cut.
    pub offline_queue: OfflineQueue,
    /// Whether subscriptions are made again on reconnection.
    pub resubscribe: Resubscribe,
    /// How long to wait between attempts.
    pub backoff: BackoffSettings,
    /// How much may gather, in either direction.
    pub limits: Limits,
}

/// Which of the publications that may wait ([`QueuePolicy::WhileDisconnected`](crate::QueuePolicy)) do so
/// while there is no connection, and survive its loss. With a store, the same survive the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OfflineQueue {
    /// None: what was sent and not acknowledged before a cut is [`Indeterminate`](crate::PublishError),
    /// what was not sent is [`NotConnected`](crate::PublishError).
    Nothing,
    /// Those of QoS 1 and 2 that were sent before the cut: their exchanges are brought to their end.
    /// What was not sent is [`NotConnected`](crate::PublishError).
    InFlight,
    /// Those of QoS 1 and 2.
    AtLeastOnce,
    /// All, those of QoS 0 too.
    #[default]
    All,
}

/// When subscriptions are made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resubscribe {
    /// Only if the Server has lost the session.
    #[default]
    IfSessionLost,
    /// On every reconnection, so that retained messages come again (Retain Handling 0).
    Always,
}

/// How much may gather, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Publications that wait for a connection or for the Server's Receive Maximum.
    pub queue_len_max: usize,
    /// Payload bytes of the publications that wait for a connection.
    pub queue_bytes_max: usize,
    /// Messages that wait for the reader of [`Events`](crate::Events).
    pub events_len_max: usize,
    /// Bytes of payloads and topics that wait for the reader of [`Events`](crate::Events).
    pub events_bytes_max: usize,
    /// Messages that wait for the reader of one [`Messages`](crate::Messages).
    pub stream_len_max: usize,
    /// Bytes of payloads and topics that wait for the reader of one [`Messages`](crate::Messages).
    pub stream_bytes_max: usize,
    /// Packets from the Server, in bytes.
    pub maximum_packet_size: NonZeroU32,
    /// Unacknowledged messages from the Server. Announced on 5.0 only.
    pub receive_maximum: NonZeroU16,
    /// Topic Aliases from the Server. Announced on 5.0 only.
    pub topic_alias_maximum: u16,
    /// Bytes in the socket's buffer above which publications wait or are refused.
    pub buffered_amount_max: usize,
    /// Bytes in the socket's buffer down to which it has to empty before they are sent again.
    pub buffered_amount_low: usize,
}

impl OfflineQueue {
    /// Whether one that was never sent waits for a connection.
    pub(crate) fn keeps_unsent(self, qos: QoS) -> bool {
        match self {
            Self::Nothing | Self::InFlight => false,
            Self::AtLeastOnce => qos > QoS::AtMostOnce,
            Self::All => true,
        }
    }

    /// Whether one that was sent is sent again.
    pub(crate) fn keeps_sent(self) -> bool {
        self != Self::Nothing
    }
}

impl Options {
    /// Makes the default options for a broker's address.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            protocol_version: ProtocolVersion::V5_0,
            client_identifier: String::new(),
            user_name: None,
            password: None,
            credentials_provider: None,
            credentials_timeout: Duration::from_secs(10),
            follow_server_reference: None,
            session_expiry_interval_secs: 300,
            keep_alive_secs: 120,
            will: None,
            connack_timeout: Duration::from_secs(10),
            pingresp_timeout: Duration::from_secs(20),
            session_store: None,
            offline_queue: OfflineQueue::default(),
            resubscribe: Resubscribe::default(),
            backoff: BackoffSettings::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_len_max: 1000,
            queue_bytes_max: 1 << 20,
            events_len_max: 10_000,
            events_bytes_max: 64 << 20,
            stream_len_max: 1000,
            stream_bytes_max: 4 << 20,
            maximum_packet_size: MAXIMUM_PACKET_SIZE,
            receive_maximum: RECEIVE_MAXIMUM,
            topic_alias_maximum: 64,
            buffered_amount_max: 4 << 20,
            buffered_amount_low: 1 << 20,
        }
    }
}

const MAXIMUM_PACKET_SIZE: NonZeroU32 = NonZeroU32::new(1 << 20).expect("not zero");
const RECEIVE_MAXIMUM: NonZeroU16 = NonZeroU16::new(1024).expect("not zero");
