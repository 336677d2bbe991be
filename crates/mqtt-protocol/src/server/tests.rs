use bytes::Bytes;

use super::*;
use crate::{
    AcknowledgedQoS, Connect, DecodeError, Decoder, DecoderSettings, Fault, MalformedPacket,
    PacketIdentifier, Properties, Property, Puback, Role, Stage, Transmission,
};

/// A connection, its session, and what a Client would read.
struct Server {
    connection: ServerConnection,
    session: Session<&'static str>,
    client: Decoder,
}

impl Server {
    fn new(settings: ServerSettings, version: ProtocolVersion) -> Self {
        Self {
            connection: ServerConnection::new(Arc::new(settings), Instant::START),
            session: Session::default(),
            client: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: Some(version),
                role: Role::Client,
            }),
        }
    }

    fn connected(connect: Connect) -> Self {
        let mut server = Self::new(ServerSettings::default(), connect.protocol_version);
        let connect = server
            .connection
            .handle_first_packet(Packet::Connect(Box::new(connect)), Instant::START)
            .expect("a CONNECT is given to be accepted");
        server
            .connection
            .accept(&connect, Acceptance::default(), &mut server.session);
        assert!(matches!(&server.drain().0[..], [Packet::Connack(_)]));
        server
    }

    fn handle(&mut self, packet: Packet) -> Option<Request<&'static str>> {
        self.connection
            .handle_packet(packet, &mut self.session, Instant::START)
    }

    /// All packets, and why the connection is closed if it is.
    fn drain(&mut self) -> (Vec<Packet>, Option<Closing>) {
        let mut packets = Vec::new();
        loop {
            match self.connection.poll_output() {
                ServerOutput::Transmit(bytes) => {
                    self.client.feed(Bytes::from(bytes));
                    while let Some(packet) = self.client.next_packet().unwrap() {
                        packets.push(packet);
                    }
                }
                ServerOutput::Close(closing) => return (packets, Some(closing)),
                ServerOutput::Timeout(_) => return (packets, None),
            }
        }
    }
}

fn connect(version: ProtocolVersion) -> Connect {
    Connect {
        protocol_version: version,
        clean_start: true,
        keep_alive: 10,
        properties: Properties::new(),
        client_identifier: "client".into(),
        will: None,
        user_name: None,
        password: None,
    }
}

fn at(seconds: u64) -> Instant {
    Instant::from_start(Duration::from_secs(seconds))
}

#[test]
fn the_deadline_is_that_of_the_connect_and_then_of_the_silence() {
    let mut server = Server::new(ServerSettings::default(), ProtocolVersion::V5_0);
    assert_eq!(server.connection.deadline(), Some(at(10)));
    server.connection.handle_timeout(at(9));
    assert_eq!(server.drain().1, None);
    server.connection.handle_timeout(at(10));
    assert_eq!(server.drain().1, Some(Closing::ConnectTimeout));

    let mut server = Server::connected(connect(ProtocolVersion::V5_0));
    assert_eq!(server.connection.deadline(), Some(at(15)));
    server
        .connection
        .handle_packet(Packet::Pingreq, &mut server.session, at(14));
    assert_eq!(server.connection.deadline(), Some(at(29)));
}

// Shows 5.0 [MQTT-3.14.4-1], 5.0 [MQTT-3.14.4-2].
#[test]
fn a_closed_connection_says_so_and_nothing_more() {
    let mut server = Server::connected(connect(ProtocolVersion::V5_0));
    server.connection.disconnect(ReasonCode::ServerBusy);
    server.connection.disconnect(ReasonCode::KeepAliveTimeout);
    assert_eq!(server.handle(Packet::Pingreq), None);
    let (packets, closing) = server.drain();
    assert!(matches!(
        &packets[..],
        [Packet::Disconnect(disconnect)] if disconnect.reason_code == ReasonCode::ServerBusy
    ));
    assert_eq!(closing, Some(Closing::ByServer(ReasonCode::ServerBusy)));
    assert_eq!(server.drain(), (Vec::new(), closing));
}

// Shows 5.0 [MQTT-3.14.0-1].
#[test]
fn before_a_connack_there_is_no_disconnect() {
    let mut server = Server::new(ServerSettings::default(), ProtocolVersion::V5_0);
    let request = connect(ProtocolVersion::V5_0);
    server
        .connection
        .handle_first_packet(Packet::Connect(Box::new(request)), Instant::START);
    server.connection.disconnect(ReasonCode::ServerBusy);
    let (packets, closing) = server.drain();
    assert_eq!(packets, []);
    assert_eq!(closing, Some(Closing::ByServer(ReasonCode::ServerBusy)));
}

