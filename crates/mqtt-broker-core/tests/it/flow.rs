//! Messages of every Quality of Service, in both directions.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use mqtt_broker_core::{Limits, Settings};
use mqtt_protocol::{Packet, Property, Puback, Publish, Pubrec, ReasonCode};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, ExactlyOnce, V3_1_1, V5_0, World, connect, packet_identifier,
    publish, resume, topic,
};

// Shows 3.1.1 [MQTT-3.8.4-6], 3.1.1 [MQTT-4.3.1-1], 5.0 [MQTT-3.8.4-8], 5.0 [MQTT-4.3.1-1].
// Shows 5.0 [MQTT-4.3.2-2], 5.0 [MQTT-4.3.3-2].
#[test]
fn a_message_arrives_at_the_lower_qos_of_publisher_and_subscriber() {
    let levels = [AtMostOnce, AtLeastOnce, ExactlyOnce];
    for version in BOTH {
        for published in levels {
            for granted in levels {
                let mut world = World::new();
                let subscriber = world.client(version, "subscriber");
                let publisher = world.client(version, "publisher");
                world.subscribe(subscriber, "a/b", granted);
                world.publish(publisher, "a/b", "37.2", published);
                let message = world.receive_publish(subscriber);
                assert_eq!(message.qos, published.min(granted));
                assert_eq!(message.payload, "37.2");
                assert_eq!(message.topic_name, Some(topic("a/b")));
                assert!(!message.dup);
                assert!(!message.retain);
            }
        }
    }
}

// Shows 3.1.1 [MQTT-4.3.2-2], 5.0 [MQTT-4.3.2-4].
#[test]
fn a_qos_1_message_is_acknowledged() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "probe");
        world.subscribe(client, "a", AtMostOnce);
        world.publish(client, "a", "1", AtLeastOnce);
        let packets = world.receive_all(client);
        assert!(packets.iter().any(|packet| matches!(
            packet,
            Packet::Puback(Puback { packet_identifier: identifier, reason_code: ReasonCode::Success, .. })
                if *identifier == packet_identifier(1)
        )));
    }
}

#[test]
fn a_publisher_is_told_that_nobody_listens() {
    let mut world = World::new();
    let new = world.client(V5_0, "new");
    world.publish(new, "a", "1", AtLeastOnce);
    assert!(matches!(
        world.receive(new),
        Some(Packet::Puback(puback)) if puback.reason_code == ReasonCode::NoMatchingSubscribers
    ));
}

// Shows 3.1.1 [MQTT-4.3.3-2], 5.0 [MQTT-4.3.3-8], 5.0 [MQTT-4.3.3-10], 5.0 [MQTT-4.3.3-11].
// Shows 5.0 [MQTT-4.3.3-12].
#[test]
fn a_qos_2_message_is_delivered_once_however_often_it_is_sent() {
    for version in BOTH {
        let mut world = World::new();
        let subscriber = world.client(version, "subscriber");
        let publisher = world.client(version, "publisher");
        world.subscribe(subscriber, "a", AtMostOnce);
        world.publish(publisher, "a", "once", ExactlyOnce);
        let mut again = publish("a", "once", ExactlyOnce);
        again.dup = true;
        world.send(publisher, Packet::Publish(again));
        assert_eq!(world.payloads(subscriber), ["once"]);
        let pubrecs = world.receive_all(publisher);
        assert_eq!(pubrecs.len(), 2);
        assert!(
            pubrecs
                .iter()
                .all(|packet| matches!(packet, Packet::Pubrec(_)))
        );
        world.pubrel(publisher, packet_identifier(1));
        assert!(matches!(world.receive(publisher), Some(Packet::Pubcomp(_))));
        world.publish(publisher, "a", "new", ExactlyOnce);
        assert_eq!(world.payloads(subscriber), ["new"]);
    }
}

