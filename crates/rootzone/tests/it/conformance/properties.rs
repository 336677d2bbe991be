//! What 5.0 lets a publisher say beside the payload, and Topic Aliases.

use crate::script::check_all;

// Shows 5.0 [MQTT-3.3.2-4], 5.0 [MQTT-3.3.2-15], 5.0 [MQTT-3.3.2-16], 5.0 [MQTT-3.3.2-17].
// Shows 5.0 [MQTT-3.3.2-18], 5.0 [MQTT-3.3.2-20].
#[test]
fn properties_of_a_message_are_passed_on_unchanged() {
    for properties in [
        "01 00",
        "01 01",
        "03 ''",
        "03 'application/json'",
        "08 'answer'",
        "09 0000",
        "09 0004 00FF8000",
        "26 'k' 'v'",
        "26 '' ''",
        "26 'b' '1' 26 'a' '2' 26 'b' '1' 26 'b' '3'",
        "26 'Schlüssel' '値' 01 01 03 'text' 08 'r' 09 0001 00",
    ] {
        check_all(&[(
            properties,
            format!(
                "a is 5
                a > 82 0001 {{}} 't' 01
                a < 90 0001 {{}} 01
                b is 5
                b > 30 't' {{ {properties} }} [zero] ; 33 't' 0001 {{ {properties} }} [one]
                b < 40 0001
                a < 30 't' {{ {properties} }} [zero] ; 32 't' $m {{ {properties} }} [one]
                c is 5
                c > 82 0001 {{}} 't' 00
                c < 90 0001 {{}} 00
                c < 31 't' {{ {properties} }} [one]"
            ),
        )]);
    }
}

#[test]
fn a_payload_that_is_not_the_text_it_says_is_refused() {
    check_all(&[
        (
            "QoS 1",
            "a is 5
            a > 32 't' 0001 { 01 01 } FF
            a < 40 0001 99
            a quiet",
        ),
        (
            "QoS 2",
            "a is 5
            a > 34 't' 0001 { 01 01 } FF
            a < 50 0001 99
            a quiet",
        ),
        (
            "text",
            "a is 5
            a > 32 't' 0001 { 01 01 } E6B0B4
            a < 40 0001 10
            a quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.3.2-7].
#[test]
fn a_topic_alias_stands_for_its_topic() {
    check_all(&[
        (
            "once it was said",
            "a is 5
            a > 82 0001 {} '#' 00
            a < 90 0001 {} 00
            b is 5
            b > 30 't' { 23 0001 } [1] ; 30 '' { 23 0001 } [2] ; 30 '' { 23 0001 } [3]
            a < 30 't' {} [1] ; 30 't' {} [2] ; 30 't' {} [3]",
        ),
        (
            "the highest, at every QoS",
            "a is 5
            a > 82 0001 {} '#' 00
            a < 90 0001 {} 00
            b is 5
            b > 32 't' 0001 { 23 0040 } [1] ; 34 '' 0002 { 23 0040 } [2]
            b < 40 0001 ; 50 0002
            a < 30 't' {} [1] ; 30 't' {} [2]",
        ),
        (
            "until it stands for another",
            "a is 5
            a > 82 0001 {} '#' 00
            a < 90 0001 {} 00
            b is 5
            b > 30 't' { 23 0001 } [1] ; 30 'u' { 23 0001 } [2] ; 30 '' { 23 0001 } [3]
            a < 30 't' {} [1] ; 30 'u' {} [2] ; 30 'u' {} [3]",
        ),
        (
            "not on the next connection",
            "b > 10 'MQTT' 05 00 0000 { 11 0000000A } 'b'
            b < 20 00 00 ..
            b > 30 't' { 23 0001 } [1]
            b quiet
            b vanishes
            b > 10 'MQTT' 05 00 0000 {} 'b'
            b < 20 01 00 ..
            b > 30 '' { 23 0001 } [2]
            b < E0 82 ..
            b closed",
        ),
        (
            "for the publisher only",
            "a is 5
            b is 5
            b > 30 't' { 23 0001 } [1]
            b quiet
            a > 30 '' { 23 0001 } [2]
            a < E0 82 ..
            a closed
            b quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.1.2-26], 5.0 [MQTT-3.1.2-27], 5.0 [MQTT-3.3.2-11].
#[test]
fn a_client_that_takes_topic_aliases_is_sent_them() {
    check_all(&[
        (
            "no more than it takes",
            "a > 10 'MQTT' 05 02 0000 { 22 0001 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} '#' 00
            a < 90 0001 {} 00
            b is 5
            b > 30 'some/topic' {} [1] ; 30 'some/topic' {} [2] ; 30 'another/topic' {} [3]
            a < 30 'some/topic' { 23 0001 } [1] ; 30 '' { 23 0001 } [2] ; 30 'another/topic' {} [3]",
        ),
        (
            "none, if it takes none",
            "a is 5
            a > 82 0001 {} '#' 00
            a < 90 0001 {} 00
            b is 5
            b > 30 'some/topic' {} [1] ; 30 'some/topic' {} [2]
            a < 30 'some/topic' {} [1] ; 30 'some/topic' {} [2]",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.1.2-29].
#[test]
fn a_client_that_wants_no_problem_information_gets_none() {
    check_all(&[(
        "in PUBACK, PUBREC, SUBACK and UNSUBACK",
        "a > 10 'MQTT' 05 02 0000 { 17 00 } 'a'
        a < 20 00 00 ..
        a > 32 '$mine' 0001 {} [x] ; 34 '$mine' 0002 {} [x]
        a < 40 0001 90 ; 50 0002 90
        a > 82 0003 {} 0101 [a/]*128 [a] 00 ; A2 0004 {} 'never'
        a < 90 0003 {} 97 ; B0 0004 {} 11
        a quiet",
    )]);
}
