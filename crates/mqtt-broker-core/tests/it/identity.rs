//! Whose session it is, and what belongs to it.

use mqtt_broker_core::{Limits, Settings};
use mqtt_protocol::{Packet, Property, ReasonCode};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, V3_1_1, V5_0, World, connect, resume, seconds, will,
};

// Shows 3.1.1 [MQTT-3.1.3-5], 5.0 [MQTT-3.1.3-5].
#[test]
fn letters_and_digits_up_to_23_bytes_name_a_client() {
    let characters: String = ('0'..='9').chain('a'..='z').chain('A'..='Z').collect();
    for version in BOTH {
        let mut world = World::new();
        for length in 1..=23 {
            world.client(version, &characters[..length]);
        }
        for start in 0..characters.len() - 22 {
            world.client(version, &characters[start..start + 23]);
        }
    }
}

// Shows 3.1.1 [MQTT-3.1.3-2], 5.0 [MQTT-3.1.3-2].
#[test]
fn each_client_identifier_has_a_session_of_its_own() {
    for version in BOTH {
        let mut world = World::new();
        let (first, _) = world.connect(resume(version, "first"));
        world.subscribe(first, "a", AtLeastOnce);
        world.cut(first);
        let publisher = world.client(version, "publisher");
        world.publish(publisher, "a", "x", AtLeastOnce);
        for (client_identifier, expected) in [("second", 0), ("First", 0), ("first", 1)] {
            let (client, connack) = world.connect(resume(version, client_identifier));
            assert_eq!(connack.session_present, expected == 1);
            assert_eq!(world.payloads(client).len(), expected);
        }
    }
}

// Shows 3.1.1 [MQTT-3.2.2-4], 3.1.1 [MQTT-3.2.2-5], 5.0 [MQTT-3.2.2-6], 5.0 [MQTT-3.2.2-7].
// Shows 5.0 [MQTT-4.13.2-1].
#[test]
fn a_refusal_ends_the_connection_and_tells_of_no_session() {
    for version in BOTH {
        let mut world = World::with(Settings {
            limits: Limits {
                will_payload: 4,
                ..Limits::default()
            },
            ..Settings::default()
        });
        let (client, _) = world.connect(resume(version, "client"));
        world.cut(client);
        let mut request = resume(version, "client");
        request.will = Some(will("status", "offline"));
        let (client, connack) = world.try_connect(request);
        assert!(connack.reason_code.is_error());
        assert!(!connack.session_present);
        assert!(world.is_closed(client));
        let (_, connack) = world.connect(resume(version, "client"));
        assert!(connack.session_present, "it is there all the same");
    }
}

// Shows 3.1.1 [MQTT-3.1.0-2], 5.0 [MQTT-3.1.0-2], 5.0 [MQTT-3.2.0-2], 5.0 [MQTT-4.13.1-1].
#[test]
fn a_second_connect_has_no_connack() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.client(version, "client");
        let again = Packet::Connect(Box::new(connect(version, "client")));
        world.send(client, again);
        assert!(world.is_closed(client));
        let packets = world.receive_all(client);
        match version {
            V3_1_1 => assert_eq!(packets, []),
            V5_0 => assert!(matches!(&packets[..], [Packet::Disconnect(_)])),
        }
    }
}

// Shows 3.1.1 [MQTT-4.1.0-2], 5.0 [MQTT-4.1.0-1].
#[test]
fn a_session_stays_as_long_as_its_connection() {
    for version in BOTH {
        let mut world = World::new();
        let mut request = connect(version, "client");
        if version == V5_0 {
            let interval = Property::SessionExpiryInterval(10);
            request.properties.push(interval);
        }
        let (client, _) = world.connect(request);
        world.subscribe(client, "a", AtMostOnce);
        world.advance(seconds(1_000_000));
        world.publish(client, "a", "x", AtMostOnce);
        assert_eq!(world.payloads(client), ["x"]);
    }
}

// Shows 3.1.1 [MQTT-3.1.2-7].
#[test]
fn a_retained_message_outlives_the_session_of_its_publisher() {
    for version in BOTH {
        let mut world = World::new();
        let publisher = world.client(version, "publisher");
        world.retain(publisher, "a", "kept");
        world.cut(publisher);
        assert_eq!(world.broker.counters().sessions, 0);
        let client = world.client(version, "client");
        world.subscribe(client, "a", AtMostOnce);
        assert_eq!(world.payloads(client), ["kept"]);
    }
}

// Shows 3.1.1 [MQTT-3.1.2-10], 3.1.1 [MQTT-3.1.2-12], 5.0 [MQTT-3.1.2-10].
#[test]
fn a_will_belongs_to_one_connection() {
    for version in BOTH {
        let mut world = World::new();
        let watcher = world.client(version, "watcher");
        world.subscribe(watcher, "status", AtMostOnce);
        let (client, _) = world.connect(resume(version, "client"));
        world.cut(client);
        assert!(world.receive_all(watcher).is_empty(), "it has none");
        let mut request = resume(version, "client");
        request.will = Some(will("status", "offline"));
        let (client, _) = world.connect(request);
        world.cut(client);
        assert_eq!(world.payloads(watcher), ["offline"]);
        world.connect(connect(version, "client"));
        assert!(world.receive_all(watcher).is_empty(), "it was published");
        let (client, _) = world.connect(resume(version, "client"));
        world.cut(client);
        assert!(world.receive_all(watcher).is_empty(), "it has none again");
    }
}

// Shows 3.1.1 [MQTT-3.1.2-16], 3.1.1 [MQTT-3.1.2-17], 5.0 [MQTT-3.1.2-14], 5.0 [MQTT-3.1.2-15].
#[test]
fn a_will_is_kept_only_if_it_is_to_be_retained() {
    for version in BOTH {
        for retain in [false, true] {
            let mut world = World::new();
            let mut request = connect(version, "client");
            let mut message = will("status", "offline");
            message.retain = retain;
            request.will = Some(message);
            let (client, _) = world.connect(request);
            world.cut(client);
            let late = world.client(version, "late");
            world.subscribe(late, "status", AtMostOnce);
            let kept: &[&str] = if retain { &["offline"] } else { &[] };
            assert_eq!(world.payloads(late), kept);
        }
    }
}

// Shows 5.0 [MQTT-3.1.2-8], 5.0 [MQTT-3.1.2-10].
#[test]
fn a_goodbye_with_any_other_reason_does_not_keep_the_will_back() {
    let mut world = World::new();
    let watcher = world.client(V5_0, "watcher");
    world.subscribe(watcher, "status", AtMostOnce);
    for (reason_code, n_wills) in [
        (ReasonCode::NORMAL_DISCONNECTION, 0),
        (ReasonCode::DisconnectWithWillMessage, 1),
        (ReasonCode::UnspecifiedError, 1),
    ] {
        let mut request = connect(V5_0, "client");
        request.will = Some(will("status", "offline"));
        let (client, _) = world.connect(request);
        world.disconnect(client, reason_code);
        assert_eq!(world.payloads(watcher).len(), n_wills, "{reason_code:?}");
    }
}
