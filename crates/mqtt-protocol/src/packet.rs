//! The MQTT Control Packets. 5.0 is the superset; on 3.1.1 there are no properties and fewer Reason Codes.

mod connect;

pub use connect::{Connect, WillMessage};

use bytes::Bytes;

use crate::{PacketIdentifier, Properties, QoS, ReasonCode, TopicFilter, TopicName};

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

/// The Server's answer to a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connack {
    /// Whether the Server goes on with a session that it had.
    pub session_present: bool,
    /// `Success`, or why not. The codec translates to and from the five return codes of 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

/// An Application Message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Whether this may be a re-delivery.
    pub dup: bool,
    /// Quality of Service.
    pub qos: QoS,
    /// To a Server: keep it. From a Server: it was kept.
    pub retain: bool,
    /// `None` only on 5.0, where a Topic Alias may stand for it.
    pub topic_name: Option<TopicName>,
    /// Present exactly when `qos` is above `AtMostOnce`.
    pub packet_identifier: Option<PacketIdentifier>,
    /// 5.0 only.
    pub properties: Properties,
    /// The application's bytes.
    pub payload: Bytes,
}

// The codec's author moves each of the following into a file of its own.

/// Acknowledges a QoS 1 PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Puback {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

/// First answer to a QoS 2 PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubrec {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1; an error ends the exchange.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

/// Answer to a PUBREC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubrel {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

/// Last packet of a QoS 2 exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pubcomp {
    /// Of the PUBLISH.
    pub packet_identifier: PacketIdentifier,
    /// Always `Success` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

/// Asks for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// Answered with the same in SUBACK.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
}

/// One Topic Filter of a SUBSCRIBE with its Subscription Options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Which topics.
    pub topic_filter: TopicFilter,
    /// The highest QoS that the Server may send with.
    pub maximum_qos: QoS,
    /// Not those that this very client published. 5.0 only.
    pub no_local: bool,
    /// Whether RETAIN is forwarded as the publisher set it. 5.0 only.
    pub retain_as_published: bool,
    /// Whether retained messages are sent on subscribing. 5.0 only.
    pub retain_handling: RetainHandling,
}

/// Whether retained messages are sent on subscribing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// On every SUBSCRIBE.
    #[default]
    Send = 0,
    /// Only if the subscription did not exist.
    SendIfNew = 1,
    /// Never.
    DoNotSend = 2,
}

/// Answers a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suback {
    /// Of the SUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// One for each Topic Filter, in order; every failure is `UnspecifiedError` on 3.1.1.
    pub reason_codes: Vec<ReasonCode>,
}

/// Ends subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Answered with the same in UNSUBACK.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// At least one.
    pub topic_filters: Vec<TopicFilter>,
}

/// Answers an UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsuback {
    /// Of the UNSUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// One for each Topic Filter, in order; always empty on 3.1.1.
    pub reason_codes: Vec<ReasonCode>,
}

/// Says that the connection ends, and why. On 3.1.1 only Clients send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// Always `NormalDisconnection` on 3.1.1.
    pub reason_code: ReasonCode,
    /// 5.0 only.
    pub properties: Properties,
}

/// A step of enhanced authentication. 5.0 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// `Success`, `ContinueAuthentication` or `ReAuthenticate`.
    pub reason_code: ReasonCode,
    /// Method, data, reason, User Properties.
    pub properties: Properties,
}
