//! Where the two decoders are known to differ, and who is right by which statement of the specifications.

use mqtt_protocol::{ProtocolVersion, Role};

use crate::{
    content::{Content, Value},
    verdict::{Case, Receiver, Verdict, variable_byte_integer},
};

pub(crate) struct Difference {
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
    pub(crate) right: Right,
    /// The statement that decides.
    pub(crate) because: &'static str,
    /// Whether the bytes are such; asked only where the verdicts differ in this `kind`.
    pub(crate) concerns: fn(&Case<'_>) -> bool,
    /// Shows that it is still so.
    pub(crate) example: (Receiver, &'static [u8]),
}

/// What we did where they did otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Refused,
    Accepted,
    /// They wait for more of a packet that its beginning already forbids.
    RefusedEarlier,
}

/// Whom the specification supports. Where that would be them, it is we who have something to mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Us,
    /// The specification leaves it open.
    Either,
}

impl Kind {
    /// Of two verdicts that do not agree; `None` if both accept and read different things.
    pub(crate) const fn of(case: &Case<'_>) -> Option<Self> {
        match (&case.ours, &case.theirs) {
            (Verdict::Refused(_), Verdict::Accepted { .. }) => Some(Self::Refused),
            (Verdict::Accepted { .. }, Verdict::Refused(_)) => Some(Self::Accepted),
            (Verdict::Refused(_), Verdict::Incomplete) => Some(Self::RefusedEarlier),
            (
                Verdict::Accepted { .. } | Verdict::Refused(_) | Verdict::Incomplete,
                Verdict::Accepted { .. } | Verdict::Refused(_) | Verdict::Incomplete,
            ) => None,
        }
    }
}

