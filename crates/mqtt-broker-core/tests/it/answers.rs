//! What the broker answers, in which order, and under which Packet Identifier.

use std::collections::BTreeSet;

use bytes::Bytes;
use mqtt_protocol::{
    Auth, Packet, PacketIdentifier, Properties, Property, ProtocolVersion, Puback, Publish, QoS,
    ReasonCode, Subscribe, TopicFilter, Unsubscribe,
};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, ClientId, ExactlyOnce, V5_0, World, connect, packet_identifier,
    publish, resume, seconds, subscription, will,
};

fn numbered(number: u16, qos: QoS) -> Packet {
    Packet::Publish(Publish {
        packet_identifier: Some(packet_identifier(number)),
        ..publish("a", &number.to_string(), qos)
    })
}

/// The type of a packet, where it is an answer, and its Packet Identifier.
fn answer(packet: &Packet) -> (&'static str, u16) {
    let (name, identifier) = match packet {
        Packet::Puback(packet) => ("PUBACK", packet.packet_identifier),
        Packet::Pubrec(packet) => ("PUBREC", packet.packet_identifier),
        Packet::Pubrel(packet) => ("PUBREL", packet.packet_identifier),
        Packet::Pubcomp(packet) => ("PUBCOMP", packet.packet_identifier),
        Packet::Suback(packet) => ("SUBACK", packet.packet_identifier),
        Packet::Unsuback(packet) => ("UNSUBACK", packet.packet_identifier),
        other => panic!("expected an answer, got {other:?}"),
    };
    (name, identifier.value())
}

fn answers(world: &mut World, client: ClientId) -> Vec<(&'static str, u16)> {
    world.receive_all(client).iter().map(answer).collect()
}

// Shows 3.1.1 [MQTT-2.3.1-6], 3.1.1 [MQTT-2.3.1-7], 3.1.1 [MQTT-3.3.4-1], 3.1.1 [MQTT-3.8.4-1].
// Shows 3.1.1 [MQTT-3.8.4-2], 3.1.1 [MQTT-3.10.4-4], 3.1.1 [MQTT-3.10.4-5].
// Shows 5.0 [MQTT-2.2.1-5], 5.0 [MQTT-2.2.1-6], 5.0 [MQTT-3.3.4-1], 5.0 [MQTT-3.8.4-1].
// Shows 5.0 [MQTT-3.8.4-2], 5.0 [MQTT-3.10.4-4], 5.0 [MQTT-3.10.4-5], 5.0 [MQTT-4.3.2-4].
// Shows 5.0 [MQTT-4.3.3-8], 5.0 [MQTT-4.3.3-11].
#[test]
fn every_answer_carries_the_identifier_of_its_question() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        world.publish(client, "a", "x", AtMostOnce);
        assert_eq!(answers(&mut world, client), []);
        world.send(client, numbered(7, AtLeastOnce));
        assert_eq!(answers(&mut world, client), [("PUBACK", 7)]);
        world.send(client, numbered(8, ExactlyOnce));
        assert_eq!(answers(&mut world, client), [("PUBREC", 8)]);
        world.pubrel(client, packet_identifier(8));
        assert_eq!(answers(&mut world, client), [("PUBCOMP", 8)]);
        world.send(
            client,
            Packet::Subscribe(Subscribe {
                packet_identifier: packet_identifier(9),
                properties: Properties::new(),
                subscriptions: vec![subscription("a", ExactlyOnce)],
            }),
        );
        assert_eq!(answers(&mut world, client), [("SUBACK", 9)]);
        for filter in ["a", "never subscribed to"] {
            world.send(
                client,
                Packet::Unsubscribe(Unsubscribe {
                    packet_identifier: packet_identifier(10),
                    properties: Properties::new(),
                    topic_filters: vec![TopicFilter::new(filter).unwrap()],
                }),
            );
            assert_eq!(answers(&mut world, client), [("UNSUBACK", 10)]);
        }
        world.subscribe(client, "b", ExactlyOnce);
        let publisher = world.client(version, "publisher");
        world.publish(publisher, "b", "x", ExactlyOnce);
        let identifier = world.receive_publish(client).packet_identifier.unwrap();
        world.pubrec(client, identifier);
        assert_eq!(
            answers(&mut world, client),
            [("PUBREL", identifier.value())]
        );
    }
}

// Shows 3.1.1 [MQTT-4.6.0-2], 3.1.1 [MQTT-4.6.0-3].
#[test]
fn messages_are_acknowledged_in_the_order_in_which_they_came() {
    for version in BOTH {
        for (qos, name) in [(AtLeastOnce, "PUBACK"), (ExactlyOnce, "PUBREC")] {
            let mut world = World::new();
            let client = world.client(version, "client");
            let numbers = [5, 3, 9, 1, 7];
            let mut bytes = Vec::new();
            for number in numbers {
                numbered(number, qos).encode(version, &mut bytes).unwrap();
            }
            world.send_bytes(client, &bytes);
            assert_eq!(
                answers(&mut world, client),
                numbers.map(|number| (name, number))
            );
        }
    }
}

