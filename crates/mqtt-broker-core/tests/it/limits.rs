//! Nothing that a Client can grow is without a bound.

use std::num::NonZeroU16;

use mqtt_broker_core::{Limits, Settings};
use mqtt_protocol::{Packet, Property, Publish, ReasonCode};

use crate::world::{
    AtLeastOnce, AtMostOnce, ExactlyOnce, V3_1_1, V5_0, World, connect, publish, resume,
    subscription, will,
};

fn limited(change: impl FnOnce(&mut Limits)) -> World {
    let mut limits = Limits::default();
    change(&mut limits);
    World::with(Settings {
        limits,
        ..Settings::default()
    })
}

// Shows 5.0 [MQTT-4.13.1-1].
#[test]
fn packet_size() {
    let mut world = limited(|limits| limits.packet_size = 100);
    let client = world.client(V5_0, "client");
    world.publish(client, "a", &"x".repeat(100), AtMostOnce);
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::PacketTooLarge)
    );
}

#[test]
fn connections() {
    let mut world = limited(|limits| limits.connections = 1);
    let first = world.client(V5_0, "first");
    let (second, connack) = world.try_connect(connect(V5_0, "second"));
    assert_eq!(connack.reason_code, ReasonCode::QuotaExceeded);
    assert!(world.is_closed(second));
    let (_, connack) = world.try_connect(connect(V3_1_1, "third"));
    assert_eq!(connack.reason_code, ReasonCode::ServerUnavailable);
    assert!(!world.is_closed(first));
    assert_eq!(world.broker.counters().connections_refused, 2);
}

// Shows 3.1.1 [MQTT-3.1.3-9], 5.0 [MQTT-3.1.3-8].
#[test]
fn client_identifier_length() {
    let mut world = limited(|limits| limits.client_identifier_length = 23);
    world.connect(connect(V5_0, &"x".repeat(23)));
    for version in [V3_1_1, V5_0] {
        let (client, connack) = world.try_connect(connect(version, &"x".repeat(24)));
        assert_eq!(connack.reason_code, ReasonCode::ClientIdentifierNotValid);
        assert!(world.is_closed(client));
    }
}

#[test]
fn will_payload() {
    let mut world = limited(|limits| limits.will_payload = 4);
    let mut request = connect(V5_0, "client");
    request.will = Some(will("status", "gone"));
    world.connect(request.clone());
    request.will = Some(will("status", "offline"));
    let (_, connack) = world.try_connect(request);
    assert_eq!(connack.reason_code, ReasonCode::QuotaExceeded);
}

#[test]
fn sessions() {
    let mut world = limited(|limits| limits.sessions = 1);
    let (client, _) = world.connect(resume(V5_0, "first"));
    world.cut(client);
    let (_, connack) = world.try_connect(connect(V5_0, "second"));
    assert_eq!(connack.reason_code, ReasonCode::QuotaExceeded);
    let (_, connack) = world.connect(resume(V5_0, "first"));
    assert!(connack.session_present);
}

// Shows 3.1.1 [MQTT-3.9.3-2].
#[test]
fn subscriptions_per_session() {
    let mut world = limited(|limits| limits.subscriptions_per_session = 1);
    let client = world.client(V5_0, "client");
    world.subscribe(client, "a", AtMostOnce);
    world.subscribe(client, "a", AtLeastOnce);
    let code = world.subscribe_with(client, subscription("b", AtMostOnce), None);
    assert_eq!(code, ReasonCode::QuotaExceeded);
    let old = world.client(V3_1_1, "old");
    world.subscribe(old, "a", AtMostOnce);
    let code = world.subscribe_with(old, subscription("b", AtMostOnce), None);
    assert_eq!(code, ReasonCode::UnspecifiedError);
    assert_eq!(world.broker.counters().subscriptions_refused, 2);
}

