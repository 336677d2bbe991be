//! Retained messages.

use crate::script::check_all;

// Shows 3.1.1 [MQTT-3.3.1-5], 3.1.1 [MQTT-3.3.1-6], 3.1.1 [MQTT-3.3.1-8], 5.0 [MQTT-3.3.1-9].
#[test]
fn a_retained_message_meets_whoever_subscribes_later() {
    for (published, granted, delivered) in [
        ("31 't'", "02", "31 't'"),
        ("33 't' 0001", "00", "31 't'"),
        ("33 't' 0001", "01", "33 't' $m"),
        ("33 't' 0001", "02", "33 't' $m"),
        ("35 't' 0001", "01", "33 't' $m"),
        ("35 't' 0001", "02", "35 't' $m"),
    ] {
        check_all(&[
            (
                format!("3.1.1: {published} for {granted}"),
                format!(
                    "b is 3
                    b > {published} [kept] ; C0
                    b < {}
                    a is 3
                    a > 82 0001 't' {granted}
                    a < 90 0001 {granted}
                    a < {delivered} [kept]",
                    answer(published, "")
                ),
            ),
            (
                format!("5.0: {published} for {granted}"),
                format!(
                    "b is 5
                    b > {published} {{ 26 'k' 'v' }} [kept] ; C0
                    b < {}
                    a is 5
                    a > 82 0001 {{}} 't' {granted}
                    a < 90 0001 {{}} {granted}
                    a < {delivered} {{ 26 'k' 'v' }} [kept]",
                    answer(published, "10")
                ),
            ),
        ]);
    }
}

/// What a publisher receives for a PUBLISH and a PINGREQ.
fn answer(publish: &str, reason_code: &str) -> String {
    match &publish[..2] {
        "31" => "D0".to_owned(),
        "33" => format!("40 0001 {reason_code} ; D0"),
        _ => format!("50 0001 {reason_code} ; D0"),
    }
}

