//! What `/metrics` says of a broker at work.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::{
    broker::Broker,
    http::{get, request},
    raw::{CONNECT_5, Raw},
};

#[test]
fn the_numbers_are_told_in_the_format_of_open_metrics() {
    let broker = Broker::start();
    let response = get(broker.http, "/metrics", &[]);
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert_eq!(response.header("cache-control"), "no-store");
    assert!(response.body.ends_with(b"# EOF\n"));
    assert_eq!(request("POST", broker.http, "/metrics", &[]).status, 405);
}

#[test]
fn clients_and_messages_are_counted() {
    let broker = Broker::start();
    let mut subscriber = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    subscriber.send(b"\x82\x07\x00\x01\x00\x00\x01a\x00");
    assert_eq!(subscriber.receive_packet(), b"\x90\x04\x00\x01\x00\x00");
    let mut publisher = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    publisher.send(b"\x30\x09\x00\x01a\x00hello");
    assert_eq!(subscriber.receive_packet(), b"\x30\x09\x00\x01a\x00hello");
    for (name, value) in [
        ("connections", 2),
        ("connections_opened_total", 2),
        ("clients", 2),
        ("sessions", 2),
        ("subscriptions", 1),
        // Two CONNECTs, the SUBSCRIBE and the PUBLISH.
        ("packets_received_total", 4),
        ("messages_received_total", 1),
        ("payload_received_bytes_total", 5),
        ("messages_sent_total", 1),
        ("connections_refused_total", 0),
    ] {
        check_number(broker.http, name, value);
    }
}

#[test]
fn limits_that_are_met_are_counted() {
    let broker = Broker::start_with_config(
        "limits.packet_size = 256\n\
         limits.connections = 2\n\
         limits.subscriptions_per_session = 1\n\
         limits.in_flight_messages = 1\n\
         limits.queued_messages_per_session = 1\n\
         limits.retained_messages = 1\n",
    );
    let mut subscriber = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    for (topic, reason_code) in [(b'a', 0x01), (b'b', 0x97)] {
        subscriber.send(&[0x82, 7, 0, 1, 0, 0, 1, topic, 1]);
        assert_eq!(subscriber.receive_packet(), [0x90, 4, 0, 1, 0, reason_code]);
    }
    let mut publisher = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    // Of three that nobody acknowledges, one is in flight and one waits.
    for _ in 0..3 {
        publisher.send(b"\x32\x07\x00\x01a\x00\x01\x00x");
        assert_eq!(publisher.receive_packet(), b"\x40\x02\x00\x01");
    }
    for (topic, puback) in [
        // Kept, though nobody subscribes.
        (b'r', &b"\x40\x03\x00\x01\x10"[..]),
        (b's', b"\x40\x03\x00\x01\x97"),
    ] {
        publisher.send(&[0x33, 7, 0, 1, topic, 0, 1, 0, b'x']);
        assert_eq!(publisher.receive_packet(), puback);
    }
    let mut third = Raw::connect(broker.mqtt);
    third.send(CONNECT_5);
    assert_eq!(third.receive_rest()[3], 0x97);
    // The fixed header of a packet of 257 bytes.
    subscriber.send(b"\x30\xFE\x01");
    let message_in_flight = subscriber.receive_packet();
    assert_eq!(message_in_flight[0], 0x32);
    let disconnect = subscriber.receive_packet();
    assert_eq!((disconnect[0], disconnect[2]), (0xE0, 0x95));
    for (name, value) in [
        ("connections_refused_total", 1),
        ("subscriptions_refused_total", 1),
        ("messages_dropped_queue_full_total", 1),
        ("retained_messages", 1),
        ("retained_refused_total", 1),
        ("protocol_violations_total", 1),
    ] {
        check_number(broker.http, name, value);
    }
}

#[test]
fn what_the_store_does_is_counted() {
    let directory = TempDir::new().unwrap();
    let broker = Broker::start_in(directory.path());
    let told = || {
        let text = String::from_utf8(get(broker.http, "/metrics", &[]).body).unwrap();
        ["store_commits_total", "store_written_bytes_total"].map(|name| {
            let name = format!("rootzone_{name} ");
            let value = text.lines().find_map(|line| line.strip_prefix(&*name));
            value.unwrap().parse::<u64>().unwrap()
        })
    };
    let [commits, written_bytes] = told();
    // A session that is to last is kept before it is answered.
    let mut client = Raw::connect(broker.mqtt);
    client.send(b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a");
    assert_eq!(client.receive_packet(), b"\x20\x02\x00\x00");
    let [commits_later, written_bytes_later] = told();
    assert!(commits_later > commits);
    assert!(written_bytes_later > written_bytes);
}

/// Checks what `/metrics` says of one number.
#[track_caller]
pub(crate) fn check_number(address: SocketAddr, name: &str, value: u64) {
    let text = String::from_utf8(get(address, "/metrics", &[]).body).unwrap();
    let line = format!("rootzone_{name} {value}");
    assert!(text.lines().any(|other| other == line), "no {line}\n{text}");
}
