//! Packets that are wrong in themselves, and packets that may not come.

use super::{check_closed_3, check_refused_5};
use crate::script::check_all;

// Shows 3.1.1 [MQTT-2.2.2-2], 3.1.1 [MQTT-3.3.1-4], 3.1.1 [MQTT-3.6.1-1], 3.1.1 [MQTT-3.8.1-1].
// Shows 3.1.1 [MQTT-3.10.1-1], 3.1.1 [MQTT-3.14.1-1], 3.1.1 [MQTT-4.8.0-1], 5.0 [MQTT-3.3.1-4].
// Shows 5.0 [MQTT-3.6.1-1], 5.0 [MQTT-3.8.1-1], 5.0 [MQTT-3.10.1-1], 5.0 [MQTT-3.14.1-1].
// Shows 5.0 [MQTT-3.15.1-1], 5.0 [MQTT-4.13.1-1].
#[test]
fn reserved_flags_and_types_are_refused() {
    check_refused_5(&[
        ("packet type 0", "00", 0x81),
        ("PUBACK", "41 0001", 0x81),
        ("PUBREC", "51 0001", 0x81),
        ("PUBREL", "60 0001", 0x81),
        ("PUBREL with DUP", "6A 0001", 0x81),
        ("PUBCOMP", "71 0001", 0x81),
        ("SUBSCRIBE", "80 0001 {} 'a' 00", 0x81),
        ("UNSUBSCRIBE", "A0 0001 {} 'a'", 0x81),
        ("PINGREQ", "C1", 0x81),
        ("DISCONNECT", "E1", 0x81),
        ("AUTH", "F1", 0x81),
        ("QoS 3", "36 'a' 0001 {}", 0x81),
        ("DUP at QoS 0", "38 'a' {}", 0x81),
    ]);
    check_closed_3(&[
        ("packet type 0", "00"),
        ("packet type 15", "F0"),
        ("PUBACK", "41 0001"),
        ("PUBREC", "51 0001"),
        ("PUBREL", "60 0001"),
        ("PUBCOMP", "71 0001"),
        ("SUBSCRIBE", "80 0001 'a' 00"),
        ("UNSUBSCRIBE", "A0 0001 'a'"),
        ("PINGREQ", "C1"),
        ("DISCONNECT", "E1"),
        ("QoS 3", "36 'a' 0001"),
        ("DUP at QoS 0", "38 'a'"),
    ]);
}

// Shows 3.1.1 [MQTT-4.8.0-1], 5.0 [MQTT-4.13.1-1].
#[test]
fn packets_that_only_a_server_sends_are_refused() {
    check_refused_5(&[
        ("CONNACK", "20 00 00 {}", 0x82),
        ("SUBACK", "90 0001 {} 00", 0x82),
        ("UNSUBACK", "B0 0001 {} 00", 0x82),
        ("PINGRESP", "D0", 0x82),
    ]);
    check_closed_3(&[
        ("CONNACK", "20 00 00"),
        ("SUBACK", "90 0001 00"),
        ("UNSUBACK", "B0 0001"),
        ("PINGRESP", "D0"),
    ]);
}

// Shows 3.1.1 [MQTT-2.3.1-1], 5.0 [MQTT-4.13.1-1].
#[test]
fn packet_identifier_0_is_refused() {
    check_refused_5(&[
        ("PUBLISH at QoS 1", "32 'a' 0000 {}", 0x81),
        ("PUBLISH at QoS 2", "34 'a' 0000 {}", 0x81),
        ("PUBACK", "40 0000", 0x81),
        ("PUBREC", "50 0000", 0x81),
        ("PUBREL", "62 0000", 0x81),
        ("PUBCOMP", "70 0000", 0x81),
        ("SUBSCRIBE", "82 0000 {} 'a' 00", 0x81),
        ("UNSUBSCRIBE", "A2 0000 {} 'a'", 0x81),
    ]);
    check_closed_3(&[
        ("PUBLISH at QoS 1", "32 'a' 0000"),
        ("PUBLISH at QoS 2", "34 'a' 0000"),
        ("SUBSCRIBE", "82 0000 'a' 00"),
        ("UNSUBSCRIBE", "A2 0000 'a'"),
    ]);
}

