//! The MQTT Control Packets. 5.0 is the superset; on 3.1.1 there are no properties and fewer Reason Codes.

mod auth;
mod connack;
mod connect;
mod disconnect;
mod encoded_publish;
mod puback;
mod pubcomp;
mod publish;
mod pubrec;
mod pubrel;
mod reason;
pub(crate) mod receiver;
mod suback;
mod subscribe;
#[cfg(test)]
pub(crate) mod testing;
mod unsuback;
mod unsubscribe;

pub use auth::Auth;
pub use connack::Connack;
pub use connect::{Connect, WillMessage};
pub use disconnect::Disconnect;
pub(crate) use encoded_publish::AliasUse;
pub use encoded_publish::EncodedPublish;
pub use puback::Puback;
pub use pubcomp::Pubcomp;
pub use publish::{Publish, PublishParts};
pub use pubrec::Pubrec;
pub use pubrel::Pubrel;
pub(crate) use reason::acknowledge;
pub use suback::Suback;
pub use subscribe::{RetainHandling, Subscribe, Subscription};
pub use unsuback::Unsuback;
pub use unsubscribe::Unsubscribe;

use std::fmt;

use self::receiver::Receiver;
use crate::{
    EncodeError, Fault, MalformedPacket, ProtocolError, ProtocolVersion, Role,
    data_type::{Reader, begin_length, end_length},
};

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
        let start = output.len();
        let result = self.encode_whole::<false>(version, output);
        take_back_unless(result, start, maximum_packet_size, output)
    }

    /// The same for what `ClientConnection` makes: a page that only ever is a Client is not to carry what only a
    /// Server sends. A PUBLISH is sent by its parts.
    pub(crate) fn encode_of_client(
        &self,
        version: ProtocolVersion,
        maximum_packet_size: u32,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let start = output.len();
        let result = self.encode_whole::<true>(version, output);
        take_back_unless(result, start, maximum_packet_size, output)
    }

    fn encode_whole<const OF_CLIENT: bool>(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        // Its first byte and its length depend on the message.
        if let Self::Publish(publish) = self
            && !OF_CLIENT
        {
            return publish.encode(version, output);
        }
        let packet_type = self.packet_type();
        output.push((packet_type as u8) << 4 | packet_type.flags());
        let start = begin_length(output);
        match self {
            Self::Connect(connect) => connect.encode(output)?,
            Self::Publish(_)
            | Self::Puback(_)
            | Self::Pubrec(_)
            | Self::Pubrel(_)
            | Self::Pubcomp(_)
            | Self::Connack(_)
            | Self::Suback(_)
            | Self::Unsuback(_)
            | Self::Auth(_)
                if OF_CLIENT =>
            {
                return Err(EncodeError::PacketNotInVersion(packet_type));
            }
            Self::Connack(connack) => connack.encode(version, output)?,
            Self::Publish(_) | Self::Pingreq | Self::Pingresp => {}
            Self::Puback(puback) => puback.encode(version, output)?,
            Self::Pubrec(pubrec) => pubrec.encode(version, output)?,
            Self::Pubrel(pubrel) => pubrel.encode(version, output)?,
            Self::Pubcomp(pubcomp) => pubcomp.encode(version, output)?,
            Self::Subscribe(subscribe) => subscribe.encode(version, output)?,
            Self::Suback(suback) => suback.encode(version, output)?,
            Self::Unsubscribe(unsubscribe) => unsubscribe.encode(version, output)?,
            Self::Unsuback(unsuback) => unsuback.encode(version, output)?,
            Self::Disconnect(disconnect) => disconnect.encode(version, output)?,
            Self::Auth(auth) => auth.encode(version, output)?,
        }
        end_length(start, 0, output).map(drop)
    }

    /// Reads what follows the fixed header of a packet other than CONNECT.
    #[inline]
    pub(crate) fn decode<R: Receiver>(
        header: FirstByte,
        mut reader: Reader<'_>,
        version: ProtocolVersion,
    ) -> Result<Self, Fault> {
        let context = Context {
            version,
            receiver: R::ROLE,
        };
        let from_client = R::ROLE == Role::Server;
        let from_server = R::ROLE == Role::Client;
        let reader_mut = &mut reader;
        Ok(match header.packet_type {
            PacketType::Publish => Self::Publish(Publish::decode(header.flags, reader, context)?),
            PacketType::Connack if from_server => {
                Self::Connack(Connack::decode(reader_mut, context)?)
            }
            PacketType::Puback => Self::Puback(Puback::decode(reader_mut, context)?),
            PacketType::Pubrec => Self::Pubrec(Pubrec::decode(reader_mut, context)?),
            PacketType::Pubrel => Self::Pubrel(Pubrel::decode(reader_mut, context)?),
            PacketType::Pubcomp => Self::Pubcomp(Pubcomp::decode(reader_mut, context)?),
            PacketType::Subscribe if from_client => {
                Self::Subscribe(Subscribe::decode(reader_mut, context)?)
            }
            PacketType::Suback if from_server => Self::Suback(Suback::decode(reader_mut, context)?),
            PacketType::Unsubscribe if from_client => {
                Self::Unsubscribe(Unsubscribe::decode(reader_mut, context)?)
            }
            PacketType::Unsuback if from_server => {
                Self::Unsuback(Unsuback::decode(reader_mut, context)?)
            }
            PacketType::Pingreq if from_client => {
                reader.finish()?;
                Self::Pingreq
            }
            PacketType::Pingresp if from_server => {
                reader.finish()?;
                Self::Pingresp
            }
            PacketType::Disconnect => Self::Disconnect(Disconnect::decode(reader_mut, context)?),
            PacketType::Auth => Self::Auth(Auth::decode(reader_mut, context)?),
            unexpected @ (PacketType::Connect
            | PacketType::Connack
            | PacketType::Subscribe
            | PacketType::Suback
            | PacketType::Unsubscribe
            | PacketType::Unsuback
            | PacketType::Pingreq
            | PacketType::Pingresp) => {
                return Err(ProtocolError::UnexpectedPacket(unexpected).into());
            }
        })
    }
}

