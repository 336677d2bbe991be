//! Application Messages, as they come and as they go.

use std::time::Duration;

use bytes::Bytes;
use mqtt_protocol::{Properties, QoS, TopicName};

/// An Application Message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub topic_name: TopicName,
    /// The application's bytes.
    pub payload: Bytes,
    /// The Quality of Service that it came with.
    pub qos: QoS,
    /// Whether the Server had kept it: its age is unknown.
    pub retain: bool,
    /// 5.0 only.
    pub properties: Properties,
}

/// An Application Message that is to go.
///
/// ```
/// use mqtt_web_client::{Publication, QoS, TopicName};
///
/// let topic_name = TopicName::new("rootzone/zone-a/pump-1/pump/set").expect("has no wildcard");
/// let publication = Publication {
///     qos: QoS::AtLeastOnce,
///     ..Publication::new(topic_name, "OFF")
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub topic_name: TopicName,
    /// What.
    pub payload: Bytes,
    /// How surely; by default QoS 0.
    pub qos: QoS,
    /// Whether the Server keeps it for those who subscribe later; by default not.
    pub retain: bool,
    /// After which it is worthless, here in the queue and (5.0) on its way; whole seconds.
    pub expiry: Option<Duration>,
    /// Whether it may wait; by default never.
    pub queue: QueuePolicy,
    /// Further properties. 5.0 only.
    pub properties: Properties,
}

/// Whether a publication may wait for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueuePolicy {
    /// It goes now, once, or not at all: nothing that would start late is ever started late.
    ///
    /// At QoS 2 that holds only where the Server passes a message on when it comes, as `rootzone` does: some wait for
    /// the PUBREL, which is sent after a reconnection too, so that the exchange comes to its end. Use QoS 1 for what
    /// must not be late.
    #[default]
    Never,
    /// It waits while there is no connection, and is sent again if its acknowledgement was lost.
    WhileDisconnected,
}

impl Message {
    /// Bytes of the payload and the topic.
    pub(crate) fn size(&self) -> usize {
        self.payload.len() + self.topic_name.as_str().len()
    }
}

impl Publication {
    /// Makes a publication of QoS 0 that never waits.
    #[must_use]
    pub fn new(topic_name: TopicName, payload: impl Into<Bytes>) -> Self {
        Self {
            topic_name,
            payload: payload.into(),
            qos: QoS::AtMostOnce,
            retain: false,
            expiry: None,
            queue: QueuePolicy::Never,
            properties: Properties::default(),
        }
    }
}
