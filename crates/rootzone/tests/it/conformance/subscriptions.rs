//! SUBSCRIBE and UNSUBSCRIBE, and what a subscription brings.

use crate::script::check_all;

// Shows 3.1.1 [MQTT-2.3.1-7], 3.1.1 [MQTT-3.8.4-1], 3.1.1 [MQTT-3.8.4-2], 3.1.1 [MQTT-3.8.4-4].
// Shows 3.1.1 [MQTT-3.8.4-5], 3.1.1 [MQTT-3.9.3-1], 3.1.1 [MQTT-3.10.4-4], 3.1.1 [MQTT-3.10.4-6].
// Shows 5.0 [MQTT-2.2.1-6], 5.0 [MQTT-3.8.4-1], 5.0 [MQTT-3.8.4-2], 5.0 [MQTT-3.8.4-5].
// Shows 5.0 [MQTT-3.8.4-6], 5.0 [MQTT-3.8.4-7], 5.0 [MQTT-3.9.3-1], 5.0 [MQTT-3.10.4-4].
// Shows 5.0 [MQTT-3.10.4-6], 5.0 [MQTT-3.11.3-1].
#[test]
fn each_filter_is_answered_in_its_place() {
    check_all(&[
        (
            "3.1.1",
            "a is 3
            a > 82 0001 'a' 00 'b' 01 'c/#' 02 '+/d' 01
            a < 90 0001 00 01 02 01
            a > A2 0002 'a' 'b' 'never'
            a < B0 0002
            a quiet",
        ),
        (
            "5.0",
            "a is 5
            a > 82 0001 { 26 'k' 'v' } 'a' 00 'b' 01 'c/#' 02 '+/d' 2D
            a < 90 0001 {} 00 01 02 01
            a > A2 0002 { 26 'k' 'v' } 'a' 'never' 'b'
            a < B0 0002 {} 00 11 00
            a quiet",
        ),
        (
            "the highest Packet Identifier",
            "a is 3
            a > 82 FFFF 'a' 00 ; A2 FFFF 'a'
            a < 90 FFFF 00 ; B0 FFFF",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.10.4-1], 3.1.1 [MQTT-3.10.4-2], 3.1.1 [MQTT-3.10.4-3], 3.1.1 [MQTT-3.10.4-5].
#[test]
fn after_unsubscribe_nothing_more_comes() {
    check_all(&[
        (
            "3.1.1",
            "a is 3
            a > 82 0001 't' 01 'u' 01
            a < 90 0001 01 01
            a > A2 0002 't'
            a < B0 0002
            b is 3
            b > 32 't' 0001 [x] ; 32 'u' 0002 [y]
            b < 40 0001 ; 40 0002
            a < 32 'u' $m [y]
            a quiet",
        ),
        (
            "filters are compared letter by letter, not matched",
            "a is 3
            a > 82 0001 't/1' 00
            a < 90 0001 00
            a > A2 0002 't/+' '#' 'T/1'
            a < B0 0002
            a > 30 't/1' [x]
            a < 30 't/1' [x]",
        ),
        (
            "what is under way is still acknowledged",
            "a is 3
            a > 82 0001 't' 02
            a < 90 0001 02
            b is 3
            b > 34 't' 0001 [x]
            a < 34 't' $m [x]
            a > A2 0002 't'
            a < B0 0002
            a > 50 $m
            a < 62 $m
            a > 70 $m
            a quiet",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.8.4-3], 5.0 [MQTT-3.8.4-3].
#[test]
fn a_second_subscription_to_the_same_filter_replaces_the_first() {
    check_all(&[
        (
            "3.1.1",
            "a is 3
            a > 82 0001 't' 02 ; 82 0002 't' 00
            a < 90 0001 02 ; 90 0002 00
            b is 3
            b > 32 't' 0001 [x]
            b < 40 0001
            a < 30 't' [x]
            a quiet",
        ),
        (
            "5.0, its identifier and options too",
            "a is 5
            a > 82 0001 { 0B 07 } 't' 00 ; 82 0002 { 0B 08 } 't' 09
            a < 90 0001 {} 00 ; 90 0002 {} 01
            b is 5
            b > 33 't' 0001 {} [x]
            b < 40 0001
            a < 33 't' $m { 0B 08 } [x]
            a quiet",
        ),
        (
            "5.0, to none",
            "a is 5
            a > 82 0001 { 0B 07 } 't' 00 ; 82 0002 {} 't' 00
            a < 90 0001 {} 00 ; 90 0002 {} 00
            b is 5
            b > 30 't' {} [x]
            a < 30 't' {} [x]",
        ),
        (
            "twice in one SUBSCRIBE",
            "a is 3
            a > 82 0001 't' 00 't' 01
            a < 90 0001 00 01
            b is 3
            b > 32 't' 0001 [x]
            b < 40 0001
            a < 32 't' $m [x]
            a quiet",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.3.5-1], 5.0 [MQTT-3.3.4-2], 5.0 [MQTT-3.3.4-3], 5.0 [MQTT-3.3.4-4].
#[test]
fn overlapping_subscriptions_bring_one_message_at_the_highest_qos() {
    check_all(&[
        (
            "3.1.1",
            "a is 3
            a > 82 0001 't/a' 00 't/+' 02 't/#' 01
            a < 90 0001 00 02 01
            b is 3
            b > 34 't/a' 0001 [x]
            b < 50 0001
            a < 34 't/a' $m [x]
            a quiet",
        ),
        (
            "5.0, with every identifier",
            "a is 5
            a > 82 0001 { 0B 01 } 't/a' 00 ; 82 0002 { 0B FFFFFF7F } 't/+' 01
            a < 90 0001 {} 00 ; 90 0002 {} 01
            b is 5
            b > 34 't/a' 0001 {} [x]
            b < 50 0001
            a < 32 't/a' $m { 0B FFFFFF7F 0B 01 } [x]
            a quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.8.3-3].
#[test]
fn options_of_a_subscription_are_obeyed() {
    check_all(&[
        (
            "No Local",
            "a is 5
            a > 82 0001 {} 't' 04 'u' 00
            a < 90 0001 {} 00 00
            b is 5
            b > 82 0001 {} 't' 00
            b < 90 0001 {} 00
            a > 30 't' {} [mine]
            b < 30 't' {} [mine]
            b > 30 't' {} [theirs]
            b < 30 't' {} [theirs]
            a < 30 't' {} [theirs]
            a quiet",
        ),
        (
            "No Local and another subscription without it",
            "a is 5
            a > 82 0001 { 0B 01 } 't' 04 ; 82 0002 { 0B 02 } '+' 00
            a < 90 0001 {} 00 ; 90 0002 {} 00
            a > 30 't' {} [mine]
            a < 30 't' { 0B 02 } [mine]
            a quiet",
        ),
        (
            "No Local holds for the Client, not its connection",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 05
            a < 90 0001 {} 01
            a leaves
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            a > 32 't' 0001 {} [mine]
            a < 40 0001 10
            a quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.3.2-15], 5.0 [MQTT-3.3.2-16].
#[test]
fn what_is_said_of_a_request_is_passed_on_as_it_is() {
    check_all(&[(
        "request and response",
        "server is 5
        server > 82 0001 {} 'question' 01
        server < 90 0001 {} 01
        client is 5
        client > 82 0001 {} 'answer/1' 01
        client < 90 0001 {} 01
        client > 32 'question' 0002 { 08 'answer/1' 09 0003 00FF01 } [?]
        client < 40 0002
        server < 32 'question' $m { 08 'answer/1' 09 0003 00FF01 } [?]
        server > 40 $m
        server > 32 'answer/1' 0002 { 09 0003 00FF01 } [!]
        server < 40 0002
        client < 32 'answer/1' $n { 09 0003 00FF01 } [!]",
    )]);
}