// Shows 3.1.1 [MQTT-1.5.3-1], 3.1.1 [MQTT-1.5.3-2], 3.1.1 [MQTT-3.3.2-1], 3.1.1 [MQTT-3.8.3-1].
// Shows 3.1.1 [MQTT-3.10.3-1], 3.1.1 [MQTT-4.7.3-2], 5.0 [MQTT-1.5.4-1], 5.0 [MQTT-1.5.4-2].
// Shows 5.0 [MQTT-1.5.7-1], 5.0 [MQTT-3.3.2-1], 5.0 [MQTT-3.8.3-1], 5.0 [MQTT-4.7.3-2].
#[test]
fn text_that_is_not_utf_8_is_refused() {
    const WRONG: [(&str, &str); 12] = [
        ("U+0000", "0003 610062"),
        ("U+0000 in two bytes", "0002 C080"),
        ("a slash in two bytes", "0002 C0AF"),
        ("a slash in three bytes", "0003 E080AF"),
        ("the first surrogate", "0003 EDA080"),
        ("the last surrogate", "0003 EDBFBF"),
        ("a pair of surrogates", "0006 EDA080EDB080"),
        ("above U+10FFFF", "0004 F4908080"),
        ("a letter that is cut", "0002 E282"),
        ("a continuation of nothing", "0001 80"),
        ("five bytes for a letter", "0005 F888808080"),
        ("byte FF", "0001 FF"),
    ];
    for (name, text) in WRONG {
        check_refused_5(&[
            (
                &format!("topic with {name}"),
                &format!("30 {text} {{}}"),
                0x81,
            ),
            (
                &format!("filter with {name}"),
                &format!("82 0001 {{}} {text} 00"),
                0x81,
            ),
            (
                &format!("User Property with {name}"),
                &format!("30 'a' {{ 26 'k' {text} }}"),
                0x81,
            ),
        ]);
        check_closed_3(&[
            (&format!("topic with {name}"), &format!("30 {text}")),
            (
                &format!("filter with {name}"),
                &format!("82 0001 {text} 00"),
            ),
            (
                &format!("filter to leave with {name}"),
                &format!("A2 0001 {text}"),
            ),
        ]);
    }
}

// Shows 3.1.1 [MQTT-1.5.3-3], 5.0 [MQTT-1.5.4-3].
#[test]
fn text_at_the_borders_of_utf_8_is_passed_on_as_it_is() {
    for (name, text) in [
        ("U+FEFF at its beginning", "0004 EFBBBF61"),
        ("U+D7FF", "0003 ED9FBF"),
        ("U+E000", "0003 EE8080"),
        ("U+FFFF, which is no character", "0003 EFBFBF"),
        ("U+0001, which controls", "0001 01"),
        ("U+10FFFD", "0004 F48FBFBD"),
        ("a space", "0003 612062"),
    ] {
        check_all(&[(
            name,
            format!(
                "a is 5
                a > 82 0001 {{}} {text} 00
                a < 90 0001 {{}} 00
                a > 30 {text} {{ 26 {text} {text} }} [x]
                a < 30 {text} {{ 26 {text} {text} }} [x]
                b is 3
                b > 82 0001 {text} 00
                b < 90 0001 00
                b > 30 {text} [x]
                b < 30 {text} [x]
                a < 30 {text} {{}} [x]"
            ),
        )]);
    }
}

// Shows 3.1.1 [MQTT-3.3.2-2], 3.1.1 [MQTT-4.7.1-1], 3.1.1 [MQTT-4.7.3-1], 5.0 [MQTT-3.3.2-2].
// Shows 5.0 [MQTT-4.7.0-1], 5.0 [MQTT-4.7.3-1].
#[test]
fn topics_that_are_no_topic_names_are_refused() {
    check_refused_5(&[
        ("#", "30 '#' {}", 0x81),
        ("+", "30 '+' {}", 0x81),
        ("a wildcard in the middle", "30 'a/+/b' {}", 0x81),
        ("a letter and a wildcard", "30 'a#' {}", 0x81),
        ("nothing, and no Topic Alias", "30 '' {}", 0x82),
        (
            "a Shared Subscription's form, with a wildcard",
            "30 '$share/g/#' {}",
            0x81,
        ),
    ]);
    check_closed_3(&[
        ("#", "30 '#'"),
        ("+", "30 '+'"),
        ("a wildcard in the middle", "30 'a/+/b'"),
        ("a letter and a wildcard", "30 'a#'"),
        ("nothing", "30 ''"),
    ]);
}

