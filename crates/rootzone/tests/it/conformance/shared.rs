//! Shared Subscriptions.

use crate::script::check_all;

#[test]
fn each_message_of_a_share_goes_to_one_of_its_members() {
    check_all(&[
        (
            "in turns",
            "a is 5
            a > 82 0001 {} '$share/g/t' 00
            a < 90 0001 {} 00
            b is 5
            b > 82 0001 {} '$share/g/t' 00
            b < 90 0001 {} 00
            c is 5
            c > 30 't' {} [1] ; 30 't' {} [2]
            a < 30 't' {} ..
            b < 30 't' {} ..
            a quiet
            b quiet",
        ),
        (
            "every share gets its own, and who subscribes alone too",
            "a is 5
            a > 82 0001 { 0B 01 } '$share/g/t' 00 ; 82 0002 { 0B 02 } '$share/h/t' 00 ; 82 0003 { 0B 03 } 't' 00
            a < 90 0001 {} 00 ; 90 0002 {} 00 ; 90 0003 {} 00
            c is 5
            c > 30 't' {} [x]
            a <* 30 't' { 0B 01 } [x] ; 30 't' { 0B 02 } [x] ; 30 't' { 0B 03 } [x]
            a quiet",
        ),
        (
            "filters of one share name differ",
            "a is 5
            a > 82 0001 {} '$share/g/t/+' 00
            a < 90 0001 {} 00
            b is 5
            b > 82 0001 {} '$share/g/t/#' 00
            b < 90 0001 {} 00
            c is 5
            c > 30 't/1' {} [x]
            a < 30 't/1' {} [x]
            b < 30 't/1' {} [x]",
        ),
        (
            "3.1.1 too",
            "a is 3
            a > 82 0001 '$share/g/t' 01
            a < 90 0001 01
            b is 3
            b > 32 't' 0001 [x]
            b < 40 0001
            a < 32 't' $m [x]",
        ),
    ]);
}

// Shows 5.0 [MQTT-3.10.4-2], 5.0 [MQTT-3.10.4-5].
#[test]
fn a_member_that_left_gets_nothing() {
    check_all(&[
        (
            "by UNSUBSCRIBE",
            "a is 5
            a > 82 0001 {} '$share/g/t' 00
            a < 90 0001 {} 00
            b is 5
            b > 82 0001 {} '$share/g/t' 00
            b < 90 0001 {} 00
            a > A2 0002 {} '$share/g/t'
            a < B0 0002 {} 00
            a > A2 0003 {} '$share/g/t'
            a < B0 0003 {} 11
            c is 5
            c > 30 't' {} [1] ; 30 't' {} [2]
            b < 30 't' {} [1] ; 30 't' {} [2]
            a quiet",
        ),
        (
            "by DISCONNECT",
            "a is 5
            a > 82 0001 {} '$share/g/t' 00
            a < 90 0001 {} 00
            b is 5
            b > 82 0001 {} '$share/g/t' 00
            b < 90 0001 {} 00
            a leaves
            c is 5
            c > 30 't' {} [1] ; 30 't' {} [2]
            b < 30 't' {} [1] ; 30 't' {} [2]",
        ),
        (
            "what it had not acknowledged goes to another, when its session ends",
            "a is 5
            a > 82 0001 {} '$share/g/t' 01
            a < 90 0001 {} 01
            c is 5
            c > 32 't' 0001 {} [1]
            a < 32 't' $m {} [1]
            b is 5
            b > 82 0001 {} '$share/g/t' 01
            b < 90 0001 {} 01
            a vanishes
            b < 32 't' $n {} [1]",
        ),
    ]);
}

#[test]
fn retained_messages_are_not_for_shares() {
    check_all(&[(
        "5.0",
        "c is 5
        c > 33 't' 0001 {} [kept]
        c < 40 0001 10
        a is 5
        a > 82 0001 {} '$share/g/t' 00
        a < 90 0001 {} 00
        a quiet
        c > 31 't' {} [live]
        a < 30 't' {} [live]",
    )]);
}
