//! What outlives a connection.

use mqtt_broker_core::{DisconnectCause, Event};
use mqtt_protocol::{Disconnect, Packet, Properties, Property, Publish, ReasonCode};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, ExactlyOnce, V3_1_1, V5_0, World, connect, packet_identifier,
    publish, resume, seconds,
};

// Shows 3.1.1 [MQTT-3.1.2-4], 3.1.1 [MQTT-3.1.2-5], 3.1.1 [MQTT-3.1.4-3], 3.1.1 [MQTT-3.2.2-2].
// Shows 3.1.1 [MQTT-3.2.2-3], 3.1.1 [MQTT-4.1.0-1], 3.1.1 [MQTT-4.5.0-1], 5.0 [MQTT-3.1.2-5].
// Shows 5.0 [MQTT-3.1.2-6], 5.0 [MQTT-3.1.2-23], 5.0 [MQTT-3.1.4-4], 5.0 [MQTT-3.2.2-3].
// Shows 5.0 [MQTT-4.5.0-1].
#[test]
fn a_session_goes_on_where_it_stopped() {
    for version in BOTH {
        let mut world = World::new();
        let (client, connack) = world.connect(resume(version, "client"));
        assert!(!connack.session_present);
        world.subscribe(client, "a", ExactlyOnce);
        world.cut(client);
        let publisher = world.client(version, "publisher");
        world.publish(publisher, "a", "lost", AtMostOnce);
        world.publish(publisher, "a", "1", AtLeastOnce);
        world.publish(publisher, "a", "2", ExactlyOnce);
        let (client, connack) = world.connect(resume(version, "client"));
        assert!(connack.session_present);
        let first = world.receive_publish(client);
        assert_eq!(
            (&first.payload[..], first.qos, first.dup),
            (&b"1"[..], AtLeastOnce, false)
        );
        let second = world.receive_publish(client);
        assert_eq!(
            (&second.payload[..], second.qos, second.dup),
            (&b"2"[..], ExactlyOnce, false)
        );
        world.publish(publisher, "a", "3", AtMostOnce);
        assert_eq!(world.payloads(client), ["3"]);
    }
}

// Shows 3.1.1 [MQTT-3.1.2-6], 3.1.1 [MQTT-3.1.4-3], 3.1.1 [MQTT-3.2.2-1], 5.0 [MQTT-3.1.2-4].
// Shows 5.0 [MQTT-3.1.4-4], 5.0 [MQTT-3.2.2-2].
#[test]
fn a_clean_start_discards_the_session() {
    for version in BOTH {
        let mut world = World::new();
        let (client, _) = world.connect(resume(version, "client"));
        world.subscribe(client, "a", AtLeastOnce);
        world.cut(client);
        let publisher = world.client(version, "publisher");
        world.publish(publisher, "a", "1", AtLeastOnce);
        let (client, connack) = world.connect(connect(version, "client"));
        assert!(!connack.session_present);
        world.publish(publisher, "a", "2", AtMostOnce);
        assert!(world.receive_all(client).is_empty());
        let counters = world.broker.counters();
        assert_eq!((counters.subscriptions, counters.queued_messages), (0, 0));
    }
}

// Shows 3.1.1 [MQTT-3.3.1-1], 3.1.1 [MQTT-4.4.0-1], 3.1.1 [MQTT-4.6.0-1], 5.0 [MQTT-3.3.1-1].
// Shows 5.0 [MQTT-4.3.2-3], 5.0 [MQTT-4.3.3-3], 5.0 [MQTT-4.3.3-5], 5.0 [MQTT-4.3.3-6].
// Shows 5.0 [MQTT-4.4.0-1].
#[test]
fn what_was_not_acknowledged_is_sent_again_in_order() {
    for version in BOTH {
        let mut world = World::new();
        let (client, _) = world.connect(resume(version, "client"));
        world.subscribe(client, "a", ExactlyOnce);
        let publisher = world.client(version, "publisher");
        world.publish(publisher, "a", "1", AtLeastOnce);
        world.publish(publisher, "a", "2", ExactlyOnce);
        world.pubrel(publisher, packet_identifier(1));
        world.publish(publisher, "a", "3", ExactlyOnce);
        let sent: Vec<_> = (0..3).map(|_| world.receive_publish(client)).collect();
        world.pubrec(client, sent[1].packet_identifier.unwrap());
        world.receive(client);
        world.cut(client);
        let (client, _) = world.connect(resume(version, "client"));
        let again = world.receive_publish(client);
        assert!(again.dup);
        assert_eq!(again.packet_identifier, sent[0].packet_identifier);
        assert_eq!(again.payload, "1");
        assert!(matches!(
            world.receive(client),
            Some(Packet::Pubrel(pubrel)) if Some(pubrel.packet_identifier) == sent[1].packet_identifier
        ));
        let again = world.receive_publish(client);
        assert!(again.dup);
        assert_eq!(again.packet_identifier, sent[2].packet_identifier);
        assert!(world.receive_all(client).is_empty());
    }
}

