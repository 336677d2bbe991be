//! The file of limits.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, anyhow};
use mqtt_broker::{BrokerSettings, ConnectionLimits, Limits, Settings};
use serde::{Deserialize, Deserializer};

use crate::history_service::HistoryLimits;

/// The limits of the broker and of the HTTP server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AllLimits {
    pub(crate) broker: Settings,
    pub(crate) http: HttpLimits,
    pub(crate) history: HistoryLimits,
}

/// How long the HTTP server waits for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpLimits {
    /// For a request's header to come, and for the next one on the same connection.
    #[serde(deserialize_with = "seconds")]
    pub(crate) header_timeout: Duration,
    /// For any of an answer to be taken.
    #[serde(deserialize_with = "seconds")]
    pub(crate) write_timeout: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(20),
        }
    }
}

/// What the file may say; what it leaves out is as by default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    limits: Limits,
    connections: ConnectionLimits,
    http: HttpLimits,
    history: HistoryLimits,
}

/// Reads the file, if there is one.
pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<AllLimits> {
    let Some(file) = file else {
        return Ok(AllLimits::default());
    };
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).map_err(|mistake| anyhow!("{}{mistake}", file.display()))
}

/// A mistake begins with its place, to be put behind the file's name.
fn parse(text: &str) -> Result<AllLimits, String> {
    let config: Config = toml::from_str(text).map_err(|error| mistake(text, error))?;
    let limits = &config.limits;
    if limits.packet_size < PACKET_SIZE_MIN {
        return Err(format!(
            ": limits.packet_size is {}, less than the {PACKET_SIZE_MIN} bytes that a CONNECT may need",
            limits.packet_size
        ));
    }
    let (http, history) = (&config.http, &config.history);
    for (name, is_zero) in [
        ("limits.bytes_per_turn", limits.bytes_per_turn == 0),
        ("limits.connections", limits.connections == 0),
        ("limits.connect_timeout", limits.connect_timeout.is_zero()),
        ("limits.sessions", limits.sessions == 0),
        ("limits.topic_length", limits.topic_length == 0),
        ("limits.topic_levels", limits.topic_levels == 0),
        ("http.header_timeout", http.header_timeout.is_zero()),
        ("http.write_timeout", http.write_timeout.is_zero()),
        (
            "history.requests_per_client",
            history.requests_per_client == 0,
        ),
        ("history.requests", history.requests == 0),
        ("history.bytes", history.bytes == 0),
        ("history.series", history.series == 0),
        ("history.request_bytes", history.request_bytes == 0),
        ("history.answer_bytes", history.answer_bytes == 0),
        ("history.requests_at_once", history.requests_at_once == 0),
        ("history.answers_at_once", history.answers_at_once == 0),
    ] {
        if is_zero {
            return Err(format!(
                ": {name} is 0, with which nobody could do anything"
            ));
        }
    }
    let output = &config.connections.output;
    if !(output.low_watermark < output.high_watermark
        && output.high_watermark < output.stop_reading)
    {
        return Err(
            ": connections.output needs low_watermark < high_watermark < stop_reading".to_owned(),
        );
    }
    Ok(AllLimits {
        broker: Settings {
            broker: BrokerSettings {
                limits: config.limits,
                ..Default::default()
            },
            connections: config.connections,
            ..Settings::default()
        },
        http: config.http,
        history: config.history,
    })
}

/// Says in one line where the mistake is and, for a value that cannot be, what to write.
fn mistake(text: &str, mut error: toml::de::Error) -> String {
    let line = error
        .span()
        .map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count())
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    // Without its input the error names the key, in a line of its own.
    error.set_input(None);
    let report = error.to_string();
    let key = report
        .lines()
        .find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    match (key, error.message().split_once(", expected ")) {
        (Some(key), Some((found, expected))) if found.starts_with("invalid ") => {
            format!("{line}: {key} must be {}", in_words(expected))
        }
        _ => format!("{line}: {}", error.message()),
    }
}