/// The entry that explains why the verdicts differ.
pub(crate) fn explain(case: &Case<'_>) -> Option<usize> {
    let kind = Kind::of(case)?;
    DIFFERENCES
        .iter()
        .position(|difference| difference.kind == kind && (difference.concerns)(case))
}

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        about: "reserved flags of the fixed header",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-2.2.2-2], 5.0 [MQTT-2.1.3-1]",
        concerns: |case| has_wrong_flags(case.bytes[0]),
        example: (TO_SERVER_5_0, b"\xC1\x00"),
    },
    Difference {
        about: "a length in more bytes than needed",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-1.5.5-1]",
        concerns: |case| is_5_0(case) && is_longer_than_needed(case),
        example: (TO_SERVER_5_0, b"\x40\x84\x00\x00\x01\x00\x00"),
    },
    Difference {
        about: "a Remaining Length in more bytes than needed",
        kind: Kind::Refused,
        // Table 2.4 lists for each number of bytes only the values that need it; no statement forbids others.
        right: Right::Either,
        because: "3.1.1 §2.2.3, table 2.4",
        concerns: |case| !is_5_0(case) && is_longer_than_needed(case),
        example: (TO_SERVER_3_1_1, b"\x40\x82\x00\x00\x01"),
    },
    Difference {
        about: "U+0000 in a string",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-1.5.3-2], 5.0 [MQTT-1.5.4-2]",
        concerns: |case| theirs(case).all_texts().any(|text| text.contains('\0')),
        example: (TO_SERVER_5_0, b"\x30\x04\x00\x01\x00\x00"),
    },
    Difference {
        about: "a wildcard in a Topic Name",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-3.3.2-2], [MQTT-4.7.1-1], 5.0 [MQTT-3.3.2-2], [MQTT-3.3.2-14], [MQTT-4.7.0-1]",
        concerns: |case| topic_names(theirs(case)).any(|topic| topic.contains(['+', '#'])),
        example: (TO_CLIENT_3_1_1, b"\x30\x03\x00\x01#"),
    },
    Difference {
        about: "an empty Topic Name of a PUBLISH",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-4.7.3-1]",
        concerns: |case| !is_5_0(case) && topic_names(theirs(case)).any(str::is_empty),
        example: (TO_SERVER_3_1_1, b"\x30\x02\x00\x00"),
    },
    Difference {
        about: "an empty Topic Name of a Will or of a response",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-4.7.3-1]",
        concerns: |case| {
            is_5_0(case) && {
                let content = theirs(case);
                let publish = content.texts("topic_name").count();
                topic_names(content).skip(publish).any(str::is_empty)
            }
        },
        example: (TO_SERVER_5_0, b"\x30\x07\x00\x01a\x03\x08\x00\x00"),
    },
    Difference {
        about: "neither Topic Name nor Topic Alias",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 §3.3.2.1: a Protocol Error",
        concerns: |case| {
            let content = theirs(case);
            is_5_0(case)
                && content.texts("topic_name").any(str::is_empty)
                && !content.has_property(TOPIC_ALIAS)
        },
        example: (TO_SERVER_5_0, b"\x30\x03\x00\x00\x00"),
    },
    Difference {
        about: "a Topic Filter that is empty or has a wildcard beside others or before the end",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1], 5.0 [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1]",
        concerns: |case| theirs(case).texts("topic_filter").any(is_wrong_filter),
        example: (TO_SERVER_5_0, b"\x82\x08\x00\x01\x00\x00\x02a#\x00"),
    },
    Difference {
        about: "a Shared Subscription without a filter",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-4.8.2-1], [MQTT-4.8.2-2]",
        concerns: |case| is_5_0(case) && theirs(case).texts("topic_filter").any(is_wrong_share),
        example: (TO_SERVER_5_0, b"\xA2\x0E\x00\x01\x00\x00\x09$share/g/"),
    },
    Difference {
        about: "Packet Identifier 0",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-2.3.1-1], [MQTT-2.3.1-7], 5.0 [MQTT-2.2.1-3], [MQTT-2.2.1-4], [MQTT-2.2.1-6]",
        concerns: |case| {
            let content = theirs(case);
            content.number("packet_identifier") == Some(0) && content.number("qos") != Some(0)
        },
        example: (TO_CLIENT_3_1_1, b"\xB0\x02\x00\x00"),
    },
    Difference {
        about: "DUP on QoS 0",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 and 5.0 [MQTT-3.3.1-2]",
        concerns: |case| {
            let content = theirs(case);
            content.number("qos") == Some(0) && content.number("dup") == Some(1)
        },
        example: (TO_SERVER_3_1_1, b"\x38\x03\x00\x01a"),
    },
    Difference {
        about: "a PUBLISH that ends before its Property Length",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-2.2.2-1]",
        concerns: |case| {
            let content = theirs(case);
            let topic_name = content
                .texts("topic_name")
                .map(|topic| 2 + topic.len())
                .sum::<usize>();
            let packet_identifier = if content.number("qos") == Some(0) {
                0
            } else {
                2
            };
            is_5_0(case)
                && content.packet_type == 3
                && body(case).len() == topic_name + packet_identifier
        },
        example: (TO_SERVER_5_0, b"\x30\x03\x00\x01a"),
    },
    Difference {
        about: "the reserved Connect Flag",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 and 5.0 [MQTT-3.1.2-3]",
        concerns: |case| connect_flags(case).is_some_and(|flags| flags & 1 != 0),
        example: (FIRST, b"\x10\x0C\x00\x04MQTT\x04\x03\x00\x00\x00\x00"),
    },
    Difference {
        about: "Will QoS or Will Retain without a Will",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-15], 5.0 [MQTT-3.1.2-11], [MQTT-3.1.2-13]",
        concerns: |case| {
            connect_flags(case).is_some_and(|flags| flags & 0x04 == 0 && flags & 0x38 != 0)
        },
        example: (FIRST, b"\x10\x0C\x00\x04MQTT\x04\x22\x00\x00\x00\x00"),
    },
    Difference {
        about: "Will QoS 3",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-3.1.2-14], 5.0 [MQTT-3.1.2-12]",
        concerns: |case| connect_flags(case).is_some_and(|flags| flags & 0x1C == 0x1C),
        example: (
            FIRST,
            b"\x10\x11\x00\x04MQTT\x04\x1E\x00\x00\x00\x00\x00\x01w\x00\x00",
        ),
    },
    Difference {
        about: "Authentication Data without a method in a CONNECT",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 §3.1.2.11.10: a Protocol Error",
        concerns: |case| theirs(case).packet_type == 1 && has_data_without_method(case),
        example: (
            FIRST,
            b"\x10\x11\x00\x04MQTT\x05\x02\x00\x00\x04\x16\x00\x01x\x00\x00",
        ),
    },
    Difference {
        about: "Authentication Data without a method in a CONNACK",
        kind: Kind::Refused,
        // The data's meaning "is defined by the authentication method", and no sentence says what lacks one.
        right: Right::Either,
        because: "5.0 §3.2.2.3.18",
        concerns: |case| theirs(case).packet_type == 2 && has_data_without_method(case),
        example: (TO_CLIENT_5_0, b"\x20\x07\x00\x00\x04\x16\x00\x01x"),
    },
    Difference {
        about: "reserved Connect Acknowledge Flags",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 §3.2.2.1, 5.0 [MQTT-3.2.2-1]",
        concerns: |case| theirs(case).packet_type == 2 && body(case)[0] > 1,
        example: (TO_CLIENT_3_1_1, b"\x20\x02\x02\x00"),
    },
    Difference {
        about: "a session in a refusal",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-3.2.2-4], 5.0 [MQTT-3.2.2-6]",
        concerns: |case| {
            let content = theirs(case);
            content.number("session_present") == Some(1) && content.number("reason_code") != Some(0)
        },
        example: (TO_CLIENT_3_1_1, b"\x20\x02\x01\x05"),
    },
    Difference {
        about: "a Reason Code in an acknowledgement",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 §3.4.1, §3.5.1, §3.6.1, §3.7.1: their Remaining Length has the value 2",
        concerns: |case| {
            !is_5_0(case) && matches!(case.bytes[0] >> 4, 4..=7) && body(case).len() == 3
        },
        example: (TO_SERVER_3_1_1, b"\x40\x03\x00\x01\x00"),
    },
    Difference {
        about: "reserved bits of the requested QoS",
        kind: Kind::Refused,
        right: Right::Us,
        because: "3.1.1 [MQTT-3-8.3-4]",
        concerns: |case| {
            let content = theirs(case);
            let set = |name| numbers(content, name).any(|number| number != 0);
            !is_5_0(case)
                && (set("no_local") || set("retain_as_published") || set("retain_handling"))
        },
        example: (TO_SERVER_3_1_1, b"\x82\x06\x00\x01\x00\x01a\x04"),
    },
    Difference {
        about: "No Local on a Shared Subscription",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-3.8.3-4]",
        concerns: |case| {
            let content = theirs(case);
            let filters = content.texts("topic_filter");
            filters
                .zip(numbers(content, "no_local"))
                .any(|(filter, no_local)| filter.starts_with("$share/") && no_local == 1)
        },
        example: (TO_SERVER_5_0, b"\x82\x10\x00\x01\x00\x00\x0A$share/g/a\x04"),
    },
    Difference {
        about: "two Subscription Identifiers in a SUBSCRIBE",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 §3.8.2.1.2: a Protocol Error",
        concerns: |case| theirs(case).packet_type == 8 && n_subscription_identifiers(case) > 1,
        example: (
            TO_SERVER_5_0,
            b"\x82\x0B\x00\x01\x04\x0B\x01\x0B\x02\x00\x01a\x00",
        ),
    },
    Difference {
        about: "a Subscription Identifier in a PUBLISH of a Client",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-3.3.4-6]",
        concerns: |case| {
            case.receiver.role == Role::Server
                && theirs(case).packet_type == 3
                && n_subscription_identifiers(case) > 0
        },
        example: (TO_SERVER_5_0, b"\x30\x06\x00\x01a\x02\x0B\x01"),
    },
    Difference {
        about: "a Session Expiry Interval in a DISCONNECT of a Server",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-3.14.2-2]",
        concerns: |case| {
            case.receiver.role == Role::Client
                && theirs(case).packet_type == 14
                && theirs(case).has_property(0x11)
        },
        example: (TO_CLIENT_5_0, b"\xE0\x07\x00\x05\x11\x00\x00\x00\x01"),
    },
    Difference {
        about: "a Reason Code that only the other side sends in a DISCONNECT",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-3.14.2-1], table 3-10",
        concerns: |case| {
            let code = theirs(case).number("reason_code");
            theirs(case).packet_type == 14
                && match case.receiver.role {
                    Role::Client => code == Some(0x04),
                    Role::Server => {
                        matches!(code, Some(0x87 | 0x89 | 0x8B | 0x8D..=0x8F | 0x9A..=0xA2))
                    }
                }
        },
        example: (TO_SERVER_5_0, b"\xE0\x01\x8B"),
    },
    Difference {
        about: "a Reason Code that only the other side sends in an AUTH",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 [MQTT-3.15.2-1], table 3-11",
        concerns: |case| {
            let code = theirs(case).number("reason_code");
            theirs(case).packet_type == 15
                && match case.receiver.role {
                    Role::Client => code == Some(0x19),
                    Role::Server => code == Some(0x00),
                }
        },
        example: (TO_CLIENT_5_0, b"\xF0\x06\x19\x04\x15\x00\x01m"),
    },
    Difference {
        about: "an AUTH of more than nothing without a method",
        kind: Kind::Refused,
        right: Right::Us,
        because: "5.0 §3.15.2.2.2: a Protocol Error",
        concerns: |case| {
            let content = theirs(case);
            content.packet_type == 15 && !content.has_property(AUTHENTICATION_METHOD)
        },
        example: (TO_CLIENT_5_0, b"\xF0\x01\x00"),
    },
    Difference {
        about: "a password without a user name",
        kind: Kind::Accepted,
        right: Right::Us,
        because: "5.0 §3.1.2.9: allowed, where 3.1.1 did not",
        concerns: |case| {
            is_5_0(case) && connect_flags(case).is_some_and(|flags| flags & 0xC0 == 0x40)
        },
        example: (
            FIRST,
            b"\x10\x10\x00\x04MQTT\x05\x42\x00\x00\x00\x00\x00\x00\x01p",
        ),
    },
    Difference {
        about: "the refusal of a Server that knows 3.1.1 only",
        kind: Kind::Accepted,
        // Its form is that of 3.1.1, as that Server has no other.
        right: Right::Us,
        because: "3.1.1 [MQTT-3.1.2-2]",
        concerns: |case| is_5_0(case) && case.bytes.starts_with(b"\x20\x02\x00\x01"),
        example: (TO_CLIENT_5_0, b"\x20\x02\x00\x01"),
    },
    Difference {
        about: "0x8C, Bad authentication method, in a DISCONNECT",
        kind: Kind::Accepted,
        right: Right::Either,
        because: "5.0 table 2-6 names DISCONNECT for it, table 3-10 does not",
        concerns: |case| is_5_0(case) && case.bytes[0] == 0xE0 && body(case)[0] == 0x8C,
        example: (TO_SERVER_5_0, b"\xE0\x01\x8C"),
    },
    Difference {
        about: "a first byte that is none of a packet from there",
        kind: Kind::RefusedEarlier,
        right: Right::Either,
        because: "3.1.1 [MQTT-4.8.0-1], 5.0 [MQTT-4.13.1-1]: to be closed, not when",
        concerns: |case| {
            has_wrong_flags(case.bytes[0]) || !may_come(case.receiver, case.bytes[0] >> 4)
        },
        example: (TO_SERVER_3_1_1, b"\xD0"),
    },
    Difference {
        about: "the beginning of a packet whose length is in more bytes than needed",
        kind: Kind::RefusedEarlier,
        right: Right::Either,
        because: "5.0 [MQTT-1.5.5-1]; to be closed, not when",
        concerns: |case| ends_in_zero(&case.bytes[1..]),
        example: (TO_SERVER_5_0, b"\x40\x84\x00\x00"),
    },
];