/// Each message carries the identifiers of all that match it, so their number bounds what it grows by.
#[test]
fn identified_wildcards_per_session() {
    let mut world = limited(|limits| limits.identified_wildcards_per_session = 2);
    let client = world.client(V5_0, "client");
    let mut is_granted = |filter: &str, identifier| {
        let code = world.subscribe_with(client, subscription(filter, AtMostOnce), identifier);
        assert!(matches!(
            code,
            ReasonCode::GRANTED_QOS_0 | ReasonCode::QuotaExceeded
        ));
        code != ReasonCode::QuotaExceeded
    };
    assert!(is_granted("a/#", Some(1)));
    assert!(is_granted("a/+", Some(2)));
    assert!(!is_granted("+/b", Some(3)));
    assert!(is_granted("a/#", Some(4)), "the same one again");
    assert!(is_granted("+/b", None), "without an identifier");
    assert!(!is_granted("+/b", Some(3)), "it gets one");
    assert!(is_granted("a/b", Some(5)), "without a wildcard");
    assert!(is_granted("$share/group/+/b", Some(6)), "shared");
    assert!(is_granted("a/+", None), "it loses its own");
    assert!(is_granted("+/b", Some(3)), "in its place");
    world.unsubscribe(client, "a/#");
    let code = world.subscribe_with(client, subscription("a/+", AtMostOnce), Some(2));
    assert_eq!(
        code,
        ReasonCode::GRANTED_QOS_0,
        "in the place of one given up"
    );
}

#[test]
fn topic_length_and_levels() {
    let mut world = limited(|limits| {
        limits.topic_length = 10;
        limits.topic_levels = 3;
    });
    let client = world.client(V5_0, "client");
    for filter in ["12345678901", "a/b/c/d"] {
        let code = world.subscribe_with(client, subscription(filter, AtMostOnce), None);
        assert_eq!(code, ReasonCode::QuotaExceeded, "{filter}");
        world.publish(client, filter, "x", AtLeastOnce);
        assert!(matches!(
            world.receive(client),
            Some(Packet::Puback(puback)) if puback.reason_code == ReasonCode::TopicNameInvalid
        ));
    }
    world.subscribe(client, "a/b/c", AtMostOnce);
    world.publish(client, "a/b/c", "x", AtMostOnce);
    assert_eq!(world.payloads(client), ["x"]);
}

#[test]
fn queued_messages_per_session() {
    let mut world = limited(|limits| limits.queued_messages_per_session = 2);
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "a", AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    for payload in ["1", "2", "3"] {
        world.publish(publisher, "a", payload, AtLeastOnce);
    }
    assert_eq!(world.broker.counters().dropped_queue_full, 1);
    let (client, _) = world.connect(resume(V5_0, "client"));
    assert_eq!(world.payloads(client), ["1", "2"]);
}

#[test]
fn queued_bytes_per_session() {
    let mut world = limited(|limits| limits.queued_bytes_per_session = 25);
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "a", AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    for payload in ["1234567890", "1234567890", "1234567890", "1"] {
        world.publish(publisher, "a", payload, AtLeastOnce);
    }
    assert_eq!(world.broker.counters().dropped_queue_full, 1);
    let (client, _) = world.connect(resume(V5_0, "client"));
    assert_eq!(world.payloads(client), ["1234567890", "1234567890", "1"]);
}

#[test]
fn expired_messages_make_room_in_a_queue() {
    let mut world = limited(|limits| limits.queued_messages_per_session = 1);
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "a", AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    world.send(
        publisher,
        Packet::Publish(Publish {
            properties: [Property::MessageExpiryInterval(1)].into_iter().collect(),
            ..publish("a", "old", AtLeastOnce)
        }),
    );
    world.advance(crate::world::seconds(1));
    world.publish(publisher, "a", "new", AtLeastOnce);
    let (client, _) = world.connect(resume(V5_0, "client"));
    assert_eq!(world.payloads(client), ["new"]);
}

