//! What a subscription, or several of them, bring to a Client.

use mqtt_broker_core::Settings;
use mqtt_protocol::{
    Packet, Properties, Property, Publish, ReasonCode, Subscribe, Subscription, TopicFilter,
    Unsubscribe,
};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, ClientId, ExactlyOnce, V3_1_1, V5_0, World, packet_identifier,
    publish, resume, subscription,
};

/// Subscribes to all of these by one packet.
fn subscribe_all(
    world: &mut World,
    client: ClientId,
    subscriptions: Vec<Subscription>,
) -> Vec<ReasonCode> {
    world.send(
        client,
        Packet::Subscribe(Subscribe {
            packet_identifier: packet_identifier(1),
            properties: Properties::new(),
            subscriptions,
        }),
    );
    match world.receive(client) {
        Some(Packet::Suback(suback)) => suback.reason_codes,
        other => panic!("expected a SUBACK, got {other:?}"),
    }
}

// Shows 3.1.1 [MQTT-3.3.1-3], 5.0 [MQTT-3.3.1-3].
#[test]
fn the_dup_flag_of_the_publisher_stays_with_the_publisher() {
    for version in BOTH {
        for qos in [AtLeastOnce, ExactlyOnce] {
            let mut world = World::new();
            let client = world.client(version, "client");
            let publisher = world.client(version, "publisher");
            world.subscribe(client, "a", qos);
            world.send(
                publisher,
                Packet::Publish(Publish {
                    dup: true,
                    ..publish("a", "x", qos)
                }),
            );
            assert!(!world.receive_publish(client).dup);
        }
    }
}

// Shows 5.0 [MQTT-3.2.2-9], 5.0 [MQTT-3.2.2-10].
#[test]
fn a_broker_of_qos_0_grants_subscriptions_of_every_qos() {
    let mut world = World::with(Settings {
        maximum_qos: AtMostOnce,
        ..Settings::default()
    });
    let (client, connack) = world.connect(crate::world::connect(V5_0, "client"));
    assert_eq!(connack.properties.maximum_qos(), Some(AtMostOnce));
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let code = world.subscribe_with(client, subscription("a", qos), None);
        assert!(!code.is_error());
        world.publish(client, "a", "x", AtMostOnce);
        assert_eq!(world.payloads(client), ["x"]);
    }
}

// Shows 5.0 [MQTT-3.3.4-5].
#[test]
fn each_copy_of_a_message_carries_the_identifiers_that_it_is_for() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.subscribe_with(client, subscription("a", AtMostOnce), Some(10));
    world.subscribe_with(client, subscription("+", AtMostOnce), Some(20));
    world.subscribe_with(client, subscription("$share/group/a", AtMostOnce), Some(30));
    world.publish(client, "a", "x", AtMostOnce);
    let mut copies: Vec<Vec<u32>> = (0..2)
        .map(|_| {
            let publish = world.receive_publish(client);
            let identifiers = publish.properties.subscription_identifiers();
            identifiers.map(u32::from).collect()
        })
        .collect();
    copies.iter_mut().for_each(|copy| copy.sort_unstable());
    copies.sort();
    assert_eq!(copies, [vec![10, 20], vec![30]]);
    assert!(world.receive_all(client).is_empty());
}

// Shows 3.1.1 [MQTT-3.8.4-3], 5.0 [MQTT-3.8.4-3], 5.0 [MQTT-3.8.4-4].
#[test]
fn subscribing_again_changes_the_qos_and_brings_retained_messages_again() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        let publisher = world.client(version, "publisher");
        world.retain(publisher, "a/1", "kept");
        for qos in [ExactlyOnce, AtLeastOnce, AtMostOnce] {
            world.subscribe(client, "a/+", qos);
            assert_eq!(world.payloads(client), ["kept"]);
            world.publish(publisher, "a/2", "x", ExactlyOnce);
            world.pubrel(publisher, packet_identifier(1));
            assert_eq!(world.receive_publish(client).qos, qos);
            assert!(world.receive_all(client).is_empty(), "one subscription");
        }
    }
}

