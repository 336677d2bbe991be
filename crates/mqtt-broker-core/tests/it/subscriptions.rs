//! Who gets what.

use mqtt_protocol::{Packet, Properties, ReasonCode, Subscribe, Subscription};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, ClientId, ExactlyOnce, V3_1_1, V5_0, World, packet_identifier,
    subscription,
};

// Shows 3.1.1 [MQTT-3.3.2-3], 3.1.1 [MQTT-4.7.1-2], 3.1.1 [MQTT-4.7.1-3], 3.1.1 [MQTT-4.7.3-4].
// Shows 5.0 [MQTT-3.3.2-3], 5.0 [MQTT-4.7.1-1], 5.0 [MQTT-4.7.1-2], 5.0 [MQTT-4.7.3-4].
#[test]
fn filters_match_level_by_level() {
    for version in BOTH {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("a/b", &["a/b"], &["a", "a/b/c", "A/b", "a/b/", "/a/b"]),
            ("a/+", &["a/b", "a/"], &["a", "a/b/c"]),
            ("+/+", &["a/b", "/b", "/"], &["a", "a/b/c"]),
            ("+", &["a", "b"], &["/a", "a/"]),
            ("a/#", &["a", "a/", "a/b", "a/b/c"], &["b", "ab"]),
            ("#", &["a", "/", "a/b/c"], &[]),
            ("/#", &["/", "/a", "/a/b"], &["a", "a/"]),
            ("a/+/c", &["a/b/c", "a//c"], &["a/c", "a/b/d", "a/b/c/d"]),
            ("+/b/#", &["a/b", "a/b/c", "/b"], &["b", "a/c"]),
            (
                "Beet 1/Fühler",
                &["Beet 1/Fühler"],
                &["Beet 1/Fuhler", "Beet 1/Fu\u{308}hler"],
            ),
        ];
        for (filter, matching, others) in cases {
            let mut world = World::new();
            let client = world.client(version, "client");
            world.subscribe(client, filter, AtMostOnce);
            for topic in *matching {
                world.publish(client, topic, topic, AtMostOnce);
                assert_eq!(world.payloads(client), [*topic], "{filter} matches {topic}");
            }
            for topic in *others {
                world.publish(client, topic, topic, AtMostOnce);
                assert!(
                    world.payloads(client).is_empty(),
                    "{filter} does not match {topic}"
                );
            }
        }
    }
}

// Shows 3.1.1 [MQTT-3.8.4-1], 3.1.1 [MQTT-3.8.4-2], 3.1.1 [MQTT-3.8.4-5], 3.1.1 [MQTT-3.9.3-1].
// Shows 5.0 [MQTT-3.8.4-1], 5.0 [MQTT-3.8.4-2], 5.0 [MQTT-3.8.4-6], 5.0 [MQTT-3.8.4-7].
// Shows 5.0 [MQTT-3.9.3-1].
#[test]
fn every_filter_of_a_subscribe_has_its_answer() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        world.send(
            client,
            Packet::Subscribe(Subscribe {
                packet_identifier: packet_identifier(7),
                properties: Properties::new(),
                subscriptions: vec![
                    subscription("a", AtLeastOnce),
                    subscription("b", AtMostOnce),
                    subscription("c", ExactlyOnce),
                ],
            }),
        );
        let Some(Packet::Suback(suback)) = world.receive(client) else {
            panic!("a SUBACK");
        };
        assert_eq!(suback.packet_identifier, packet_identifier(7));
        assert_eq!(
            suback.reason_codes,
            [
                ReasonCode::GrantedQoS1,
                ReasonCode::GRANTED_QOS_0,
                ReasonCode::GrantedQoS2
            ]
        );
    }
}

// Shows 3.1.1 [MQTT-3.3.5-1], 5.0 [MQTT-3.3.4-2].
#[test]
fn overlapping_subscriptions_are_one_delivery_with_the_highest_qos() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        let publisher = world.client(version, "publisher");
        world.subscribe(client, "a/#", AtMostOnce);
        world.subscribe(client, "a/+", ExactlyOnce);
        world.subscribe(client, "a/b", AtLeastOnce);
        world.publish(publisher, "a/b", "x", ExactlyOnce);
        assert_eq!(world.receive_publish(client).qos, ExactlyOnce);
        assert!(world.receive_all(client).is_empty());
    }
}

// Shows 5.0 [MQTT-3.3.4-3], 5.0 [MQTT-3.3.4-4].
#[test]
fn a_delivery_names_all_subscriptions_that_it_is_for() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.subscribe_with(client, subscription("a/#", AtMostOnce), Some(10));
    world.subscribe_with(client, subscription("a/b", AtMostOnce), Some(20));
    world.subscribe_with(client, subscription("a/+", AtMostOnce), None);
    world.subscribe_with(client, subscription("other", AtMostOnce), Some(30));
    let identifiers = |world: &mut World, topic: &str| -> Vec<u32> {
        world.publish(client, topic, "x", AtMostOnce);
        let mut identifiers: Vec<_> = world
            .receive_publish(client)
            .properties
            .subscription_identifiers()
            .map(u32::from)
            .collect();
        identifiers.sort_unstable();
        identifiers
    };
    assert_eq!(identifiers(&mut world, "a/b"), [10, 20]);
    assert_eq!(identifiers(&mut world, "a/c"), [10]);
    assert_eq!(identifiers(&mut world, "other"), [30]);
}

