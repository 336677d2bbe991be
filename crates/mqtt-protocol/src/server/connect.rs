//! The beginning of a Network Connection: CONNECT and CONNACK.

use std::num::NonZeroU32;

use bytes::Bytes;
use bytestring::ByteString;

use super::{Authentication, ClientCapabilities, Closing, SentAliases, ServerConnection, State};
use crate::{
    Connack, Connect, DecodeError, Fault, Instant, Packet, Properties, Property, ProtocolVersion,
    QoS, ReasonCode, Session, SilenceTimer, Stage,
};

/// On what terms a CONNECT is accepted, besides what the settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Whether the Server goes on with a session that it had.
    pub session_present: bool,
    /// The Client Identifier for a Client that sent none.
    pub assigned_client_identifier: Option<ByteString>,
    /// What the last step of an enhanced authentication has to say.
    pub authentication_data: Option<Bytes>,
}

impl ServerConnection {
    /// Handles the first packet: gives its CONNECT to be [accepted](Self::accept) or [refused](Self::refuse).
    pub fn handle_first_packet(&mut self, packet: Packet, now: Instant) -> Option<Box<Connect>> {
        if self.state != State::AwaitingConnect {
            return None;
        }
        // [MQTT-3.1.0-1]
        let Packet::Connect(connect) = packet else {
            self.state = State::Closed(Closing::NotMqtt);
            return None;
        };
        self.state = State::Connecting;
        self.version = connect.protocol_version;
        self.client = ClientCapabilities::of(&connect.properties);
        self.silence = SilenceTimer::new(self.keep_alive(&connect), now);
        self.session_expiry_interval = match connect.protocol_version {
            ProtocolVersion::V5_0 => connect
                .properties
                .session_expiry_interval()
                .unwrap_or(0)
                .min(self.settings.session_expiry_interval_max),
            ProtocolVersion::V3_1_1 if connect.clean_start => 0,
            ProtocolVersion::V3_1_1 => self.settings.session_expiry_interval_max,
        };
        self.authentication = Authentication::of(&connect);
        if let Some(reason_code) = self.unacceptable(&connect) {
            self.refuse(reason_code);
            return None;
        }
        Some(connect)
    }

    /// Answers a CONNECT with success. The session is ready to send from here on.
    pub fn accept<M>(
        &mut self,
        connect: &Connect,
        acceptance: Acceptance,
        session: &mut Session<M>,
    ) {
        if self.state != State::Connecting {
            return;
        }
        session.outgoing.resume(self.client.receive_maximum);
        session.incoming.resume(match self.version {
            ProtocolVersion::V5_0 => self.settings.receive_maximum,
            // 3.1.1 has no way to tell the Client of a limit.
            ProtocolVersion::V3_1_1 => std::num::NonZeroU16::MAX,
        });
        self.state = State::Connected;
        // 5.0 [MQTT-3.3.2-11]. A 3.1.1 Client cannot ask for any.
        self.sent_aliases = SentAliases::new(
            self.client
                .topic_alias_maximum
                .min(self.settings.sent_topic_aliases_max),
        );
        let properties = match self.version {
            ProtocolVersion::V5_0 => {
                let mut properties =
                    self.connack_properties(connect, acceptance.assigned_client_identifier);
                // 5.0 [MQTT-4.12.0-5]
                self.push_authentication(acceptance.authentication_data, &mut properties);
                properties
            }
            ProtocolVersion::V3_1_1 => Properties::new(),
        };
        let sent = self.transmit(&Packet::Connack(Connack {
            session_present: acceptance.session_present,
            reason_code: ReasonCode::Success,
            properties,
        }));
        if !sent {
            self.state = State::Closed(Closing::ByServer(ReasonCode::PacketTooLarge));
        }
    }

    /// Answers a CONNECT with a refusal and closes.
    pub fn refuse(&mut self, reason_code: ReasonCode) {
        if self.state == State::Connecting {
            self.send_refusal(reason_code);
        }
    }

    /// Handles bytes that are no packet.
    pub fn handle_decode_error(&mut self, error: &DecodeError) {
        let reason_code = error.reason_code();
        match self.state {
            State::AwaitingConnect => match error.stage {
                Stage::BeforeConnect => self.state = State::Closed(Closing::NotMqtt),
                Stage::Connect(version) | Stage::Connected(version) => {
                    self.version = version;
                    let unsupported = matches!(error.fault, Fault::UnsupportedProtocolVersion(_));
                    // 3.1.1 [MQTT-3.1.4-1]: no CONNACK for what is no CONNECT of that version.
                    if version == ProtocolVersion::V5_0 || unsupported {
                        self.send_refusal(reason_code);
                    } else {
                        self.state = State::Closed(Closing::ByServer(reason_code));
                    }
                }
            },
            State::Authenticating => self.send_refusal(reason_code),
            State::Connecting => self.state = State::Closed(Closing::ByServer(reason_code)),
            State::Connected => self.disconnect_because(reason_code, Some(&error.to_string())),
            State::Closed(_) => {}
        }
    }

