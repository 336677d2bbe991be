//! `/metrics`: what the broker counts, in OpenMetrics' text format.

use std::fmt;

use axum::{
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use mqtt_broker::{Counters, Server, StoreCounters};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::history_service::{HistoryCounters, HistoryCounting};

/// Answers whoever reaches the HTTP server: there are counts here, and no names, addresses, topics or payloads.
pub(crate) fn answer(snapshot: Snapshot) -> Response {
    (
        [(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")],
        encode(snapshot),
    )
        .into_response()
}

fn encode(snapshot: Snapshot) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(snapshot));
    let mut document = String::new();
    text::encode(&mut document, &registry).expect("a String takes everything");
    document
}

/// Where the numbers come from.
#[derive(Debug, Clone)]
pub(crate) struct Counting {
    pub(crate) server: Server,
    pub(crate) history: Option<HistoryCounting>,
    /// Whether something was stored once and could not be read at the start.
    pub(crate) is_something_lost: bool,
}

impl Counting {
    pub(crate) fn snapshot(&self) -> Snapshot {
        let history = self.history.as_ref().map(HistoryCounting::counters);
        Snapshot {
            counters: self.server.counters(),
            store: self.server.store_counters(),
            history: history.unwrap_or_default(),
            is_something_lost: self.is_something_lost,
        }
    }
}

/// The numbers of one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Snapshot {
    counters: Counters,
    store: StoreCounters,
    history: HistoryCounters,
    is_something_lost: bool,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in metrics(*self) {
            let value: &dyn EncodeMetric = match metric.value {
                Value::Counter(value) => &ConstCounter::new(value),
                Value::Gauge(value) => &ConstGauge::new(value),
            };
            let metric =
                encoder.encode_descriptor(metric.name, metric.help, None, value.metric_type())?;
            value.encode(metric)?;
        }
        Ok(())
    }
}

/// One number and how Prometheus is told of it.
struct Metric {
    /// Without the prefix, and without the `_total` that the encoder adds to a counter.
    name: &'static str,
    help: &'static str,
    value: Value,
}

enum Value {
    /// Since the start.
    Counter(u64),
    /// Of the present.
    Gauge(u64),
}

const fn counter(name: &'static str, help: &'static str, value: u64) -> Metric {
    let value = Value::Counter(value);
    Metric { name, help, value }
}

const fn gauge(name: &'static str, help: &'static str, value: u64) -> Metric {
    let value = Value::Gauge(value);
    Metric { name, help, value }
}

