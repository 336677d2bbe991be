use std::time::Duration;

use bytes::Bytes;
use mqtt_protocol::{
    ClientEvent, ClientSession, CloseReason, Connack, Disconnect, Packet, Properties, Property,
    ProtocolVersion, Puback, QoS, ReasonCode, UsageError,
};

use super::{Client, START, connect, encode, identifier, message, properties, publish};

const V5: ProtocolVersion = ProtocolVersion::V5_0;
const V3: ProtocolVersion = ProtocolVersion::V3_1_1;

fn connack(reason_code: ReasonCode, session_present: bool) -> Packet {
    Packet::Connack(Connack {
        session_present,
        reason_code,
        properties: Properties::new(),
    })
}

// Shows 3.1.1 [MQTT-3.1.0-1], 5.0 [MQTT-3.1.0-1].
#[test]
fn the_first_packet_is_the_connect() {
    for version in [V3, V5] {
        let mut client = Client::open(connect(version), ClientSession::default());
        let expected = Packet::Connect(Box::new(connect(version)));
        assert_eq!(client.take_sent(), [expected]);
    }
}

#[test]
fn a_connack_that_does_not_come_ends_the_attempt() {
    let mut client = Client::open(connect(V5), ClientSession::default());
    assert_eq!(client.deadline, Some(START + Duration::from_secs(10)));
    client.wait(Duration::from_millis(9_999));
    assert!(!client.is_closed);
    client.wait(Duration::from_millis(1));
    assert!(client.is_closed);
    let closed = ClientEvent::Closed(CloseReason::ConnackTimeout);
    assert_eq!(client.take_events(), [closed]);
}

// Shows 5.0 [MQTT-3.2.2-8], 5.0 [MQTT-4.13.2-1].
#[test]
fn every_refusing_code_is_told_and_ends_the_attempt() {
    for value in 0x80..=0xFF {
        let Some(reason_code) = ReasonCode::from_value(value) else {
            continue;
        };
        let mut bytes = Vec::new();
        let packet = connack(reason_code, false);
        if packet.encode(V5, &mut bytes).is_err() {
            // Not one of the codes that a CONNACK may have.
            continue;
        }
        let mut client = Client::open(connect(V5), ClientSession::default());
        client.sent.clear();
        client.receive_bytes(bytes);
        assert!(client.is_closed, "{reason_code:?}");
        assert_eq!(client.take_sent(), [], "{reason_code:?}");
        let events = client.take_events();
        let [ClientEvent::Closed(CloseReason::Refused(connack))] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(connack.reason_code, reason_code);
    }
}

#[test]
fn every_return_code_of_3_1_1_is_told() {
    for return_code in 1..=5 {
        let mut client = Client::open(connect(V3), ClientSession::default());
        client.receive_bytes(vec![0x20, 0x02, 0x00, return_code]);
        assert!(client.is_closed, "return code {return_code}");
        let events = client.take_events();
        let [ClientEvent::Closed(CloseReason::Refused(connack))] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(connack.reason_code.is_error());
    }
}

// Shows 3.1.1 [MQTT-4.8.0-1].
#[test]
fn a_first_packet_that_is_no_connack_is_a_violation() {
    for packet in [publish(1, QoS::AtLeastOnce, false), Packet::Pingresp] {
        for version in [V3, V5] {
            let mut client = Client::open(connect(version), ClientSession::default());
            client.receive(packet.clone());
            client.check_violation(ReasonCode::ProtocolError);
        }
    }
}

#[test]
fn a_second_connack_is_a_violation() {
    let mut client = Client::connected(V5, Properties::new());
    client.receive(connack(ReasonCode::Success, false));
    client.check_violation(ReasonCode::ProtocolError);
}

// Shows 5.0 [MQTT-4.13.1-1].
#[test]
fn garbage_is_a_violation_at_any_time() {
    let garbage = Bytes::from_static(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let mut client = Client::open(connect(V5), ClientSession::default());
    client.receive_bytes(garbage.clone());
    assert!(client.is_closed);
    let mut client = Client::connected(V5, Properties::new());
    client.receive_bytes(garbage);
    assert!(client.is_closed);
}

// Shows 3.1.1 [MQTT-2.2.2-2], 5.0 [MQTT-2.1.3-1].
#[test]
fn reserved_flags_are_a_malformed_packet() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        // PUBACK with flag bits.
        client.receive_bytes(vec![0x4F, 0x02, 0x00, 0x01]);
        client.check_violation(ReasonCode::MalformedPacket);
    }
}

#[test]
fn what_follows_a_violation_in_the_same_bytes_is_dropped() {
    let mut client = Client::connected(V5, Properties::new());
    let bytes = encode(
        &[
            publish(1, QoS::AtLeastOnce, false),
            connack(ReasonCode::Success, false),
            publish(2, QoS::AtLeastOnce, false),
        ],
        V5,
    );
    client.receive_bytes(bytes);
    let messages = client.events.iter();
    let n_messages = messages.filter(|event| matches!(event, ClientEvent::Message(_)));
    assert_eq!(n_messages.count(), 1);
    client.check_violation(ReasonCode::ProtocolError);
}