#[test]
fn a_pubrel_for_nothing_is_answered_with_what_is_wrong() {
    let mut world = World::new();
    let new = world.client(V5_0, "new");
    world.pubrel(new, packet_identifier(9));
    assert!(matches!(
        world.receive(new),
        Some(Packet::Pubcomp(pubcomp)) if pubcomp.reason_code == ReasonCode::PacketIdentifierNotFound
    ));
    let old = world.client(V3_1_1, "old");
    world.pubrel(old, packet_identifier(9));
    assert!(matches!(
        world.receive(old),
        Some(Packet::Pubcomp(pubcomp)) if pubcomp.reason_code == ReasonCode::Success
    ));
}

// Shows 3.1.1 [MQTT-4.3.3-1], 5.0 [MQTT-4.3.3-4].
#[test]
fn a_qos_2_delivery_runs_through_its_four_packets() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "probe");
        world.subscribe(client, "a", ExactlyOnce);
        world.publish(client, "a", "x", AtMostOnce);
        assert_eq!(world.receive_publish(client).qos, AtMostOnce);
        world.publish(client, "a", "x", ExactlyOnce);
        let packets = world.receive_all(client);
        let identifier = packets
            .iter()
            .find_map(|packet| match packet {
                Packet::Publish(publish) => publish.packet_identifier,
                _ => None,
            })
            .unwrap();
        world.pubrec(client, identifier);
        assert!(matches!(
            world.receive(client),
            Some(Packet::Pubrel(pubrel)) if pubrel.packet_identifier == identifier
        ));
        world.pubrec(client, identifier);
        assert!(matches!(world.receive(client), Some(Packet::Pubrel(_))));
        world.pubcomp(client, identifier);
        assert!(world.receive_all(client).is_empty());
        assert!(!world.is_closed(client));
    }
}

// Shows 5.0 [MQTT-4.4.0-2].
#[test]
fn a_message_that_the_subscriber_refuses_is_not_sent_again() {
    let mut world = World::new();
    let (subscriber, _) = world.connect(resume(V5_0, "subscriber"));
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", ExactlyOnce);
    world.publish(publisher, "a", "x", ExactlyOnce);
    let identifier = world.receive_publish(subscriber).packet_identifier.unwrap();
    world.send(
        subscriber,
        Packet::Pubrec(Pubrec {
            packet_identifier: identifier,
            reason_code: ReasonCode::QuotaExceeded,
            properties: Default::default(),
        }),
    );
    world.cut(subscriber);
    let (subscriber, connack) = world.connect(resume(V5_0, "subscriber"));
    assert!(connack.session_present);
    assert!(world.receive_all(subscriber).is_empty());
}

// Shows 5.0 [MQTT-3.3.4-9], 5.0 [MQTT-3.3.4-10], 5.0 [MQTT-4.9.0-1], 5.0 [MQTT-4.9.0-2].
// Shows 5.0 [MQTT-4.9.0-3].
#[test]
fn the_clients_receive_maximum_holds_messages_back_and_nothing_else() {
    let mut world = World::new();
    let mut request = connect(V5_0, "subscriber");
    request
        .properties
        .push(Property::ReceiveMaximum(NonZeroU16::new(2).unwrap()));
    let (subscriber, _) = world.connect(request);
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", AtLeastOnce);
    for payload in ["1", "2", "3", "4"] {
        world.publish(publisher, "a", payload, AtLeastOnce);
    }
    world.publish(publisher, "a", "not held back", AtMostOnce);
    world.send(subscriber, Packet::Pingreq);
    let first = world.receive_publish(subscriber);
    assert_eq!(first.payload, "1");
    assert_eq!(world.receive_publish(subscriber).payload, "2");
    assert_eq!(world.receive_publish(subscriber).payload, "not held back");
    assert_eq!(world.receive(subscriber), Some(Packet::Pingresp));
    world.puback(subscriber, first.packet_identifier.unwrap());
    assert_eq!(world.payloads(subscriber), ["3"]);
    assert_eq!(world.broker.counters().queued_messages, 1);
}

