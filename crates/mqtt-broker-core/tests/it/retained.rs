//! Messages that are kept for those who come later.

use mqtt_broker_core::{Limits, Settings};
use mqtt_protocol::{Packet, Property, Publish, ReasonCode, RetainHandling, Subscription};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, ExactlyOnce, V5_0, World, publish, resume, seconds, subscription,
};

// Shows 3.1.1 [MQTT-3.3.1-5], 3.1.1 [MQTT-3.3.1-6], 3.1.1 [MQTT-3.3.1-7], 3.1.1 [MQTT-3.3.1-8].
// Shows 3.1.1 [MQTT-3.3.1-9], 5.0 [MQTT-3.3.1-5].
#[test]
fn the_last_message_of_a_topic_awaits_new_subscribers() {
    for version in BOTH {
        let mut world = World::new();
        let early = world.client(version, "early");
        let publisher = world.client(version, "publisher");
        world.subscribe(early, "#", AtMostOnce);
        world.retain(publisher, "a", "old");
        world.retain(publisher, "a", "new");
        for payload in ["old", "new"] {
            let message = world.receive_publish(early);
            assert_eq!(
                (&message.payload[..], message.retain),
                (payload.as_bytes(), false)
            );
        }
        let late = world.client(version, "late");
        world.subscribe(late, "+", AtMostOnce);
        let message = world.receive_publish(late);
        assert_eq!((&message.payload[..], message.retain), (&b"new"[..], true));
        assert!(world.receive_all(late).is_empty());
    }
}

// Shows 3.1.1 [MQTT-3.3.1-10], 3.1.1 [MQTT-3.3.1-11], 5.0 [MQTT-3.3.1-6], 5.0 [MQTT-3.3.1-7].
#[test]
fn an_empty_message_clears_the_topic() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        world.retain(client, "a", "x");
        let early = world.client(version, "early");
        world.subscribe(early, "a", AtMostOnce);
        world.retain(client, "a", "");
        assert_eq!(
            world.payloads(early),
            ["x", ""],
            "it is sent like any other"
        );
        world.subscribe(client, "a", AtMostOnce);
        assert!(world.receive_all(client).is_empty());
        assert_eq!(world.broker.counters().retained_messages, 0);
        assert_eq!(world.broker.counters().retained_bytes, 0);
    }
}

// Shows 3.1.1 [MQTT-3.3.1-12], 5.0 [MQTT-3.3.1-8].
#[test]
fn a_message_without_retain_leaves_what_is_kept() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        world.retain(client, "a", "kept");
        world.publish(client, "a", "passing", AtMostOnce);
        world.publish(client, "a", "", AtMostOnce);
        world.subscribe(client, "a", AtMostOnce);
        assert_eq!(world.payloads(client), ["kept"]);
    }
}

// Shows 3.1.1 [MQTT-3.3.1-5].
#[test]
fn retained_messages_come_at_the_lower_qos() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let mut message = publish(&format!("a/{}", qos as u8), "x", qos);
            message.retain = true;
            world.send(client, Packet::Publish(message));
        }
        let late = world.client(version, "late");
        world.subscribe(late, "a/#", AtLeastOnce);
        let qos: Vec<_> = (0..3).map(|_| world.receive_publish(late).qos).collect();
        assert_eq!(qos, [AtMostOnce, AtLeastOnce, AtLeastOnce]);
    }
}

// Shows 5.0 [MQTT-3.3.1-9], 5.0 [MQTT-3.3.1-10], 5.0 [MQTT-3.3.1-11], 5.0 [MQTT-3.8.4-4].
#[test]
fn retain_handling_decides_whether_they_come() {
    for (handling, first, again) in [
        (RetainHandling::Send, 1, 1),
        (RetainHandling::SendIfNew, 1, 0),
        (RetainHandling::DoNotSend, 0, 0),
    ] {
        let mut world = World::new();
        let client = world.client(V5_0, "client");
        world.retain(client, "a", "x");
        for expected in [first, again] {
            world.subscribe_with(
                client,
                Subscription {
                    retain_handling: handling,
                    ..subscription("a", AtMostOnce)
                },
                None,
            );
            assert_eq!(world.receive_all(client).len(), expected, "{handling:?}");
        }
    }
}

// Shows 5.0 [MQTT-3.3.1-12], 5.0 [MQTT-3.3.1-13].
#[test]
fn retain_as_published_tells_subscribers_of_the_flag() {
    for retain_as_published in [false, true] {
        let mut world = World::new();
        let client = world.client(V5_0, "client");
        world.subscribe_with(
            client,
            Subscription {
                retain_as_published,
                ..subscription("a", AtMostOnce)
            },
            None,
        );
        world.retain(client, "a", "x");
        assert_eq!(world.receive_publish(client).retain, retain_as_published);
        world.publish(client, "a", "x", AtMostOnce);
        assert!(!world.receive_publish(client).retain);
    }
}

