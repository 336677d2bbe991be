//! The decoder of the crate `mqtt-protocol-core`: its framing, then its parser of each packet.
//!
//! Its `Connection` is left out, as that knows a session too, and refuses an acknowledgement of what it never sent.

use mqtt_protocol::{ProtocolVersion, Role};
use mqtt_protocol_core::mqtt::{
    common::Cursor,
    connection::{PacketBuildResult, PacketBuilder, PacketData, RawPacket},
    packet::{Property, SubEntry, v3_1_1, v5_0},
    result_code::MqttError,
};

use crate::{
    content::{Content, Value},
    verdict::{Receiver, Verdict},
};

pub(crate) fn decode(receiver: Receiver, bytes: &[u8]) -> Verdict {
    let mut cursor = Cursor::new(bytes);
    let mut builder = PacketBuilder::new();
    // It has no more to say than that it waits until it has been asked at the end of the bytes.
    let raw = loop {
        match builder.feed(&mut cursor) {
            PacketBuildResult::Complete(raw) => break raw,
            PacketBuildResult::Error(error) => return Verdict::Refused(format!("{error:?}")),
            PacketBuildResult::Incomplete if (cursor.position() as usize) < bytes.len() => {}
            PacketBuildResult::Incomplete => return Verdict::Incomplete,
        }
    };
    match parse(receiver, &raw) {
        Ok((content, length)) => Verdict::Accepted {
            content,
            length_again: Some(length),
            n_bytes: cursor.position() as usize,
        },
        Err(error) => Verdict::Refused(format!("{error:?}")),
    }
}

/// What the packet says, and how long it is when they write it.
fn parse(receiver: Receiver, raw: &RawPacket) -> Result<(Content, usize), MqttError> {
    let packet_type = raw.packet_type();
    let Some(version) = receiver.version else {
        return match (packet_type, raw.data_as_slice().get(6)) {
            (1, Some(4)) => connect_3_1_1(raw),
            (1, Some(5)) => connect_5_0(raw),
            (1, Some(_)) => Err(MqttError::UnsupportedProtocolVersion),
            (_, _) => Err(MqttError::MalformedPacket),
        };
    };
    // As its `Connection::can_receive`, and no second CONNECT.
    let may_come = match receiver.role {
        Role::Server => !matches!(packet_type, 1 | 2 | 9 | 11 | 13),
        Role::Client => !matches!(packet_type, 1 | 8 | 10 | 12),
    };
    if !may_come {
        return Err(MqttError::ProtocolError);
    }
    match version {
        ProtocolVersion::V3_1_1 => parse_3_1_1(receiver.role, raw),
        ProtocolVersion::V5_0 => parse_5_0(raw),
    }
}

/// All acknowledgements have the same accessors, and no trait for them.
macro_rules! answer {
    (3.1.1, $parse:expr, $raw:expr, $content:expr) => {{
        let packet = $raw.parse_exact($parse)?;
        let content = $content.with("packet_identifier", packet.packet_id()).with(
            "reason_code",
            packet.reason_code().map_or(0, |code| code as u8),
        );
        (content, packet.to_continuous_buffer().len())
    }};
    (5.0, $parse:expr, $raw:expr, $content:expr) => {{
        let packet = $raw.parse_exact($parse)?;
        let content = $content
            .with("packet_identifier", packet.packet_id())
            .with(
                "reason_code",
                packet.reason_code().map_or(0, |code| code as u8),
            )
            .with_their_properties(packet.props().iter().flatten());
        (content, packet.to_continuous_buffer().len())
    }};
}