const FIRST: Receiver = Receiver {
    role: Role::Server,
    version: None,
};
const TO_SERVER_3_1_1: Receiver = Receiver {
    role: Role::Server,
    version: Some(ProtocolVersion::V3_1_1),
};
const TO_SERVER_5_0: Receiver = Receiver {
    role: Role::Server,
    version: Some(ProtocolVersion::V5_0),
};
const TO_CLIENT_3_1_1: Receiver = Receiver {
    role: Role::Client,
    version: Some(ProtocolVersion::V3_1_1),
};
const TO_CLIENT_5_0: Receiver = Receiver {
    role: Role::Client,
    version: Some(ProtocolVersion::V5_0),
};

const AUTHENTICATION_METHOD: u8 = 0x15;
const AUTHENTICATION_DATA: u8 = 0x16;
const RESPONSE_TOPIC: u8 = 0x08;
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
const TOPIC_ALIAS: u8 = 0x23;

/// What they read; asked only where they read something.
fn theirs<'a>(case: &'a Case<'_>) -> &'a Content {
    case.theirs.content().expect("they accepted")
}

fn is_5_0(case: &Case<'_>) -> bool {
    match case.receiver.version {
        Some(version) => version == ProtocolVersion::V5_0,
        // The Protocol Version of a CONNECT, which both have read.
        None => body(case).get(6) == Some(&5),
    }
}

