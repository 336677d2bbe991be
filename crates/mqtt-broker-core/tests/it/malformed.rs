//! Bytes that are no valid packet end the connection of their sender, whatever is wrong with them.

use mqtt_protocol::{Packet, ProtocolVersion, ReasonCode};

use crate::world::{BOTH, V3_1_1, V5_0, World};

/// A packet: its first byte, and what follows the Remaining Length.
fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u8::try_from(body.len()).unwrap();
    assert!(length < 128, "the length takes one byte");
    [&[first, length], &body[..]].concat()
}

/// Bytes with their length before them.
fn field(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes(), bytes].concat()
}

/// The Property Length where the version has one, and what it counts.
fn properties(version: ProtocolVersion, encoded: &[u8]) -> Vec<u8> {
    match version {
        V3_1_1 => Vec::new(),
        V5_0 => [&[u8::try_from(encoded.len()).unwrap()], encoded].concat(),
    }
}

/// A PUBLISH at QoS 0 with these properties.
fn publish_with(encoded: &[u8]) -> Vec<u8> {
    packet(0x30, &[&field(b"a"), &properties(V5_0, encoded)])
}

/// A SUBSCRIBE with Packet Identifier 1 and what follows its properties.
fn subscribe(version: ProtocolVersion, payload: &[u8]) -> Vec<u8> {
    packet(0x82, &[&[0, 1], &properties(version, b""), payload])
}

fn unsubscribe(version: ProtocolVersion, payload: &[u8]) -> Vec<u8> {
    packet(0xA2, &[&[0, 1], &properties(version, b""), payload])
}

/// A CONNECT with these Connect Flags and this payload.
fn connect(version: ProtocolVersion, flags: u8, payload: &[&[u8]]) -> Vec<u8> {
    let head = [
        &field(b"MQTT")[..],
        &[version as u8, flags, 0, 0],
        &properties(version, b""),
    ];
    packet(0x10, &[&head.concat(), &payload.concat()])
}

/// Checks that these bytes end the connection of a Client that is connected; a 5.0 Client is told why.
#[track_caller]
fn check_ended(version: ProtocolVersion, name: &str, bytes: &[u8]) {
    let mut world = World::new();
    let client = world.client(version, "client");
    world.send_bytes(client, bytes);
    assert!(world.is_closed(client), "{version:?}: {name}");
    let told = world.disconnect_reason(client);
    match version {
        V3_1_1 => assert_eq!(told, None, "{name}"),
        V5_0 => assert!(told.is_some_and(ReasonCode::is_error), "{name}"),
    }
}

/// Checks that a CONNECT begins nothing: closed in silence on 3.1.1, refused on 5.0.
#[track_caller]
fn check_no_connect(version: ProtocolVersion, name: &str, bytes: &[u8]) {
    let mut world = World::new();
    let client = world.open(version);
    world.send_bytes(client, bytes);
    assert!(world.is_closed(client), "{version:?}: {name}");
    assert_eq!(world.broker.counters().sessions, 0, "{version:?}: {name}");
    let answers = world.receive_all(client);
    match version {
        V3_1_1 => assert_eq!(answers, [], "{name}"),
        V5_0 => assert!(
            matches!(&answers[..], [Packet::Connack(connack)] if connack.reason_code.is_error()),
            "{name}"
        ),
    }
}

