//! The beginning and the end of connections.

use std::num::NonZeroU16;

use bytes::Bytes;
use mqtt_broker_core::{DisconnectCause, Limits, Settings};
use mqtt_protocol::{Auth, Packet, Properties, Property, QoS, ReasonCode};

use crate::world::{
    AtMostOnce, BOTH, ExactlyOnce, V3_1_1, V5_0, World, connect, publish, resume, seconds, will,
};

// Shows 3.1.1 [MQTT-3.1.4-4], 3.1.1 [MQTT-3.2.0-1], 5.0 [MQTT-3.1.4-5], 5.0 [MQTT-3.2.0-1].
#[test]
fn a_connect_is_answered_by_a_connack() {
    for version in BOTH {
        let mut world = World::new();
        let (client, connack) = world.connect(connect(version, "probe"));
        assert!(!connack.session_present);
        assert!(world.receive_all(client).is_empty());
    }
}

// Shows 3.1.1 [MQTT-3.1.0-1], 5.0 [MQTT-3.1.0-1].
#[test]
fn a_first_packet_that_is_no_connect_is_closed_in_silence() {
    for version in BOTH {
        let mut world = World::new();
        let client = world.open(version);
        world.send(client, Packet::Pingreq);
        assert!(world.is_closed(client));
        assert!(world.receive_all(client).is_empty());
        assert_eq!(
            world.disconnect_cause(client),
            Some(DisconnectCause::NotMqtt)
        );
    }
}

// Shows 3.1.1 [MQTT-3.1.0-2], 5.0 [MQTT-3.1.0-2].
#[test]
fn a_second_connect_is_a_protocol_error() {
    let mut world = World::new();
    let client = world.client(V5_0, "probe");
    world.send(client, Packet::Connect(Box::new(connect(V5_0, "probe"))));
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::ProtocolError)
    );
    let old = world.client(V3_1_1, "probe");
    world.send(old, Packet::Connect(Box::new(connect(V3_1_1, "probe"))));
    assert_eq!(world.disconnect_reason(old), None);
}

#[test]
fn a_connection_without_a_connect_is_closed_in_time() {
    let mut world = World::new();
    let client = world.open(V5_0);
    world.advance(seconds(9));
    assert!(!world.is_closed(client));
    world.advance(seconds(1));
    assert!(world.is_closed(client));
    assert_eq!(
        world.disconnect_cause(client),
        Some(DisconnectCause::ConnectTimeout)
    );
}

// Shows 5.0 [MQTT-3.1.3-6], 5.0 [MQTT-3.1.3-7], 5.0 [MQTT-3.2.2-16].
#[test]
fn a_client_without_an_identifier_gets_one_of_its_own() {
    let mut world = World::new();
    let (_, first) = world.connect(connect(V5_0, ""));
    let (_, second) = world.connect(connect(V5_0, ""));
    let first = first.properties.assigned_client_identifier().cloned();
    assert!(first.is_some());
    assert_ne!(
        first.as_ref(),
        second.properties.assigned_client_identifier()
    );
    assert_eq!(world.broker.counters().sessions, 2);
    let mut request = resume(V5_0, "");
    request.clean_start = true;
    let (client, connack) = world.connect(request);
    world.cut(client);
    let assigned = connack.properties.assigned_client_identifier().cloned();
    let (_, connack) = world.connect(resume(V5_0, &assigned.unwrap()));
    assert!(connack.session_present, "it can come back by that name");
}

// Shows 3.1.1 [MQTT-3.1.3-6], 3.1.1 [MQTT-3.1.3-8], 3.1.1 [MQTT-3.1.3-9].
#[test]
fn an_old_client_without_an_identifier_must_start_clean() {
    let mut world = World::new();
    for n_sessions in 1..=2 {
        let (_, connack) = world.connect(connect(V3_1_1, ""));
        assert!(connack.properties.is_empty());
        assert_eq!(world.broker.counters().sessions, n_sessions);
    }
    let mut request = connect(V3_1_1, "");
    request.clean_start = false;
    let (client, connack) = world.try_connect(request);
    assert_eq!(connack.reason_code, ReasonCode::ClientIdentifierNotValid);
    assert!(world.is_closed(client));
}