fn parse_3_1_1(role: Role, raw: &RawPacket) -> Result<(Content, usize), MqttError> {
    let content = Content::new(raw.packet_type());
    Ok(match raw.packet_type() {
        2 => {
            let packet = raw.parse_exact(v3_1_1::Connack::parse)?;
            let content = content
                .with("session_present", packet.session_present())
                .with("reason_code", packet.return_code() as u8);
            (content, packet.to_continuous_buffer().len())
        }
        3 => {
            let PacketData::Publish(data) = &raw.data else {
                return Err(MqttError::MalformedPacket);
            };
            let (packet, _) = v3_1_1::Publish::parse(raw.flags(), data.clone())?;
            let content = content
                .with("dup", packet.dup())
                .with("qos", packet.qos() as u8)
                .with("retain", packet.retain())
                .with("topic_name", packet.topic_name())
                .with("packet_identifier", packet.packet_id().unwrap_or(0))
                .with("payload", packet.payload().as_slice());
            (content, packet.to_continuous_buffer().len())
        }
        4 => answer!(3.1.1, v3_1_1::Puback::parse, raw, content),
        5 => answer!(3.1.1, v3_1_1::Pubrec::parse, raw, content),
        6 => answer!(3.1.1, v3_1_1::Pubrel::parse, raw, content),
        7 => answer!(3.1.1, v3_1_1::Pubcomp::parse, raw, content),
        8 => {
            let packet = raw.parse_exact(v3_1_1::Subscribe::parse)?;
            let content = content
                .with("packet_identifier", packet.packet_id())
                .with_entries(packet.entries());
            (content, packet.to_continuous_buffer().len())
        }
        9 => {
            let packet = raw.parse_exact(v3_1_1::Suback::parse)?;
            let codes = packet.return_codes().into_iter().map(|code| code as u8);
            let content = content
                .with("packet_identifier", packet.packet_id())
                .with_codes_of_theirs(codes);
            (content, packet.to_continuous_buffer().len())
        }
        10 => {
            let packet = raw.parse_exact(v3_1_1::Unsubscribe::parse)?;
            let content = packet.entries().iter().fold(
                content.with("packet_identifier", packet.packet_id()),
                |content, filter| content.with("topic_filter", filter.as_str()),
            );
            (content, packet.to_continuous_buffer().len())
        }
        11 => {
            let packet = raw.parse_exact(v3_1_1::Unsuback::parse)?;
            let content = content.with("packet_identifier", packet.packet_id());
            (content, packet.to_continuous_buffer().len())
        }
        12 => (
            content,
            raw.parse_exact(v3_1_1::Pingreq::parse)?
                .to_continuous_buffer()
                .len(),
        ),
        13 => (
            content,
            raw.parse_exact(v3_1_1::Pingresp::parse)?
                .to_continuous_buffer()
                .len(),
        ),
        14 if role == Role::Server => {
            let packet = raw.parse_exact(v3_1_1::Disconnect::parse)?;
            (
                content.with("reason_code", 0_u8),
                packet.to_continuous_buffer().len(),
            )
        }
        _ => return Err(MqttError::MalformedPacket),
    })
}

fn parse_5_0(raw: &RawPacket) -> Result<(Content, usize), MqttError> {
    let content = Content::new(raw.packet_type());
    Ok(match raw.packet_type() {
        2 => {
            let packet = raw.parse_exact(v5_0::Connack::parse)?;
            let content = content
                .with("session_present", packet.session_present())
                .with("reason_code", packet.reason_code() as u8)
                .with_their_properties(packet.props());
            (content, packet.to_continuous_buffer().len())
        }
        3 => {
            let PacketData::Publish(data) = &raw.data else {
                return Err(MqttError::MalformedPacket);
            };
            let (packet, _) = v5_0::Publish::parse(raw.flags(), data.clone())?;
            let content = content
                .with("dup", packet.dup())
                .with("qos", packet.qos() as u8)
                .with("retain", packet.retain())
                .with("topic_name", packet.topic_name())
                .with("packet_identifier", packet.packet_id().unwrap_or(0))
                .with("payload", packet.payload().as_slice())
                .with_their_properties(packet.props());
            (content, packet.to_continuous_buffer().len())
        }
        4 => answer!(5.0, v5_0::Puback::parse, raw, content),
        5 => answer!(5.0, v5_0::Pubrec::parse, raw, content),
        6 => answer!(5.0, v5_0::Pubrel::parse, raw, content),
        7 => answer!(5.0, v5_0::Pubcomp::parse, raw, content),
        8 => {
            let packet = raw.parse_exact(v5_0::Subscribe::parse)?;
            let content = content
                .with("packet_identifier", packet.packet_id())
                .with_entries(packet.entries())
                .with_their_properties(packet.props());
            (content, packet.to_continuous_buffer().len())
        }
        9 => {
            let packet = raw.parse_exact(v5_0::Suback::parse)?;
            let codes = packet.reason_codes().into_iter().map(|code| code as u8);
            let content = content
                .with("packet_identifier", packet.packet_id())
                .with_codes_of_theirs(codes)
                .with_their_properties(packet.props());
            (content, packet.to_continuous_buffer().len())
        }
        10 => {
            let packet = raw.parse_exact(v5_0::Unsubscribe::parse)?;
            let content = packet.entries().iter().fold(
                content.with("packet_identifier", packet.packet_id()),
                |content, filter| content.with("topic_filter", filter.as_str()),
            );
            let content = content.with_their_properties(packet.props());
            (content, packet.to_continuous_buffer().len())
        }
        11 => {
            let packet = raw.parse_exact(v5_0::Unsuback::parse)?;
            let codes = packet.reason_codes().into_iter().map(|code| code as u8);
            let content = content
                .with("packet_identifier", packet.packet_id())
                .with_codes_of_theirs(codes)
                .with_their_properties(packet.props());
            (content, packet.to_continuous_buffer().len())
        }
        12 => (
            content,
            raw.parse_exact(v5_0::Pingreq::parse)?
                .to_continuous_buffer()
                .len(),
        ),
        13 => (
            content,
            raw.parse_exact(v5_0::Pingresp::parse)?
                .to_continuous_buffer()
                .len(),
        ),
        14 => {
            let packet = raw.parse_exact(v5_0::Disconnect::parse)?;
            let content = content
                .with(
                    "reason_code",
                    packet.reason_code().map_or(0, |code| code as u8),
                )
                .with_their_properties(packet.props().iter().flatten());
            (content, packet.to_continuous_buffer().len())
        }
        15 => {
            let packet = raw.parse_exact(v5_0::Auth::parse)?;
            let content = content
                .with(
                    "reason_code",
                    packet.reason_code().map_or(0, |code| code as u8),
                )
                .with_their_properties(packet.props().iter().flatten());
            (content, packet.to_continuous_buffer().len())
        }
        _ => return Err(MqttError::MalformedPacket),
    })
}