// Shows 3.1.1 [MQTT-4.8.0-1], 5.0 [MQTT-4.13.1-1].
#[test]
fn lengths_that_are_wrong_are_refused() {
    check_refused_5(&[
        ("Remaining Length in five bytes", "raw 30 FFFFFFFF01", 0x81),
        (
            "Remaining Length in more bytes than it needs",
            "raw C0 8000",
            0x81,
        ),
        (
            "a packet above the Maximum Packet Size",
            "raw 30 FFFFFF7F",
            0x95,
        ),
        ("PUBLISH without a topic", "30", 0x81),
        (
            "a topic longer than the packet",
            "raw 30 04 0009 6161",
            0x81,
        ),
        (
            "PUBLISH at QoS 1 without a Packet Identifier",
            "32 'a'",
            0x81,
        ),
        ("properties longer than the packet", "30 'a' 05 01", 0x81),
        (
            "properties of a length in five bytes",
            "30 'a' FFFFFFFF01",
            0x81,
        ),
        ("properties of a length that is cut", "30 'a' 80", 0x81),
        ("no length of properties", "30 'a'", 0x81),
        ("a property without its value", "30 'a' { 01 }", 0x81),
        (
            "a User Property without its value",
            "30 'a' { 26 'k' }",
            0x81,
        ),
        (
            "a text longer than the properties",
            "30 'a' { 03 0009 [x] } [12345678]",
            0x81,
        ),
        ("PUBACK of one byte", "40 00", 0x81),
        ("PUBREL of one byte", "62 00", 0x81),
        ("PUBACK with bytes behind its end", "40 0001 00 {} 00", 0x81),
        ("SUBSCRIBE without options", "82 0001 {} 'a'", 0x81),
        (
            "UNSUBSCRIBE with a filter that is cut",
            "A2 0001 {} 0003 [a]",
            0x81,
        ),
        ("PINGREQ with content", "C0 00", 0x81),
    ]);
    check_closed_3(&[
        ("Remaining Length in five bytes", "raw 30 FFFFFFFF01"),
        (
            "Remaining Length in more bytes than it needs",
            "raw C0 8000",
        ),
        ("a packet above what the broker reads", "raw 30 FFFFFF7F"),
        ("PUBLISH without a topic", "30"),
        ("a topic longer than the packet", "raw 30 04 0009 6161"),
        ("PUBLISH at QoS 1 without a Packet Identifier", "32 'a'"),
        ("PUBACK of one byte", "40 00"),
        ("PUBACK of three bytes", "40 0001 00"),
        ("SUBSCRIBE without a QoS", "82 0001 'a'"),
        ("PINGREQ with content", "C0 00"),
        ("DISCONNECT with content", "E0 00"),
    ]);
}

// Shows 3.1.1 [MQTT-3.8.3-3], 3.1.1 [MQTT-3-8.3-4], 3.1.1 [MQTT-3.10.3-2], 5.0 [MQTT-3.8.3-2].
// Shows 5.0 [MQTT-3.8.3-4], 5.0 [MQTT-3.8.3-5], 5.0 [MQTT-3.10.3-2], 5.0 [MQTT-4.13.1-1].
#[test]
fn a_subscribe_that_is_wrong_as_a_whole_is_refused() {
    check_refused_5(&[
        ("no filter", "82 0001 {}", 0x82),
        ("no Packet Identifier", "82", 0x81),
        ("QoS 3", "82 0001 {} 'a' 03", 0x82),
        ("reserved options", "82 0001 {} 'a' 40", 0x81),
        ("the other reserved option", "82 0001 {} 'a' 80", 0x81),
        ("Retain Handling 3", "82 0001 {} 'a' 30", 0x82),
        (
            "Subscription Identifier 0",
            "82 0001 { 0B 00 } 'a' 00",
            0x82,
        ),
        (
            "two Subscription Identifiers",
            "82 0001 { 0B 01 0B 02 } 'a' 00",
            0x82,
        ),
        (
            "a Subscription Identifier in five bytes",
            "82 0001 { 0B FFFFFFFF01 } 'a' 00",
            0x81,
        ),
        (
            "No Local on a Shared Subscription",
            "82 0001 {} '$share/g/a' 04",
            0x82,
        ),
        ("nothing to leave", "A2 0001 {}", 0x82),
        (
            "a Subscription Identifier to leave",
            "A2 0001 { 0B 01 } 'a'",
            0x81,
        ),
    ]);
    check_closed_3(&[
        ("no filter", "82 0001"),
        ("no Packet Identifier", "82"),
        ("QoS 3", "82 0001 'a' 03"),
        ("options of 5.0", "82 0001 'a' 04"),
        ("nothing to leave", "A2 0001"),
    ]);
}