/// Takes back what was appended from `start` on if that failed or is larger than the peer accepts.
fn take_back_unless(
    mut result: Result<(), EncodeError>,
    start: usize,
    maximum_packet_size: u32,
    output: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let length = output.len() - start;
    if result.is_ok() && length > maximum_packet_size as usize {
        result = Err(EncodeError::PacketTooLarge {
            length,
            maximum: maximum_packet_size,
        });
    }
    if result.is_err() {
        output.truncate(start);
    }
    result
}

impl From<Connect> for Packet {
    fn from(packet: Connect) -> Self {
        Self::Connect(Box::new(packet))
    }
}

impl From<Connack> for Packet {
    fn from(packet: Connack) -> Self {
        Self::Connack(packet)
    }
}

impl From<Publish> for Packet {
    fn from(packet: Publish) -> Self {
        Self::Publish(packet)
    }
}

impl From<Puback> for Packet {
    fn from(packet: Puback) -> Self {
        Self::Puback(packet)
    }
}

impl From<Pubrec> for Packet {
    fn from(packet: Pubrec) -> Self {
        Self::Pubrec(packet)
    }
}

impl From<Pubrel> for Packet {
    fn from(packet: Pubrel) -> Self {
        Self::Pubrel(packet)
    }
}

impl From<Pubcomp> for Packet {
    fn from(packet: Pubcomp) -> Self {
        Self::Pubcomp(packet)
    }
}

impl From<Subscribe> for Packet {
    fn from(packet: Subscribe) -> Self {
        Self::Subscribe(packet)
    }
}

impl From<Suback> for Packet {
    fn from(packet: Suback) -> Self {
        Self::Suback(packet)
    }
}

impl From<Unsubscribe> for Packet {
    fn from(packet: Unsubscribe) -> Self {
        Self::Unsubscribe(packet)
    }
}

impl From<Unsuback> for Packet {
    fn from(packet: Unsuback) -> Self {
        Self::Unsuback(packet)
    }
}

impl From<Disconnect> for Packet {
    fn from(packet: Disconnect) -> Self {
        Self::Disconnect(packet)
    }
}

impl From<Auth> for Packet {
    fn from(packet: Auth) -> Self {
        Self::Auth(packet)
    }
}

/// What a decoder knows about the connection whose packets it reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) version: ProtocolVersion,
    pub(crate) receiver: Role,
}

/// The first byte of a fixed header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstByte {
    pub(crate) packet_type: PacketType,
    pub(crate) flags: u8,
}

impl FirstByte {
    pub(crate) fn decode(byte: u8) -> Result<Self, MalformedPacket> {
        let flags = byte & 0x0F;
        let packet_type = PacketType::from_number(byte >> 4)
            .ok_or(MalformedPacket::UnknownPacketType(byte >> 4))?;
        if packet_type != PacketType::Publish && flags != packet_type.flags() {
            return Err(MalformedPacket::FixedHeaderFlags(flags));
        }
        Ok(Self { packet_type, flags })
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
    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Connect,
            2 => Self::Connack,
            3 => Self::Publish,
            4 => Self::Puback,
            5 => Self::Pubrec,
            6 => Self::Pubrel,
            7 => Self::Pubcomp,
            8 => Self::Subscribe,
            9 => Self::Suback,
            10 => Self::Unsubscribe,
            11 => Self::Unsuback,
            12 => Self::Pingreq,
            13 => Self::Pingresp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// The fixed header flags of every packet but PUBLISH (table 2-2).
    const fn flags(self) -> u8 {
        if matches!(self, Self::Pubrel | Self::Subscribe | Self::Unsubscribe) {
            0b0010
        } else {
            0
        }
    }

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
