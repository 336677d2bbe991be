//! QoS 2 across a `kill -9` in each of its states, in both directions, and its Packet Identifiers used again.
//!
//! Whoever was cut off goes on as [MQTT-4.4.0-1] has it; what arrives in the end is every message once.

use crate::script::play_with_kills;

/// Plays a script in both versions; `P` stands for properties, of which there are none.
#[track_caller]
fn check(script: &str) {
    for (version, properties) in [("3", ""), ("5", "00")] {
        let script = script.replace('V', version).replace('P', properties);
        if let Err(failure) = play_with_kills(&script) {
            panic!("version {version}, {failure}");
        }
    }
}

/// The broker is killed while a publisher's first message is under way; its second has the same Packet Identifier.
/// The subscriber is away until both were acknowledged.
#[track_caller]
fn check_received(before: &str, after: &str) {
    check(&format!(
        "s begins V
         s > 82 0001 P 't' 02
         s < 90 0001 P 02
         s leaves
         p begins V
         {before}
         killed
         p resumes V
         {after}
         p > 34 't' 0007 P [second]
         p < 50 0007
         killed
         p resumes V
         p > 62 0007
         p < 70 0007
         s resumes V
         s < 34 't' $first P [first] ; 34 't' $second P [second]
         s > 50 $first ; 50 $second
         s < 62 $first ; 62 $second
         s > 70 $first ; 70 $second
         s quiet"
    ));
}

#[test]
fn a_publisher_may_be_cut_off_before_pubrec() {
    // Whether the broker has stored it by then or not.
    check_received(
        "p > 34 't' 0007 P [first]",
        "p > 3C 't' 0007 P [first]
         p < 50 0007
         p > 62 0007
         p < 70 0007",
    );
}

#[test]
fn a_publisher_may_be_cut_off_after_pubrec() {
    check_received(
        "p > 34 't' 0007 P [first]
         p < 50 0007",
        "p > 62 0007
         p < 70 0007",
    );
}

#[test]
fn a_publisher_may_be_cut_off_before_pubcomp() {
    check_received(
        "p > 34 't' 0007 P [first]
         p < 50 0007
         p > 62 0007",
        "p > 62 0007
         p < 70 0007 ..",
    );
}

#[test]
fn a_publisher_may_be_cut_off_after_pubcomp() {
    check_received(
        "p > 34 't' 0007 P [first]
         p < 50 0007
         p > 62 0007
         p < 70 0007",
        "",
    );
}

/// The broker is killed while a subscriber's first message is under way.
#[track_caller]
fn check_sent(before: &str, after: &str) {
    check(&format!(
        "s begins V
         s > 82 0001 P 't' 02
         s < 90 0001 P 02
         p begins V
         p > 34 't' 0007 P [first]
         p < 50 0007
         p > 62 0007
         p < 70 0007
         s < 34 't' $first P [first]
         {before}
         killed
         s resumes V
         {after}
         s quiet
         p resumes V
         p > 34 't' 0007 P [second]
         p < 50 0007
         p > 62 0007
         s < 34 't' $second P [second]
         s > 50 $second
         s < 62 $second
         killed
         s resumes V
         s < 62 $second
         s > 70 $second
         s quiet"
    ));
}

#[test]
fn a_subscriber_may_be_cut_off_before_pubrec() {
    check_sent(
        "",
        "s < 3C 't' $first P [first]
         s > 50 $first
         s < 62 $first
         s > 70 $first",
    );
}

#[test]
fn a_subscriber_may_be_cut_off_after_pubrel() {
    check_sent(
        "s > 50 $first
         s < 62 $first",
        "s < 62 $first
         s > 70 $first",
    );
}

#[test]
fn a_subscriber_may_be_cut_off_after_pubcomp() {
    // The SUBACK tells that what came before is stored too.
    check_sent(
        "s > 50 $first
         s < 62 $first
         s > 70 $first ; 82 0002 P 'u' 02
         s < 90 0002 P 02",
        "",
    );
}