// Shows 5.0 [MQTT-3.14.2-3].
#[test]
fn a_reason_string_stays_out_where_it_would_be_too_much() {
    let error = DecodeError {
        fault: Fault::MalformedPacket(MalformedPacket::InvalidQoS),
        stage: Stage::Connected(ProtocolVersion::V5_0),
    };
    for (maximum, explained) in [(1000, true), (10, false)] {
        let mut server = Server::connected({
            let mut request = connect(ProtocolVersion::V5_0);
            // The CONNACK must still fit.
            request
                .properties
                .push(Property::MaximumPacketSize(maximum.try_into().unwrap()));
            request
        });
        server.connection.handle_decode_error(&error);
        let (packets, _) = server.drain();
        let [Packet::Disconnect(disconnect)] = &packets[..] else {
            panic!("{packets:?}");
        };
        assert_eq!(disconnect.reason_code, ReasonCode::MalformedPacket);
        assert_eq!(disconnect.properties.reason_string().is_some(), explained);
    }
}

// Shows 5.0 [MQTT-3.1.2-29], 5.0 [MQTT-3.4.2-2], 5.0 [MQTT-3.5.2-2].
#[test]
fn a_refusal_is_explained_to_who_takes_explanations() {
    let explained = |version, property: Option<Property>, qos| {
        let mut request = connect(version);
        request.properties = Properties::from_iter(property);
        let mut server = Server::connected(request);
        let reason = Some("you may not ask here");
        server.connection.acknowledge(
            qos,
            PacketIdentifier::new(1).unwrap(),
            ReasonCode::NotAuthorized,
            reason,
            &mut server.session,
        );
        let (packets, _) = server.drain();
        let properties = match &packets[..] {
            [Packet::Puback(puback)] => &puback.properties,
            [Packet::Pubrec(pubrec)] => &pubrec.properties,
            other => panic!("{other:?}"),
        };
        properties.reason_string().is_some()
    };
    let small = Property::MaximumPacketSize(10.try_into().unwrap());
    let quiet = Property::RequestProblemInformation(false);
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        assert!(explained(ProtocolVersion::V5_0, None, qos));
        assert!(!explained(ProtocolVersion::V5_0, Some(small.clone()), qos));
        assert!(!explained(ProtocolVersion::V5_0, Some(quiet.clone()), qos));
        assert!(!explained(ProtocolVersion::V3_1_1, None, qos));
    }
}

#[test]
fn a_connack_that_the_client_cannot_read_ends_the_connection() {
    let mut request = connect(ProtocolVersion::V5_0);
    request
        .properties
        .push(Property::MaximumPacketSize(2.try_into().unwrap()));
    let mut server = Server::new(ServerSettings::default(), ProtocolVersion::V5_0);
    let request = server
        .connection
        .handle_first_packet(Packet::Connect(Box::new(request)), Instant::START)
        .unwrap();
    server
        .connection
        .accept(&request, Acceptance::default(), &mut server.session);
    assert_eq!(
        server.drain(),
        (
            Vec::new(),
            Some(Closing::ByServer(ReasonCode::PacketTooLarge))
        )
    );
}

#[test]
fn an_acknowledgement_asks_for_more_to_be_sent() {
    let mut server = Server::connected(connect(ProtocolVersion::V3_1_1));
    server
        .session
        .outgoing
        .push("message", AcknowledgedQoS::AtLeastOnce)
        .unwrap();
    let Some(Transmission::Publish {
        packet_identifier, ..
    }) = server.session.outgoing.poll_transmission()
    else {
        panic!("the session may send");
    };
    let puback = |packet_identifier| {
        Packet::Puback(Puback {
            packet_identifier,
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        })
    };
    assert_eq!(
        server.handle(puback(packet_identifier)),
        Some(Request::Completed {
            packet_identifier,
            message: Some("message"),
        })
    );
    assert_eq!(server.handle(puback(packet_identifier)), None);
    let other = PacketIdentifier::new(77).unwrap();
    assert_eq!(server.handle(puback(other)), None);
    assert_eq!(server.drain(), (Vec::new(), None));
}

#[test]
fn memory_is_lent_for_an_output_and_given_back() {
    let mut server = Server::connected(connect(ProtocolVersion::V5_0));
    assert!(server.connection.reclaim().is_none());
    server.connection.lend(|| Some(Vec::with_capacity(100)));
    server.connection.lend(|| panic!("it has some"));
    server.handle(Packet::Pingreq);
    assert!(server.connection.reclaim().is_none(), "it is in use");
    let ServerOutput::Transmit(bytes) = server.connection.poll_output() else {
        panic!("a PINGRESP");
    };
    assert!(bytes.capacity() >= 100);
    server.connection.lend(|| Some(bytes));
    assert!(server.connection.reclaim().is_some());
}
