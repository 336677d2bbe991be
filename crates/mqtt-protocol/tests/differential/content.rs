//! What a packet says, in the words of neither decoder.

use mqtt_protocol::{
    Connect, Packet, PacketIdentifier, Properties, Property, ProtocolVersion, Publish, ReasonCode,
    Secret, Subscribe,
};

/// All fields of a packet in their order on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) packet_type: u8,
    pub(crate) fields: Vec<(&'static str, Value)>,
    pub(crate) properties: Vec<(u8, Value)>,
    pub(crate) will_properties: Vec<(u8, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u32),
    Text(String),
    Pair(String, String),
    Bytes(Vec<u8>),
}

impl Content {
    pub(crate) const fn new(packet_type: u8) -> Self {
        Self {
            packet_type,
            fields: Vec::new(),
            properties: Vec::new(),
            will_properties: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The number of that name; of several the first.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.fields.iter().find_map(|(found, value)| match value {
            Value::Number(number) if *found == name => Some(*number),
            Value::Number(_) | Value::Text(_) | Value::Pair(..) | Value::Bytes(_) => None,
        })
    }

    /// All texts of that name.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(found, _)| *found == name)
            .filter_map(|(_, value)| match value {
                Value::Text(text) => Some(&text[..]),
                Value::Number(_) | Value::Pair(..) | Value::Bytes(_) => None,
            })
    }

    /// Every text, wherever it stands.
    pub(crate) fn all_texts(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().map(|(_, value)| value);
        let properties = self.all_properties().map(|(_, value)| value);
        fields.chain(properties).flat_map(|value| match value {
            Value::Text(text) => vec![&text[..]],
            Value::Pair(name, value) => vec![&name[..], &value[..]],
            Value::Number(_) | Value::Bytes(_) => vec![],
        })
    }

    pub(crate) fn all_properties(&self) -> impl Iterator<Item = &(u8, Value)> {
        self.properties.iter().chain(&self.will_properties)
    }

    pub(crate) fn has_property(&self, identifier: u8) -> bool {
        self.properties
            .iter()
            .any(|(found, _)| *found == identifier)
    }

    pub(crate) fn of(packet: &Packet, version: ProtocolVersion) -> Self {
        let content = Self::new(packet.packet_type() as u8);
        match packet {
            Packet::Connect(connect) => content.with_connect(connect),
            Packet::Connack(connack) => content
                .with("session_present", connack.session_present)
                .with("reason_code", connack_code(connack.reason_code, version))
                .with_properties(&connack.properties),
            Packet::Publish(publish) => content.with_publish(publish),
            Packet::Puback(puback) => content.with_answer(
                puback.packet_identifier,
                puback.reason_code,
                &puback.properties,
            ),
            Packet::Pubrec(pubrec) => content.with_answer(
                pubrec.packet_identifier,
                pubrec.reason_code,
                &pubrec.properties,
            ),
            Packet::Pubrel(pubrel) => content.with_answer(
                pubrel.packet_identifier,
                pubrel.reason_code,
                &pubrel.properties,
            ),
            Packet::Pubcomp(pubcomp) => content.with_answer(
                pubcomp.packet_identifier,
                pubcomp.reason_code,
                &pubcomp.properties,
            ),
            Packet::Subscribe(subscribe) => content.with_subscribe(subscribe),
            Packet::Suback(suback) => content
                .with_identifier(suback.packet_identifier)
                .with_codes(&suback.reason_codes)
                .with_properties(&suback.properties),
            Packet::Unsubscribe(unsubscribe) => unsubscribe
                .topic_filters
                .iter()
                .fold(
                    content.with_identifier(unsubscribe.packet_identifier),
                    |content, filter| content.with("topic_filter", filter.as_str()),
                )
                .with_properties(&unsubscribe.properties),
            Packet::Unsuback(unsuback) => content
                .with_identifier(unsuback.packet_identifier)
                .with_codes(&unsuback.reason_codes)
                .with_properties(&unsuback.properties),
            Packet::Pingreq | Packet::Pingresp => content,
            Packet::Disconnect(disconnect) => content
                .with("reason_code", disconnect.reason_code.value())
                .with_properties(&disconnect.properties),
            Packet::Auth(auth) => content
                .with("reason_code", auth.reason_code.value())
                .with_properties(&auth.properties),
        }
    }