// Shows 3.1.1 [MQTT-3.8.4-3], 3.1.1 [MQTT-4.6.0-6], 5.0 [MQTT-3.8.4-4], 5.0 [MQTT-4.6.0-5].
#[test]
fn subscribing_again_loses_no_message_that_waits() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        let publisher = world.client(version, "publisher");
        world.subscribe(client, "a", AtLeastOnce);
        world.set_writable(client, false);
        world.publish(publisher, "a", "before", AtLeastOnce);
        world.subscribe(client, "a", AtLeastOnce);
        world.publish(publisher, "a", "after", AtLeastOnce);
        world.set_writable(client, true);
        assert_eq!(world.payloads(client), ["before", "after"]);
    }
}

// Shows 3.1.1 [MQTT-3.8.4-4], 3.1.1 [MQTT-3.8.4-5], 5.0 [MQTT-3.8.4-5], 5.0 [MQTT-3.8.4-6].
#[test]
fn several_filters_are_as_several_subscribes() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        let publisher = world.client(version, "publisher");
        world.retain(publisher, "a", "kept");
        let too_deep = "a/".repeat(200);
        let codes = subscribe_all(
            &mut world,
            client,
            vec![
                subscription("a", ExactlyOnce),
                subscription(&too_deep, AtMostOnce),
                subscription("b", AtLeastOnce),
                subscription("a", AtMostOnce),
            ],
        );
        let failure = match version {
            V3_1_1 => ReasonCode::UnspecifiedError,
            V5_0 => ReasonCode::QuotaExceeded,
        };
        assert_eq!(
            codes,
            [
                ReasonCode::GrantedQoS2,
                failure,
                ReasonCode::GrantedQoS1,
                ReasonCode::GRANTED_QOS_0
            ]
        );
        assert_eq!(world.payloads(client), ["kept", "kept"]);
        world.publish(publisher, "a", "x", ExactlyOnce);
        assert_eq!(world.receive_publish(client).qos, AtMostOnce);
        assert_eq!(world.broker.counters().subscriptions, 2);
    }
}

// Shows 3.1.1 [MQTT-3.10.4-1], 3.1.1 [MQTT-3.10.4-2], 5.0 [MQTT-3.10.4-1], 5.0 [MQTT-3.10.4-2].
#[test]
fn only_the_very_same_filter_is_unsubscribed_from() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        let publisher = world.client(version, "publisher");
        world.subscribe(client, "a/+", AtMostOnce);
        for filter in ["a/b", "a/#", "A/+", "a/+/", "/a/+", "+/+", "#"] {
            world.unsubscribe(client, filter);
            world.publish(publisher, "a/b", filter, AtMostOnce);
            assert_eq!(world.payloads(client), [filter]);
        }
        world.unsubscribe(client, "a/+");
        world.publish(publisher, "a/b", "x", AtMostOnce);
        assert!(world.receive_all(client).is_empty());
    }
}

// Shows 3.1.1 [MQTT-3.10.4-6], 5.0 [MQTT-3.10.4-6], 5.0 [MQTT-3.11.3-1].
#[test]
fn several_filters_are_unsubscribed_from_at_once() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        for filter in ["a", "b", "c"] {
            world.subscribe(client, filter, AtMostOnce);
        }
        world.send(
            client,
            Packet::Unsubscribe(Unsubscribe {
                packet_identifier: packet_identifier(1),
                properties: Properties::new(),
                topic_filters: ["a", "none", "c", "a"]
                    .map(|filter| TopicFilter::new(filter).unwrap())
                    .into(),
            }),
        );
        let packets = world.receive_all(client);
        let [Packet::Unsuback(unsuback)] = &packets[..] else {
            panic!("one UNSUBACK, not {packets:?}");
        };
        let (done, nothing) = (ReasonCode::Success, ReasonCode::NoSubscriptionExisted);
        let expected: &[ReasonCode] = match version {
            V3_1_1 => &[],
            V5_0 => &[done, nothing, done, nothing],
        };
        assert_eq!(unsuback.reason_codes, expected);
        for topic in ["a", "b", "c"] {
            world.publish(client, topic, topic, AtMostOnce);
        }
        assert_eq!(world.payloads(client), ["b"]);
    }
}