/// What a person would call the type that was expected.
fn in_words(expected: &str) -> &str {
    match expected {
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "a nonzero u16" => "a whole number from 1 to 65535",
        "a nonzero u32" => "a whole number from 1 to 4294967295",
        table if table.starts_with("struct ") => "a table of limits",
        other => other,
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

/// Room for a Client Identifier, a user name and a password of ordinary length.
const PACKET_SIZE_MIN: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_file_is_the_default() {
        let document = include_str!("../../../docs/limits.md");
        let (_, file) = document.split_once("```toml\n").unwrap();
        let (file, _) = file.split_once("```").unwrap();
        assert_eq!(parse(file), Ok(AllLimits::default()));
        for table in [
            "limits",
            "connections",
            "connections.output",
            "http",
            "history",
        ] {
            // The answer to an unknown name lists all that are known.
            let mistake = parse(&format!("[{table}]\nnone = 0")).unwrap_err();
            let (_, known) = mistake.split_once("expected").unwrap();
            for name in known.split('`').skip(1).step_by(2) {
                let is_told = file.contains(&format!("\n{name} = "))
                    || file.contains(&format!("\n# {name} = "))
                    || file.contains(&format!(".{name}]"));
                assert!(is_told, "{name} is not in the document");
            }
        }
    }

    #[test]
    fn what_is_left_out_is_as_by_default() {
        let settings = parse("[limits]\nsessions = 10\nsession_expiry_interval = 3600\n").unwrap();
        let mut expected = AllLimits::default();
        let limits = &mut expected.broker.broker.limits;
        limits.sessions = 10;
        limits.session_expiry_interval = Some(Duration::from_secs(3600));
        assert_eq!(settings, expected);
        assert_eq!(parse(""), Ok(AllLimits::default()));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, expected) in [
            (
                "[limits]\nsesions = 10",
                ":2: unknown field `sesions`, expected one of",
            ),
            (
                "\n[limit]",
                ":2: unknown field `limit`, expected one of `limits`, `connections`, `http`, `history`",
            ),
            (
                "[limits]\n\nsessions = -1",
                ":3: limits.sessions must be a whole number, 0 or more",
            ),
            (
                "[limits]\nsessions = \"many\"",
                ":2: limits.sessions must be a whole number, 0 or more",
            ),
            (
                "limits.packet_size = 4294967296",
                ":1: limits.packet_size must be a whole number from 0 to 4294967295",
            ),
            (
                "limits = { topic_alias_maximum = 65536 }",
                ":1: limits.topic_alias_maximum must be a whole number from 0 to 65535",
            ),
            (
                "[connections]\nper_address = 0",
                ":2: connections.per_address must be a whole number from 1 to 4294967295",
            ),
            (
                "[connections.output]\nlow_watermark = true",
                ":2: connections.output.low_watermark must be a whole number, 0 or more",
            ),
            (
                "[http]\nheader_timeout = 1.5",
                ":2: http.header_timeout must be a whole number, 0 or more",
            ),
            (
                "[http]\nwrite_timeout = 0",
                ": http.write_timeout is 0, with which nobody could do anything",
            ),
            (
                "connections = 5",
                ":1: connections must be a table of limits",
            ),
            (
                "[limits]\nreceive_maximum = 0",
                ":2: limits.receive_maximum must be a whole number from 1 to 65535",
            ),
            (
                "[limits]\npacket_size = 10",
                ": limits.packet_size is 10, less than the 256",
            ),
            (
                "[connections.output]\nlow_watermark = 2000000",
                ": connections.output needs low_watermark < high_watermark < stop_reading",
            ),
            (
                "[limits]\nbytes_per_turn = 0",
                ": limits.bytes_per_turn is 0, with which nobody could do anything",
            ),
            ("[limits", ":1: "),
        ] {
            let mistake = parse(text).unwrap_err();
            assert!(mistake.starts_with(expected), "{mistake}");
            assert_eq!(mistake.lines().count(), 1, "{mistake}");
        }
    }
}