// Shows 3.1.1 [MQTT-2.2.2-2], 3.1.1 [MQTT-3.6.1-1], 3.1.1 [MQTT-3.8.1-1], 3.1.1 [MQTT-3.10.1-1].
// Shows 3.1.1 [MQTT-3.14.1-1], 3.1.1 [MQTT-4.8.0-1].
// Shows 5.0 [MQTT-2.1.3-1], 5.0 [MQTT-3.6.1-1], 5.0 [MQTT-3.8.1-1], 5.0 [MQTT-3.10.1-1].
// Shows 5.0 [MQTT-3.14.1-1], 5.0 [MQTT-3.15.1-1], 5.0 [MQTT-4.13.1-1].
#[test]
fn flags_that_are_reserved() {
    for version in BOTH {
        let filter = field(b"a");
        let right = [
            packet(0x40, &[&[0, 1]]),
            packet(0x50, &[&[0, 1]]),
            packet(0x62, &[&[0, 1]]),
            packet(0x70, &[&[0, 1]]),
            subscribe(version, &[&filter[..], &[0]].concat()),
            unsubscribe(version, &filter),
            packet(0xC0, &[]),
            packet(0xE0, &[]),
            packet(0xF0, &[]),
        ];
        for mut bytes in right {
            let first = bytes[0];
            for flags in (0..16).filter(|flags| first & 0x0F != *flags) {
                bytes[0] = first & 0xF0 | flags;
                check_ended(version, &format!("{:02X}", bytes[0]), &bytes);
            }
        }
    }
}

// Shows 3.1.1 [MQTT-2.3.1-1], 5.0 [MQTT-2.2.1-3].
#[test]
fn a_packet_identifier_of_zero() {
    for version in BOTH {
        let options = [&field(b"a")[..], &[0]].concat();
        for mut bytes in [
            subscribe(version, &options),
            unsubscribe(version, &field(b"a")),
        ] {
            bytes[3] = 0;
            check_ended(version, "of a request", &bytes);
        }
        for first in [0x32, 0x34] {
            let parts = [&field(b"a")[..], &[0, 0], &properties(version, b"")];
            check_ended(version, "of a message", &packet(first, &parts));
        }
    }
}

/// Not UTF-8, a surrogate, U+0000.
const NO_TEXT: [&[u8]; 4] = [b"\xC3\x28", b"\xED\xA0\x80", b"\0", b"a\0b"];

// Shows 3.1.1 [MQTT-1.5.3-1], 3.1.1 [MQTT-1.5.3-2], 3.1.1 [MQTT-3.3.2-1], 3.1.1 [MQTT-3.8.3-1].
// Shows 3.1.1 [MQTT-3.10.3-1], 3.1.1 [MQTT-4.7.3-2].
// Shows 5.0 [MQTT-1.5.4-1], 5.0 [MQTT-1.5.4-2], 5.0 [MQTT-3.3.2-1], 5.0 [MQTT-3.8.3-1].
// Shows 5.0 [MQTT-3.10.3-1], 5.0 [MQTT-4.7.3-2].
#[test]
fn topics_that_are_no_text() {
    for version in BOTH {
        for text in NO_TEXT.map(field) {
            let message = packet(0x30, &[&text, &properties(version, b"")]);
            check_ended(version, "of a message", &message);
            let filter = [&text[..], &[0]].concat();
            check_ended(version, "to subscribe to", &subscribe(version, &filter));
            check_ended(version, "to unsubscribe from", &unsubscribe(version, &text));
        }
    }
}

// Shows 5.0 [MQTT-1.5.7-1], 5.0 [MQTT-3.3.2-13], 5.0 [MQTT-3.3.2-19].
#[test]
fn properties_that_are_no_text() {
    for text in NO_TEXT.map(field) {
        let good = field(b"a");
        for (name, parts) in [
            ("the name of a User Property", [&[0x26][..], &text, &good]),
            ("the value of a User Property", [&[0x26], &good, &text]),
            ("the Content Type", [&[0x03], &text, b""]),
            ("the Response Topic", [&[0x08], &text, b""]),
        ] {
            check_ended(V5_0, name, &publish_with(&parts.concat()));
        }
    }
}

// Shows 3.1.1 [MQTT-3.1.3-4], 3.1.1 [MQTT-3.1.3-10], 3.1.1 [MQTT-3.1.3-11].
// Shows 5.0 [MQTT-3.1.3-4], 5.0 [MQTT-3.1.3-11], 5.0 [MQTT-3.1.3-12].
#[test]
fn names_of_a_connect_that_are_no_text() {
    for version in BOTH {
        let good = field(b"a");
        let none = properties(version, b"");
        for text in NO_TEXT.map(field) {
            for (name, bytes) in [
                ("Client Identifier", connect(version, 0x02, &[&text])),
                (
                    "Will Topic",
                    connect(version, 0x06, &[&good, &none, &text, &good]),
                ),
                ("User Name", connect(version, 0x82, &[&good, &text])),
            ] {
                check_no_connect(version, name, &bytes);
            }
        }
    }
}