// Shows 3.1.1 [MQTT-3.8.3-2].
#[test]
fn a_broker_without_wildcards_refuses_them() {
    for version in BOTH {
        let mut world = World::with(Settings {
            wildcard_subscription_available: false,
            ..Settings::default()
        });
        let client = world.client(version, "client");
        for filter in ["#", "a/+"] {
            let code = world.subscribe_with(client, subscription(filter, AtMostOnce), None);
            assert!(code.is_error(), "{filter}");
        }
        world.publish(client, "a/b", "x", AtMostOnce);
        assert!(world.receive_all(client).is_empty());
    }
}

// Shows 3.1.1 [MQTT-4.7.2-1], 5.0 [MQTT-4.7.2-1].
#[test]
fn a_wildcard_does_not_stand_for_the_first_level_of_the_servers_own_topics() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        for filter in ["#", "+/uptime", "+/#"] {
            world.subscribe(client, filter, AtMostOnce);
        }
        let own = publish("$SYS/uptime", "7", AtMostOnce);
        world.broker.publish(own.clone(), world.now);
        world.drain();
        assert!(world.receive_all(client).is_empty());
        world.subscribe(client, "$SYS/#", AtMostOnce);
        world.broker.publish(own, world.now);
        world.drain();
        assert_eq!(world.payloads(client), ["7"]);
    }
}

// Shows 5.0 [MQTT-4.8.2-3].
#[test]
fn a_member_gets_messages_at_the_qos_that_it_was_granted() {
    let levels = [AtMostOnce, AtLeastOnce, ExactlyOnce];
    for published in levels {
        for granted in levels {
            let mut world = World::new();
            let member = world.client(V5_0, "member");
            let publisher = world.client(V5_0, "publisher");
            world.subscribe(member, "$share/group/a", granted);
            world.publish(publisher, "a", "x", published);
            assert_eq!(world.receive_publish(member).qos, published.min(granted));
        }
    }
}

// Shows 5.0 [MQTT-4.8.2-4].
#[test]
fn a_member_that_comes_back_is_sent_the_rest_of_its_qos_2_message() {
    let mut world = World::new();
    let (first, _) = world.connect(resume(V5_0, "first"));
    world.subscribe(first, "$share/group/a", ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a", "x", ExactlyOnce);
    let identifier = world.receive_publish(first).packet_identifier;
    let second = world.client(V5_0, "second");
    world.subscribe(second, "$share/group/a", ExactlyOnce);
    world.cut(first);
    let (first, _) = world.connect(resume(V5_0, "first"));
    let again = world.receive_publish(first);
    assert_eq!((again.dup, again.packet_identifier), (true, identifier));
    world.pubrec(first, identifier.unwrap());
    world.receive(first);
    world.cut(first);
    let (first, _) = world.connect(resume(V5_0, "first"));
    assert!(matches!(
        world.receive(first),
        Some(Packet::Pubrel(pubrel)) if Some(pubrel.packet_identifier) == identifier
    ));
    assert!(world.receive_all(second).is_empty());
}

// Shows 5.0 [MQTT-3.1.2-24], 5.0 [MQTT-3.1.2-25].
#[test]
fn what_waited_and_is_too_large_is_as_good_as_sent() {
    let mut world = World::new();
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "a", ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    let large = "x".repeat(200);
    world.publish(publisher, "a", &large, ExactlyOnce);
    let sent = world.receive_publish(client).packet_identifier;
    world.cut(client);
    world.publish(publisher, "a", &large, AtLeastOnce);
    world.publish(publisher, "a", "short", AtLeastOnce);
    world.retain(publisher, "kept", &large);
    let mut request = resume(V5_0, "client");
    let maximum = Property::MaximumPacketSize(100.try_into().unwrap());
    request.properties.push(maximum);
    let (client, _) = world.connect(request);
    assert!(matches!(
        world.receive(client),
        Some(Packet::Pubrel(pubrel)) if Some(pubrel.packet_identifier) == sent
    ));
    assert_eq!(world.payloads(client), ["short"]);
    world.subscribe(client, "kept", AtMostOnce);
    assert!(world.receive_all(client).is_empty());
}