// Shows 3.1.1 [MQTT-4.1.0-1], 5.0 [MQTT-4.3.3-10].
#[test]
fn a_qos_2_message_stays_one_message_across_connections() {
    for version in BOTH {
        let mut world = World::new();
        let subscriber = world.client(version, "subscriber");
        world.subscribe(subscriber, "a", AtMostOnce);
        let (publisher, _) = world.connect(resume(version, "publisher"));
        world.publish(publisher, "a", "once", ExactlyOnce);
        world.cut(publisher);
        let (publisher, connack) = world.connect(resume(version, "publisher"));
        assert!(connack.session_present);
        let mut again = publish("a", "once", ExactlyOnce);
        again.dup = true;
        world.send(publisher, Packet::Publish(again));
        assert!(matches!(world.receive(publisher), Some(Packet::Pubrec(_))));
        assert_eq!(world.payloads(subscriber), ["once"]);
    }
}

// Shows 5.0 [MQTT-3.1.2-23], 5.0 [MQTT-4.1.0-2].
#[test]
fn a_session_expires_after_its_interval() {
    let expiring = |interval| {
        let mut request = connect(V5_0, "client");
        request.clean_start = false;
        request
            .properties
            .push(Property::SessionExpiryInterval(interval));
        request
    };
    let mut world = World::new();
    let (client, _) = world.connect(expiring(10));
    world.cut(client);
    world.advance(seconds(9));
    let (client, connack) = world.connect(expiring(10));
    assert!(connack.session_present);
    world.advance(seconds(100));
    world.cut(client);
    world.advance(seconds(10));
    assert_eq!(world.broker.counters().sessions, 0);
    assert!(matches!(
        world.events.last(),
        Some(Event::SessionEnded { client_identifier }) if *client_identifier == "client"
    ));
    let (_, connack) = world.connect(expiring(10));
    assert!(!connack.session_present);
}

#[test]
fn a_session_may_never_expire() {
    for version in BOTH {
        let mut world = World::new();
        let (client, _) = world.connect(resume(version, "client"));
        world.cut(client);
        world.advance(seconds(1_000_000_000));
        assert_eq!(world.broker.counters().sessions, 1);
    }
}

// Shows 3.1.1 [MQTT-3.1.2-6].
#[test]
fn a_session_of_the_connection_ends_with_it() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        world.subscribe(client, "a", AtLeastOnce);
        world.cut(client);
        let counters = world.broker.counters();
        assert_eq!((counters.sessions, counters.subscriptions), (0, 0));
        let (_, connack) = world.connect(resume(version, "client"));
        assert!(!connack.session_present);
    }
}

#[test]
fn a_goodbye_may_change_how_long_the_session_stays() {
    let goodbye = |interval| {
        Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::NORMAL_DISCONNECTION,
            properties: [Property::SessionExpiryInterval(interval)]
                .into_iter()
                .collect(),
        })
    };
    let mut world = World::new();
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.send(client, goodbye(0));
    assert_eq!(world.broker.counters().sessions, 0);
    let client = world.client(V5_0, "client");
    world.send(client, goodbye(10));
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::ProtocolError),
        "a session that was to end with its connection stays so"
    );
}

