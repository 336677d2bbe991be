//! Wills: when they are published, and when not.

use crate::script::check_all;

// Shows 3.1.1 [MQTT-3.1.2-8], 3.1.1 [MQTT-3.1.2-17], 5.0 [MQTT-3.1.2-8], 5.0 [MQTT-3.1.3-10].
#[test]
fn a_will_is_published_when_its_client_is_lost() {
    check_all(&[
        (
            "3.1.1, by a connection that ends",
            "w is 3
            w > 82 0001 'will' 02
            w < 90 0001 02
            a > 10 'MQTT' 04 06 0000 'a' 'will' 0004 [gone]
            a < 20 00 00
            a vanishes
            w < 30 'will' [gone]
            w quiet",
        ),
        (
            "at its QoS",
            "w is 3
            w > 82 0001 'will' 02
            w < 90 0001 02
            a > 10 'MQTT' 04 16 0000 'a' 'will' 0004 [gone]
            a < 20 00 00
            a vanishes
            w < 34 'will' $m [gone]",
        ),
        (
            "empty",
            "w is 3
            w > 82 0001 'will' 02
            w < 90 0001 02
            a > 10 'MQTT' 04 06 0000 'a' 'will' 0000
            a < 20 00 00
            a vanishes
            w < 30 'will'",
        ),
        (
            "for a protocol error",
            "w is 3
            w > 82 0001 'will' 00
            w < 90 0001 00
            a > 10 'MQTT' 04 06 0000 'a' 'will' 0004 [gone]
            a < 20 00 00
            a > 36 'a' 0001
            a closed
            w < 30 'will' [gone]",
        ),
        (
            "for silence",
            "w is 3
            w > 82 0001 'will' 00
            w < 90 0001 00
            a > 10 'MQTT' 04 06 0001 'a' 'will' 0004 [gone]
            a < 20 00 00
            a closed
            w < 30 'will' [gone]",
        ),
        (
            "when another takes the session over",
            "w is 3
            w > 82 0001 'will' 00
            w < 90 0001 00
            a > 10 'MQTT' 04 06 0000 'a' 'will' 0004 [gone]
            a < 20 00 00
            b > 10 'MQTT' 04 02 0000 'a'
            b < 20 00 00
            a closed
            w < 30 'will' [gone]",
        ),
        (
            "5.0, for DISCONNECT with Will Message",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 {} 'a' {} 'will' 0004 [gone]
            a < 20 00 00 ..
            a > E0 04 {}
            a closed
            w < 30 'will' {} [gone]",
        ),
        (
            "5.0, for DISCONNECT with an error of the client's",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 {} 'a' {} 'will' 0004 [gone]
            a < 20 00 00 ..
            a > E0 80 {}
            a closed
            w < 30 'will' {} [gone]",
        ),
        (
            "5.0, with its properties",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 {} 'a' { 01 01 03 'text' 08 'r' 09 0001 [c] 26 'k' '1' 26 'k' '2' } 'will' 0004 [gone]
            a < 20 00 00 ..
            a vanishes
            w < 30 'will' { 01 01 03 'text' 08 'r' 09 0001 [c] 26 'k' '1' 26 'k' '2' } [gone]",
        ),
        (
            "and kept, if it is retained",
            "a > 10 'MQTT' 04 2E 0000 'a' 'will' 0004 [gone]
            a < 20 00 00
            a vanishes
            w is 3
            w > 82 0001 'will' 01
            w < 90 0001 01
            w < 33 'will' $m [gone]",
        ),
        (
            "and clears what was kept, if it is retained and empty",
            "w is 3
            w > 33 'will' 0001 [kept]
            w < 40 0001
            a > 10 'MQTT' 04 26 0000 'a' 'will' 0000
            a < 20 00 00
            a vanishes
            w > 82 0002 'will' 00
            w < 90 0002 00
            w quiet",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.1.2-10], 3.1.1 [MQTT-3.1.2-12], 3.1.1 [MQTT-3.14.4-3], 5.0 [MQTT-3.1.2-10].
// Shows 5.0 [MQTT-3.14.4-3].
#[test]
fn a_will_is_forgotten_by_whoever_says_goodbye() {
    check_all(&[
        (
            "3.1.1",
            "w is 3
            w > 82 0001 'will' 00
            w < 90 0001 00
            a > 10 'MQTT' 04 06 0000 'a' 'will' 0004 [gone]
            a < 20 00 00
            a leaves
            w quiet
            # And for good.
            a > 10 'MQTT' 04 02 0000 'a'
            a < 20 00 00
            a vanishes
            w quiet",
        ),
        (
            "5.0",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 {} 'a' {} 'will' 0004 [gone]
            a < 20 00 00 ..
            a leaves
            w quiet",
        ),
        (
            "a connection that was refused has none",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 { 15 'SCRAM' } 'a' {} 'will' 0004 [gone]
            a < 20 00 8C ..
            a closed
            w quiet",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.1.2-8], 5.0 [MQTT-3.1.3-9].
#[test]
fn a_will_waits_for_its_delay() {
    check_all(&[
        (
            "and is then published",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 { 11 0000000A } 'a' { 18 00000001 } 'will' 0004 [gone]
            a < 20 00 00 ..
            start
            a vanishes
            w quiet
            w < 30 'will' {} [gone]
            passed 1.0",
        ),
        (
            "not if the client comes back",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 { 11 0000000A } 'a' { 18 00000001 } 'will' 0004 [gone]
            a < 20 00 00 ..
            a vanishes
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            pause
            w quiet",
        ),
        (
            "not if another takes the session over",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 { 11 0000000A } 'a' { 18 00000001 } 'will' 0004 [gone]
            a < 20 00 00 ..
            b > 10 'MQTT' 05 00 0000 {} 'a'
            a < E0 8E ..
            a closed
            b < 20 01 00 ..
            pause
            w quiet",
        ),
        (
            "but no longer than the session lasts",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 {} 'a' { 18 0000000A } 'will' 0004 [gone]
            a < 20 00 00 ..
            a vanishes
            w < 30 'will' {} [gone]",
        ),
        (
            "nor than until a clean start ends the session",
            "w is 5
            w > 82 0001 {} 'will' 00
            w < 90 0001 {} 00
            a > 10 'MQTT' 05 06 0000 { 11 0000000A } 'a' { 18 0000000A } 'will' 0004 [gone]
            a < 20 00 00 ..
            a vanishes
            w quiet
            a > 10 'MQTT' 05 02 0000 {} 'a'
            a < 20 00 00 ..
            w < 30 'will' {} [gone]",
        ),
    ]);
}