// Shows 3.1.1 [MQTT-3.1.2-9], 3.1.1 [MQTT-3.1.2-11], 3.1.1 [MQTT-3.1.2-13], 3.1.1 [MQTT-3.1.2-14].
// Shows 3.1.1 [MQTT-3.1.2-15], 3.1.1 [MQTT-3.1.2-18], 3.1.1 [MQTT-3.1.2-19], 3.1.1 [MQTT-3.1.2-20].
// Shows 3.1.1 [MQTT-3.1.2-21], 3.1.1 [MQTT-3.1.3-3], 3.1.1 [MQTT-3.1.4-1].
// Shows 5.0 [MQTT-3.1.2-9], 5.0 [MQTT-3.1.2-11], 5.0 [MQTT-3.1.2-12], 5.0 [MQTT-3.1.2-13].
// Shows 5.0 [MQTT-3.1.2-16], 5.0 [MQTT-3.1.2-17], 5.0 [MQTT-3.1.2-18], 5.0 [MQTT-3.1.2-19].
// Shows 5.0 [MQTT-3.1.3-3], 5.0 [MQTT-3.1.4-1].
#[test]
fn a_connect_whose_flags_and_payload_disagree() {
    for version in BOTH {
        let a = &field(b"a")[..];
        let none = &properties(version, b"")[..];
        for (name, flags, payload) in [
            ("no Client Identifier", 0x02, &[][..]),
            ("reserved flag", 0x03, &[a]),
            ("Will QoS without a Will", 0x0A, &[a]),
            ("Will Retain without a Will", 0x22, &[a]),
            ("a Will without the flag", 0x02, &[a, none, a, a]),
            ("the flag without a Will", 0x06, &[a]),
            ("the flag without the Will's payload", 0x06, &[a, none, a]),
            ("Will QoS 3", 0x1E, &[a, none, a, a]),
            ("User Name without the flag", 0x02, &[a, a]),
            ("the flag without a User Name", 0x82, &[a]),
            ("Password without the flag", 0x82, &[a, a, a]),
            ("the flag without a Password", 0xC2, &[a, a]),
        ] {
            check_no_connect(version, name, &connect(version, flags, payload));
        }
        let mut world = World::new();
        let client = world.open(version);
        world.send_bytes(client, &connect(version, 0xF6, &[a, none, a, a, a, a]));
        assert!(!world.is_closed(client), "with all of it there");
    }
}

// Shows 3.1.1 [MQTT-3.1.2-1], 3.1.1 [MQTT-3.1.2-2], 5.0 [MQTT-3.1.2-1], 5.0 [MQTT-3.1.2-2].
#[test]
fn another_protocol_and_another_version() {
    for version in BOTH {
        for name in [&b"mqtt"[..], b"MQTT\0", b"HTTP", b""] {
            let mut bytes = connect(version, 0x02, &[&field(b"a")]);
            bytes.splice(2..8, field(name));
            bytes[1] = u8::try_from(bytes.len() - 2).unwrap();
            let mut world = World::new();
            let client = world.open(version);
            world.send_bytes(client, &bytes);
            assert!(world.is_closed(client), "{name:?}");
            assert_eq!(world.receive_all(client), [], "{name:?}");
        }
    }
    for (form, number) in [(V3_1_1, 3), (V5_0, 6)] {
        let mut bytes = connect(form, 0x02, &[&field(b"a")]);
        bytes[8] = number;
        let mut world = World::new();
        let client = world.open(form);
        world.send_bytes(client, &bytes);
        assert!(matches!(
            &world.receive_all(client)[..],
            [Packet::Connack(connack)] if connack.reason_code == ReasonCode::UnsupportedProtocolVersion
        ));
        assert!(world.is_closed(client));
    }
}