// Shows 5.0 [MQTT-3.2.2-4].
#[test]
fn session_present_without_local_state_is_a_violation() {
    for version in [V3, V5] {
        let mut asked = connect(version);
        asked.clean_start = false;
        let mut client = Client::open(asked, ClientSession::default());
        client.receive(connack(ReasonCode::Success, true));
        client.check_violation(ReasonCode::ProtocolError);
    }
}

#[test]
fn session_present_after_clean_start_is_a_violation() {
    let client = Client::connected(V5, Properties::new());
    let session = client.connection.into_session();
    let mut client = Client::open(connect(V5), session);
    client.receive(connack(ReasonCode::Success, true));
    client.check_violation(ReasonCode::ProtocolError);
}

#[test]
fn bytes_one_by_one_are_the_same_packets() {
    let mut client = Client::open(connect(V5), ClientSession::default());
    let packets = [
        connack(ReasonCode::Success, false),
        publish(1, QoS::AtLeastOnce, false),
        publish(2, QoS::ExactlyOnce, false),
    ];
    for byte in encode(&packets, V5) {
        client.receive_bytes(vec![byte]);
    }
    assert_eq!(client.take_events().len(), 3);
    assert!(!client.is_closed);
}

// Shows 3.1.1 [MQTT-4.5.0-2], 3.1.1 [MQTT-4.6.0-2], 5.0 [MQTT-4.5.0-2], 5.0 [MQTT-4.6.0-2].
#[test]
fn many_packets_in_one_piece_are_answered_in_one_piece_and_in_order() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        let packets: Vec<Packet> = (1..=50)
            .map(|number| publish(number, QoS::AtLeastOnce, false))
            .collect();
        let bytes = encode(&packets, version);
        client.connection.handle_input(bytes, client.now);
        client.drain();
        let pubacks: Vec<u16> = client
            .take_sent()
            .iter()
            .map(|packet| {
                let Packet::Puback(puback) = packet else {
                    panic!("{packet:?}")
                };
                puback.packet_identifier.value()
            })
            .collect();
        assert_eq!(pubacks, (1..=50).collect::<Vec<u16>>());
    }
}

#[test]
fn a_disconnect_of_the_server_is_told_with_its_reason() {
    let mut client = Client::connected(V5, Properties::new());
    let disconnect = Disconnect {
        reason_code: ReasonCode::SessionTakenOver,
        properties: properties(Property::ReasonString("elsewhere".into())),
    };
    client.receive(Packet::Disconnect(disconnect.clone()));
    assert!(client.is_closed);
    assert_eq!(client.take_sent(), []);
    let closed = ClientEvent::Closed(CloseReason::Disconnected(disconnect));
    assert_eq!(client.take_events(), [closed]);
}

// Shows 3.1.1 [MQTT-3.14.4-1], 3.1.1 [MQTT-3.14.4-2], 5.0 [MQTT-3.14.4-1], 5.0 [MQTT-3.14.4-2].
#[test]
fn goodbye_is_said_then_nothing_more() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        let disconnect = Disconnect {
            reason_code: ReasonCode::NORMAL_DISCONNECTION,
            properties: Properties::new(),
        };
        client.connection.disconnect(disconnect.clone());
        client.drain();
        assert_eq!(client.take_sent(), [Packet::Disconnect(disconnect)]);
        assert!(client.is_closed);
        let closed = ClientEvent::Closed(CloseReason::ByCaller);
        assert_eq!(client.take_events(), [closed]);

        // A reply that crosses it on the way does nothing.
        client.receive(publish(1, QoS::AtLeastOnce, false));
        client.receive(Packet::Puback(Puback {
            packet_identifier: identifier(1),
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }));
        client.wait(Duration::from_secs(3600));
        assert_eq!(client.take_events(), []);
        assert_eq!(client.deadline, None);
    }
}

#[test]
fn calls_outside_a_connection_are_refused() {
    let mut client = Client::open(connect(V5), ClientSession::default());
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let result = client.publish_message(message(1, qos));
        assert_eq!(result, Err(UsageError::NotConnected));
    }
    client.connection.handle_close();
    client.drain();
    let result = client.publish_message(message(1, QoS::AtMostOnce));
    assert_eq!(result, Err(UsageError::NotConnected));
}

#[test]
fn nothing_of_5_0_is_sent_on_3_1_1() {
    let mut client = Client::connected(V3, Properties::new());
    client.receive(publish(1, QoS::AtLeastOnce, false));
    client.receive(publish(2, QoS::ExactlyOnce, false));
    assert_eq!(client.take_sent().len(), 2);
    client.receive_bytes(vec![0xF0, 0x00]);
    client.check_violation(ReasonCode::MalformedPacket);
}

#[test]
fn a_payload_is_a_slice_of_the_frame_that_it_came_in() {
    let mut client = Client::connected(V5, Properties::new());
    let frame = encode(&[publish(1, QoS::AtLeastOnce, false)], V5);
    client.receive_bytes(frame.clone());
    let events = client.take_events();
    let [ClientEvent::Message(message)] = &events[..] else {
        panic!("{events:?}");
    };
    let frame = frame.as_ptr_range();
    let payload = message.payload.as_ptr_range();
    assert!(frame.start <= payload.start && payload.end <= frame.end);
}
