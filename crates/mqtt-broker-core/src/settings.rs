//! What a person can choose.

use std::{num::NonZeroU16, time::Duration};

use bytestring::ByteString;
use mqtt_protocol::{DecoderSettings, QoS, Role, ServerSettings};

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
    pub keep_alive_max: Option<NonZeroU16>,
    /// The base for Response Topics, told to Clients that ask.
    pub response_information: Option<ByteString>,
}

impl Settings {
    /// How a shell decodes what Clients send.
    #[must_use]
    pub const fn decoder_settings(&self) -> DecoderSettings {
        DecoderSettings {
            maximum_packet_size: self.limits.packet_size,
            version: None,
            role: Role::Server,
        }
    }

    pub(crate) fn server_settings(&self) -> ServerSettings {
        ServerSettings {
            connect_timeout: self.limits.connect_timeout,
            maximum_packet_size: self.limits.packet_size,
            receive_maximum: self.limits.receive_maximum,
            topic_alias_maximum: self.limits.topic_alias_maximum,
            sent_topic_aliases_max: self.limits.sent_topic_aliases,
            maximum_qos: self.maximum_qos,
            retain_available: self.retain_available,
            wildcard_subscription_available: self.wildcard_subscription_available,
            subscription_identifiers_available: self.subscription_identifiers_available,
            shared_subscription_available: self.shared_subscription_available,
            keep_alive_max: self.keep_alive_max,
            session_expiry_interval_max: self
                .limits
                .session_expiry_interval
                .map_or(u32::MAX, |limit| {
                    u32::try_from(limit.as_secs()).unwrap_or(u32::MAX)
                }),
            response_information: self.response_information.clone(),
        }
    }
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
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Limits {
    /// Bytes of the largest packet that is read.
    pub packet_size: u32,
    /// Network Connections at once; above, a CONNECT is answered by 0x97.
    pub connections: usize,
    /// Time for the CONNECT to come.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "seconds"))]
    pub connect_timeout: Duration,
    /// Bytes of a Client Identifier; a longer one is answered by 0x85.
    pub client_identifier_length: usize,
    /// Bytes of a Will's payload; a larger one is answered by 0x97.
    pub will_payload: usize,
    /// Sessions, with and without a connection; above, a CONNECT is answered by 0x97.
    pub sessions: usize,
    /// The longest Session Expiry Interval; a longer one is answered by this one. `None`: sessions may stay for ever.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "some_seconds"))]
    pub session_expiry_interval: Option<Duration>,
    /// Subscriptions of one session; above, SUBACK says 0x97.
    pub subscriptions_per_session: usize,
    /// Subscriptions of one session that have both a wildcard and a Subscription Identifier; above, SUBACK says 0x97.
    /// A message that matches all of them carries all their identifiers.
    pub identified_wildcards_per_session: usize,
    /// Bytes of a Topic Name or Topic Filter.
    pub topic_length: usize,
    /// Levels of a Topic Name or Topic Filter.
    pub topic_levels: usize,
    /// Messages that wait for one session; above, the newest is dropped.
    pub queued_messages_per_session: usize,
    /// Bytes of payload, topic and properties that wait for one session; above, the newest is dropped.
    pub queued_bytes_per_session: usize,
    /// Bytes that wait for all sessions together, each message counted for each of them; above, the newest is dropped.
    pub queued_bytes: usize,
    /// QoS 1 and 2 messages that are sent to one Client and not acknowledged, whatever its Receive Maximum allows.
    pub in_flight_messages: NonZeroU16,
    /// Bytes of them; above, further ones wait.
    pub in_flight_bytes: usize,
    /// QoS 1 and 2 messages that one Client may send before they are acknowledged: the Receive Maximum it is told.
    pub receive_maximum: NonZeroU16,
    /// The highest Topic Alias that a Client may use.
    pub topic_alias_maximum: u16,
    /// Topic Aliases that the broker uses towards one Client that takes them.
    pub sent_topic_aliases: u16,
    /// User Properties in one packet; above, 0x97.
    pub user_properties: usize,
    /// Retained messages; above, new topics are not kept.
    pub retained_messages: usize,
    /// Bytes of retained payloads, topics and properties; above, they are not kept.
    pub retained_bytes: usize,
    /// SUBSCRIBEs of one session whose retained messages are not all sent yet; above, SUBACK says 0x97.
    pub retained_replays_per_session: usize,
    /// Bytes of what waited that one Client gets in one turn, so that the others have theirs.
    pub bytes_per_turn: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packet_size: 32 * 1024 * 1024,
            connections: 100_000,
            connect_timeout: Duration::from_secs(10),
            client_identifier_length: 1024,
            will_payload: 1024 * 1024,
            sessions: 200_000,
            session_expiry_interval: None,
            subscriptions_per_session: 10_000,
            identified_wildcards_per_session: 1_000,
            topic_length: 4096,
            topic_levels: 128,
            queued_messages_per_session: 10_000,
            queued_bytes_per_session: 64 * 1024 * 1024,
            queued_bytes: 1024 * 1024 * 1024,
            in_flight_messages: NonZeroU16::new(1024).expect("not zero"),
            in_flight_bytes: 64 * 1024 * 1024,
            receive_maximum: NonZeroU16::new(1024).expect("not zero"),
            topic_alias_maximum: 64,
            sent_topic_aliases: 64,
            user_properties: 128,
            retained_messages: 1_000_000,
            retained_bytes: 1024 * 1024 * 1024,
            retained_replays_per_session: 10_000,
            bytes_per_turn: 256 * 1024,
        }
    }
}

#[cfg(feature = "serde")]
fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Duration::from_secs)
}

#[cfg(feature = "serde")]
fn some_seconds<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    seconds(deserializer).map(Some)
}
