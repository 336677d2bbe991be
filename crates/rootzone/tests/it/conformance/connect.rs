//! CONNECT and CONNACK, and what comes before and instead of them.

use super::{check_closed_3, check_refused_5};
use crate::{
    broker::Broker,
    peer::{Peer, TRANSPORTS},
    script::{bytes, check_all, play},
};

// Shows 3.1.1 [MQTT-3.1.3-8], 3.1.1 [MQTT-3.1.4-4], 3.1.1 [MQTT-3.2.2-1], 3.1.1 [MQTT-3.2.2-4].
// Shows 3.1.1 [MQTT-3.2.2-5], 5.0 [MQTT-3.1.4-5], 5.0 [MQTT-3.2.2-1], 5.0 [MQTT-3.2.2-2].
// Shows 5.0 [MQTT-4.12.0-6].
#[test]
fn a_connect_is_accepted_as_its_version_wants() {
    check_all(&[
        (
            "3.1.1 with a Client Identifier",
            "a > 10 'MQTT' 04 02 003C 'device'
            a < 20 00 00
            a quiet",
        ),
        (
            "3.1.1 without a Client Identifier, Clean Session",
            "a > 10 'MQTT' 04 02 003C ''
            a < 20 00 00
            a quiet",
        ),
        (
            "3.1.1 without a Client Identifier, not Clean Session",
            "a > 10 'MQTT' 04 00 003C ''
            a < 20 00 02
            a closed",
        ),
        (
            "3.1.1 with user name, password and Will",
            "a > 10 'MQTT' 04 EE 003C 'device' 'will' 0002 [hi] 'user' 0002 [pw]
            a < 20 00 00
            a quiet",
        ),
        (
            "3.1.1 with a user name and no password",
            "a > 10 'MQTT' 04 82 003C 'device' 'user'
            a < 20 00 00
            a quiet",
        ),
        (
            "5.0 with a Client Identifier is assigned none",
            "a > 10 'MQTT' 05 02 003C {} 'device'
            a < 20 00 00 { 21 0400 27 02000000 22 0040 }
            a quiet",
        ),
        (
            "5.0 that asks for Response Information where there is none",
            "a > 10 'MQTT' 05 02 003C { 19 01 } 'device'
            a < 20 00 00 { 21 0400 27 02000000 22 0040 }
            a quiet",
        ),
        (
            "5.0 with a password and no user name",
            "a > 10 'MQTT' 05 42 003C {} 'device' 0002 [pw]
            a < 20 00 00 ..
            a quiet",
        ),
        (
            "5.0 with every property that a Client may send",
            "a > 10 'MQTT' 05 02 003C { 11 0000000A 21 000A 27 00001000 22 000A 19 01 17 01 26 'a' 'b' 26 'a' 'b' } 'device'
            a < 20 00 00 ..
            a quiet",
        ),
        (
            "a Client Identifier of letters that are not ASCII",
            "a > 10 'MQTT' 04 02 003C 'Gewächshaus-中-🌱'
            a < 20 00 00
            a quiet",
        ),
        (
            "a Client Identifier longer than the 23 bytes that every Server takes",
            "a > 10 'MQTT' 04 02 003C '0123456789012345678901234567890123456789012345678901234567890123456789'
            a < 20 00 00
            a quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.1.3-7], 5.0 [MQTT-3.2.2-16].
#[test]
fn a_client_without_an_identifier_is_assigned_one_that_it_can_come_back_with() {
    for transport in TRANSPORTS {
        for clean_start in ["02", "00"] {
            let broker = Broker::start();
            let mut peer = Peer::connect(&broker, transport);
            let connect = format!("10 'MQTT' 05 {clean_start} 0000 {{ 11 0000000A }} ''");
            peer.send(&bytes(&connect)).unwrap();
            let connack = peer.receive_packet().unwrap();
            let at = connack.iter().position(|byte| *byte == 0x12).unwrap();
            let length = usize::from(connack[at + 2]);
            let identifier = str::from_utf8(&connack[at + 3..at + 3 + length]).unwrap();
            assert!(length > 8, "{identifier:?} could be guessed");
            let script = format!(
                "a > 10 'MQTT' 05 00 0000 {{}} '{identifier}'
                a < 20 01 00 ..
                a quiet"
            );
            play(broker, transport, &script).unwrap();
        }
    }
}

// Shows 3.1.1 [MQTT-3.1.2-2], 5.0 [MQTT-3.1.2-2].
#[test]
fn versions_that_are_not_spoken_are_refused_in_a_form_that_they_know() {
    check_all(&[
        (
            "3.1",
            "a > 10 'MQIsdp' 03 02 003C 'device'
            a < 20 00 01
            a closed",
        ),
        (
            "level 3 under the name of 3.1.1",
            "a > 10 'MQTT' 03 02 003C 'device'
            a < 20 00 01
            a closed",
        ),
        (
            "level 0",
            "a > 10 'MQTT' 00 02 003C 'device'
            a < 20 00 01
            a closed",
        ),
        (
            "level 6",
            "a > 10 'MQTT' 06 02 003C {} 'device'
            a < 20 00 84 {}
            a closed",
        ),
        (
            "a bridge's bit in the level",
            "a > 10 'MQTT' 84 02 003C 'device'
            a < 20 00 ..
            a closed",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.1.0-1], 3.1.1 [MQTT-3.1.2-1], 5.0 [MQTT-3.1.0-1], 5.0 [MQTT-3.14.0-1].
#[test]
fn what_is_no_connect_is_closed_in_silence() {
    let firsts = [
        ("CONNECT with reserved flags", "11 'MQTT' 04 02 003C 'a'"),
        ("another name", "10 'HTTP' 04 02 003C 'a'"),
        ("the name in small letters", "10 'mqtt' 04 02 003C 'a'"),
        ("a longer name", "10 'MQTTT' 04 02 003C 'a'"),
        ("no name", "10 '' 04 02 003C 'a'"),
        ("CONNACK", "20 00 00"),
        ("PUBLISH", "30 'a' [x]"),
        ("PUBACK", "40 0001"),
        ("PUBREC", "50 0001"),
        ("PUBREL", "62 0001"),
        ("PUBCOMP", "70 0001"),
        ("SUBSCRIBE", "82 0001 'a' 00"),
        ("SUBACK", "90 0001 00"),
        ("UNSUBSCRIBE", "A2 0001 'a'"),
        ("UNSUBACK", "B0 0001"),
        ("PINGREQ", "C0"),
        ("PINGRESP", "D0"),
        ("DISCONNECT", "E0"),
        ("AUTH", "F0"),
        ("packet type 0", "00"),
        ("HTTP", "raw [GET / HTTP/1.1] 0D0A 0D0A"),
        ("TLS", "raw 16 0301 00F1 01 0000ED 0303 00*40"),
        ("a Remaining Length without an end", "raw 10 FFFFFFFF"),
    ];
    check_all(&firsts.map(|(name, packet)| (name, format!("a > {packet}\na closed"))));
}

// Shows 3.1.1 [MQTT-1.5.3-2], 3.1.1 [MQTT-3.1.2-3], 3.1.1 [MQTT-3.1.2-9], 3.1.1 [MQTT-3.1.2-11].
// Shows 3.1.1 [MQTT-3.1.2-13], 3.1.1 [MQTT-3.1.2-14], 3.1.1 [MQTT-3.1.2-15], 3.1.1 [MQTT-3.1.2-19].
// Shows 3.1.1 [MQTT-3.1.2-22], 3.1.1 [MQTT-3.1.3-3], 3.1.1 [MQTT-3.1.3-4], 3.1.1 [MQTT-3.1.3-11].
// Shows 3.1.1 [MQTT-3.1.4-1].
#[test]
fn a_malformed_connect_of_3_1_1_is_closed_in_silence() {
    let connects = [
        ("the reserved flag", "10 'MQTT' 04 03 003C 'a'"),
        ("Will QoS without a Will", "10 'MQTT' 04 0A 003C 'a'"),
        ("Will Retain without a Will", "10 'MQTT' 04 22 003C 'a'"),
        ("Will QoS 3", "10 'MQTT' 04 1E 003C 'a' 'w' 0001 [x]"),
        (
            "a password and no user name",
            "10 'MQTT' 04 42 003C 'a' 0001 [x]",
        ),
        ("a Will that is not there", "10 'MQTT' 04 06 003C 'a'"),
        ("a user name that is not there", "10 'MQTT' 04 82 003C 'a'"),
        ("no Client Identifier at all", "10 'MQTT' 04 02 003C"),
        ("bytes behind the end", "10 'MQTT' 04 02 003C 'a' 'b'"),
        ("nothing", "10"),
        (
            "a Client Identifier that is cut",
            "10 'MQTT' 04 02 003C 0005 [abc]",
        ),
        (
            "a Client Identifier with U+0000",
            "10 'MQTT' 04 02 003C 0003 610062",
        ),
        (
            "a Client Identifier that is not UTF-8",
            "10 'MQTT' 04 02 003C 0001 FF",
        ),
        (
            "a Will Topic with a wildcard",
            "10 'MQTT' 04 06 003C 'a' 'w/#' 0001 [x]",
        ),
        (
            "an empty Will Topic",
            "10 'MQTT' 04 06 003C 'a' '' 0001 [x]",
        ),
        (
            "a user name that is not UTF-8",
            "10 'MQTT' 04 82 003C 'a' 0002 C080",
        ),
    ];
    check_all(&connects.map(|(name, packet)| (name, format!("a > {packet}\na closed"))));
}

// Shows 5.0 [MQTT-3.1.2-3], 5.0 [MQTT-3.1.2-9], 5.0 [MQTT-3.1.2-11], 5.0 [MQTT-3.1.2-12].
// Shows 5.0 [MQTT-3.1.2-13], 5.0 [MQTT-3.1.3-4], 5.0 [MQTT-3.1.4-1], 5.0 [MQTT-3.2.2-6].
// Shows 5.0 [MQTT-3.2.2-7], 5.0 [MQTT-3.14.0-1], 5.0 [MQTT-4.12.0-1], 5.0 [MQTT-4.13.1-1].
// Shows 5.0 [MQTT-4.13.2-1].
#[test]
fn a_wrong_connect_of_5_0_is_told_what_is_wrong() {
    let connects = [
        ("the reserved flag", "10 'MQTT' 05 03 003C {} 'a'", 0x81),
        (
            "Will QoS without a Will",
            "10 'MQTT' 05 0A 003C {} 'a'",
            0x81,
        ),
        (
            "Will Retain without a Will",
            "10 'MQTT' 05 22 003C {} 'a'",
            0x81,
        ),
        (
            "Will QoS 3",
            "10 'MQTT' 05 1E 003C {} 'a' {} 'w' 0001 [x]",
            0x81,
        ),
        (
            "a Will that is not there",
            "10 'MQTT' 05 06 003C {} 'a'",
            0x81,
        ),
        (
            "bytes behind the end",
            "10 'MQTT' 05 02 003C {} 'a' 'b'",
            0x81,
        ),
        (
            "a Client Identifier that is not UTF-8",
            "10 'MQTT' 05 02 003C {} 0001 FF",
            0x81,
        ),
        (
            "Receive Maximum 0",
            "10 'MQTT' 05 02 003C { 21 0000 } 'a'",
            0x82,
        ),
        (
            "Maximum Packet Size 0",
            "10 'MQTT' 05 02 003C { 27 00000000 } 'a'",
            0x82,
        ),
        (
            "Request Response Information 2",
            "10 'MQTT' 05 02 003C { 19 02 } 'a'",
            0x82,
        ),
        (
            "Request Problem Information 2",
            "10 'MQTT' 05 02 003C { 17 02 } 'a'",
            0x82,
        ),
        (
            "Session Expiry Interval twice",
            "10 'MQTT' 05 02 003C { 11 00000001 11 00000001 } 'a'",
            0x82,
        ),
        (
            "Receive Maximum twice",
            "10 'MQTT' 05 02 003C { 21 0001 21 0001 } 'a'",
            0x82,
        ),
        (
            "Maximum Packet Size twice",
            "10 'MQTT' 05 02 003C { 27 00001000 27 00001000 } 'a'",
            0x82,
        ),
        (
            "Topic Alias Maximum twice",
            "10 'MQTT' 05 02 003C { 22 0001 22 0001 } 'a'",
            0x82,
        ),
        (
            "Authentication Data without a method",
            "10 'MQTT' 05 02 003C { 16 0001 [x] } 'a'",
            0x82,
        ),
        (
            "an Authentication Method that is not known",
            "10 'MQTT' 05 02 003C { 15 'SCRAM' } 'a'",
            0x8C,
        ),
        (
            "an unknown property",
            "10 'MQTT' 05 02 003C { 7F 00 } 'a'",
            0x81,
        ),
        (
            "a property of PUBLISH",
            "10 'MQTT' 05 02 003C { 23 0001 } 'a'",
            0x81,
        ),
        (
            "a property of the Will outside it",
            "10 'MQTT' 05 02 003C { 18 00000001 } 'a'",
            0x81,
        ),
        (
            "a property of CONNACK",
            "10 'MQTT' 05 02 003C { 12 'a' } 'a'",
            0x81,
        ),
        (
            "properties longer than the packet",
            "10 'MQTT' 05 02 003C 7F",
            0x81,
        ),
        (
            "a property that is cut",
            "10 'MQTT' 05 02 003C { 11 0000 } 'a'",
            0x81,
        ),
        (
            "a Will's Payload Format Indicator 2",
            "10 'MQTT' 05 06 003C {} 'a' { 01 02 } 'w' 0001 [x]",
            0x82,
        ),
        (
            "a Will Delay Interval twice",
            "10 'MQTT' 05 06 003C {} 'a' { 18 00000001 18 00000001 } 'w' 0001 [x]",
            0x82,
        ),
        (
            "a Will on a topic of the Server's own",
            "10 'MQTT' 05 06 003C {} 'a' {} '$SYS/w' 0001 [x]",
            0x90,
        ),
        (
            "a Session Expiry Interval for the Will",
            "10 'MQTT' 05 06 003C {} 'a' { 11 00000001 } 'w' 0001 [x]",
            0x81,
        ),
        (
            "a Topic Alias for the Will",
            "10 'MQTT' 05 06 003C {} 'a' { 23 0001 } 'w' 0001 [x]",
            0x81,
        ),
    ];
    check_all(&connects.map(|(name, packet, reason_code)| {
        let script = format!("a > {packet}\na < 20 00 {reason_code:02X} ..\na closed");
        (name, script)
    }));
}

// Shows 3.1.1 [MQTT-3.1.0-2], 5.0 [MQTT-3.1.0-2], 5.0 [MQTT-3.2.0-2].
#[test]
fn a_second_connect_ends_the_connection() {
    check_refused_5(&[("5.0", "10 'MQTT' 05 02 0000 {} 'a'", 0x82)]);
    check_closed_3(&[("3.1.1", "10 'MQTT' 04 02 0000 'a'")]);
}

// Shows 3.1.1 [MQTT-3.1.3-2], 3.1.1 [MQTT-3.1.4-2], 5.0 [MQTT-3.1.4-3].
#[test]
fn whoever_comes_with_the_same_client_identifier_takes_over() {
    check_all(&[
        (
            "3.1.1",
            "a > 10 'MQTT' 04 02 0000 'same'
            a < 20 00 00
            b > 10 'MQTT' 04 02 0000 'same'
            b < 20 00 00
            a closed
            b quiet",
        ),
        (
            "5.0",
            "a > 10 'MQTT' 05 02 0000 {} 'same'
            a < 20 00 00 ..
            b > 10 'MQTT' 05 02 0000 {} 'same'
            b < 20 00 00 ..
            a < E0 8E ..
            a closed
            b quiet",
        ),
        (
            "identifiers are compared letter by letter",
            "a > 10 'MQTT' 04 02 0000 'same'
            a < 20 00 00
            b > 10 'MQTT' 04 02 0000 'Same'
            b < 20 00 00
            a quiet
            b quiet",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.2.0-1], 3.1.1 [MQTT-3.12.4-1].
#[test]
fn packets_behind_the_connect_are_handled_although_its_answer_has_not_come() {
    check_all(&[(
        "CONNECT, SUBSCRIBE and PUBLISH at once",
        "a > 10 'MQTT' 04 02 0000 'a' ; 82 0001 't' 00 ; 30 't' [x] ; C0
        a < 20 00 00 ; 90 0001 00 ; 30 't' [x] ; D0",
    )]);
}

#[test]
fn nothing_behind_a_disconnect_is_heard() {
    check_all(&[
        (
            "3.1.1",
            "b is 3
            b > 82 0001 't' 00
            b < 90 0001 00
            a is 3
            a > E0 ; 30 't' [x]
            a closed
            b quiet",
        ),
        (
            "5.0",
            "b is 5
            b > 82 0001 {} 't' 00
            b < 90 0001 {} 00
            a is 5
            a > E0 00 {} ; 30 't' {} [x]
            a closed
            b quiet",
        ),
    ]);
}