#[test]
fn in_flight_messages() {
    let mut world = limited(|limits| limits.in_flight_messages = NonZeroU16::new(2).unwrap());
    let client = world.client(V5_0, "client");
    world.subscribe(client, "a", AtLeastOnce);
    let publisher = world.client(V5_0, "publisher");
    for payload in ["1", "2", "3"] {
        world.publish(publisher, "a", payload, AtLeastOnce);
    }
    assert_eq!(world.payloads(client), ["1", "2"]);
}

#[test]
fn user_properties() {
    let mut world = limited(|limits| limits.user_properties = 1);
    let two = || {
        ["a", "b"]
            .map(|name| Property::UserProperty(name.into(), "x".into()))
            .into_iter()
            .collect()
    };
    let client = world.client(V5_0, "client");
    world.send(
        client,
        Packet::Publish(Publish {
            properties: two(),
            ..publish("a", "x", AtLeastOnce)
        }),
    );
    assert!(matches!(
        world.receive(client),
        Some(Packet::Puback(puback)) if puback.reason_code == ReasonCode::QuotaExceeded
    ));
    let mut request = connect(V5_0, "other");
    request.properties = two();
    let (_, connack) = world.try_connect(request);
    assert_eq!(connack.reason_code, ReasonCode::QuotaExceeded);
}

#[test]
fn retained_replays_per_session() {
    let mut world = limited(|limits| limits.retained_replays_per_session = 1);
    let client = world.client(V5_0, "client");
    world.retain(client, "a", "x");
    world.set_writable(client, false);
    world.subscribe(client, "a", AtMostOnce);
    let code = world.subscribe_with(client, subscription("#", AtMostOnce), None);
    assert_eq!(code, ReasonCode::QuotaExceeded);
}

#[test]
fn bytes_per_turn() {
    let mut world = limited(|limits| limits.bytes_per_turn = 1000);
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "a", AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    for _ in 0..10 {
        world.publish(publisher, "a", &"x".repeat(500), AtLeastOnce);
    }
    let (client, _) = world.connect(resume(V5_0, "client"));
    assert!(world.n_bytes(client) < 2000);
    world.advance(crate::world::seconds(0));
    assert_eq!(world.payloads(client).len(), 10);
}

#[test]
fn in_flight_bytes() {
    let mut world = limited(|limits| limits.in_flight_bytes = 250);
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "t", AtLeastOnce);
    let publisher = world.client(V5_0, "publisher");
    let payload = "x".repeat(100);
    for _ in 0..6 {
        world.publish(publisher, "t", &payload, AtLeastOnce);
    }
    let mut in_flight: Vec<_> = (0..3)
        .map(|_| world.receive_publish(client).packet_identifier.unwrap())
        .collect();
    assert_eq!(world.receive(client), None, "the others wait");
    assert_eq!(world.broker.counters().queued_messages, 3);
    // What is sent again does not wait for itself.
    world.cut(client);
    let (client, _) = world.connect(resume(V5_0, "client"));
    for &packet_identifier in &in_flight {
        let again = world.receive_publish(client);
        assert!(again.dup);
        assert_eq!(again.packet_identifier, Some(packet_identifier));
    }
    let mut n_received = 3;
    while let Some(packet_identifier) = in_flight.pop() {
        world.puback(client, packet_identifier);
        for packet in world.receive_all(client) {
            let Packet::Publish(publish) = packet else {
                panic!("expected a PUBLISH, got {packet:?}");
            };
            n_received += 1;
            in_flight.push(publish.packet_identifier.unwrap());
        }
    }
    assert_eq!(n_received, 6);
}

#[test]
fn a_message_above_the_bytes_in_flight_is_sent_alone() {
    let mut world = limited(|limits| limits.in_flight_bytes = 10);
    let client = world.client(V5_0, "client");
    world.subscribe(client, "t", ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    for _ in 0..2 {
        world.publish(publisher, "t", &"x".repeat(100), AtLeastOnce);
    }
    let first = world.receive_publish(client);
    assert_eq!(world.receive(client), None);
    world.puback(client, first.packet_identifier.unwrap());
    world.receive_publish(client);
}
