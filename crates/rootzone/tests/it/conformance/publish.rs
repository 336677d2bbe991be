//! Messages of every QoS, from a Client and to one.

use crate::script::check_all;

// Shows 3.1.1 [MQTT-2.3.1-5], 3.1.1 [MQTT-2.3.1-6], 3.1.1 [MQTT-3.3.4-1], 3.1.1 [MQTT-4.3.1-1].
// Shows 3.1.1 [MQTT-4.3.3-1], 5.0 [MQTT-2.2.1-2], 5.0 [MQTT-2.2.1-5], 5.0 [MQTT-2.2.2-1].
// Shows 5.0 [MQTT-3.3.4-1], 5.0 [MQTT-4.3.1-1], 5.0 [MQTT-4.3.2-2], 5.0 [MQTT-4.3.2-4].
// Shows 5.0 [MQTT-4.3.3-2], 5.0 [MQTT-4.3.3-4], 5.0 [MQTT-4.3.3-8], 5.0 [MQTT-4.3.3-11].
#[test]
fn every_qos_is_acknowledged_and_delivered_as_it_should() {
    check_all(&[
        (
            "3.1.1",
            "a is 3
            a > 82 0001 't' 02
            a < 90 0001 02
            b is 3
            b > 30 't' [zero]
            a < 30 't' [zero]
            b > 32 't' 0007 [one]
            b < 40 0007
            a < 32 't' $m [one]
            a > 40 $m
            b > 34 't' 0008 [two]
            b < 50 0008
            b > 62 0008
            b < 70 0008
            a < 34 't' $n [two]
            a > 50 $n
            a < 62 $n
            a > 70 $n
            a quiet
            b quiet",
        ),
        (
            "5.0",
            "a is 5
            a > 82 0001 {} 't' 02
            a < 90 0001 {} 02
            b is 5
            b > 30 't' {} [zero]
            a < 30 't' {} [zero]
            b > 32 't' 0007 {} [one]
            b < 40 0007
            a < 32 't' $m {} [one]
            a > 40 $m
            b > 34 't' 0008 {} [two]
            b < 50 0008
            b > 62 0008
            b < 70 0008
            a < 34 't' $n {} [two]
            a > 50 $n
            a < 62 $n
            a > 70 $n
            a quiet
            b quiet",
        ),
        (
            "5.0, every acknowledgement in its long form",
            "a is 5
            a > 82 0001 {} 't' 02
            a < 90 0001 {} 02
            a > 32 't' 0007 {} [one]
            a <* 40 0007 ; 32 't' $m {} [one]
            a > 40 $m 00 { 1F 'well' 26 'k' 'v' }
            a > 34 't' 0008 {} [two]
            a <* 50 0008 ; 34 't' $n {} [two]
            a > 62 0008 00 { 1F 'well' 26 'k' 'v' }
            a < 70 0008
            a > 50 $n 00 {}
            a < 62 $n
            a > 70 $n 00
            a quiet",
        ),
        (
            "between the versions",
            "a is 3
            a > 82 0001 't' 01
            a < 90 0001 01
            b is 5
            b > 82 0001 {} 't' 01
            b < 90 0001 {} 01
            b > 32 't' 0007 { 26 'k' 'v' 03 'text' } [hi]
            b <* 40 0007 ; 32 't' $n { 26 'k' 'v' 03 'text' } [hi]
            a < 32 't' $m [hi]",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.8.4-6], 5.0 [MQTT-3.8.4-8].
#[test]
fn the_qos_is_the_lower_of_the_message_and_the_subscription() {
    for (published, granted, first) in [
        ("30 't'", "00", "30 't'"),
        ("30 't'", "02", "30 't'"),
        ("32 't' 0001", "00", "30 't'"),
        ("32 't' 0001", "01", "32 't' $m"),
        ("32 't' 0001", "02", "32 't' $m"),
        ("34 't' 0001", "00", "30 't'"),
        ("34 't' 0001", "01", "32 't' $m"),
        ("34 't' 0001", "02", "34 't' $m"),
    ] {
        check_all(&[
            (
                format!("3.1.1: {published} for {granted}"),
                format!(
                    "a is 3
                    a > 82 0001 't' {granted}
                    a < 90 0001 {granted}
                    b is 3
                    b > {published} [x]
                    a < {first} [x]"
                ),
            ),
            (
                format!("5.0: {published} for {granted}"),
                format!(
                    "a is 5
                    a > 82 0001 {{}} 't' {granted}
                    a < 90 0001 {{}} {granted}
                    b is 5
                    b > {published} {{}} [x]
                    a < {first} {{}} [x]"
                ),
            ),
        ]);
    }
}

// Shows 3.1.1 [MQTT-4.3.3-2], 5.0 [MQTT-4.3.3-10].
#[test]
fn a_message_of_qos_2_is_delivered_once_however_often_it_is_sent() {
    check_all(&[
        (
            "3.1.1",
            "a is 3
            a > 82 0001 't' 00
            a < 90 0001 00
            b is 3
            b > 34 't' 0007 [x] ; 3C 't' 0007 [x]
            b < 50 0007 ; 50 0007
            a < 30 't' [x]
            b > 62 0007 ; 62 0007
            b < 70 0007 ; 70 0007
            a quiet
            # The identifier is free again.
            b > 34 't' 0007 [y]
            b < 50 0007
            a < 30 't' [y]",
        ),
        (
            "5.0",
            "a is 5
            a > 82 0001 {} 't' 00
            a < 90 0001 {} 00
            b is 5
            b > 34 't' 0007 {} [x] ; 3C 't' 0007 {} [x]
            b < 50 0007 ; 50 0007
            a < 30 't' {} [x]
            b > 62 0007
            b < 70 0007
            b > 62 0007
            b < 70 0007 92
            a quiet",
        ),
        (
            "across two connections",
            "a is 3
            a > 82 0001 't' 00
            a < 90 0001 00
            b > 10 'MQTT' 04 00 0000 'b'
            b < 20 00 00
            b > 34 't' 0007 [x]
            b < 50 0007
            a < 30 't' [x]
            b vanishes
            b > 10 'MQTT' 04 00 0000 'b'
            b < 20 01 00
            b > 3C 't' 0007 [x]
            b < 50 0007
            b > 62 0007
            b < 70 0007
            a quiet",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.3.1-3], 3.1.1 [MQTT-3.3.1-9].
#[test]
fn the_flags_of_the_publisher_are_not_those_of_the_delivery() {
    check_all(&[(
        "DUP and RETAIN",
        "a is 3
        a > 82 0001 't' 01
        a < 90 0001 01
        b is 3
        b > 3B 't' 0007 [x]
        b < 40 0007
        a < 32 't' $m [x]",
    )]);
}

#[test]
fn a_publisher_of_5_0_hears_that_nobody_listens() {
    check_all(&[(
        "QoS 1 and 2",
        "a is 5
        a > 32 't' 0007 {} [x]
        a < 40 0007 10
        a > 34 't' 0008 {} [x]
        a < 50 0008 10
        a > 62 0008
        a < 70 0008
        a quiet",
    )]);
}

// Shows 3.1.1 [MQTT-4.6.0-6].
#[test]
fn messages_come_in_the_order_in_which_they_were_sent() {
    let mut sent = Vec::new();
    let mut received = Vec::new();
    for i in 0..50 {
        sent.push(format!("32 't' {:04X} [{i}]", i + 1));
        received.push(format!("32 't' {:04X} [{i}]", i + 1));
    }
    check_all(&[(
        "QoS 1",
        format!(
            "a is 3
            a > 82 0001 't' 01
            a < 90 0001 01
            b is 3
            b > {}
            a < {}",
            sent.join(";"),
            received.join(";")
        ),
    )]);
}

#[test]
fn payloads_of_any_size_and_content_arrive_whole() {
    for payload in ["", "00", "FF*127", "30*128", "C000*8192", "[x]*20971520"] {
        check_all(&[(
            payload,
            format!(
                "a is 5
                a > 82 0001 {{}} 't' 02
                a < 90 0001 {{}} 02
                a > 34 't' 0007 {{}} {payload}
                a <* 50 0007 ; 34 't' $m {{}} {payload}"
            ),
        )]);
    }
}

// Shows 5.0 [MQTT-4.4.0-2].
#[test]
fn a_receiver_that_refuses_a_message_has_done_with_it() {
    check_all(&[(
        "PUBACK and PUBREC with a failure",
        "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
        a < 20 00 00 ..
        a > 82 0001 {} 't' 02
        a < 90 0001 {} 02
        b is 5
        b > 32 't' 0001 {} [one] ; 34 't' 0002 {} [two]
        b < 40 0001 ; 50 0002
        a < 32 't' $m {} [one] ; 34 't' $n {} [two]
        a > 40 $m 80
        a > 50 $n 80
        a quiet
        a vanishes
        a > 10 'MQTT' 05 00 0000 {} 'a'
        a < 20 01 00 ..
        a quiet",
    )]);
}