/// What was sent and what was released are both sent again, and neither waits for the other for ever.
// Shows 5.0 [MQTT-4.4.0-1].
#[test]
fn a_session_goes_on_with_a_smaller_receive_maximum() {
    let mut world = World::new();
    let (subscriber, _) = world.connect(resume(V5_0, "subscriber"));
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", ExactlyOnce);
    for payload in ["1", "2"] {
        world.publish(publisher, "a", payload, ExactlyOnce);
        world.pubrel(publisher, packet_identifier(1));
    }
    let first = world.receive_publish(subscriber);
    let second = world.receive_publish(subscriber).packet_identifier;
    world.pubrec(subscriber, second.unwrap());
    world.cut(subscriber);

    let mut request = resume(V5_0, "subscriber");
    request
        .properties
        .push(Property::ReceiveMaximum(NonZeroU16::MIN));
    let (subscriber, _) = world.connect(request);
    let Some(Packet::Pubrel(pubrel)) = world.receive(subscriber) else {
        panic!("what is released makes room, so it comes first");
    };
    assert_eq!(Some(pubrel.packet_identifier), second);
    assert_eq!(world.receive(subscriber), None);
    world.pubcomp(subscriber, pubrel.packet_identifier);
    let again = world.receive_publish(subscriber);
    assert!(again.dup);
    assert_eq!(again.payload, first.payload);
}

/// It counts as acknowledged, but its identifier is not free.
// Shows 5.0 [MQTT-3.1.2-25], 5.0 [MQTT-4.3.3-5].
#[test]
fn a_message_that_has_become_too_large_is_released() {
    let mut world = World::new();
    let (subscriber, _) = world.connect(resume(V5_0, "subscriber"));
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", ExactlyOnce);
    world.publish(publisher, "a", &"large".repeat(100), ExactlyOnce);
    let message = world.receive_publish(subscriber);
    world.cut(subscriber);

    let mut request = resume(V5_0, "subscriber");
    request
        .properties
        .push(Property::MaximumPacketSize(NonZeroU32::new(100).unwrap()));
    let (subscriber, _) = world.connect(request);
    let Some(Packet::Pubrel(pubrel)) = world.receive(subscriber) else {
        panic!("the Client may have got it, so it is told to forget the identifier");
    };
    assert_eq!(Some(pubrel.packet_identifier), message.packet_identifier);
    world.cut(subscriber);

    let (subscriber, _) = world.connect(resume(V5_0, "subscriber"));
    let packets = world.receive_all(subscriber);
    assert!(matches!(packets[..], [Packet::Pubrel(_)]), "{packets:?}");
}

#[test]
fn more_messages_than_the_broker_lets_a_client_send_end_its_connection() {
    let mut world = World::with(Settings {
        limits: Limits {
            receive_maximum: NonZeroU16::new(2).unwrap(),
            ..Limits::default()
        },
        ..Settings::default()
    });
    let client = world.client(V5_0, "probe");
    for number in 1..=3 {
        world.send(
            client,
            Packet::Publish(Publish {
                packet_identifier: Some(packet_identifier(number)),
                ..publish("a", "x", ExactlyOnce)
            }),
        );
    }
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::ReceiveMaximumExceeded)
    );
    assert_eq!(world.broker.counters().messages_received, 2);
}

#[test]
fn an_acknowledgement_of_the_wrong_kind_is_a_protocol_error() {
    let mut world = World::new();
    let client = world.client(V5_0, "probe");
    world.subscribe(client, "a", ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a", "x", ExactlyOnce);
    let identifier = world.receive_publish(client).packet_identifier.unwrap();
    world.puback(client, identifier);
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::ProtocolError)
    );
}