// Shows 5.0 [MQTT-3.2.2-9].
#[test]
fn a_connack_says_what_the_broker_cannot_do() {
    let mut world = World::with(Settings {
        maximum_qos: QoS::AtLeastOnce,
        retain_available: false,
        wildcard_subscription_available: false,
        subscription_identifiers_available: false,
        shared_subscription_available: false,
        keep_alive_max: NonZeroU16::new(60),
        response_information: Some("answers/".into()),
        limits: Limits {
            session_expiry_interval: Some(seconds(100)),
            packet_size: 1000,
            receive_maximum: NonZeroU16::new(5).unwrap(),
            topic_alias_maximum: 3,
            ..Limits::default()
        },
    });
    let mut request = connect(V5_0, "probe");
    request.keep_alive = 0;
    request
        .properties
        .push(Property::SessionExpiryInterval(1000));
    request
        .properties
        .push(Property::RequestResponseInformation(true));
    let (_, connack) = world.connect(request);
    let properties = &connack.properties;
    assert_eq!(properties.session_expiry_interval(), Some(100));
    assert_eq!(properties.receive_maximum(), NonZeroU16::new(5));
    assert_eq!(properties.maximum_qos(), Some(QoS::AtLeastOnce));
    assert_eq!(properties.retain_available(), Some(false));
    assert_eq!(properties.maximum_packet_size().unwrap().get(), 1000);
    assert_eq!(properties.topic_alias_maximum(), Some(3));
    assert_eq!(properties.wildcard_subscription_available(), Some(false));
    assert_eq!(properties.subscription_identifiers_available(), Some(false));
    assert_eq!(properties.shared_subscription_available(), Some(false));
    assert_eq!(properties.server_keep_alive(), Some(60));
    assert_eq!(
        properties.response_information().map(|base| &**base),
        Some("answers/")
    );
}

// Shows 5.0 [MQTT-3.1.2-28].
#[test]
fn response_information_is_only_for_those_who_ask() {
    let mut world = World::with(Settings {
        response_information: Some("answers/".into()),
        ..Settings::default()
    });
    let (_, connack) = world.connect(connect(V5_0, "probe"));
    assert_eq!(connack.properties.response_information(), None);
}

// Shows 5.0 [MQTT-3.2.2-12], 5.0 [MQTT-3.2.2-13].
#[test]
fn a_will_that_the_broker_cannot_publish_is_refused() {
    let mut world = World::with(Settings {
        maximum_qos: AtMostOnce,
        retain_available: false,
        ..Settings::default()
    });
    let mut request = connect(V5_0, "probe");
    request.will = Some(will("a", "gone"));
    request.will.as_mut().unwrap().qos = ExactlyOnce;
    let (client, connack) = world.try_connect(request.clone());
    assert_eq!(connack.reason_code, ReasonCode::QoSNotSupported);
    assert!(world.is_closed(client));
    request.will.as_mut().unwrap().qos = AtMostOnce;
    request.will.as_mut().unwrap().retain = true;
    let (client, connack) = world.try_connect(request);
    assert_eq!(connack.reason_code, ReasonCode::RetainNotSupported);
    assert!(world.is_closed(client));
}

// Shows 5.0 [MQTT-4.13.1-1].
#[test]
fn a_publish_that_the_connack_excluded_ends_the_connection() {
    let mut world = World::with(Settings {
        maximum_qos: AtMostOnce,
        retain_available: false,
        ..Settings::default()
    });
    let client = world.client(V5_0, "probe");
    world.publish(client, "a", "1", ExactlyOnce);
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::QoSNotSupported)
    );
    let client = world.client(V5_0, "probe");
    world.retain(client, "a", "1");
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::RetainNotSupported)
    );
}

// Shows 5.0 [MQTT-4.12.0-1].
#[test]
fn enhanced_authentication_is_refused() {
    let mut world = World::new();
    let mut request = connect(V5_0, "probe");
    request
        .properties
        .push(Property::AuthenticationMethod("SCRAM-SHA-256".into()));
    let (_, connack) = world.try_connect(request);
    assert_eq!(connack.reason_code, ReasonCode::BadAuthenticationMethod);
    let client = world.client(V5_0, "probe");
    world.send(
        client,
        Packet::Auth(Auth {
            reason_code: ReasonCode::ReAuthenticate,
            properties: [Property::AuthenticationMethod("SCRAM-SHA-256".into())]
                .into_iter()
                .collect(),
        }),
    );
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::ProtocolError)
    );
}