// Shows 5.0 [MQTT-3.3.2-14], 5.0 [MQTT-4.13.1-1].
#[test]
fn properties_that_may_not_be_there_are_refused() {
    check_refused_5(&[
        ("an unknown one", "30 'a' { 7F 00 }", 0x81),
        (
            "one whose number takes two bytes",
            "30 'a' { 8101 00 }",
            0x81,
        ),
        ("one of CONNECT", "30 'a' { 11 00000001 }", 0x81),
        ("one of the Will", "30 'a' { 18 00000001 }", 0x81),
        ("one of CONNACK", "30 'a' { 24 01 }", 0x81),
        (
            "a Subscription Identifier from a Client",
            "30 'a' { 0B 01 }",
            0x82,
        ),
        (
            "Payload Format Indicator twice",
            "30 'a' { 01 00 01 00 }",
            0x82,
        ),
        (
            "Message Expiry Interval twice",
            "30 'a' { 02 00000001 02 00000001 }",
            0x82,
        ),
        ("Content Type twice", "30 'a' { 03 'x' 03 'x' }", 0x82),
        ("Response Topic twice", "30 'a' { 08 'x' 08 'x' }", 0x82),
        (
            "Correlation Data twice",
            "30 'a' { 09 0001 [x] 09 0001 [x] }",
            0x82,
        ),
        ("Topic Alias twice", "30 'a' { 23 0001 23 0001 }", 0x82),
        ("Payload Format Indicator 2", "30 'a' { 01 02 }", 0x82),
        (
            "a Response Topic with a wildcard",
            "30 'a' { 08 'b/#' }",
            0x81,
        ),
        (
            "a Topic Alias in SUBSCRIBE",
            "82 0001 { 23 0001 } 'a' 00",
            0x81,
        ),
        ("a Content Type in PUBACK", "40 0001 00 { 03 'x' }", 0x81),
        (
            "a Reason String twice in PUBACK",
            "40 0001 00 { 1F 'x' 1F 'x' }",
            0x82,
        ),
        ("Topic Alias 0", "30 'a' { 23 0000 }", 0x94),
        ("Topic Alias above the maximum", "30 'a' { 23 0041 }", 0x94),
        ("an unknown Topic Alias", "30 '' { 23 0001 }", 0x82),
    ]);
}

// Shows 5.0 [MQTT-4.13.1-1].
#[test]
fn an_auth_that_nobody_asked_for_is_refused() {
    check_refused_5(&[
        ("without anything", "F0", 0x82),
        ("to go on", "F0 18 { 15 'SCRAM' }", 0x82),
        ("to begin anew", "F0 19 { 15 'SCRAM' }", 0x82),
        ("with an unknown Reason Code", "F0 55 { 15 'SCRAM' }", 0x81),
    ]);
}

// Shows 5.0 [MQTT-4.13.1-1].
#[test]
fn reason_codes_that_a_packet_has_not_are_refused() {
    check_refused_5(&[
        ("PUBACK", "40 0001 55", 0x81),
        ("PUBREC", "50 0001 92", 0x81),
        ("PUBREL", "62 0001 10", 0x81),
        ("PUBCOMP", "70 0001 10", 0x81),
        ("DISCONNECT", "E0 55", 0x81),
        ("DISCONNECT, one of a Server's", "E0 8E", 0x81),
        ("AUTH", "F0 01 {}", 0x81),
    ]);
}

// Shows 5.0 [MQTT-4.3.3-11].
#[test]
fn acknowledgements_of_what_was_never_sent_harm_nobody() {
    check_all(&[
        (
            "3.1.1",
            "a is 3
            a > 40 0007 ; 70 0007 ; 62 0007
            a < 70 0007
            a quiet",
        ),
        (
            "5.0",
            "a is 5
            a > 50 0007
            a < 62 0007 92
            a > 62 0007
            a < 70 0007 92
            a quiet",
        ),
    ]);
}