#[test]
fn an_acknowledgement_for_nothing_is_ignored() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "probe");
        world.puback(client, packet_identifier(5));
        world.pubcomp(client, packet_identifier(5));
        assert!(!world.is_closed(client));
        assert!(world.receive_all(client).is_empty());
        world.pubrec(client, packet_identifier(5));
        assert!(matches!(world.receive(client), Some(Packet::Pubrel(_))));
    }
}

// Shows 3.1.1 [MQTT-4.6.0-5], 3.1.1 [MQTT-4.6.0-6], 5.0 [MQTT-4.6.0-5], 5.0 [MQTT-4.6.0-6].
#[test]
fn messages_of_one_publisher_arrive_in_their_order() {
    for version in BOTH {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let mut world = World::new();
            let subscriber = world.client(version, "subscriber");
            let publisher = world.client(version, "publisher");
            world.subscribe(subscriber, "#", ExactlyOnce);
            let sent: Vec<_> = (1..=100u16).map(|number| number.to_string()).collect();
            for (number, payload) in (1..).zip(&sent) {
                let mut message = publish("a", payload, qos);
                if qos > AtMostOnce {
                    message.packet_identifier = Some(packet_identifier(number));
                }
                world.send(publisher, Packet::Publish(message));
            }
            assert_eq!(world.payloads(subscriber), sent);
        }
    }
}

// Shows 5.0 [MQTT-3.3.2-4], 5.0 [MQTT-3.3.2-15], 5.0 [MQTT-3.3.2-16], 5.0 [MQTT-3.3.2-17].
// Shows 5.0 [MQTT-3.3.2-18], 5.0 [MQTT-3.3.2-20].
#[test]
fn what_the_application_said_about_a_message_arrives_unaltered() {
    let mut world = World::new();
    let subscriber = world.client(V5_0, "subscriber");
    let old = world.client(V3_1_1, "old");
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", AtMostOnce);
    world.subscribe(old, "a", AtMostOnce);
    let properties = [
        Property::PayloadFormatIndicator(true),
        Property::ContentType("text/plain".into()),
        Property::ResponseTopic(topic("answers")),
        Property::CorrelationData(Bytes::from_static(b"\x00\x01")),
        Property::UserProperty("b".into(), "2".into()),
        Property::UserProperty("a".into(), "1".into()),
        Property::UserProperty("b".into(), "1".into()),
    ];
    world.send(
        publisher,
        Packet::Publish(Publish {
            properties: properties.clone().into_iter().collect(),
            ..publish("a", "hello", AtMostOnce)
        }),
    );
    assert_eq!(world.receive_publish(subscriber).properties.0, properties);
    assert!(world.receive_publish(old).properties.is_empty());
}

#[test]
fn text_that_is_none_is_refused() {
    let mut world = World::new();
    let subscriber = world.client(V5_0, "subscriber");
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", AtMostOnce);
    let not_text = Publish {
        properties: [Property::PayloadFormatIndicator(true)]
            .into_iter()
            .collect(),
        payload: Bytes::from_static(b"\xff"),
        ..publish("a", "", AtLeastOnce)
    };
    world.send(publisher, Packet::Publish(not_text));
    assert!(matches!(
        world.receive(publisher),
        Some(Packet::Puback(puback)) if puback.reason_code == ReasonCode::PayloadFormatInvalid
    ));
    assert!(world.receive_all(subscriber).is_empty());
}