    pub(super) fn send_refusal(&mut self, reason_code: ReasonCode) {
        self.state = State::Closed(Closing::ByServer(reason_code));
        self.transmit(&Packet::Connack(Connack {
            session_present: false,
            reason_code,
            properties: Properties::new(),
        }));
    }

    /// What the settings alone forbid.
    fn unacceptable(&self, connect: &Connect) -> Option<ReasonCode> {
        let will = connect.will.as_ref();
        if will.is_some_and(|will| will.qos > self.settings.maximum_qos) {
            // 5.0 [MQTT-3.2.2-12]
            Some(ReasonCode::QoSNotSupported)
        } else if will.is_some_and(|will| will.retain) && !self.settings.retain_available {
            // 5.0 [MQTT-3.2.2-13]
            Some(ReasonCode::RetainNotSupported)
        } else if connect.client_identifier.is_empty()
            && connect.protocol_version == ProtocolVersion::V3_1_1
            && !connect.clean_start
        {
            // 3.1.1 [MQTT-3.1.3-8]
            Some(ReasonCode::ClientIdentifierNotValid)
        } else {
            None
        }
    }

    /// The Keep Alive in force: the Client's, if the settings allow it or the Client cannot be told of another.
    fn keep_alive(&self, connect: &Connect) -> u16 {
        match (self.settings.keep_alive_max, connect.protocol_version) {
            (Some(max), ProtocolVersion::V5_0) if connect.keep_alive == 0 => max.get(),
            (Some(max), ProtocolVersion::V5_0) => connect.keep_alive.min(max.get()),
            (Some(_), ProtocolVersion::V3_1_1) | (None, _) => connect.keep_alive,
        }
    }

    /// What differs from what a Client has to assume.
    fn connack_properties(
        &self,
        connect: &Connect,
        assigned_client_identifier: Option<ByteString>,
    ) -> Properties {
        let settings = &self.settings;
        let mut properties = Properties::new();
        let asked = connect.properties.session_expiry_interval().unwrap_or(0);
        if self.session_expiry_interval != asked {
            properties.push(Property::SessionExpiryInterval(
                self.session_expiry_interval,
            ));
        }
        if settings.receive_maximum.get() != u16::MAX {
            properties.push(Property::ReceiveMaximum(settings.receive_maximum));
        }
        if settings.maximum_qos != QoS::ExactlyOnce {
            properties.push(Property::MaximumQoS(settings.maximum_qos));
        }
        if !settings.retain_available {
            properties.push(Property::RetainAvailable(false));
        }
        if let Some(maximum) =
            NonZeroU32::new(settings.maximum_packet_size).filter(|maximum| maximum.get() < u32::MAX)
        {
            properties.push(Property::MaximumPacketSize(maximum));
        }
        if let Some(client_identifier) = assigned_client_identifier {
            properties.push(Property::AssignedClientIdentifier(client_identifier));
        }
        if settings.topic_alias_maximum > 0 {
            properties.push(Property::TopicAliasMaximum(settings.topic_alias_maximum));
        }
        if !settings.wildcard_subscription_available {
            properties.push(Property::WildcardSubscriptionAvailable(false));
        }
        if !settings.subscription_identifiers_available {
            properties.push(Property::SubscriptionIdentifiersAvailable(false));
        }
        if !settings.shared_subscription_available {
            properties.push(Property::SharedSubscriptionAvailable(false));
        }
        let keep_alive = self.keep_alive(connect);
        if keep_alive != connect.keep_alive {
            properties.push(Property::ServerKeepAlive(keep_alive));
        }
        if self.client.request_response_information
            && let Some(base) = &settings.response_information
        {
            properties.push(Property::ResponseInformation(base.clone()));
        }
        properties
    }
}

impl ClientCapabilities {
    fn of(properties: &Properties) -> Self {
        let default = Self::default();
        Self {
            maximum_packet_size: properties
                .maximum_packet_size()
                .unwrap_or(default.maximum_packet_size),
            receive_maximum: properties
                .receive_maximum()
                .unwrap_or(default.receive_maximum),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            request_problem_information: properties.request_problem_information().unwrap_or(true),
            request_response_information: properties
                .request_response_information()
                .unwrap_or(false),
        }
    }
}