/// The packet behind its fixed header.
fn body<'a>(case: &Case<'a>) -> &'a [u8] {
    let (length, length_of_length) =
        variable_byte_integer(&case.bytes[1..]).expect("somebody accepted");
    &case.bytes[1 + length_of_length..][..length]
}

fn has_wrong_flags(first_byte: u8) -> bool {
    match first_byte >> 4 {
        3 => false,
        6 | 8 | 10 => first_byte & 0x0F != 0b0010,
        _ => first_byte & 0x0F != 0,
    }
}

fn may_come(receiver: Receiver, packet_type: u8) -> bool {
    match (receiver.version, receiver.role) {
        (None, _) => packet_type == 1,
        (Some(_), Role::Server) if matches!(packet_type, 1 | 2 | 9 | 11 | 13) => false,
        (Some(_), Role::Client) if matches!(packet_type, 1 | 8 | 10 | 12) => false,
        (Some(ProtocolVersion::V3_1_1), Role::Client) if packet_type == 14 => false,
        (Some(ProtocolVersion::V3_1_1), _) if packet_type == 15 => false,
        (Some(_), _) => packet_type != 0,
    }
}

/// By the Remaining Length, or by what they would write.
fn is_longer_than_needed(case: &Case<'_>) -> bool {
    let is_shorter_again = match case.theirs {
        Verdict::Accepted {
            n_bytes,
            length_again,
            ..
        } => length_again.is_some_and(|again| again < n_bytes),
        Verdict::Refused(_) | Verdict::Incomplete => false,
    };
    is_shorter_again || ends_in_zero(&case.bytes[1..])
}