/// A Client with the messages `1` to `n` of this QoS on their way to it, and their Packet Identifiers.
fn with_in_flight(
    version: ProtocolVersion,
    qos: QoS,
    n_messages: u16,
) -> (World, ClientId, Vec<PacketIdentifier>) {
    let mut world = World::new();
    let client = world.client(version, "client");
    let publisher = world.client(version, "publisher");
    world.subscribe(client, "a", qos);
    for number in 1..=n_messages {
        world.send(publisher, numbered(number, qos));
    }
    let identifiers = (0..n_messages)
        .map(|_| world.receive_publish(client).packet_identifier.unwrap())
        .collect();
    (world, client, identifiers)
}

// Shows 3.1.1 [MQTT-4.6.0-4].
#[test]
fn messages_are_released_in_the_order_in_which_they_were_received() {
    for version in BOTH {
        let (mut world, client, identifiers) = with_in_flight(version, ExactlyOnce, 3);
        let order = [identifiers[1], identifiers[2], identifiers[0]];
        for identifier in order {
            world.pubrec(client, identifier);
        }
        assert_eq!(
            answers(&mut world, client),
            order.map(|identifier| ("PUBREL", identifier.value()))
        );
    }
}

// Shows 3.1.1 [MQTT-2.3.1-4], 5.0 [MQTT-2.2.1-4], 5.0 [MQTT-4.3.2-1], 5.0 [MQTT-4.3.3-1].
#[test]
fn an_identifier_in_use_is_not_given_again() {
    for version in BOTH {
        for qos in [AtLeastOnce, ExactlyOnce] {
            let (mut world, client, identifiers) = with_in_flight(version, qos, 100);
            let mut in_use: BTreeSet<_> = identifiers.iter().copied().collect();
            assert_eq!(in_use.len(), 100);
            for &identifier in &identifiers[..50] {
                match qos {
                    AtLeastOnce => world.puback(client, identifier),
                    AtMostOnce | ExactlyOnce => {
                        world.pubrec(client, identifier);
                        world.receive(client);
                        world.pubcomp(client, identifier);
                    }
                }
                in_use.remove(&identifier);
            }
            let other = world.client(version, "other");
            for number in 1..=200 {
                world.send(other, numbered(number, qos));
                let identifier = world.receive_publish(client).packet_identifier.unwrap();
                assert!(in_use.insert(identifier), "{identifier:?} is in use");
            }
        }
    }
}

// Shows 3.1.1 [MQTT-4.3.2-2], 5.0 [MQTT-4.3.2-5].
#[test]
fn an_acknowledged_identifier_names_a_new_message() {
    for version in BOTH {
        let mut world = World::new();
        let subscriber = world.client(version, "subscriber");
        let publisher = world.client(version, "publisher");
        world.subscribe(subscriber, "a", AtMostOnce);
        for (payload, dup) in [("first", false), ("second", false), ("third", true)] {
            world.send(
                publisher,
                Packet::Publish(Publish {
                    dup,
                    ..publish("a", payload, AtLeastOnce)
                }),
            );
            assert_eq!(answers(&mut world, publisher), [("PUBACK", 1)]);
        }
        assert_eq!(world.payloads(subscriber), ["first", "second", "third"]);
    }
}

// Shows 5.0 [MQTT-4.3.3-9].
#[test]
fn a_refused_identifier_names_a_new_message() {
    let mut world = World::new();
    let subscriber = world.client(V5_0, "subscriber");
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", ExactlyOnce);
    for (payload, expected) in [
        (&b"\xFF"[..], ReasonCode::PayloadFormatInvalid),
        (b"good", ReasonCode::Success),
    ] {
        world.send(
            publisher,
            Packet::Publish(Publish {
                properties: [Property::PayloadFormatIndicator(true)]
                    .into_iter()
                    .collect(),
                payload: Bytes::from_static(payload),
                ..publish("a", "", ExactlyOnce)
            }),
        );
        assert!(matches!(
            world.receive(publisher),
            Some(Packet::Pubrec(pubrec)) if pubrec.reason_code == expected
        ));
    }
    assert_eq!(world.payloads(subscriber), ["good"]);
}

// Shows 5.0 [MQTT-4.4.0-1].
#[test]
fn nothing_is_sent_again_as_long_as_the_connection_stands() {
    for version in BOTH {
        for qos in [AtLeastOnce, ExactlyOnce] {
            let (mut world, client, identifiers) = with_in_flight(version, qos, 3);
            if qos == ExactlyOnce {
                world.pubrec(client, identifiers[0]);
                world.receive(client);
            }
            world.advance(seconds(1_000_000));
            assert!(world.receive_all(client).is_empty());
        }
    }
}