/// All of them: the struct is taken apart, so that the compiler notices one that was forgotten.
const fn metrics(snapshot: Snapshot) -> [Metric; 42] {
    let Snapshot {
        counters,
        store,
        history,
        is_something_lost,
    } = snapshot;
    let Counters {
        connections,
        clients,
        sessions,
        subscriptions,
        retained_messages,
        retained_bytes,
        queued_messages,
        queued_bytes,
        connections_opened,
        connections_refused,
        protocol_violations,
        packets_received,
        messages_received,
        messages_sent,
        payload_bytes_received,
        bytes_sent,
        dropped_slow_subscriber,
        dropped_queue_full,
        dropped_too_large,
        expired,
        messages_refused,
        retained_refused,
        store_refused,
        requests_refused,
        subscriptions_refused,
    } = counters;
    let HistoryCounters {
        history,
        n_series,
        beyond_series,
        requests,
        bad_requests,
        answer_bytes,
    } = history;
    let history::Counters {
        n_bytes,
        n_head_points,
        kept,
        known,
        ahead,
        too_old,
        invalid,
        dropped_chunks,
        damaged_chunks,
    } = history;
    let StoreCounters {
        commits,
        written_bytes,
    } = store;
    [
        gauge(
            "connections",
            "Network Connections that are open, with or without a CONNECT.",
            connections,
        ),
        gauge("clients", "Clients that are connected.", clients),
        gauge(
            "sessions",
            "Sessions, with and without a connection.",
            sessions,
        ),
        gauge(
            "subscriptions",
            "Subscriptions of all sessions.",
            subscriptions,
        ),
        gauge("retained_messages", "Retained messages.", retained_messages),
        gauge(
            "retained_bytes",
            "Topics, properties and payloads of the retained messages.",
            retained_bytes,
        ),
        gauge(
            "queued_messages",
            "Messages that wait in the queues of sessions.",
            queued_messages,
        ),
        gauge(
            "queued_bytes",
            "Topics, properties and payloads of those messages, counted for each session that they wait for.",
            queued_bytes,
        ),
        counter(
            "connections_opened",
            "Network Connections that were made.",
            connections_opened,
        ),
        counter(
            "connections_refused",
            "Network Connections that were closed without an accepted CONNECT.",
            connections_refused,
        ),
        counter(
            "protocol_violations",
            "Network Connections that were closed because the Client broke the protocol, or a limit that it was told.",
            protocol_violations,
        ),
        counter("packets_received", "Packets that came.", packets_received),
        counter(
            "messages_received",
            "PUBLISH packets that came and were not duplicates.",
            messages_received,
        ),
        counter(
            "messages_sent",
            "PUBLISH packets that were sent, repetitions included.",
            messages_sent,
        ),
        counter(
            "payload_received_bytes",
            "Payloads of the messages that came.",
            payload_bytes_received,
        ),
        counter("sent_bytes", "MQTT that was sent.", bytes_sent),
        counter(
            "messages_dropped_slow_subscriber",
            "QoS 0 messages that were not sent because the subscriber was too slow.",
            dropped_slow_subscriber,
        ),
        counter(
            "messages_dropped_queue_full",
            "Messages that were not kept for a session because its queue was full.",
            dropped_queue_full,
        ),
        counter(
            "messages_dropped_too_large",
            "Messages that were larger than the subscriber's Maximum Packet Size.",
            dropped_too_large,
        ),
        counter(
            "messages_expired",
            "Messages whose Message Expiry Interval passed before they were sent, and retained ones.",
            expired,
        ),
        counter(
            "messages_refused",
            "Messages that were not passed on because of their topic, User Properties or Payload Format Indicator.",
            messages_refused,
        ),
        counter(
            "store_refused",
            "Messages, subscriptions and connections that were refused because the store took nothing.",
            store_refused,
        ),
        counter(
            "retained_refused",
            "Retained messages that were not kept because a limit was reached.",
            retained_refused,
        ),
        counter(
            "subscriptions_refused",
            "Subscriptions that were refused because a limit was reached.",
            subscriptions_refused,
        ),
        counter(
            "store_commits",
            "Groups of changes that were made durable together, each with one fsync.",
            commits,
        ),
        counter(
            "store_written_bytes",
            "What the store's file was given to write.",
            written_bytes,
        ),
        gauge("history_series", "Series of the history.", n_series),
        gauge(
            "history_bytes",
            "Keys and values of the history in the store.",
            n_bytes,
        ),
        gauge(
            "history_unsealed_readings",
            "Readings that wait for being sealed into a chunk.",
            n_head_points,
        ),
        gauge(
            "history_damaged_chunks",
            "Chunks of the history that cannot be read.",
            damaged_chunks,
        ),
        counter("history_readings", "Readings that were kept.", kept),
        counter(
            "history_readings_known",
            "Readings that were there already.",
            known,
        ),
        counter(
            "history_readings_ahead",
            "Readings that were set aside because their time was more than a day ahead.",
            ahead,
        ),
        counter(
            "history_readings_too_old",
            "Readings of a time of which none are kept any more.",
            too_old,
        ),
        counter(
            "history_readings_invalid",
            "Readings of our own topics without a percentage, or with a time that cannot be read; readings without a time while the broker's clock is not set.",
            invalid,
        ),
        counter(
            "history_readings_refused",
            "Readings of new series that were not kept because there were too many series.",
            beyond_series,
        ),
        counter(
            "history_chunks_dropped",
            "Chunks that went because they were too old or the history too large.",
            dropped_chunks,
        ),
        counter(
            "history_requests",
            "Requests for readings that were understood.",
            requests,
        ),
        counter(
            "history_requests_bad",
            "Requests that were answered by what is wrong with them, or not at all as they named no topic that their client is subscribed to.",
            bad_requests,
        ),
        counter(
            "history_answer_bytes",
            "Payloads of the answers that were sent.",
            answer_bytes,
        ),
        counter(
            "requests_refused",
            "Requests for readings that were refused by their Reason Code: too many under way, not allowed, or without a topic for the answer that their client is subscribed to.",
            requests_refused,
        ),
        gauge(
            "store_lost",
            "1 if something that was stored could not be read at the start: the log says what.",
            is_something_lost as u64,
        ),
    ]
}

const PREFIX: &str = "rootzone";
/// Prometheus reads this version of the format whatever it asked for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_gauges_are_told_apart() {
        let text = encode(Snapshot {
            counters: Counters {
                connections: 3,
                messages_received: u64::MAX / 2,
                ..Counters::default()
            },
            ..Snapshot::default()
        });
        for lines in [
            "# HELP rootzone_connections Network Connections that are open, with or without a CONNECT.\n\
             # TYPE rootzone_connections gauge\n\
             rootzone_connections 3\n",
            "# HELP rootzone_messages_received PUBLISH packets that came and were not duplicates.\n\
             # TYPE rootzone_messages_received counter\n\
             rootzone_messages_received_total 9223372036854775807\n",
        ] {
            assert!(text.contains(lines), "{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn every_name_is_used_once() {
        let mut names: Vec<_> = metrics(Snapshot::default())
            .map(|metric| metric.name)
            .into();
        names.sort_unstable();
        let n = names.len();
        names.dedup();
        assert_eq!(names.len(), n);
    }

    #[test]
    fn documents_name_only_what_there_is() {
        let told = told(&encode(Snapshot::default()));
        for document in [
            include_str!("../../../docs/limits.md"),
            include_str!("../../../docs/metrics.md"),
        ] {
            for word in document.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
                if word.starts_with("rootzone_") {
                    assert!(told.iter().any(|name| name == word), "{word}");
                }
            }
        }
    }

    #[test]
    fn every_number_is_documented() {
        let document = include_str!("../../../docs/metrics.md");
        for name in told(&encode(Snapshot::default())) {
            assert!(document.contains(&format!("| `{name}` |")), "{name}");
        }
    }

    #[test]
    fn what_a_limit_drops_or_refuses_stands_beside_the_limits() {
        let document = include_str!("../../../docs/limits.md");
        for name in told(&encode(Snapshot::default())) {
            // What is too large for a client is its own limit.
            let is_meant = (name.contains("_dropped_") && !name.contains("_too_large"))
                || name.contains("_refused_")
                || name.contains("_violations_");
            assert!(
                !is_meant || document.contains(&format!("`{name}`")),
                "{name}"
            );
        }
    }

    /// The names of all numbers, as Prometheus keeps them.
    fn told(text: &str) -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
            .collect()
    }
}