/// The CONNECTs of the two versions differ in their types and in the properties only.
macro_rules! connect {
    ($packet:expr) => {{
        let packet = &$packet;
        let mut content = Content::new(1)
            .with("protocol_version", packet.protocol_version())
            .with("clean_start", packet.clean_start())
            .with("keep_alive", packet.keep_alive())
            .with("client_identifier", packet.client_id());
        if let (Some(topic), Some(payload)) = (packet.will_topic(), packet.will_payload()) {
            content = content
                .with("will_topic", topic)
                .with("will_payload", payload)
                .with("will_qos", packet.will_qos() as u8)
                .with("will_retain", packet.will_retain());
        }
        if let Some(user_name) = packet.user_name() {
            content = content.with("user_name", user_name);
        }
        if let Some(password) = packet.password() {
            content = content.with("password", password);
        }
        content
    }};
}

fn connect_3_1_1(raw: &RawPacket) -> Result<(Content, usize), MqttError> {
    let packet = raw.parse_exact(v3_1_1::Connect::parse)?;
    Ok((connect!(packet), packet.to_continuous_buffer().len()))
}

fn connect_5_0(raw: &RawPacket) -> Result<(Content, usize), MqttError> {
    let packet = raw.parse_exact(v5_0::Connect::parse)?;
    let mut content = connect!(packet).with_their_properties(packet.props());
    content.will_properties = packet.will_props().iter().map(property).collect();
    Ok((content, packet.to_continuous_buffer().len()))
}

impl Content {
    fn with_their_properties<'a>(
        mut self,
        properties: impl IntoIterator<Item = &'a Property>,
    ) -> Self {
        self.properties = properties.into_iter().map(property).collect();
        self
    }

    fn with_entries(self, entries: &[SubEntry]) -> Self {
        entries.iter().fold(self, |content, entry| {
            let options = entry.sub_opts();
            content
                .with("topic_filter", entry.topic_filter())
                .with("maximum_qos", options.qos() as u8)
                .with("no_local", options.nl())
                .with("retain_as_published", options.rap())
                .with("retain_handling", options.rh() as u8)
        })
    }

    fn with_codes_of_theirs(self, codes: impl Iterator<Item = u8>) -> Self {
        codes.fold(self, |content, code| content.with("reason_code", code))
    }
}

fn property(property: &Property) -> (u8, Value) {
    let value = match property {
        Property::PayloadFormatIndicator(p) => p.val().into(),
        Property::MessageExpiryInterval(p) => p.val().into(),
        Property::ContentType(p) => p.val().into(),
        Property::ResponseTopic(p) => p.val().into(),
        Property::CorrelationData(p) => p.val().into(),
        Property::SubscriptionIdentifier(p) => p.val().into(),
        Property::SessionExpiryInterval(p) => p.val().into(),
        Property::AssignedClientIdentifier(p) => p.val().into(),
        Property::ServerKeepAlive(p) => p.val().into(),
        Property::AuthenticationMethod(p) => p.val().into(),
        Property::AuthenticationData(p) => p.val().into(),
        Property::RequestProblemInformation(p) => p.val().into(),
        Property::WillDelayInterval(p) => p.val().into(),
        Property::RequestResponseInformation(p) => p.val().into(),
        Property::ResponseInformation(p) => p.val().into(),
        Property::ServerReference(p) => p.val().into(),
        Property::ReasonString(p) => p.val().into(),
        Property::ReceiveMaximum(p) => p.val().into(),
        Property::TopicAliasMaximum(p) => p.val().into(),
        Property::TopicAlias(p) => p.val().into(),
        Property::MaximumQos(p) => p.val().into(),
        Property::RetainAvailable(p) => p.val().into(),
        Property::UserProperty(p) => Value::Pair(p.key().to_owned(), p.val().to_owned()),
        Property::MaximumPacketSize(p) => p.val().into(),
        Property::WildcardSubscriptionAvailable(p) => p.val().into(),
        Property::SubscriptionIdentifierAvailable(p) => p.val().into(),
        Property::SharedSubscriptionAvailable(p) => p.val().into(),
    };
    (property.id() as u8, value)
}