// Shows 5.0 [MQTT-4.3.3-13].
#[test]
fn what_expires_on_its_way_is_acknowledged_to_the_end() {
    let mut world = World::new();
    let subscriber = world.client(V5_0, "subscriber");
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", ExactlyOnce);
    world.send(
        publisher,
        Packet::Publish(Publish {
            properties: [Property::MessageExpiryInterval(1)].into_iter().collect(),
            ..publish("a", "x", ExactlyOnce)
        }),
    );
    let identifier = world.receive_publish(subscriber).packet_identifier.unwrap();
    world.receive(publisher);
    world.advance(seconds(10));
    world.pubrel(publisher, packet_identifier(1));
    assert_eq!(answers(&mut world, publisher), [("PUBCOMP", 1)]);
    world.pubrec(subscriber, identifier);
    assert_eq!(
        answers(&mut world, subscriber),
        [("PUBREL", identifier.value())]
    );
}

// Shows 5.0 [MQTT-4.4.0-2].
#[test]
fn a_message_that_is_refused_by_a_puback_is_not_sent_again() {
    let mut world = World::new();
    let (client, _) = world.connect(resume(V5_0, "client"));
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(client, "a", AtLeastOnce);
    world.publish(publisher, "a", "x", AtLeastOnce);
    let packet_identifier = world.receive_publish(client).packet_identifier.unwrap();
    world.send(
        client,
        Packet::Puback(Puback {
            packet_identifier,
            reason_code: ReasonCode::NotAuthorized,
            properties: Properties::new(),
        }),
    );
    world.cut(client);
    let (client, connack) = world.connect(resume(V5_0, "client"));
    assert!(connack.session_present);
    assert!(world.receive_all(client).is_empty());
}

fn properties(packet: &Packet) -> &Properties {
    match packet {
        Packet::Connack(packet) => &packet.properties,
        Packet::Puback(packet) => &packet.properties,
        Packet::Pubrec(packet) => &packet.properties,
        Packet::Pubrel(packet) => &packet.properties,
        Packet::Pubcomp(packet) => &packet.properties,
        Packet::Suback(packet) => &packet.properties,
        Packet::Unsuback(packet) => &packet.properties,
        Packet::Disconnect(packet) => &packet.properties,
        other => panic!("expected an answer, got {other:?}"),
    }
}

/// A Client that may be told nothing that it could not read, and the answers to all that can be refused.
// Shows 5.0 [MQTT-3.1.2-29], 5.0 [MQTT-3.2.2-19], 5.0 [MQTT-3.2.2-20], 5.0 [MQTT-3.4.2-2].
// Shows 5.0 [MQTT-3.4.2-3], 5.0 [MQTT-3.5.2-2], 5.0 [MQTT-3.5.2-3], 5.0 [MQTT-3.6.2-2].
// Shows 5.0 [MQTT-3.6.2-3], 5.0 [MQTT-3.7.2-2], 5.0 [MQTT-3.7.2-3], 5.0 [MQTT-3.9.2-1].
// Shows 5.0 [MQTT-3.9.2-2], 5.0 [MQTT-3.11.2-1], 5.0 [MQTT-3.11.2-2], 5.0 [MQTT-3.14.2-2].
// Shows 5.0 [MQTT-3.14.2-4].
#[test]
fn a_refusal_is_no_longer_than_its_reason_code() {
    let mut world = World::new();
    let mut request = connect(V5_0, "client");
    request
        .properties
        .push(Property::RequestProblemInformation(false));
    let (client, _) = world.connect(request.clone());
    let invalid = |qos| {
        Packet::Publish(Publish {
            packet_identifier: Some(packet_identifier(1)),
            ..publish("$SYS/a", "x", qos)
        })
    };
    world.send(client, invalid(AtLeastOnce));
    world.send(client, invalid(ExactlyOnce));
    world.pubrec(client, packet_identifier(5));
    world.pubrel(client, packet_identifier(5));
    let too_deep = "a/".repeat(200);
    world.send(
        client,
        Packet::Subscribe(Subscribe {
            packet_identifier: packet_identifier(2),
            properties: Properties::new(),
            subscriptions: vec![subscription(&too_deep, AtMostOnce)],
        }),
    );
    world.send(
        client,
        Packet::Unsubscribe(Unsubscribe {
            packet_identifier: packet_identifier(3),
            properties: Properties::new(),
            topic_filters: vec![TopicFilter::new(too_deep).unwrap()],
        }),
    );
    world.send(
        client,
        Packet::Auth(Auth {
            reason_code: ReasonCode::ReAuthenticate,
            properties: [Property::AuthenticationMethod("RIDDLE".into())]
                .into_iter()
                .collect(),
        }),
    );
    request.will = Some(will("$SYS/a", "gone"));
    let (_, connack) = world.try_connect(request);
    assert!(connack.reason_code.is_error());
    let mut packets = world.receive_all(client);
    assert_eq!(packets.len(), 7, "{packets:?}");
    packets.push(Packet::Connack(connack));
    for packet in packets {
        assert!(properties(&packet).is_empty(), "{packet:?}");
    }
}
