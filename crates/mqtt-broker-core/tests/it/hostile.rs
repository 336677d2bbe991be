//! Bytes that are no MQTT harm nobody but their sender.

use mqtt_broker_core::DisconnectCause;
use mqtt_protocol::{Packet, ReasonCode};

use crate::world::{AtMostOnce, BOTH, V3_1_1, V5_0, World, connect};

#[test]
fn garbage_before_a_connect_is_closed_in_silence() {
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x00; 16],
        &[0xFF; 16],
        &[0x30, 0x00],
    ] {
        let mut world = World::new();
        let client = world.open(V5_0);
        world.send_bytes(client, garbage);
        assert!(world.is_closed(client));
        assert!(world.receive_all(client).is_empty());
        assert_eq!(
            world.disconnect_cause(client),
            Some(DisconnectCause::NotMqtt)
        );
    }
}

// Shows 5.0 [MQTT-3.1.2-3], 5.0 [MQTT-3.1.4-1].
#[test]
fn a_malformed_connect_of_5_0_is_answered() {
    let mut bytes = Vec::new();
    Packet::Connect(Box::new(connect(V5_0, "client")))
        .encode(V5_0, &mut bytes)
        .unwrap();
    // The reserved bit of the Connect Flags, behind the fixed header, the name and the version.
    bytes[9] |= 0x01;
    let mut world = World::new();
    let client = world.open(V5_0);
    world.send_bytes(client, &bytes);
    assert!(matches!(
        &world.receive_all(client)[..],
        [Packet::Connack(connack)] if connack.reason_code == ReasonCode::MalformedPacket
    ));
    assert!(world.is_closed(client));
}

// Shows 3.1.1 [MQTT-3.1.2-3], 3.1.1 [MQTT-3.1.4-1], 3.1.1 [MQTT-3.2.2-6].
#[test]
fn a_malformed_connect_of_3_1_1_is_closed_in_silence() {
    let mut bytes = Vec::new();
    Packet::Connect(Box::new(connect(V3_1_1, "client")))
        .encode(V3_1_1, &mut bytes)
        .unwrap();
    bytes[9] |= 0x01;
    let mut world = World::new();
    let client = world.open(V3_1_1);
    world.send_bytes(client, &bytes);
    assert!(world.receive_all(client).is_empty());
    assert!(world.is_closed(client));
}

// Shows 3.1.1 [MQTT-3.1.2-2].
#[test]
fn mqtt_3_1_is_refused_in_the_form_it_understands() {
    let mut world = World::new();
    let client = world.open(V3_1_1);
    world.send_bytes(client, b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a");
    assert!(matches!(
        &world.receive_all(client)[..],
        [Packet::Connack(connack)] if connack.reason_code == ReasonCode::UnsupportedProtocolVersion
    ));
    assert!(world.is_closed(client));
}

// Shows 3.1.1 [MQTT-3.3.1-4], 3.1.1 [MQTT-4.8.0-1], 5.0 [MQTT-3.3.1-4], 5.0 [MQTT-4.13.1-1].
#[test]
fn malformed_bytes_later_harm_nobody_else() {
    for version in BOTH {
        let mut world = World::new();
        let bystander = world.client(version, "bystander");
        world.subscribe(bystander, "a", AtMostOnce);
        let hostile = world.client(version, "hostile");
        let mut bytes = Vec::new();
        Packet::Publish(crate::world::publish("a", "before", AtMostOnce))
            .encode(version, &mut bytes)
            .unwrap();
        bytes.extend_from_slice(&[0x36, 0x02, 0x00, 0x00]);
        Packet::Publish(crate::world::publish("a", "after", AtMostOnce))
            .encode(version, &mut bytes)
            .unwrap();
        world.send_bytes(hostile, &bytes);
        let told = (version == V5_0).then_some(ReasonCode::MalformedPacket);
        assert_eq!(world.disconnect_reason(hostile), told);
        assert_eq!(world.payloads(bystander), ["before"]);
        assert_eq!(world.broker.counters().protocol_violations, 1);
    }
}

#[test]
fn packets_that_only_a_server_sends_end_the_connection() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.send_bytes(client, &[0xD0, 0x00]);
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::ProtocolError)
    );
}
