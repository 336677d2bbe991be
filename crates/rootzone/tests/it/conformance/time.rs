//! What time does: Keep Alive and the expiry of messages.

use crate::script::check_all;

// Shows 3.1.1 [MQTT-3.1.2-24], 5.0 [MQTT-3.1.2-22].
#[test]
fn a_silent_client_is_ended_after_one_and_a_half_times_its_keep_alive() {
    check_all(&[
        (
            "3.1.1",
            "start
            a > 10 'MQTT' 04 02 0001 'a'
            a < 20 00 00
            a closed
            passed 1.5",
        ),
        (
            "5.0",
            "start
            a > 10 'MQTT' 05 02 0001 {} 'a'
            a < 20 00 00 ..
            a < E0 8D ..
            a closed
            passed 1.5",
        ),
        (
            "what it receives does not count",
            "a > 10 'MQTT' 04 02 0001 'a'
            a < 20 00 00
            a > 82 0001 't' 00
            a < 90 0001 00
            start
            b is 3
            b > 30 't' [x]
            a < 30 't' [x]
            a closed
            passed 1.4",
        ),
    ]);
}

#[test]
fn a_client_that_is_not_silent_stays() {
    check_all(&[
        (
            "with Keep Alive 0 it may be",
            "a > 10 'MQTT' 04 02 0000 'a'
            a < 20 00 00
            pause
            pause
            a quiet",
        ),
        (
            "within one and a half times the interval",
            "a > 10 'MQTT' 04 02 0002 'a'
            a < 20 00 00
            pause
            a quiet
            pause
            a quiet
            pause
            a quiet",
        ),
        (
            "PUBLISH is as good as PINGREQ",
            "a > 10 'MQTT' 05 02 0002 {} 'a'
            a < 20 00 00 ..
            pause
            a > 30 't' {} [x]
            pause
            a > 30 't' {} [x]
            pause
            a quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.3.2-5].
#[test]
fn a_message_that_expired_is_not_delivered() {
    check_all(&[
        (
            "from the queue",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 01
            a < 90 0001 {} 01
            a leaves
            b is 5
            b > 32 't' 0001 { 02 00000001 } [short] ; 32 't' 0002 {} [ever]
            b < 40 0001 ; 40 0002
            pause
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            a < 32 't' $m {} [ever]
            a quiet",
        ),
        (
            "from what is retained",
            "b is 5
            b > 33 't' 0001 { 02 00000001 } [short] ; 33 'u' 0002 { 02 FFFFFFFF } [long]
            b < 40 0001 10 ; 40 0002 10
            pause
            a is 5
            a > 82 0001 {} '#' 00
            a < 90 0001 {} 00
            a < 31 'u' ..
            a quiet",
        ),
        (
            "to 3.1.1 neither",
            "b is 5
            b > 33 't' 0001 { 02 00000001 } [short]
            b < 40 0001 10
            pause
            a is 3
            a > 82 0001 't' 00
            a < 90 0001 00
            a quiet",
        ),
        (
            "a Will's counts from when it is published",
            "a > 10 'MQTT' 05 26 0000 {} 'a' { 02 00000001 } 'will' 0004 [gone]
            a < 20 00 00 ..
            pause
            a vanishes
            w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            w < 31 'will' { 02 00000001 } [gone]
            pause
            w > 82 0002 {} 'will' 00
            w < 90 0002 {} 00
            w quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.3.2-6].
#[test]
fn a_message_says_how_long_it_lasts_yet() {
    check_all(&[
        (
            "all of it, at once",
            "a is 5
            a > 82 0001 {} 't' 00
            a < 90 0001 {} 00
            b is 5
            b > 30 't' { 02 0000003C } [x]
            a < 30 't' { 02 0000003C } [x]",
        ),
        (
            "less what it waited",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 01
            a < 90 0001 {} 01
            a leaves
            b is 5
            b > 33 't' 0001 { 02 000003E8 } [x]
            b < 40 0001
            pause
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            a < 32 't' $m { 02 000003E7 } [x]",
        ),
    ]);
}
