//! The Client side of a Network Connection, on a virtual clock.

mod connect;
mod flow_control;
mod keep_alive;
mod qos;
mod rules;
mod store;
mod subscribe;

use std::time::Duration;

use bytes::Bytes;
use mqtt_protocol::{
    ClientConnection, ClientEvent, ClientOutput, ClientSession, ClientSettings, CloseReason,
    Connack, Connect, Decoder, DecoderSettings, Instant, OutgoingMessage, Packet, PacketIdentifier,
    Properties, Property, ProtocolVersion, PublicationToken, Publish, QoS, ReasonCode, Role,
    TopicName, UsageError,
};

const START: Instant = Instant::from_start(Duration::from_secs(1000));

/// A [`ClientConnection`] whose Server is the test.
struct Client {
    connection: ClientConnection,
    version: ProtocolVersion,
    decoder: Decoder,
    now: Instant,
    /// What the Client sent and the test has not taken yet.
    sent: Vec<Packet>,
    events: Vec<ClientEvent>,
    is_closed: bool,
    deadline: Option<Instant>,
}

impl Client {
    fn open(connect: Connect, session: ClientSession) -> Self {
        let version = connect.protocol_version;
        let connection = ClientConnection::new(connect, session, ClientSettings::default(), START);
        let mut client = Self {
            connection,
            version,
            decoder: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: None,
                role: Role::Server,
            }),
            now: START,
            sent: Vec::new(),
            events: Vec::new(),
            is_closed: false,
            deadline: None,
        };
        client.drain();
        client
    }

    /// A client that the Server has accepted with these properties.
    fn connected(version: ProtocolVersion, properties: Properties) -> Self {
        Self::accepted(
            connect(version),
            ClientSession::default(),
            false,
            properties,
        )
    }

    fn accepted(
        connect: Connect,
        session: ClientSession,
        session_present: bool,
        properties: Properties,
    ) -> Self {
        let mut client = Self::open(connect, session);
        client.sent.clear();
        client.receive(Packet::Connack(Connack {
            session_present,
            reason_code: ReasonCode::Success,
            properties,
        }));
        let connected = client.events.remove(0);
        assert!(matches!(connected, ClientEvent::Connected(_)));
        client
    }

    /// Cuts the connection and opens the next with the session of this one.
    fn reconnect(mut self, session_present: bool, properties: Properties) -> Self {
        self.connection.handle_close();
        self.drain();
        let connect = Connect {
            clean_start: false,
            ..connect(self.version)
        };
        let session = self.connection.into_session();
        Self::accepted(connect, session, session_present, properties)
    }

    fn receive(&mut self, packet: Packet) {
        self.receive_bytes(encode(&[packet], self.version));
    }

    fn receive_bytes(&mut self, bytes: impl Into<Bytes>) {
        self.connection.handle_input(bytes.into(), self.now);
        self.drain();
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.connection.handle_timeout(self.now);
        self.drain();
    }

    fn publish(&mut self, token: u64, qos: QoS) -> Result<(), UsageError> {
        self.publish_message(message(token, qos))
    }

    fn publish_message(&mut self, message: OutgoingMessage) -> Result<(), UsageError> {
        let result = self.connection.publish(message, self.now);
        self.drain();
        result
    }

    fn take_sent(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.sent)
    }

    fn take_events(&mut self) -> Vec<ClientEvent> {
        std::mem::take(&mut self.events)
    }

    /// The PUBLISH packets that were sent, as (identifier, DUP, payload).
    fn take_published(&mut self) -> Vec<(u16, bool, Bytes)> {
        self.take_sent()
            .into_iter()
            .filter_map(|packet| {
                let Packet::Publish(publish) = packet else {
                    return None;
                };
                let identifier = publish.packet_identifier.map_or(0, PacketIdentifier::value);
                Some((identifier, publish.dup, publish.payload))
            })
            .collect()
    }

    /// Checks that the Server was told this Reason Code and the connection is over.
    fn check_violation(&mut self, reason_code: ReasonCode) {
        assert!(self.is_closed, "the connection still stands");
        let told = match self.sent.last() {
            Some(Packet::Disconnect(disconnect)) => Some(disconnect.reason_code),
            Some(_) | None => None,
        };
        match self.version {
            ProtocolVersion::V5_0 => assert_eq!(told, Some(reason_code)),
            ProtocolVersion::V3_1_1 => assert_eq!(told, None),
        }
        let closed = ClientEvent::Closed(CloseReason::Violation(reason_code));
        assert_eq!(self.events.last(), Some(&closed));
    }

    fn drain(&mut self) {
        loop {
            match self.connection.poll_output() {
                ClientOutput::Transmit(bytes) => {
                    assert!(!self.is_closed, "sent after the end");
                    self.decoder.feed(bytes.into());
                    while let Some(packet) = self.decoder.next_packet().unwrap() {
                        self.sent.push(packet);
                    }
                }
                ClientOutput::Event(event) => self.events.push(event),
                ClientOutput::Close => self.is_closed = true,
                ClientOutput::Timeout(deadline) => {
                    self.deadline = deadline;
                    break;
                }
            }
        }
    }
}

fn connect(version: ProtocolVersion) -> Connect {
    Connect {
        protocol_version: version,
        clean_start: true,
        keep_alive: 60,
        properties: Properties::new(),
        client_identifier: "client".into(),
        will: None,
        user_name: None,
        password: None,
    }
}

/// A message whose payload is its token.
fn message(token: u64, qos: QoS) -> OutgoingMessage {
    OutgoingMessage {
        publish: Publish {
            dup: false,
            qos,
            retain: false,
            topic_name: Some(TopicName::new("a/b").unwrap()),
            packet_identifier: None,
            properties: Properties::new(),
            payload: payload(token),
        },
        token: PublicationToken(token),
        may_wait: true,
        expires_at: None,
    }
}

fn payload(token: u64) -> Bytes {
    Bytes::from(token.to_string())
}

/// A PUBLISH from the Server.
fn publish(identifier: u16, qos: QoS, dup: bool) -> Packet {
    Packet::Publish(Publish {
        dup,
        packet_identifier: PacketIdentifier::new(identifier),
        ..message(u64::from(identifier), qos).publish
    })
}

fn identifier(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).unwrap()
}

fn encode(packets: &[Packet], version: ProtocolVersion) -> Bytes {
    let mut bytes = Vec::new();
    for packet in packets {
        packet.encode(version, &mut bytes).unwrap();
    }
    bytes.into()
}

fn properties(property: Property) -> Properties {
    Properties::new().with(property)
}