// Shows 5.0 [MQTT-3.3.2-7], 5.0 [MQTT-3.3.2-12].
#[test]
fn a_topic_alias_stands_for_the_topic_it_was_given_with() {
    let mut world = World::new();
    let subscriber = world.client(V5_0, "subscriber");
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "#", AtMostOnce);
    let aliased = |topic_name: Option<&str>, alias: u16, payload: &str| {
        Packet::Publish(Publish {
            topic_name: topic_name.map(topic),
            properties: [Property::TopicAlias(NonZeroU16::new(alias).unwrap())]
                .into_iter()
                .collect(),
            ..publish("x", payload, AtMostOnce)
        })
    };
    world.send(publisher, aliased(Some("a"), 1, "1"));
    world.send(publisher, aliased(Some("b"), 64, "2"));
    world.send(publisher, aliased(None, 1, "3"));
    world.send(publisher, aliased(Some("c"), 1, "4"));
    world.send(publisher, aliased(None, 1, "5"));
    let received: Vec<_> = world
        .receive_all(subscriber)
        .into_iter()
        .map(|packet| match packet {
            Packet::Publish(publish) => {
                assert!(publish.properties.is_empty());
                publish.topic_name.unwrap()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(received, ["a", "b", "a", "c", "c"].map(topic));
    world.send(publisher, aliased(None, 2, "unknown"));
    assert_eq!(
        world.disconnect_reason(publisher),
        Some(ReasonCode::ProtocolError)
    );
    let publisher = world.client(V5_0, "publisher");
    world.send(publisher, aliased(None, 1, "of another connection"));
    assert_eq!(
        world.disconnect_reason(publisher),
        Some(ReasonCode::ProtocolError)
    );
    let publisher = world.client(V5_0, "publisher");
    world.send(publisher, aliased(Some("a"), 65, "too high"));
    assert_eq!(
        world.disconnect_reason(publisher),
        Some(ReasonCode::TopicAliasInvalid)
    );
}

// Shows 3.1.1 [MQTT-3.3.5-2].
#[test]
fn clients_cannot_use_the_servers_own_topics() {
    let mut world = World::new();
    let subscriber = world.client(V5_0, "subscriber");
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "$SYS/#", AtMostOnce);
    world.publish(publisher, "$SYS/a", "x", AtLeastOnce);
    assert!(matches!(
        world.receive(publisher),
        Some(Packet::Puback(puback)) if puback.reason_code == ReasonCode::TopicNameInvalid
    ));
    let old = world.client(V3_1_1, "old");
    world.publish(old, "$SYS/a", "x", AtLeastOnce);
    assert!(matches!(world.receive(old), Some(Packet::Puback(_))));
    assert!(world.receive_all(subscriber).is_empty());
}

// Shows 5.0 [MQTT-3.1.2-24], 5.0 [MQTT-3.1.2-25].
#[test]
fn a_message_that_the_client_cannot_read_is_as_good_as_sent() {
    let mut world = World::new();
    let mut request = connect(V5_0, "subscriber");
    request
        .properties
        .push(Property::MaximumPacketSize(100.try_into().unwrap()));
    let (subscriber, _) = world.connect(request);
    let publisher = world.client(V5_0, "publisher");
    world.subscribe(subscriber, "a", AtLeastOnce);
    for qos in [AtMostOnce, AtLeastOnce] {
        world.publish(publisher, "a", &"x".repeat(200), qos);
    }
    world.publish(publisher, "a", "short", AtLeastOnce);
    assert_eq!(world.payloads(subscriber), ["short"]);
    assert_eq!(world.broker.counters().dropped_too_large, 2);
}

#[test]
fn a_slow_subscriber_loses_qos_0_and_keeps_the_rest() {
    for version in BOTH {
        let mut world = World::new();
        let slow = world.client(version, "slow");
        let fast = world.client(version, "fast");
        let publisher = world.client(version, "publisher");
        world.subscribe(slow, "a", ExactlyOnce);
        world.subscribe(fast, "a", ExactlyOnce);
        world.set_writable(slow, false);
        world.publish(publisher, "a", "lost", AtMostOnce);
        world.publish(publisher, "a", "kept", AtLeastOnce);
        assert!(world.receive_all(slow).is_empty());
        assert_eq!(world.payloads(fast), ["lost", "kept"]);
        assert_eq!(world.broker.counters().dropped_slow_subscriber, 1);
        world.set_writable(slow, true);
        let message = world.receive_publish(slow);
        assert_eq!(
            (&message.payload[..], message.qos),
            (&b"kept"[..], AtLeastOnce)
        );
        assert!(!message.dup);
    }
}
