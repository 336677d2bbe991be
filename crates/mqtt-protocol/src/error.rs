//! What can be wrong with bytes from a peer, and with packets that our caller wants encoded.

use crate::{InvalidTopic, PacketType, ProtocolVersion, ReasonCode};

/// Why the bytes of a peer are no packet that may be handled, and when that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct DecodeError {
    /// What is wrong.
    pub fault: Fault,
    /// How far the Network Connection had come, which decides how a Server answers.
    pub stage: Stage,
}

impl DecodeError {
    /// The Reason Code to answer with, where the stage allows an answer.
    #[must_use]
    pub const fn reason_code(&self) -> ReasonCode {
        self.fault.reason_code()
    }
}

/// How far a Network Connection had come when the error was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing says that the peer speaks MQTT: a Server closes in silence.
    BeforeConnect,
    /// Inside a CONNECT of this version; for an unsupported version, the form that its sender understands.
    Connect(ProtocolVersion),
    /// After the CONNECT.
    Connected(ProtocolVersion),
}

/// What is wrong with a peer's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes do not parse.
    #[error("malformed packet: {0}")]
    MalformedPacket(MalformedPacket),
    /// They parse, but the protocol forbids what they say.
    #[error("protocol error: {0}")]
    ProtocolError(ProtocolError),
    /// The packet is larger than this side accepts.
    #[error("packet of {length} bytes is larger than the maximum of {maximum}")]
    PacketTooLarge {
        /// Of the whole packet, as its fixed header says.
        length: u32,
        /// This side's Maximum Packet Size.
        maximum: u32,
    },
    /// A CONNECT of a version that this crate does not speak.
    #[error("protocol version {0} is not supported")]
    UnsupportedProtocolVersion(u8),
}

impl Fault {
    /// The Reason Code to answer with.
    #[must_use]
    pub const fn reason_code(&self) -> ReasonCode {
        match self {
            Self::MalformedPacket(_) => ReasonCode::MalformedPacket,
            Self::ProtocolError(ProtocolError::TopicAliasZero) => ReasonCode::TopicAliasInvalid,
            Self::ProtocolError(_) => ReasonCode::ProtocolError,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::UnsupportedProtocolVersion(_) => ReasonCode::UnsupportedProtocolVersion,
        }
    }
}

// By hand, as `#[from]` would make each the source too, and a log of the chain would say it twice.
impl From<MalformedPacket> for Fault {
    fn from(malformed_packet: MalformedPacket) -> Self {
        Self::MalformedPacket(malformed_packet)
    }
}

impl From<ProtocolError> for Fault {
    fn from(protocol_error: ProtocolError) -> Self {
        Self::ProtocolError(protocol_error)
    }
}

impl From<InvalidTopic> for Fault {
    fn from(invalid_topic: InvalidTopic) -> Self {
        Self::MalformedPacket(MalformedPacket::InvalidTopic(invalid_topic))
    }
}

/// A rule of the encoding that a peer broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPacket {
    /// The four high bits of the first byte name no packet of this version.
    #[error("packet type {0} does not exist")]
    UnknownPacketType(u8),
    /// The four low bits of the first byte are not what they must be.
    #[error("fixed header flags are {0:#x}")]
    FixedHeaderFlags(u8),
    /// More than four bytes, or more bytes than needed.
    #[error("variable byte integer is too long")]
    VariableByteInteger,
    /// A field goes on after the end of the packet.
    #[error("packet ends inside a field")]
    UnexpectedEnd,
    /// The packet goes on after its last field.
    #[error("packet has bytes after its last field")]
    TrailingBytes,
    /// A string is not UTF-8.
    #[error("string is not UTF-8")]
    InvalidUtf8,
    /// A string contains U+0000.
    #[error("string contains U+0000")]
    NullCharacter,
    /// A Topic Name or Topic Filter breaks the rules for such.
    #[error(transparent)]
    InvalidTopic(InvalidTopic),
    /// The Packet Identifier is 0.
    #[error("packet identifier is 0")]
    PacketIdentifierZero,
    /// Both QoS bits are set.
    #[error("QoS is 3")]
    InvalidQoS,
    /// A PUBLISH of QoS 0 has the DUP flag.
    #[error("DUP is set on QoS 0")]
    DupOnQoS0,
    /// The Protocol Name is not `MQTT`.
    #[error("protocol name is unknown")]
    ProtocolName,
    /// The Connect Flags contradict each other or use the reserved bit.
    #[error("connect flags are {0:#04x}")]
    ConnectFlags(u8),
    /// Reserved bits of the Connect Acknowledge Flags are set.
    #[error("connect acknowledge flags are {0:#04x}")]
    ConnackFlags(u8),
    /// Reserved bits of the Subscription Options are set.
    #[error("subscription options are {0:#04x}")]
    SubscriptionOptions(u8),
    /// The Reason Code is unknown or not one of this packet, version or sender.
    #[error("reason code {0:#04x} is not allowed here")]
    ReasonCode(u8),
    /// The property is unknown or not one of this packet.
    #[error("property {0:#04x} is not allowed here")]
    PropertyNotAllowed(u32),
}