#[test]
fn retained_messages_carry_the_subscription_identifier() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.retain(client, "a", "x");
    world.subscribe_with(client, subscription("a", AtMostOnce), Some(5));
    let message = world.receive_publish(client);
    let identifiers: Vec<_> = message
        .properties
        .subscription_identifiers()
        .map(u32::from)
        .collect();
    assert_eq!(identifiers, [5]);
}

// Shows 3.1.1 [MQTT-4.7.2-1], 5.0 [MQTT-4.7.2-1].
#[test]
fn a_retained_message_of_the_servers_own_needs_to_be_named() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    let own = Publish {
        retain: true,
        ..publish("$SYS/version", "1", AtMostOnce)
    };
    world.broker.publish(own, world.now);
    world.subscribe(client, "#", AtMostOnce);
    world.subscribe(client, "+/version", AtMostOnce);
    assert!(world.receive_all(client).is_empty());
    world.subscribe(client, "$SYS/+", AtMostOnce);
    assert_eq!(world.payloads(client), ["1"]);
}

// Shows 5.0 [MQTT-3.3.2-5], 5.0 [MQTT-3.3.2-6].
#[test]
fn a_retained_message_expires() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.send(
        client,
        Packet::Publish(Publish {
            retain: true,
            properties: [Property::MessageExpiryInterval(100)].into_iter().collect(),
            ..publish("a", "x", AtMostOnce)
        }),
    );
    world.advance(seconds(40));
    world.subscribe(client, "a", AtMostOnce);
    let message = world.receive_publish(client);
    assert_eq!(message.properties.message_expiry_interval(), Some(60));
    world.advance(seconds(60));
    assert_eq!(world.broker.counters().retained_messages, 0);
    world.subscribe(client, "a", AtMostOnce);
    assert!(world.receive_all(client).is_empty());
}

#[test]
fn many_retained_messages_come_turn_by_turn_and_none_is_stale() {
    let mut world = World::with(Settings {
        limits: Limits {
            bytes_per_turn: 500,
            ..Limits::default()
        },
        ..Settings::default()
    });
    let publisher = world.client(V5_0, "publisher");
    for number in 0..100 {
        world.retain(publisher, &format!("zone/{number:03}"), "old");
    }
    let client = world.client(V5_0, "client");
    world.subscribe(client, "zone/#", AtMostOnce);
    let first_turn = world.payloads(client).len();
    assert!(first_turn > 0 && first_turn < 100, "{first_turn}");
    world.retain(publisher, "zone/099", "new");
    world.advance(seconds(0));
    let rest = world.payloads(client);
    assert_eq!(first_turn + rest.len(), 100);
    assert_eq!(rest.iter().filter(|payload| *payload == "new").count(), 1);
    assert_eq!(rest[0], "new", "what is new does not wait");
}

#[test]
fn retained_messages_wait_for_a_slow_subscriber() {
    let mut world = World::new();
    let publisher = world.client(V5_0, "publisher");
    for number in 0..10 {
        world.retain(publisher, &format!("zone/{number}"), "x");
    }
    let client = world.client(V5_0, "client");
    world.set_writable(client, false);
    world.subscribe(client, "zone/#", AtMostOnce);
    assert!(world.receive_all(client).is_empty());
    world.set_writable(client, true);
    assert_eq!(world.payloads(client).len(), 10);
    assert_eq!(world.broker.counters().dropped_slow_subscriber, 0);
}

#[test]
fn retained_messages_that_were_cut_off_come_with_the_session() {
    let mut world = World::new();
    let publisher = world.client(V5_0, "publisher");
    world.retain(publisher, "zone/1", "x");
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.set_writable(client, false);
    world.subscribe(client, "zone/#", AtMostOnce);
    world.cut(client);
    let (client, _) = world.connect(resume(V5_0, "client"));
    assert_eq!(world.payloads(client), ["x"]);
}

#[test]
fn what_does_not_fit_is_refused_or_passed_on_without_being_kept() {
    let mut world = World::with(Settings {
        limits: Limits {
            retained_messages: 2,
            retained_bytes: 10,
            ..Limits::default()
        },
        ..Settings::default()
    });
    let client = world.client(V5_0, "client");
    world.subscribe(client, "#", AtMostOnce);
    world.retain(client, "a", "1");
    world.retain(client, "b", "1");
    world.retain(client, "c", "too many");
    world.retain(client, "a", "2");
    assert_eq!(world.payloads(client), ["1", "1", "too many", "2"]);
    world.send(
        client,
        Packet::Publish(Publish {
            retain: true,
            ..publish("a", "too many bytes", AtLeastOnce)
        }),
    );
    assert!(matches!(
        world.receive(client),
        Some(Packet::Puback(puback)) if puback.reason_code == ReasonCode::QuotaExceeded
    ));
    assert!(world.receive_all(client).is_empty());
    let counters = world.broker.counters();
    assert_eq!(
        (counters.retained_messages, counters.retained_bytes),
        (2, 4)
    );
    assert_eq!(counters.retained_refused, 2);
}
