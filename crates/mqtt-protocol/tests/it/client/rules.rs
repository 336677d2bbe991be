//! What the protocol asks of a Client whatever its caller and its Server do.

use bytes::Bytes;
use mqtt_protocol::{
    ClientEvent, ClientSession, CloseReason, Connack, Connect, EncodeError, Packet, Properties,
    Property, ProtocolVersion, PublicationFailure, PublicationToken, QoS, ReasonCode, UsageError,
};

use super::{Client, connect, encode, identifier, message, publish};

const V5: ProtocolVersion = ProtocolVersion::V5_0;
const V3: ProtocolVersion = ProtocolVersion::V3_1_1;

fn connack(session_present: bool) -> Packet {
    Packet::Connack(Connack {
        session_present,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

fn numbers(packets: &[Packet]) -> Vec<(&'static str, u16)> {
    packets
        .iter()
        .map(|packet| match packet {
            Packet::Puback(packet) => ("PUBACK", packet.packet_identifier.value()),
            Packet::Pubrec(packet) => ("PUBREC", packet.packet_identifier.value()),
            Packet::Pubrel(packet) => ("PUBREL", packet.packet_identifier.value()),
            Packet::Pubcomp(packet) => ("PUBCOMP", packet.packet_identifier.value()),
            other => panic!("{other:?}"),
        })
        .collect()
}

// Shows 3.1.1 [MQTT-4.6.0-2], 3.1.1 [MQTT-4.6.0-3], 5.0 [MQTT-4.6.0-2], 5.0 [MQTT-4.6.0-3].
#[test]
fn messages_are_acknowledged_in_the_order_in_which_they_came() {
    for version in [V3, V5] {
        for (qos, name) in [(QoS::AtLeastOnce, "PUBACK"), (QoS::ExactlyOnce, "PUBREC")] {
            let mut client = Client::connected(version, Properties::new());
            let order = [5, 3, 9, 1, 7];
            let packets = order.map(|number| publish(number, qos, false));
            client.receive_bytes(encode(&packets, version));
            let expected = order.map(|number| (name, number));
            assert_eq!(numbers(&client.take_sent()), expected);
        }
    }
}

// Shows 3.1.1 [MQTT-4.6.0-4], 5.0 [MQTT-4.6.0-4].
#[test]
fn messages_are_released_in_the_order_in_which_they_were_received() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        for token in 1..=3 {
            client.publish(token, QoS::ExactlyOnce).unwrap();
        }
        client.take_sent();
        for number in [2, 3, 1] {
            client.receive_bytes(vec![0x50, 0x02, 0x00, number]);
        }
        let expected = [("PUBREL", 2), ("PUBREL", 3), ("PUBREL", 1)];
        assert_eq!(numbers(&client.take_sent()), expected);
    }
}

// Shows 3.1.1 [MQTT-4.3.2-2], 5.0 [MQTT-4.3.2-4], 5.0 [MQTT-4.3.2-5].
#[test]
fn an_acknowledged_identifier_names_a_new_message() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        for dup in [false, true] {
            client.receive(publish(5, QoS::AtLeastOnce, dup));
            assert_eq!(numbers(&client.take_sent()), [("PUBACK", 5)]);
            assert!(matches!(
                client.take_events()[..],
                [ClientEvent::Message(_)]
            ));
        }
    }
}

// Shows 3.1.1 [MQTT-3.3.4-1], 3.1.1 [MQTT-4.5.0-2], 5.0 [MQTT-3.3.4-1], 5.0 [MQTT-4.5.0-2].
#[test]
fn a_message_that_nobody_subscribed_to_is_answered_as_its_qos_asks() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.receive(publish(0, QoS::AtMostOnce, false));
        assert_eq!(client.take_sent(), []);
        client.receive(publish(1, QoS::AtLeastOnce, false));
        assert_eq!(numbers(&client.take_sent()), [("PUBACK", 1)]);
        client.receive(publish(2, QoS::ExactlyOnce, false));
        assert_eq!(numbers(&client.take_sent()), [("PUBREC", 2)]);
    }
}

