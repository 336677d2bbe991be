//! Receive Maximum and Maximum Packet Size, both ways.

use crate::script::check_all;

// Shows 5.0 [MQTT-3.3.4-9], 5.0 [MQTT-3.3.4-10], 5.0 [MQTT-4.9.0-1], 5.0 [MQTT-4.9.0-2].
// Shows 5.0 [MQTT-4.9.0-3].
#[test]
fn no_more_is_sent_than_the_client_receives_at_once() {
    check_all(&[
        (
            "QoS 1",
            "a > 10 'MQTT' 05 02 0000 { 21 0002 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 01
            a < 90 0001 {} 01
            b is 5
            b > 32 't' 0001 {} [1] ; 32 't' 0002 {} [2] ; 32 't' 0003 {} [3] ; 32 't' 0004 {} [4]
            b < 40 0001 ; 40 0002 ; 40 0003 ; 40 0004
            a < 32 't' $m {} [1] ; 32 't' $n {} [2]
            a quiet
            a > 40 $m
            a < 32 't' $o {} [3]
            a quiet
            a > 40 $n ; 40 $o
            a < 32 't' $p {} [4]
            a quiet",
        ),
        (
            "QoS 2, until PUBCOMP",
            "a > 10 'MQTT' 05 02 0000 { 21 0001 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 02
            a < 90 0001 {} 02
            b is 5
            b > 34 't' 0001 {} [1] ; 34 't' 0002 {} [2]
            b < 50 0001 ; 50 0002
            a < 34 't' $m {} [1]
            a > 50 $m
            a < 62 $m
            a quiet
            a > 70 $m
            a < 34 't' $n {} [2]
            a quiet",
        ),
        (
            "a PUBREC that refuses makes room",
            "a > 10 'MQTT' 05 02 0000 { 21 0001 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 02
            a < 90 0001 {} 02
            b is 5
            b > 34 't' 0001 {} [1] ; 34 't' 0002 {} [2]
            b < 50 0001 ; 50 0002
            a < 34 't' $m {} [1]
            a > 50 $m 80
            a < 34 't' $n {} [2]
            a quiet",
        ),
        (
            "QoS 0 is not counted",
            "a > 10 'MQTT' 05 02 0000 { 21 0001 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 01
            a < 90 0001 {} 01
            b is 5
            b > 32 't' 0001 {} [1] ; 30 't' {} [0]
            b < 40 0001
            a < 32 't' $m {} [1] ; 30 't' {} [0]",
        ),
        (
            "what is sent again is counted anew by the next connection",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A 21 0002 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 01
            a < 90 0001 {} 01
            b is 5
            b > 32 't' 0001 {} [1] ; 32 't' 0002 {} [2] ; 32 't' 0003 {} [3]
            b < 40 0001 ; 40 0002 ; 40 0003
            a < 32 't' $m {} [1] ; 32 't' $n {} [2]
            a vanishes
            a > 10 'MQTT' 05 00 0000 { 11 0000000A 21 0001 } 'a'
            a < 20 01 00 ..
            a < 3A 't' $m {} [1]
            a quiet
            a > 40 $m
            a < 3A 't' $n {} [2]
            a quiet
            a > 40 $n
            a < 32 't' $o {} [3]
            a quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-4.13.2-1].
#[test]
fn a_client_that_sends_more_than_the_receive_maximum_is_ended() {
    let publish = |i| format!("34 't' {i:04X} {{}}");
    let allowed: Vec<String> = (1..=1024).map(publish).collect();
    let acknowledged: Vec<String> = (1..=1024).map(|i| format!("50 {i:04X} 10")).collect();
    check_all(&[
        (
            "one too many",
            format!(
                "a is 5
                a > {}
                a < {}
                a quiet
                a > {}
                a < E0 93 ..
                a closed",
                allowed.join(";"),
                acknowledged.join(";"),
                publish(1025)
            ),
        ),
        (
            "one that is sent again is none more",
            format!(
                "a is 5
                a > {}
                a < {}
                a > 3C 't' 0001 {{}}
                a < 50 0001
                a > 62 0001
                a < 70 0001
                a > {}
                a < 50 0401 10
                a quiet",
                allowed.join(";"),
                acknowledged.join(";"),
                publish(1025)
            ),
        ),
    ]);
}

#[test]
fn a_client_of_3_1_1_may_have_every_identifier_in_flight() {
    let sent: Vec<String> = (1..=2000).map(|i| format!("34 't' {i:04X}")).collect();
    let received: Vec<String> = (1..=2000).map(|i| format!("50 {i:04X}")).collect();
    check_all(&[(
        "QoS 2",
        format!(
            "a is 3\na > {}\na < {}\na quiet",
            sent.join(";"),
            received.join(";")
        ),
    )]);
}

// Shows 5.0 [MQTT-3.1.2-24], 5.0 [MQTT-3.1.2-25], 5.0 [MQTT-3.14.2-3].
#[test]
fn nothing_larger_is_sent_than_the_client_takes() {
    // CONNACK takes 16 bytes; the longest message here 21, and one byte more is too long.
    check_all(&[
        (
            "a message is left out as if it had been delivered",
            "a > 10 'MQTT' 05 02 0000 { 27 00000015 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 01
            a < 90 0001 {} 01
            b is 5
            b > 32 't' 0001 {} [0123456789abc] ; 32 't' 0002 {} [0123456789abcd] ; 30 't' {} [0123456789abcdef] ; 32 't' 0003 {} [x]
            b < 40 0001 ; 40 0002 ; 40 0003
            a < 32 't' $m {} [0123456789abc] ; 32 't' $n {} [x]
            a quiet",
        ),
        (
            "others get it",
            "a > 10 'MQTT' 05 02 0000 { 27 00000015 } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 00
            a < 90 0001 {} 00
            c is 5
            c > 82 0001 {} 't' 00
            c < 90 0001 {} 00
            b is 5
            b > 30 't' {} [a message that is long]
            c < 30 't' {} [a message that is long]
            a quiet",
        ),
        (
            "reasons are left out of what would be too large",
            "a > 10 'MQTT' 05 02 0000 { 27 00000015 } 'a'
            a < 20 00 00 ..
            a > 36 't' 0001 {}
            a < E0 81
            a closed",
        ),
    ]);
}

#[test]
fn nothing_larger_is_read_than_the_broker_takes() {
    check_all(&[
        (
            "5.0",
            "a is 5
            a > raw 30 81808010 0001 [t] 00
            a < E0 95 ..
            a closed",
        ),
        (
            "3.1.1",
            "a is 3
            a > raw 30 81808010 0001 [t]
            a closed",
        ),
        (
            "a CONNECT",
            "a > raw 10 81808010 'MQTT' 05 02 0000 00
            a closed",
        ),
    ]);
}
