//! What a person can choose.

use std::time::Duration;

use bytestring::ByteString;
use mqtt_protocol::QoS;

/// How the broker behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What Clients may grow, and how far.
    pub limits: Limits,
    /// The highest QoS of a PUBLISH from a Client.
    pub maximum_qos: QoS,
    /// Whether retained messages are kept.
    pub retain_available: bool,
    /// Whether Topic Filters may have wildcards.
    pub wildcard_subscription_available: bool,
    /// Whether subscriptions may have identifiers.
    pub subscription_identifiers_available: bool,
    /// Whether `$share/…` is understood.
    pub shared_subscription_available: bool,
    /// The longest Keep Alive that a 5.0 Client may choose; a longer one, or none, is answered by Server Keep Alive.
    pub keep_alive_max: Option<u16>,
    /// The base for Response Topics, told to Clients that ask.
    pub response_information: Option<ByteString>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifiers_available: true,
            shared_subscription_available: true,
            keep_alive_max: None,
            response_information: None,
        }
    }
}

/// Bounds on everything that a Client can grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the largest packet that is read.
    pub packet_size: u32,
    /// Network Connections at once; above, a CONNECT is answered by 0x97.
    pub connections: usize,
    /// Time for the CONNECT to come.
    pub connect_timeout: Duration,
    /// Sessions, with and without a connection; above, a CONNECT is answered by 0x97.
    pub sessions: usize,
    /// The longest Session Expiry Interval; a longer one is answered by this one. `None`: sessions may stay for ever.
    pub session_expiry_interval: Option<Duration>,
    /// Subscriptions of one session; above, SUBACK says 0x97.
    pub subscriptions_per_session: usize,
    /// Bytes of a Topic Name or Topic Filter.
    pub topic_length: usize,
    /// Levels of a Topic Name or Topic Filter.
    pub topic_levels: usize,
    /// Messages that wait for one session; above, the newest is dropped.
    pub queued_messages_per_session: usize,
    /// Bytes of payload, topic and properties that wait for one session; above, the newest is dropped.
    pub queued_bytes_per_session: usize,
    /// QoS 1 and 2 messages that are sent to one Client and not acknowledged, whatever its Receive Maximum allows.
    pub in_flight_messages: u16,
    /// QoS 1 and 2 messages that one Client may send before they are acknowledged: the Receive Maximum it is told.
    pub receive_maximum: u16,
    /// The highest Topic Alias that a Client may use.
    pub topic_alias_maximum: u16,
    /// User Properties in one packet; above, 0x97.
    pub user_properties: usize,
    /// Retained messages; above, new topics are not kept.
    pub retained_messages: usize,
    /// Bytes of retained payloads, topics and properties; above, they are not kept.
    pub retained_bytes: usize,
    /// Retained messages that wait to be sent to one Client after its SUBSCRIBE; above, SUBACK says 0x97.
    pub retained_replay: usize,
    /// Bytes that gather for one Client before retained messages wait for the next turn.
    pub retained_replay_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packet_size: 32 * 1024 * 1024,
            connections: 100_000,
            connect_timeout: Duration::from_secs(10),
            sessions: 200_000,
            session_expiry_interval: None,
            subscriptions_per_session: 10_000,
            topic_length: 4096,
            topic_levels: 128,
            queued_messages_per_session: 10_000,
            queued_bytes_per_session: 64 * 1024 * 1024,
            in_flight_messages: 1024,
            receive_maximum: 1024,
            topic_alias_maximum: 64,
            user_properties: 128,
            retained_messages: 1_000_000,
            retained_bytes: 1024 * 1024 * 1024,
            retained_replay: 2_000_000,
            retained_replay_bytes: 256 * 1024,
        }
    }
}