// Shows 3.1.1 [MQTT-3.3.1-2], 3.1.1 [MQTT-3.3.1-4], 3.1.1 [MQTT-3.3.2-2], 3.1.1 [MQTT-4.7.1-1].
// Shows 3.1.1 [MQTT-4.7.3-1], 5.0 [MQTT-3.3.1-2], 5.0 [MQTT-3.3.1-4], 5.0 [MQTT-3.3.2-2].
// Shows 5.0 [MQTT-4.7.0-1].
#[test]
fn a_message_that_none_could_be() {
    for version in BOTH {
        let none = &properties(version, b"")[..];
        for (name, first, topic, rest) in [
            ("QoS 3", 0x36, &b"a"[..], &[0, 1][..]),
            ("DUP at QoS 0", 0x38, b"a", b""),
            ("a wildcard of one level", 0x30, b"a/+", b""),
            ("a wildcard of many levels", 0x30, b"#", b""),
            ("no topic", 0x30, b"", b""),
        ] {
            let bytes = packet(first, &[&field(topic), rest, none]);
            check_ended(version, name, &bytes);
        }
    }
}

// Shows 5.0 [MQTT-3.3.2-8], 5.0 [MQTT-3.3.2-14], 5.0 [MQTT-3.3.4-6].
#[test]
fn a_message_with_properties_that_a_client_may_not_send() {
    for (name, encoded) in [
        ("Topic Alias 0", &b"\x23\0\0"[..]),
        ("a Response Topic with a wildcard", b"\x08\0\x01#"),
        ("a Subscription Identifier", b"\x0B\x01"),
    ] {
        check_ended(V5_0, name, &publish_with(encoded));
    }
}

// Shows 3.1.1 [MQTT-3.8.3-3], 3.1.1 [MQTT-3-8.3-4], 3.1.1 [MQTT-3.10.3-2], 3.1.1 [MQTT-4.7.1-2].
// Shows 3.1.1 [MQTT-4.7.1-3], 3.1.1 [MQTT-4.7.3-1], 5.0 [MQTT-3.8.3-2], 5.0 [MQTT-3.8.3-5].
// Shows 5.0 [MQTT-3.10.3-2], 5.0 [MQTT-4.7.1-1], 5.0 [MQTT-4.7.1-2], 5.0 [MQTT-4.7.3-1].
#[test]
fn a_request_without_a_valid_filter() {
    for version in BOTH {
        check_ended(version, "to subscribe to", &subscribe(version, b""));
        check_ended(version, "to unsubscribe from", &unsubscribe(version, b""));
        for filter in [&b""[..], b"a#", b"a/#/b", b"a+", b"+a/b"] {
            let filter = field(filter);
            let payload = [&filter[..], &[0]].concat();
            check_ended(version, "to subscribe to", &subscribe(version, &payload));
            check_ended(
                version,
                "to unsubscribe from",
                &unsubscribe(version, &filter),
            );
        }
        for options in [0x03, 0x40, 0x80] {
            let payload = [&field(b"a")[..], &[options]].concat();
            check_ended(version, "options", &subscribe(version, &payload));
        }
    }
    for options in [0x04, 0x08, 0x10] {
        let payload = [&field(b"a")[..], &[options]].concat();
        check_ended(V3_1_1, "options of 5.0", &subscribe(V3_1_1, &payload));
    }
}

// Shows 5.0 [MQTT-3.8.3-4], 5.0 [MQTT-4.8.2-1], 5.0 [MQTT-4.8.2-2].
#[test]
fn a_shared_subscription_of_the_wrong_form() {
    for (filter, options) in [
        (&b"$share/"[..], 0x00),
        (b"$share/group", 0x00),
        (b"$share/group/", 0x00),
        (b"$share//a", 0x00),
        (b"$share/gr+up/a", 0x00),
        (b"$share/gr#up/a", 0x00),
        (b"$share/group/a", 0x04),
    ] {
        let payload = [&field(filter)[..], &[options]].concat();
        check_ended(V5_0, "shared", &subscribe(V5_0, &payload));
    }
}