// Shows 3.1.1 [MQTT-3.1.4-2], 5.0 [MQTT-3.1.4-3].
#[test]
fn a_second_connection_of_a_client_takes_its_session_over() {
    for version in BOTH {
        let mut world = World::new();
        let (first, _) = world.connect(resume(version, "client"));
        world.subscribe(first, "a", AtLeastOnce);
        let publisher = world.client(version, "publisher");
        world.publish(publisher, "a", "1", AtLeastOnce);
        assert_eq!(world.payloads(first), ["1"]);
        let (second, connack) = world.connect(resume(version, "client"));
        assert!(connack.session_present);
        let told = (version == V5_0).then_some(ReasonCode::SessionTakenOver);
        assert_eq!(world.disconnect_reason(first), told);
        assert_eq!(
            world.disconnect_cause(first),
            Some(DisconnectCause::Server(ReasonCode::SessionTakenOver))
        );
        assert!(world.receive_publish(second).dup);
        world.publish(publisher, "a", "2", AtMostOnce);
        assert_eq!(world.payloads(second), ["2"]);
        assert_eq!(world.broker.counters().clients, 2);
    }
}

#[test]
fn a_take_over_with_a_clean_start_begins_anew() {
    let mut world = World::new();
    let (first, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(first, "a", AtLeastOnce);
    let (second, connack) = world.connect(connect(V5_0, "client"));
    assert!(!connack.session_present);
    assert!(world.is_closed(first));
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a", "1", AtMostOnce);
    assert!(world.receive_all(second).is_empty());
}

// Shows 5.0 [MQTT-3.3.2-5], 5.0 [MQTT-3.3.2-6].
#[test]
fn a_message_that_waited_too_long_is_not_delivered() {
    let mut world = World::new();
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "a", AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    for (payload, interval) in [("short", 10), ("long", 100)] {
        world.send(
            publisher,
            Packet::Publish(Publish {
                properties: [Property::MessageExpiryInterval(interval)]
                    .into_iter()
                    .collect(),
                ..publish("a", payload, AtLeastOnce)
            }),
        );
    }
    world.advance(seconds(30));
    let (client, _) = world.connect(resume(V5_0, "client"));
    let message = world.receive_publish(client);
    assert_eq!(message.payload, "long");
    assert_eq!(message.properties.message_expiry_interval(), Some(70));
    assert!(world.receive_all(client).is_empty());
    assert_eq!(world.broker.counters().expired, 1);
    assert_eq!(world.broker.counters().queued_messages, 0);
}

// Shows 5.0 [MQTT-4.3.3-7].
#[test]
fn a_message_that_was_sent_does_not_expire() {
    let mut world = World::new();
    let (client, _) = world.connect(resume(V5_0, "client"));
    world.subscribe(client, "a", ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    world.send(
        publisher,
        Packet::Publish(Publish {
            properties: [Property::MessageExpiryInterval(10)].into_iter().collect(),
            ..publish("a", "x", ExactlyOnce)
        }),
    );
    world.receive_publish(client);
    world.cut(client);
    world.advance(seconds(60));
    let (client, _) = world.connect(resume(V5_0, "client"));
    assert!(world.receive_publish(client).dup);
}

#[test]
fn a_session_may_go_on_in_another_version() {
    for (before, after) in [(V3_1_1, V5_0), (V5_0, V3_1_1)] {
        let mut world = World::new();
        let (client, _) = world.connect(resume(before, "client"));
        world.subscribe(client, "a", AtLeastOnce);
        world.cut(client);
        let publisher = world.client(V5_0, "publisher");
        world.send(
            publisher,
            Packet::Publish(Publish {
                properties: [Property::ContentType("text/plain".into())]
                    .into_iter()
                    .collect(),
                ..publish("a", "x", AtLeastOnce)
            }),
        );
        let (client, connack) = world.connect(resume(after, "client"));
        assert!(connack.session_present);
        let message = world.receive_publish(client);
        assert_eq!(message.properties.content_type().is_some(), after == V5_0);
    }
}

#[test]
fn in_the_same_batch_a_goodbye_is_the_last_word() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    let mut bytes = Vec::new();
    for packet in [
        Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::NORMAL_DISCONNECTION,
            properties: Properties::new(),
        }),
        Packet::Pingreq,
    ] {
        packet.encode(V5_0, &mut bytes).unwrap();
    }
    world.send_bytes(client, &bytes);
    assert!(world.is_closed(client));
    assert!(world.receive_all(client).is_empty());
}