// Shows 3.1.1 [MQTT-1.5.3-1], 3.1.1 [MQTT-1.5.3-2], 3.1.1 [MQTT-3.3.1-4], 3.1.1 [MQTT-4.8.0-1].
// Shows 5.0 [MQTT-1.5.4-1], 5.0 [MQTT-1.5.4-2], 5.0 [MQTT-3.3.1-4], 5.0 [MQTT-4.13.1-1].
#[test]
fn a_malformed_message_ends_the_connection() {
    for version in [V3, V5] {
        for bytes in [
            &b"\x30\x05\x00\x02\xC3\x28\x00"[..],
            b"\x30\x06\x00\x03\xED\xA0\x80\x00",
            b"\x30\x04\x00\x01\x00\x00",
            b"\x36\x06\x00\x01a\x00\x01\x00",
        ] {
            let mut client = Client::connected(version, Properties::new());
            client.receive_bytes(Bytes::from_static(bytes));
            client.check_violation(ReasonCode::MalformedPacket);
        }
    }
}

// Shows 5.0 [MQTT-3.2.2-17], 5.0 [MQTT-3.2.2-18], 5.0 [MQTT-3.3.2-9].
#[test]
fn no_topic_alias_is_sent_whatever_the_server_takes() {
    for maximum in [0, 5] {
        let accepted = Properties::new().with(Property::TopicAliasMaximum(maximum));
        let mut client = Client::connected(V5, accepted);
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let mut aliased = message(1, qos);
            let alias = Property::TopicAlias(6.try_into().unwrap());
            aliased.publish.properties = Properties::new().with(alias);
            let result = client.publish_message(aliased);
            assert_eq!(result, Err(UsageError::TopicAlias));
        }
        client.publish(1, QoS::AtMostOnce).unwrap();
        client.publish(2, QoS::AtMostOnce).unwrap();
        for packet in client.take_sent() {
            let Packet::Publish(publish) = packet else {
                panic!("{packet:?}")
            };
            assert_eq!(publish.properties.topic_alias(), None);
            assert!(publish.topic_name.is_some());
        }
    }
}

// Shows 5.0 [MQTT-3.3.4-6].
#[test]
fn no_subscription_identifier_is_sent_with_a_message() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let mut client = Client::connected(V5, Properties::new());
        let mut identified = message(1, qos);
        let number = Property::SubscriptionIdentifier(1.try_into().unwrap());
        identified.publish.properties = Properties::new().with(number);
        let refused = Err(UsageError::Encode(EncodeError::PropertyNotAllowed(0x0B)));
        assert_eq!(client.publish_message(identified), refused);
        assert_eq!(client.take_sent(), []);
    }
}

// Shows 3.1.1 [MQTT-3.1.2-6], 5.0 [MQTT-3.1.2-4].
#[test]
fn a_clean_start_forgets_what_was_received() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.receive(publish(5, QoS::ExactlyOnce, false));
        client.publish(1, QoS::ExactlyOnce).unwrap();
        client.connection.handle_close();
        let session: ClientSession = client.connection.into_session();
        let clean = Connect {
            clean_start: true,
            ..connect(version)
        };
        let mut client = Client::open(clean, session);
        assert_eq!(
            client.take_events(),
            [ClientEvent::PublicationFailed {
                token: PublicationToken(1),
                failure: PublicationFailure::Indeterminate,
            }]
        );
        client.take_sent();
        client.receive(connack(false));
        assert_eq!(client.take_sent(), [], "an identifier of the old session");
        client.take_events();
        client.receive(publish(5, QoS::ExactlyOnce, false));
        assert!(matches!(
            client.take_events()[..],
            [ClientEvent::Message(_)]
        ));
    }
}