    fn with_connect(mut self, connect: &Connect) -> Self {
        self = self
            .with("protocol_version", connect.protocol_version as u8)
            .with("clean_start", connect.clean_start)
            .with("keep_alive", connect.keep_alive)
            .with("client_identifier", &connect.client_identifier[..])
            .with_properties(&connect.properties);
        if let Some(will) = &connect.will {
            self = self
                .with("will_topic", will.topic_name.as_str())
                .with("will_payload", &will.payload[..])
                .with("will_qos", will.qos as u8)
                .with("will_retain", will.retain);
            self.will_properties = will.properties.into_iter().map(property).collect();
        }
        if let Some(user_name) = &connect.user_name {
            self = self.with("user_name", &user_name[..]);
        }
        if let Some(password) = &connect.password {
            self = self.with("password", &password[..]);
        }
        self
    }

    fn with_publish(self, publish: &Publish) -> Self {
        let topic_name = publish.topic_name.as_ref();
        let packet_identifier = publish.packet_identifier.map(PacketIdentifier::value);
        self.with("dup", publish.dup)
            .with("qos", publish.qos as u8)
            .with("retain", publish.retain)
            .with("topic_name", topic_name.map_or("", |topic| topic.as_str()))
            .with("packet_identifier", packet_identifier.unwrap_or(0))
            .with("payload", &publish.payload[..])
            .with_properties(&publish.properties)
    }

    fn with_subscribe(self, subscribe: &Subscribe) -> Self {
        let start = self
            .with_identifier(subscribe.packet_identifier)
            .with_properties(&subscribe.properties);
        subscribe
            .subscriptions
            .iter()
            .fold(start, |content, subscription| {
                content
                    .with("topic_filter", subscription.topic_filter.as_str())
                    .with("maximum_qos", subscription.maximum_qos as u8)
                    .with("no_local", subscription.no_local)
                    .with("retain_as_published", subscription.retain_as_published)
                    .with("retain_handling", subscription.retain_handling as u8)
            })
    }

    fn with_answer(
        self,
        packet_identifier: PacketIdentifier,
        reason_code: ReasonCode,
        properties: &Properties,
    ) -> Self {
        self.with_identifier(packet_identifier)
            .with("reason_code", reason_code.value())
            .with_properties(properties)
    }

    fn with_identifier(self, packet_identifier: PacketIdentifier) -> Self {
        self.with("packet_identifier", packet_identifier.value())
    }

    fn with_codes(self, codes: &[ReasonCode]) -> Self {
        codes.iter().fold(self, |content, code| {
            content.with("reason_code", code.value())
        })
    }

    fn with_properties(mut self, properties: &Properties) -> Self {
        self.properties = properties.into_iter().map(property).collect();
        self
    }
}

/// As it stands on the wire.
fn connack_code(code: ReasonCode, version: ProtocolVersion) -> u8 {
    if version == ProtocolVersion::V5_0 {
        return code.value();
    }
    [
        ReasonCode::Success,
        ReasonCode::UnsupportedProtocolVersion,
        ReasonCode::ClientIdentifierNotValid,
        ReasonCode::ServerUnavailable,
        ReasonCode::BadUserNameOrPassword,
        ReasonCode::NotAuthorized,
    ]
    .iter()
    .position(|known| *known == code)
    .map_or(u8::MAX, |number| number as u8)
}

fn property(property: &Property) -> (u8, Value) {
    let value = match property {
        Property::PayloadFormatIndicator(value)
        | Property::RequestProblemInformation(value)
        | Property::RequestResponseInformation(value)
        | Property::RetainAvailable(value)
        | Property::WildcardSubscriptionAvailable(value)
        | Property::SubscriptionIdentifiersAvailable(value)
        | Property::SharedSubscriptionAvailable(value) => (*value).into(),
        Property::MessageExpiryInterval(value)
        | Property::SessionExpiryInterval(value)
        | Property::WillDelayInterval(value) => (*value).into(),
        Property::SubscriptionIdentifier(value) | Property::MaximumPacketSize(value) => {
            value.get().into()
        }
        Property::ServerKeepAlive(value) | Property::TopicAliasMaximum(value) => (*value).into(),
        Property::ReceiveMaximum(value) | Property::TopicAlias(value) => value.get().into(),
        Property::MaximumQoS(value) => (*value as u8).into(),
        Property::ContentType(value)
        | Property::AssignedClientIdentifier(value)
        | Property::AuthenticationMethod(value)
        | Property::ResponseInformation(value)
        | Property::ServerReference(value)
        | Property::ReasonString(value) => value[..].into(),
        Property::ResponseTopic(value) => value.as_str().into(),
        Property::CorrelationData(value) | Property::AuthenticationData(Secret(value)) => {
            value[..].into()
        }
        Property::UserProperty(name, value) => Value::Pair(name.to_string(), value.to_string()),
    };
    (property.identifier(), value)
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Number(value.into())
    }
}

impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Number(value.into())
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_owned())
    }
}
