//! What is asked of a broker.

use std::{net::SocketAddr, time::Duration};

/// Where the broker is and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The broker's address.
    pub address: SocketAddr,
    /// What MQTT stands on.
    pub transport: Transport,
    /// The version that every connection speaks.
    pub version: Version,
    /// The broker's process, whose CPU time and memory are read.
    pub process: Option<u32>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The broker.
    pub target: Target,
    /// Who sends to whom.
    pub shape: Shape,
    /// The Quality of Service of every message and every subscription.
    pub qos: QoS,
    /// When messages are sent.
    pub pace: Pace,
    /// How long it goes on.
    pub extent: Extent,
}

/// What MQTT stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP alone.
    Tcp,
    /// WebSocket at the path `/mqtt`, one packet in each frame.
    WebSocket,
}

/// The version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1.
    V3,
    /// MQTT 5.0.
    V5,
}

/// Quality of Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QoS {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce,
    /// QoS 2.
    ExactlyOnce,
}

impl QoS {
    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }
}

/// Who sends to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Many probes and one subscriber.
    FanIn {
        /// How many probes.
        publishers: usize,
    },
    /// One probe and many subscribers.
    FanOut {
        /// How many subscribers.
        subscribers: usize,
    },
    /// Pairs of a probe and its subscriber, each with a topic of its own.
    Pairs {
        /// How many pairs.
        pairs: usize,
    },
}

impl Shape {
    /// How many publishers and subscribers each of the groups has, and the number of groups.
    pub(crate) const fn groups(self) -> (usize, usize, usize) {
        match self {
            Self::FanIn { publishers } => (1, publishers, 1),
            Self::FanOut { subscribers } => (1, 1, subscribers),
            Self::Pairs { pairs } => (pairs, 1, 1),
        }
    }

    /// How many messages of one group may be on their way.
    pub(crate) const fn undelivered_max(self) -> u64 {
        match self {
            Self::FanIn { .. } => 1_000,
            Self::FanOut { .. } => 16,
            Self::Pairs { .. } => 10,
        }
    }
}

/// When messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as they are delivered, so that the broker is saturated and drops nothing.
    ClosedLoop,
    /// One by one, so many a second over all publishers, each stamped with its time.
    PerSecond(u32),
}

/// How long a measurement goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// So many published messages, all of which are counted.
    Messages(u64),
    /// A time to warm up, then the time that counts.
    Time {
        /// What is not counted.
        warm_up: Duration,
        /// What is counted.
        measured: Duration,
    },
}

/// Bytes of each payload.
pub(crate) const PAYLOAD_LEN: usize = 64;
/// Messages that a publisher writes at a time in a closed loop.
pub(crate) const BATCH_LEN: usize = 8;
