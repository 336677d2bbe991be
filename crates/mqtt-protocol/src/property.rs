//! The properties of MQTT 5.0 packets.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use bytestring::ByteString;

use crate::{QoS, TopicName};

/// One property of a packet or of a Will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Property {
    /// 0x01: whether the payload is UTF-8 text.
    PayloadFormatIndicator(bool),
    /// 0x02: seconds after which the message is worthless.
    MessageExpiryInterval(u32),
    /// 0x03: what the payload is, for example a MIME type.
    ContentType(ByteString),
    /// 0x08: where an answer is to be published.
    ResponseTopic(TopicName),
    /// 0x09: what tells the asker which question an answer belongs to.
    CorrelationData(Bytes),
    /// 0x0B: the number a subscriber gave its subscription; 1 to 268,435,455.
    SubscriptionIdentifier(NonZeroU32),
    /// 0x11: seconds that the session outlives its connection; `u32::MAX` for ever.
    SessionExpiryInterval(u32),
    /// 0x12: the Client Identifier that the Server chose.
    AssignedClientIdentifier(ByteString),
    /// 0x13: the Keep Alive in seconds that the Server wants used.
    ServerKeepAlive(u16),
    /// 0x15: the name of the enhanced authentication method.
    AuthenticationMethod(ByteString),
    /// 0x16: what the method exchanges.
    AuthenticationData(Bytes),
    /// 0x17: whether the Server may explain failures outside PUBLISH, CONNACK and DISCONNECT.
    RequestProblemInformation(bool),
    /// 0x18: seconds between the end of the connection and the Will.
    WillDelayInterval(u32),
    /// 0x19: whether the Client wants Response Information.
    RequestResponseInformation(bool),
    /// 0x1A: the base for Response Topics.
    ResponseInformation(ByteString),
    /// 0x1C: another Server to use.
    ServerReference(ByteString),
    /// 0x1F: a text for people about the Reason Code.
    ReasonString(ByteString),
    /// 0x21: how many QoS 1 and 2 messages may be unacknowledged at once.
    ReceiveMaximum(NonZeroU16),
    /// 0x22: the highest Topic Alias that the sender of this accepts; 0 for none.
    TopicAliasMaximum(u16),
    /// 0x23: the number that stands for a Topic Name.
    TopicAlias(NonZeroU16),
    /// 0x24: the highest QoS that the Server accepts; absent means 2.
    MaximumQoS(QoS),
    /// 0x25: whether the Server keeps retained messages.
    RetainAvailable(bool),
    /// 0x26: a name and a value of the application; may come many times, order matters.
    UserProperty(ByteString, ByteString),
    /// 0x27: the largest packet in bytes that the sender of this accepts.
    MaximumPacketSize(NonZeroU32),
    /// 0x28: whether the Server accepts wildcards in Topic Filters.
    WildcardSubscriptionAvailable(bool),
    /// 0x29: whether the Server accepts Subscription Identifiers.
    SubscriptionIdentifiersAvailable(bool),
    /// 0x2A: whether the Server accepts Shared Subscriptions.
    SharedSubscriptionAvailable(bool),
}

/// The properties of one packet, in the order in which they came; always empty on 3.1.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties(pub Vec<Property>);