// Shows 3.1.1 [MQTT-3.1.2-6], 5.0 [MQTT-3.1.2-4].
#[test]
fn a_clean_start_whose_answer_is_lost_forgets_all_the_same() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.receive(publish(5, QoS::ExactlyOnce, false));
        client.publish(1, QoS::AtLeastOnce).unwrap();
        client.publish(2, QoS::ExactlyOnce).unwrap();
        client.connection.handle_close();
        let session = client.connection.into_session();
        let clean = Connect {
            clean_start: true,
            ..connect(version)
        };
        let mut client = Client::open(clean, session);
        client.connection.handle_close();

        // What the Server has by now is the session of that CONNECT, which is another.
        let session = client.connection.into_session();
        assert!(!session.is_established);
        assert_eq!(session.exchanges.outgoing.in_flight().len(), 0);
        let queued = session.exchanges.outgoing.queued();
        let queued: Vec<_> = queued.map(|(message, _)| message.token).collect();
        assert_eq!(queued, [PublicationToken(1)], "QoS 1 begins anew");
        let resuming = Connect {
            clean_start: false,
            ..connect(version)
        };
        let mut client = Client::open(resuming, session);
        client.receive(connack(true));
        client.check_violation(ReasonCode::ProtocolError);
    }
}

// Shows 3.1.1 [MQTT-3.1.3-7].
#[test]
fn without_a_client_identifier_3_1_1_has_no_session_to_keep() {
    for (version, clean_start, is_sent) in [
        (V3, false, false),
        (V3, true, true),
        (V5, false, true),
        (V5, true, true),
    ] {
        let nameless = Connect {
            clean_start,
            client_identifier: "".into(),
            ..connect(version)
        };
        let mut client = Client::open(nameless, ClientSession::default());
        assert_eq!(client.take_sent().len(), usize::from(is_sent));
        assert_eq!(client.is_closed, !is_sent);
        if !is_sent {
            let refused = EncodeError::ClientIdentifierMissing;
            let closed = ClientEvent::Closed(CloseReason::ConnectNotEncodable(refused));
            assert_eq!(client.take_events(), [closed]);
        }
    }
}

// Shows 5.0 [MQTT-3.4.2-2], 5.0 [MQTT-3.4.2-3], 5.0 [MQTT-3.5.2-2], 5.0 [MQTT-3.5.2-3].
// Shows 5.0 [MQTT-3.6.2-2], 5.0 [MQTT-3.6.2-3], 5.0 [MQTT-3.7.2-2], 5.0 [MQTT-3.7.2-3].
#[test]
fn an_answer_is_no_longer_than_its_reason_code() {
    let mut client = Client::connected(V5, Properties::new());
    client.receive(publish(1, QoS::AtLeastOnce, false));
    client.receive(publish(2, QoS::ExactlyOnce, false));
    // PUBREL and PUBREC that nobody awaits.
    client.receive_bytes(vec![0x62, 0x02, 0x00, 0x09]);
    client.receive_bytes(vec![0x50, 0x02, 0x00, 0x09]);
    for packet in client.take_sent() {
        let properties = match &packet {
            Packet::Puback(packet) => &packet.properties,
            Packet::Pubrec(packet) => &packet.properties,
            Packet::Pubrel(packet) => &packet.properties,
            Packet::Pubcomp(packet) => &packet.properties,
            other => panic!("{other:?}"),
        };
        assert!(properties.is_empty(), "{packet:?}");
    }
}

// Shows 3.1.1 [MQTT-2.3.1-6], 5.0 [MQTT-2.2.1-5], 5.0 [MQTT-4.3.3-11].
#[test]
fn every_answer_carries_the_identifier_of_its_question() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.receive(publish(7, QoS::AtLeastOnce, false));
        client.receive(publish(8, QoS::ExactlyOnce, false));
        client.receive_bytes(vec![0x62, 0x02, 0x00, 0x08]);
        let expected = [("PUBACK", 7), ("PUBREC", 8), ("PUBCOMP", 8)];
        assert_eq!(numbers(&client.take_sent()), expected);
        client.publish(1, QoS::ExactlyOnce).unwrap();
        let [Packet::Publish(sent)] = &client.take_sent()[..] else {
            panic!("one PUBLISH")
        };
        assert_eq!(sent.packet_identifier, Some(identifier(1)));
        client.receive_bytes(vec![0x50, 0x02, 0x00, 0x01]);
        assert_eq!(numbers(&client.take_sent()), [("PUBREL", 1)]);
    }
}