fn ends_in_zero(length: &[u8]) -> bool {
    variable_byte_integer(length)
        .is_some_and(|(_, n_bytes)| n_bytes > 1 && length[n_bytes - 1] == 0)
}

fn connect_flags(case: &Case<'_>) -> Option<u8> {
    (case.bytes[0] >> 4 == 1).then(|| body(case).get(7).copied())?
}

/// Of a PUBLISH, of a Will, of the answers to them.
fn topic_names(content: &Content) -> impl Iterator<Item = &str> {
    let responses = content
        .all_properties()
        .filter_map(|(identifier, value)| match value {
            Value::Text(text) if *identifier == RESPONSE_TOPIC => Some(&text[..]),
            Value::Text(_) | Value::Number(_) | Value::Pair(..) | Value::Bytes(_) => None,
        });
    let will = content.texts("will_topic");
    content.texts("topic_name").chain(will).chain(responses)
}

/// Written after the rules, without a look at how we check them.
fn is_wrong_filter(filter: &str) -> bool {
    let levels: Vec<_> = filter.split('/').collect();
    let is_alone = |level: &str| level.len() == 1 || !level.contains(['+', '#']);
    filter.is_empty()
        || !levels.iter().all(|level| is_alone(level))
        || levels[..levels.len() - 1].contains(&"#")
}

fn is_wrong_share(filter: &str) -> bool {
    let mut levels = filter.splitn(3, '/');
    levels.next() == Some("$share")
        && filter.contains('/')
        && match (levels.next(), levels.next()) {
            (Some(group), Some(filter)) => {
                group.is_empty() || group.contains(['+', '#']) || filter.is_empty()
            }
            (_, _) => true,
        }
}

fn has_data_without_method(case: &Case<'_>) -> bool {
    let content = theirs(case);
    content.has_property(AUTHENTICATION_DATA) && !content.has_property(AUTHENTICATION_METHOD)
}

fn n_subscription_identifiers(case: &Case<'_>) -> usize {
    let properties = theirs(case).properties.iter();
    properties
        .filter(|(identifier, _)| *identifier == SUBSCRIPTION_IDENTIFIER)
        .count()
}

fn numbers<'a>(content: &'a Content, name: &'static str) -> impl Iterator<Item = u32> + 'a {
    content
        .fields
        .iter()
        .filter_map(move |(found, value)| match value {
            Value::Number(number) if *found == name => Some(*number),
            Value::Number(_) | Value::Text(_) | Value::Pair(..) | Value::Bytes(_) => None,
        })
}