// Shows 3.1.1 [MQTT-3.3.1-9], 3.1.1 [MQTT-3.3.1-10], 3.1.1 [MQTT-3.3.1-11], 3.1.1 [MQTT-3.3.1-12].
#[test]
fn a_retained_message_is_replaced_and_cleared() {
    check_all(&[
        (
            "the last one stays",
            "b is 3
            b > 33 't' 0001 [old] ; 33 't' 0002 [new]
            b < 40 0001 ; 40 0002
            a is 3
            a > 82 0001 't' 00
            a < 90 0001 00
            a < 31 't' [new]
            a quiet",
        ),
        (
            "one that is not retained leaves it as it is",
            "b is 3
            b > 33 't' 0001 [kept] ; 32 't' 0002 [not kept]
            b < 40 0001 ; 40 0002
            a is 3
            a > 82 0001 't' 00
            a < 90 0001 00
            a < 31 't' [kept]
            a quiet",
        ),
        (
            "an empty payload clears it",
            "b is 3
            b > 33 't' 0001 [kept] ; 33 't' 0002
            b < 40 0001 ; 40 0002
            a is 3
            a > 82 0001 't' 00
            a < 90 0001 00
            a quiet",
        ),
        (
            "an empty payload at QoS 0 and at QoS 2",
            "b is 3
            b > 33 't' 0001 [kept] ; 33 'u' 0002 [kept] ; 31 't' ; 35 'u' 0003
            b < 40 0001 ; 40 0002 ; 50 0003
            a is 3
            a > 82 0001 '#' 00
            a < 90 0001 00
            a quiet",
        ),
        (
            "the empty message itself is delivered to who subscribes already",
            "a is 3
            a > 82 0001 't' 01
            a < 90 0001 01
            b is 3
            b > 33 't' 0001 ; 33 't' 0002
            b < 40 0001 ; 40 0002
            a < 32 't' $m ; 32 't' $n
            a quiet",
        ),
        (
            "what is not retained is not kept",
            "b is 3
            b > 32 't' 0001 [x]
            b < 40 0001
            a is 3
            a > 82 0001 't' 01
            a < 90 0001 01
            a quiet",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.3.1-6].
#[test]
fn wildcards_meet_every_retained_message_that_they_match() {
    check_all(&[(
        "+ and #",
        "b is 3
            b > 33 'a/b' 0001 [1] ; 33 'a/b/c' 0002 [2] ; 33 'x/b' 0003 [3]
            b < 40 0001 ; 40 0002 ; 40 0003
            a is 3
            a > 82 0001 'a/+' 00
            a < 90 0001 00
            a < 31 'a/b' [1]
            a > 82 0002 '+/b/#' 00 ; C0
            a < 90 0002 00
            a < 31 'a/b' [1] ; 31 'a/b/c' [2] ; 31 'x/b' [3] ; D0",
    )]);
}

// Shows 3.1.1 [MQTT-3.8.4-3].
#[test]
fn subscribing_again_brings_the_retained_message_again() {
    check_all(&[(
        "3.1.1",
        "a is 3
        a > 33 't' 0001 [kept]
        a < 40 0001
        a > 82 0002 't' 00
        a < 90 0002 00
        a < 31 't' [kept]
        a > 82 0003 't' 01
        a < 90 0003 01
        a < 33 't' $m [kept]
        a quiet",
    )]);
}

// Shows 5.0 [MQTT-3.3.1-9], 5.0 [MQTT-3.3.1-10], 5.0 [MQTT-3.3.1-11].
#[test]
fn retain_handling_says_when_retained_messages_come() {
    check_all(&[
        (
            "0: always",
            "a is 5
            a > 33 't' 0001 {} [kept]
            a < 40 0001 10
            a > 82 0002 {} 't' 00
            a < 90 0002 {} 00
            a < 31 't' {} [kept]
            a > 82 0003 {} 't' 00
            a < 90 0003 {} 00
            a < 31 't' {} [kept]
            a quiet",
        ),
        (
            "1: for a new subscription",
            "a is 5
            a > 33 't' 0001 {} [kept]
            a < 40 0001 10
            a > 82 0002 {} 't' 10
            a < 90 0002 {} 00
            a < 31 't' {} [kept]
            a > 82 0003 {} 't' 10
            a < 90 0003 {} 00
            a quiet
            a > A2 0004 {} 't'
            a < B0 0004 {} 00
            a > 82 0005 {} 't' 10
            a < 90 0005 {} 00
            a < 31 't' {} [kept]",
        ),
        (
            "1: for a subscription that an earlier connection had, not again",
            "b is 5
            b > 33 't' 0001 {} [kept]
            b < 40 0001 10
            a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0002 {} 't' 10
            a < 90 0002 {} 00
            a < 31 't' {} [kept]
            a leaves
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            a > 82 0003 {} 't' 10
            a < 90 0003 {} 00
            a quiet",
        ),
        (
            "1: anew for a new session",
            "b is 5
            b > 33 't' 0001 {} [kept]
            b < 40 0001 10
            a is 5
            a > 82 0002 {} 't' 10
            a < 90 0002 {} 00
            a < 31 't' {} [kept]
            a leaves
            a is 5
            a > 82 0003 {} 't' 10
            a < 90 0003 {} 00
            a < 31 't' {} [kept]",
        ),
        (
            "2: never",
            "a is 5
            a > 33 't' 0001 {} [kept]
            a < 40 0001 10
            a > 82 0002 {} 't' 20
            a < 90 0002 {} 00
            a quiet
            a > 30 't' {} [live]
            a < 30 't' {} [live]",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.3.1-12], 5.0 [MQTT-3.3.1-13].
#[test]
fn retain_as_published_keeps_the_flag() {
    check_all(&[(
        "with and without",
        "a is 5
        a > 82 0001 {} 't' 08
        a < 90 0001 {} 00
        b is 5
        b > 82 0001 {} 't' 00
        b < 90 0001 {} 00
        b > 31 't' {} [x] ; 30 't' {} [y]
        a < 31 't' {} [x] ; 30 't' {} [y]
        b < 30 't' {} [x] ; 30 't' {} [y]",
    )]);
}

// Shows 5.0 [MQTT-3.3.4-3].
#[test]
fn a_retained_message_carries_the_identifier_of_its_subscription() {
    check_all(&[(
        "5.0",
        "a is 5
        a > 33 't' 0001 {} [kept]
        a < 40 0001 10
        a > 82 0002 { 0B 07 } 't' 00
        a < 90 0002 {} 00
        a < 31 't' { 0B 07 } [kept]",
    )]);
}
