//! What both versions of the protocol have in common: their numbers and the Quality of Service levels.

/// The version of the protocol that a Network Connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ProtocolVersion {
    /// MQTT 3.1.1, protocol level 4.
    V3_1_1 = 4,
    /// MQTT 5.0, protocol version 5.
    V5_0 = 5,
}

/// Quality of Service: how often a message may arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum QoS {
    /// Not acknowledged; may be lost.
    #[default]
    AtMostOnce = 0,
    /// Acknowledged by PUBACK; may come twice.
    AtLeastOnce = 1,
    /// Acknowledged in two steps; comes exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// Reads the two bits of a packet; `None` for 3.
    pub(crate) const fn decode(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}