/// A rule of the protocol that a peer broke with bytes that do parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The other side of a connection sends this packet, or not at this time.
    #[error("unexpected {0}")]
    UnexpectedPacket(PacketType),
    /// A property that may come once came again.
    #[error("property {0:#04x} came twice")]
    DuplicateProperty(u8),
    /// A property has a value that the specification excludes.
    #[error("property {0:#04x} has an invalid value")]
    PropertyValue(u8),
    /// Authentication Data came without, or an AUTH lacks, the Authentication Method.
    #[error("authentication method is missing")]
    AuthenticationMethodMissing,
    /// The Topic Alias is 0.
    #[error("topic alias is 0")]
    TopicAliasZero,
    /// A PUBLISH has neither a Topic Name nor a Topic Alias.
    #[error("neither topic name nor topic alias")]
    TopicNameMissing,
    /// A Client sent a PUBLISH with a Subscription Identifier, or a Server a DISCONNECT with a
    /// Session Expiry Interval.
    #[error("property {0:#04x} is not for this sender")]
    PropertyOfOtherSide(u8),
    /// A SUBSCRIBE or UNSUBSCRIBE lists no Topic Filter.
    #[error("no topic filter")]
    NoTopicFilter,
    /// The maximum QoS or the Retain Handling of a subscription is 3.
    #[error("subscription options are {0:#04x}")]
    SubscriptionOptions(u8),
    /// No Local is set on a Shared Subscription.
    #[error("no local on a shared subscription")]
    NoLocalOnSharedSubscription,
    /// A CONNACK refuses the connection and claims a session.
    #[error("session present in a refusal")]
    SessionPresentInRefusal,
}

/// Why a packet cannot be encoded; the fault of who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string or binary field is longer than 65,535 bytes.
    #[error("field is longer than 65,535 bytes")]
    FieldTooLong,
    /// A string contains U+0000.
    #[error("string contains U+0000")]
    NullCharacter,
    /// The packet is larger than the protocol, or the maximum that was asked for, allows.
    #[error("packet of {length} bytes is larger than the maximum of {maximum}")]
    PacketTooLarge {
        /// Of the whole packet.
        length: usize,
        /// The peer's Maximum Packet Size or the protocol's own.
        maximum: u32,
    },
    /// The packet does not exist in this version of the protocol.
    #[error("{0} does not exist in this version")]
    PacketNotInVersion(PacketType),
    /// The property does not belong in this packet, or more than once.
    #[error("property {0:#04x} is not allowed here")]
    PropertyNotAllowed(u8),
    /// The property has a value that the specification excludes.
    #[error("property {0:#04x} has an invalid value")]
    PropertyValue(u8),
    /// The Reason Code does not belong in this packet.
    #[error("reason code {:#04x} is not allowed here", .0.value())]
    ReasonCodeNotAllowed(ReasonCode),
    /// A PUBLISH above QoS 0 lacks its Packet Identifier, or one of QoS 0 has one.
    #[error("packet identifier does not fit the QoS")]
    PacketIdentifier,
    /// A PUBLISH has neither a Topic Name nor (5.0) a Topic Alias.
    #[error("topic name is missing")]
    TopicNameMissing,
    /// A PUBLISH of QoS 0 has the DUP flag.
    #[error("DUP is set on QoS 0")]
    DupOnQoS0,
    /// A CONNECT of 3.1.1 has a password but no user name.
    #[error("password without user name")]
    PasswordWithoutUserName,
    /// A CONNECT of 3.1.1 has neither a Client Identifier nor Clean Session.
    #[error("no client identifier, and the session is to be kept")]
    ClientIdentifierMissing,
    /// A SUBSCRIBE or UNSUBSCRIBE lists no Topic Filter.
    #[error("no topic filter")]
    NoTopicFilter,
    /// No Local is set on a Shared Subscription.
    #[error("no local on a shared subscription")]
    NoLocalOnSharedSubscription,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_knows_its_reason_code_and_its_words() {
        for (fault, reason_code, words) in [
            (
                MalformedPacket::PropertyNotAllowed(0x18).into(),
                ReasonCode::MalformedPacket,
                "malformed packet: property 0x18 is not allowed here",
            ),
            (
                InvalidTopic::Empty.into(),
                ReasonCode::MalformedPacket,
                "malformed packet: topic is empty",
            ),
            (
                ProtocolError::UnexpectedPacket(PacketType::Connack).into(),
                ReasonCode::ProtocolError,
                "protocol error: unexpected CONNACK",
            ),
            (
                ProtocolError::TopicAliasZero.into(),
                ReasonCode::TopicAliasInvalid,
                "protocol error: topic alias is 0",
            ),
            (
                Fault::PacketTooLarge {
                    length: 9,
                    maximum: 8,
                },
                ReasonCode::PacketTooLarge,
                "packet of 9 bytes is larger than the maximum of 8",
            ),
            (
                Fault::UnsupportedProtocolVersion(3),
                ReasonCode::UnsupportedProtocolVersion,
                "protocol version 3 is not supported",
            ),
        ] {
            let error = DecodeError {
                fault,
                stage: Stage::BeforeConnect,
            };
            assert_eq!(
                (error.reason_code(), error.to_string()),
                (reason_code, words.into())
            );
        }
    }
}
