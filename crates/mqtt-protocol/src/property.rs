//! The properties of MQTT 5.0 packets.

mod codec;

pub(crate) use codec::{PropertyOwner, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS};

use std::{
    fmt,
    num::{NonZeroU16, NonZeroU32},
};

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
    AuthenticationData(Secret),
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

/// Bytes that get into no log: `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Bytes);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// The properties of one packet, in the order in which they came; always empty on 3.1.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties(pub Vec<Property>);

impl Properties {
    /// No properties.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a property after the others.
    pub fn push(&mut self, property: Property) {
        self.0.push(property);
    }

    /// The same with one property more.
    #[must_use]
    pub fn with(mut self, property: Property) -> Self {
        self.0.push(property);
        self
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Property> {
        self.0.iter()
    }

    /// The Subscription Identifiers: one in a SUBSCRIBE, perhaps several in a PUBLISH.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = NonZeroU32> {
        self.0.iter().filter_map(|property| {
            if let Property::SubscriptionIdentifier(identifier) = property {
                Some(*identifier)
            } else {
                None
            }
        })
    }

    /// The User Properties in order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&ByteString, &ByteString)> {
        self.0.iter().filter_map(|property| {
            if let Property::UserProperty(name, value) = property {
                Some((name, value))
            } else {
                None
            }
        })
    }
}

/// Writes the accessor of each property that comes at most once.
macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $variant:ident($value:ident) -> $type:ty = $read:expr;)*) => {
        impl Properties {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(&self) -> Option<$type> {
                    self.0.iter().find_map(|property| {
                        if let Property::$variant($value) = property { Some($read) } else { None }
                    })
                }
            )*
        }
    };
}

accessors! {
    /// Whether the payload is UTF-8 text; absent means that nothing is said.
    payload_format_indicator: PayloadFormatIndicator(v) -> bool = *v;
    /// Seconds after which the message is worthless; absent means never.
    message_expiry_interval: MessageExpiryInterval(v) -> u32 = *v;
    /// What the payload is.
    content_type: ContentType(v) -> &ByteString = v;
    /// Where an answer is to be published.
    response_topic: ResponseTopic(v) -> &TopicName = v;
    /// What tells the asker which question an answer belongs to.
    correlation_data: CorrelationData(v) -> &Bytes = v;
    /// Seconds that the session outlives its connection; absent means 0.
    session_expiry_interval: SessionExpiryInterval(v) -> u32 = *v;
    /// The Client Identifier that the Server chose.
    assigned_client_identifier: AssignedClientIdentifier(v) -> &ByteString = v;
    /// The Keep Alive in seconds that the Server wants used.
    server_keep_alive: ServerKeepAlive(v) -> u16 = *v;
    /// The name of the enhanced authentication method.
    authentication_method: AuthenticationMethod(v) -> &ByteString = v;
    /// What the method exchanges.
    authentication_data: AuthenticationData(v) -> &Bytes = &v.0;
    /// Whether the Server may explain failures everywhere; absent means yes.
    request_problem_information: RequestProblemInformation(v) -> bool = *v;
    /// Seconds between the end of the connection and the Will; absent means 0.
    will_delay_interval: WillDelayInterval(v) -> u32 = *v;
    /// Whether the Client wants Response Information; absent means no.
    request_response_information: RequestResponseInformation(v) -> bool = *v;
    /// The base for Response Topics.
    response_information: ResponseInformation(v) -> &ByteString = v;
    /// Another Server to use.
    server_reference: ServerReference(v) -> &ByteString = v;
    /// A text for people about the Reason Code.
    reason_string: ReasonString(v) -> &ByteString = v;
    /// How many QoS 1 and 2 messages may be unacknowledged at once; absent means 65,535.
    receive_maximum: ReceiveMaximum(v) -> NonZeroU16 = *v;
    /// The highest Topic Alias that the sender of this accepts; absent means 0.
    topic_alias_maximum: TopicAliasMaximum(v) -> u16 = *v;
    /// The number that stands for a Topic Name.
    topic_alias: TopicAlias(v) -> NonZeroU16 = *v;
    /// The highest QoS that the Server accepts; absent means 2.
    maximum_qos: MaximumQoS(v) -> QoS = *v;
    /// Whether the Server keeps retained messages; absent means yes.
    retain_available: RetainAvailable(v) -> bool = *v;
    /// The largest packet in bytes that the sender of this accepts; absent means the protocol's own limit.
    maximum_packet_size: MaximumPacketSize(v) -> NonZeroU32 = *v;
    /// Whether the Server accepts wildcards in Topic Filters; absent means yes.
    wildcard_subscription_available: WildcardSubscriptionAvailable(v) -> bool = *v;
    /// Whether the Server accepts Subscription Identifiers; absent means yes.
    subscription_identifiers_available: SubscriptionIdentifiersAvailable(v) -> bool = *v;
    /// Whether the Server accepts Shared Subscriptions; absent means yes.
    shared_subscription_available: SharedSubscriptionAvailable(v) -> bool = *v;
}

impl<'a> IntoIterator for &'a Properties {
    type Item = &'a Property;
    type IntoIter = std::slice::Iter<'a, Property>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<Property> for Properties {
    fn from_iter<I: IntoIterator<Item = Property>>(properties: I) -> Self {
        Self(properties.into_iter().collect())
    }
}
