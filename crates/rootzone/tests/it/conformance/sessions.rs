//! Sessions that outlive their connections: what waits, what is sent again, and when all is forgotten.

use crate::script::check_all;

// Shows 3.1.1 [MQTT-3.1.2-4], 3.1.1 [MQTT-3.1.2-5], 3.1.1 [MQTT-3.2.2-2], 3.1.1 [MQTT-3.2.2-3].
// Shows 3.1.1 [MQTT-4.5.0-1], 5.0 [MQTT-3.1.2-5], 5.0 [MQTT-3.1.2-6], 5.0 [MQTT-3.1.2-23].
// Shows 5.0 [MQTT-3.2.2-3], 5.0 [MQTT-4.5.0-1].
#[test]
fn what_waits_comes_in_order_when_the_client_comes_back() {
    check_all(&[
        (
            "3.1.1",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't/#' 02
            a < 90 0001 02
            a leaves
            b is 3
            b > 32 't/1' 0001 [one] ; 34 't/2' 0002 [two] ; 32 't/3' 0003 [three]
            b < 40 0001 ; 50 0002 ; 40 0003
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a < 32 't/1' $m [one] ; 34 't/2' $n [two] ; 32 't/3' $o [three]
            a quiet",
        ),
        (
            "5.0",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't/#' 02
            a < 90 0001 {} 02
            a vanishes
            b is 5
            b > 32 't/1' 0001 {} [one] ; 34 't/2' 0002 {} [two] ; 32 't/3' 0003 {} [three]
            b < 40 0001 ; 50 0002 ; 40 0003
            a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 01 00 ..
            a < 32 't/1' $m {} [one] ; 34 't/2' $n {} [two] ; 32 't/3' $o {} [three]
            a quiet",
        ),
        (
            "from 3.1.1 to 5.0",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 01
            a < 90 0001 01
            a leaves
            b is 5
            b > 32 't' 0001 { 26 'k' 'v' } [x]
            b < 40 0001
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            a < 32 't' $m { 26 'k' 'v' } [x]",
        ),
        (
            "QoS 0 does not wait",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 00 'u' 02
            a < 90 0001 00 02
            a leaves
            b is 3
            b > 32 't' 0001 [for QoS 0] ; 30 'u' [at QoS 0] ; 32 'u' 0002 [waits]
            b < 40 0001 ; 40 0002
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a < 32 'u' $m [waits]
            a quiet",
        ),
        (
            "with the identifiers of the subscriptions",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0001 { 0B 07 } 't' 01
            a < 90 0001 {} 01
            a leaves
            b is 5
            b > 32 't' 0001 {} [x]
            b < 40 0001
            a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 01 00 ..
            a < 32 't' $m { 0B 07 } [x]
            a > 40 $m
            b > 32 't' 0002 {} [y]
            b < 40 0002
            a < 32 't' $n { 0B 07 } [y]",
        ),
        (
            "the subscriptions stay for what comes later",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 01
            a < 90 0001 01
            a leaves
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a > 32 't' 0001 [x]
            a <* 40 0001 ; 32 't' $m [x]",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.3.1-1], 3.1.1 [MQTT-4.4.0-1], 3.1.1 [MQTT-4.6.0-1], 5.0 [MQTT-3.3.1-1].
// Shows 5.0 [MQTT-4.3.3-3].
#[test]
fn what_was_not_acknowledged_is_sent_again_under_the_same_identifier() {
    check_all(&[
        (
            "QoS 1 of 3.1.1",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 01
            a < 90 0001 01
            b is 3
            b > 32 't' 0001 [one] ; 32 't' 0002 [two]
            a < 32 't' $m [one] ; 32 't' $n [two]
            a vanishes
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a < 3A 't' $m [one] ; 3A 't' $n [two]
            a > 40 $m ; 40 $n
            a quiet
            a vanishes
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a quiet",
        ),
        (
            "QoS 2 of 5.0 before PUBREC",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 02
            a < 90 0001 {} 02
            b is 3
            b > 34 't' 0001 [x]
            a < 34 't' $m {} [x]
            a vanishes
            a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 01 00 ..
            a < 3C 't' $m {} [x]
            a > 50 $m
            a < 62 $m
            a > 70 $m
            a quiet",
        ),
        (
            "QoS 2 of 3.1.1 after PUBREC: only PUBREL",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 02
            a < 90 0001 02
            b is 3
            b > 34 't' 0001 [x]
            a < 34 't' $m [x]
            a > 50 $m
            a < 62 $m
            a vanishes
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a < 62 $m
            a > 70 $m
            a quiet
            a vanishes
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a quiet",
        ),
        (
            "nothing is sent again on the same connection",
            "a is 3
            a > 82 0001 't' 01
            a < 90 0001 01
            a > 32 't' 0001 [x]
            a <* 40 0001 ; 32 't' $m [x]
            pause
            a quiet",
        ),
        (
            "what is sent again comes before what waits",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 01
            a < 90 0001 01
            b is 3
            b > 32 't' 0001 [first]
            a < 32 't' $m [first]
            a vanishes
            b > 32 't' 0002 [second]
            b < 40 0001 ; 40 0002
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 01 00
            a < 3A 't' $m [first] ; 32 't' $n [second]",
        ),
        (
            "to whoever takes the session over",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 01
            a < 90 0001 01
            b is 3
            b > 32 't' 0001 [x]
            a < 32 't' $m [x]
            c > 10 'MQTT' 04 00 0000 'a'
            a closed
            c < 20 01 00
            c < 3A 't' $m [x]
            c quiet",
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.1.2-6], 3.1.1 [MQTT-3.1.4-3], 3.1.1 [MQTT-3.2.2-1], 5.0 [MQTT-3.1.2-4].
// Shows 5.0 [MQTT-3.1.4-4], 5.0 [MQTT-3.2.2-2].
#[test]
fn a_clean_start_forgets_what_was() {
    check_all(&[
        (
            "3.1.1",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 82 0001 't' 01
            a < 90 0001 01
            a leaves
            b is 3
            b > 32 't' 0001 [x]
            b < 40 0001
            a > 10 'MQTT' 04 02 0000 'a'
            a < 20 00 00
            a quiet
            b > 32 't' 0002 [x]
            b < 40 0002
            a quiet
            a leaves
            # A clean session leaves nothing behind either.
            a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a quiet",
        ),
        (
            "5.0",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > 82 0001 {} 't' 01
            a < 90 0001 {} 01
            a leaves
            b is 5
            b > 32 't' 0001 {} [x]
            b < 40 0001
            a > 10 'MQTT' 05 02 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a quiet
            b > 32 't' 0002 {} [x]
            b < 40 0002 10
            # What a clean start begins may outlive its connection.
            a vanishes
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            a quiet",
        ),
        (
            "a receipt of QoS 2 too",
            "a > 10 'MQTT' 04 00 0000 'a'
            a < 20 00 00
            a > 34 't' 0007 [x]
            a < 50 0007
            a leaves
            b is 3
            b > 82 0001 't' 00
            b < 90 0001 00
            a > 10 'MQTT' 04 02 0000 'a'
            a < 20 00 00
            a > 34 't' 0007 [y]
            a < 50 0007
            b < 30 't' [y]",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.1.2-23], 5.0 [MQTT-4.1.0-1], 5.0 [MQTT-4.1.0-2].
#[test]
fn a_session_ends_when_its_expiry_says() {
    check_all(&[
        (
            "with the connection, by default",
            "a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..
            a leaves
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..",
        ),
        (
            "after its interval",
            "a > 10 'MQTT' 05 00 0000 { 11 00000001 } 'a'
            a < 20 00 00 ..
            a vanishes
            pause
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..",
        ),
        (
            "not as long as the client is there",
            "a > 10 'MQTT' 05 00 0000 { 11 00000001 } 'a'
            a < 20 00 00 ..
            pause
            a vanishes
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..",
        ),
        (
            "never, with the largest interval",
            "a > 10 'MQTT' 05 00 0000 { 11 FFFFFFFF } 'a'
            a < 20 00 00 ..
            a vanishes
            pause
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..",
        ),
        (
            "by the interval of the last connection",
            "a > 10 'MQTT' 05 00 0000 { 11 FFFFFFFF } 'a'
            a < 20 00 00 ..
            a leaves
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..
            a leaves
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..",
        ),
    ]);
}

// Shows 5.0 [MQTT-4.1.0-2].
#[test]
fn a_disconnect_can_change_when_the_session_ends() {
    check_all(&[
        (
            "to at once",
            "a > 10 'MQTT' 05 00 0000 { 11 0000000A } 'a'
            a < 20 00 00 ..
            a > E0 00 { 11 00000000 }
            a closed
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..",
        ),
        (
            "to later",
            "a > 10 'MQTT' 05 00 0000 { 11 00000001 } 'a'
            a < 20 00 00 ..
            a > E0 00 { 11 0000000A }
            a closed
            pause
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 01 00 ..",
        ),
        (
            "to sooner",
            "a > 10 'MQTT' 05 00 0000 { 11 FFFFFFFF } 'a'
            a < 20 00 00 ..
            a > E0 00 { 11 00000001 }
            a closed
            pause
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..",
        ),
        (
            "not from 0",
            "a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..
            a > E0 00 { 11 0000000A }
            a < E0 82 ..
            a closed
            a > 10 'MQTT' 05 00 0000 {} 'a'
            a < 20 00 00 ..",
        ),
    ]);
}
