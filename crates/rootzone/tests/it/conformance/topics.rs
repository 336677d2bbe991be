//! Which Topic Filter matches which Topic Name, and which is none.

use super::{check_closed_3, check_refused_5};
use crate::script::check_all;

// Shows 3.1.1 [MQTT-3.3.2-3], 3.1.1 [MQTT-4.7.3-4].
#[test]
fn filters_match_as_their_wildcards_say() {
    const TOPICS: [&str; 14] = [
        "a", "a/", "/a", "/", "a/b", "a//b", "a/b/c", "A/b", "a/b/", "ab", "b/b", "//", "a/b/c/d",
        "a b",
    ];
    for (filter, matching) in [
        ("#", &TOPICS[..]),
        ("a", &["a"]),
        (
            "a/#",
            &["a", "a/", "a/b", "a//b", "a/b/c", "a/b/", "a/b/c/d"],
        ),
        ("/#", &["/a", "/", "//"]),
        ("a/b/#", &["a/b", "a/b/c", "a/b/", "a/b/c/d"]),
        ("+", &["a", "ab", "a b"]),
        ("+/+", &["a/", "/a", "/", "a/b", "A/b", "b/b"]),
        ("/+", &["/a", "/"]),
        ("+/", &["a/", "/"]),
        ("a/+", &["a/", "a/b"]),
        ("+/b", &["a/b", "A/b", "b/b"]),
        ("a/+/b", &["a//b"]),
        ("a/+/c", &["a/b/c"]),
        ("+/b/#", &["a/b", "a/b/c", "A/b", "a/b/", "b/b", "a/b/c/d"]),
        (
            "+/+/#",
            &[
                "a/", "/a", "/", "a/b", "a//b", "a/b/c", "A/b", "a/b/", "b/b", "//", "a/b/c/d",
            ],
        ),
        ("a/b", &["a/b"]),
        ("a/", &["a/"]),
        ("a b", &["a b"]),
        ("b", &[]),
    ] {
        let sent: Vec<_> = TOPICS.iter().map(|topic| format!("30 '{topic}'")).collect();
        let received: String = TOPICS
            .iter()
            .filter(|topic| matching.contains(topic))
            .map(|topic| format!("30 '{topic}' ;"))
            .collect();
        let kept: Vec<_> = TOPICS
            .iter()
            .map(|topic| format!("31 '{topic}' [x]"))
            .collect();
        let replayed: String = TOPICS
            .iter()
            .filter(|topic| matching.contains(topic))
            .map(|topic| format!("31 '{topic}' [x] ;"))
            .collect();
        check_all(&[
            (
                format!("{filter} live"),
                format!(
                    "a is 3
                    a > 82 0001 '{filter}' 00
                    a < 90 0001 00
                    b is 3
                    b > {} ; C0
                    b < D0
                    a > 82 0002 'end' 00
                    a <* {received} 90 0002 00",
                    sent.join(";")
                ),
            ),
            (
                format!("{filter} retained"),
                format!(
                    "b is 3
                    b > {} ; C0
                    b < D0
                    a is 3
                    a > 82 0001 '{filter}' 00
                    a <* {replayed} 90 0001 00
                    a quiet",
                    kept.join(";")
                ),
            ),
        ]);
    }
}

// Shows 3.1.1 [MQTT-4.7.1-2], 3.1.1 [MQTT-4.7.1-3], 3.1.1 [MQTT-4.7.3-1], 5.0 [MQTT-4.7.1-1].
// Shows 5.0 [MQTT-4.7.1-2], 5.0 [MQTT-4.7.3-1], 5.0 [MQTT-4.8.2-1], 5.0 [MQTT-4.8.2-2].
#[test]
fn a_filter_that_is_none_is_malformed() {
    let filters = [
        "",
        "a/#/b",
        "#/a",
        "a#",
        "a/b#",
        "a+",
        "+a",
        "a/+b",
        "a/b+/c",
        "##",
        "++",
        "a/##",
        "$share/#/a",
        "$share/g+/a",
        "$share/g/a#",
    ];
    let broken_shares = ["$share/g", "$share/g/", "$share//a", "$share/+/a"];
    for filter in filters.into_iter().chain(broken_shares) {
        check_refused_5(&[
            (
                filter,
                &format!("82 0001 {{}} 'good' 00 '{filter}' 00"),
                0x81,
            ),
            (filter, &format!("A2 0001 {{}} 'good' '{filter}'"), 0x81),
        ]);
    }
    for filter in filters {
        check_closed_3(&[
            (filter, &format!("82 0001 'good' 00 '{filter}' 00")),
            (filter, &format!("A2 0001 'good' '{filter}'")),
        ]);
    }
    // 3.1.1 knows no Shared Subscriptions: such a filter is one as any other.
    check_all(&broken_shares.map(|filter| {
        let script = format!(
            "a is 3
            a > 82 0001 'good' 00 '{filter}' 00
            a < 90 0001 00 00
            a > A2 0002 '{filter}'
            a < B0 0002
            a quiet"
        );
        (filter, script)
    }));
}

// Shows 3.1.1 [MQTT-3.8.4-5], 3.1.1 [MQTT-3.9.3-1], 5.0 [MQTT-3.8.4-7], 5.0 [MQTT-3.9.3-1].
#[test]
fn a_filter_that_is_not_accepted_fails_and_leaves_the_others_alone() {
    // 129 levels.
    const DEEP: &str = "0101 [a/]*128 [a]";
    check_all(&[
        (
            "5.0",
            format!(
                "a is 5
                a > 82 0001 {{}} 'good/1' 00 {DEEP} 00 'good/2' 01
                a < 90 0001 {{}} 00 97 01
                a > 30 'good/1' {{}} ; 30 'good/2' {{}}
                a < 30 'good/1' {{}} ; 30 'good/2' {{}}"
            ),
        ),
        (
            "3.1.1",
            format!(
                "a is 3
                a > 82 0001 'good/1' 00 {DEEP} 00 'good/2' 01
                a < 90 0001 00 80 01
                a > 30 'good/1' ; 30 'good/2'
                a < 30 'good/1' ; 30 'good/2'"
            ),
        ),
    ]);
}

// Shows 3.1.1 [MQTT-3.3.5-2].
#[test]
fn topics_that_begin_with_a_dollar_are_the_servers_own() {
    check_all(&[
        (
            "no message of a Client is exchanged on them",
            "a is 3
            a > 82 0001 '$mine/#' 00 '#' 00 '+/a' 00
            a < 90 0001 00 00 00
            b is 5
            b > 30 '$mine/a' {} [x]
            b > 32 '$mine/a' 0001 {} [x]
            b < 40 0001 90
            b > 34 '$mine/a' 0002 {} [x]
            b < 50 0002 90
            b quiet
            a quiet",
        ),
        (
            "nor kept",
            "b is 3
            b > 33 '$mine/a' 0001 [x]
            b < 40 0001
            a is 3
            a > 82 0001 '$mine/#' 00
            a < 90 0001 00
            a quiet",
        ),
        (
            "a dollar elsewhere is a letter like any other",
            "a is 3
            a > 82 0001 '#' 00
            a < 90 0001 00
            a > 30 'a/$b' [x] ; 30 'a$' [x]
            a < 30 'a/$b' [x] ; 30 'a$' [x]",
        ),
    ]);
}