// Shows 5.0 [MQTT-3.8.4-3].
#[test]
fn the_same_filter_again_replaces_the_subscription() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.subscribe_with(client, subscription("a", AtMostOnce), Some(1));
    world.subscribe_with(client, subscription("a", AtLeastOnce), Some(2));
    world.publish(client, "a", "x", AtMostOnce);
    let identifiers: Vec<_> = world
        .receive_publish(client)
        .properties
        .subscription_identifiers()
        .map(u32::from)
        .collect();
    assert_eq!(identifiers, [2]);
    assert_eq!(world.broker.counters().subscriptions, 1);
    world.unsubscribe(client, "a");
    world.publish(client, "a", "x", AtMostOnce);
    assert!(world.receive_all(client).is_empty());
}

// Shows 5.0 [MQTT-3.8.3-3].
#[test]
fn no_local_keeps_ones_own_messages_away() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    let other = world.client(V5_0, "other");
    world.subscribe_with(
        client,
        Subscription {
            no_local: true,
            ..subscription("a", AtMostOnce)
        },
        None,
    );
    world.publish(client, "a", "own", AtMostOnce);
    world.publish(other, "a", "foreign", AtMostOnce);
    assert_eq!(world.payloads(client), ["foreign"]);
    world.subscribe(client, "#", AtMostOnce);
    world.publish(client, "a", "own, but asked for elsewhere", AtMostOnce);
    assert_eq!(world.payloads(client).len(), 1);
}

// Shows 5.0 [MQTT-3.10.4-1].
#[test]
fn unsubscribing_says_whether_there_was_anything() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.subscribe(client, "a/+", AtMostOnce);
    assert_eq!(
        world.unsubscribe(client, "a/b"),
        Some(ReasonCode::NoSubscriptionExisted)
    );
    assert_eq!(world.unsubscribe(client, "a/+"), Some(ReasonCode::Success));
    assert_eq!(
        world.unsubscribe(client, "a/+"),
        Some(ReasonCode::NoSubscriptionExisted)
    );
    world.publish(client, "a/b", "x", AtMostOnce);
    assert!(world.receive_all(client).is_empty());
}

// Shows 3.1.1 [MQTT-3.10.4-3], 5.0 [MQTT-3.10.4-3].
#[test]
fn a_message_on_its_way_is_brought_to_its_end_after_unsubscribing() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        let publisher = world.client(version, "publisher");
        world.subscribe(client, "a", ExactlyOnce);
        world.publish(publisher, "a", "x", ExactlyOnce);
        let identifier = world.receive_publish(client).packet_identifier.unwrap();
        world.unsubscribe(client, "a");
        world.pubrec(client, identifier);
        assert!(matches!(world.receive(client), Some(Packet::Pubrel(_))));
        world.pubcomp(client, identifier);
        assert!(!world.is_closed(client));
    }
}

#[test]
fn one_message_reaches_everybody_who_asked() {
    let mut world = World::new();
    let publisher = world.client(V5_0, "publisher");
    let subscribers: Vec<ClientId> = (0..50)
        .map(|number| {
            let version = BOTH[number % 2];
            let client = world.client(version, &format!("client-{number}"));
            let qos = [AtMostOnce, AtLeastOnce, ExactlyOnce][number % 3];
            world.subscribe(client, "zone/+/moisture", qos);
            client
        })
        .collect();
    world.publish(publisher, "zone/1/moisture", "20", ExactlyOnce);
    for (number, &client) in subscribers.iter().enumerate() {
        let message = world.receive_publish(client);
        assert_eq!(message.qos as usize, number % 3);
        assert_eq!(message.payload, "20");
    }
    assert_eq!(world.broker.counters().messages_sent, 50);
}

#[test]
fn a_broken_share_of_3_1_1_is_a_filter_as_any_other() {
    let mut world = World::new();
    let client = world.client(V3_1_1, "client");
    // SUBSCRIBE and UNSUBSCRIBE of "$share/g".
    world.send_bytes(client, b"\x82\x0D\0\x01\0\x08$share/g\x01");
    world.send_bytes(client, b"\xA2\x0C\0\x02\0\x08$share/g");
    let Some(Packet::Suback(suback)) = world.receive(client) else {
        panic!("the SUBSCRIBE is answered");
    };
    assert_eq!(suback.reason_codes, [ReasonCode::GrantedQoS1]);
    assert!(matches!(world.receive(client), Some(Packet::Unsuback(_))));
    assert_eq!(world.broker.counters().subscriptions, 0);
}