// Shows 3.1.1 [MQTT-3.1.2-24], 3.1.1 [MQTT-3.12.4-1], 5.0 [MQTT-3.1.2-22], 5.0 [MQTT-3.2.2-22].
// Shows 5.0 [MQTT-3.12.4-1].
#[test]
fn silence_beyond_one_and_a_half_keep_alives_ends_the_connection() {
    for version in BOTH {
        let mut world = World::new();
        let mut request = connect(version, "probe");
        request.keep_alive = 10;
        let (client, _) = world.connect(request);
        world.advance(seconds(14));
        world.send(client, Packet::Pingreq);
        assert_eq!(world.receive(client), Some(Packet::Pingresp));
        world.advance(seconds(14));
        assert!(!world.is_closed(client));
        world.advance(seconds(1));
        let told = (version == V5_0).then_some(ReasonCode::KeepAliveTimeout);
        assert_eq!(world.disconnect_reason(client), told);
    }
}

#[test]
fn a_client_without_keep_alive_may_be_silent() {
    let mut world = World::new();
    let client = world.client(V5_0, "probe");
    world.advance(seconds(1_000_000));
    assert!(!world.is_closed(client));
}

#[test]
fn the_servers_keep_alive_is_the_one_that_counts() {
    let mut world = World::with(Settings {
        keep_alive_max: NonZeroU16::new(10),
        ..Settings::default()
    });
    let (client, connack) = world.connect(connect(V5_0, "probe"));
    assert_eq!(connack.properties.server_keep_alive(), Some(10));
    world.advance(seconds(15));
    assert!(world.is_closed(client));
}

#[test]
fn shutting_down_says_goodbye_and_refuses_newcomers() {
    let mut world = World::new();
    let new = world.client(V5_0, "new");
    let old = world.client(V3_1_1, "old");
    world.shut_down();
    assert_eq!(
        world.disconnect_reason(new),
        Some(ReasonCode::ServerShuttingDown)
    );
    assert_eq!(world.disconnect_reason(old), None);
    let (late, connack) = world.try_connect(connect(V5_0, "late"));
    assert_eq!(connack.reason_code, ReasonCode::ServerUnavailable);
    assert!(world.is_closed(late));
}

#[test]
fn a_late_call_with_an_old_name_does_nothing() {
    let mut world = World::new();
    let first = world.broker.open(world.now);
    world.broker.handle_close(first, world.now);
    let second = world.broker.open(world.now);
    assert_eq!(first.index(), second.index());
    world.broker.handle_close(first, world.now);
    assert_eq!(world.broker.counters().connections, 1);
}

// Shows 3.1.1 [MQTT-3.1.4-5], 5.0 [MQTT-3.1.4-6].
#[test]
fn what_follows_a_refused_connect_is_not_looked_at() {
    for version in BOTH {
        let mut world = World::with(Settings {
            limits: Limits {
                sessions: 0,
                ..Limits::default()
            },
            ..Settings::default()
        });
        let client = world.open(version);
        let mut bytes = Vec::new();
        for packet in [
            Packet::Connect(Box::new(connect(version, "probe"))),
            Packet::Publish(publish("a", "1", ExactlyOnce)),
        ] {
            packet.encode(version, &mut bytes).unwrap();
        }
        world.send_bytes(client, &bytes);
        assert!(matches!(
            &world.receive_all(client)[..],
            [Packet::Connack(connack)] if connack.reason_code.is_error()
        ));
        assert_eq!(world.broker.counters().messages_received, 0);
    }
}

#[test]
fn a_message_of_the_shell_may_be_on_the_servers_own_topics() {
    let mut world = World::new();
    let client = world.client(V5_0, "probe");
    world.subscribe(client, "$SYS/#", AtMostOnce);
    world.broker.publish(
        mqtt_protocol::Publish {
            properties: Properties::new(),
            payload: Bytes::from_static(b"7"),
            ..publish("$SYS/clients", "", AtMostOnce)
        },
        world.now,
    );
    world.drain();
    assert_eq!(world.payloads(client), ["7"]);
}
