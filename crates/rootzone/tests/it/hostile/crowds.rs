//! Many connections, and many requests.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::bystander::Bystander;
use crate::{
    broker::Broker,
    http::send_request,
    raw::{CONNECT_3, CONNECT_5, Raw},
    script::bytes,
    websocket::{BINARY, HANDSHAKE, frame},
};

#[test]
fn connections_dropped_by_the_thousand_leave_nothing_behind() {
    const MEMORY: usize = 40_000_000;
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    for i in 0..3000 {
        match i % 6 {
            0 => drop(Raw::connect(broker.mqtt)),
            1 => Raw::connect(broker.mqtt).send(&CONNECT_5[..7]),
            2 => Raw::connect(broker.mqtt).send(CONNECT_5),
            3 => drop(Raw::connect(broker.http)),
            4 => Raw::connect(broker.http).send(b"GET /mqtt HTT"),
            _ => {
                let mut raw = Raw::connect(broker.http);
                send_request(&mut raw, "GET", broker.http, "/mqtt", &HANDSHAKE);
                raw.send(&frame(BINARY, CONNECT_5));
            }
        }
    }
    bystander.check();
    broker.check_memory_below(MEMORY);
}

#[test]
fn a_thousand_connections_that_say_nothing_cost_little_and_end() {
    const MEMORY: usize = 60_000_000;
    let broker = Broker::start_with_config("limits.connect_timeout = 1");
    let bystander = Bystander::start(&broker);
    let mut crowd: Vec<_> = (0..1000).map(|_| Raw::connect(broker.mqtt)).collect();
    for raw in &mut crowd {
        raw.send(b"\x10\xFF\xFF");
    }
    broker.check_memory_below(MEMORY);
    for mut raw in crowd {
        assert_eq!(raw.receive_rest(), b"");
    }
    bystander.check();
}

#[test]
fn a_flood_of_subscriptions_is_bounded() {
    const MEMORY: usize = 60_000_000;
    const N_PACKETS: usize = 400;
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    let mut hostile = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    for packet in 0..N_PACKETS {
        let filters: String = (0..50)
            .map(|i| format!("'a/+/{packet}/{i}/#' 01 "))
            .collect();
        hostile.send(&bytes(&format!("82 0001 {{}} {filters}")));
        let suback = hostile.receive_packet();
        // 10,000 of one session are allowed: the first half, and they stay.
        let expected = if packet < N_PACKETS / 2 { 0x01 } else { 0x97 };
        assert!(suback.ends_with(&[expected; 50]), "{packet}: {suback:02X?}");
    }
    broker.check_memory_below(MEMORY);
    bystander.check();
}

#[test]
fn subscribing_and_leaving_without_end_leaves_nothing_behind() {
    const MEMORY: usize = 40_000_000;
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    let mut hostile = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
    for i in 0..2000 {
        let subscribe = bytes(&format!("82 0001 '{i}/+/#' 02 '$share/{i}/a' 01"));
        let unsubscribe = bytes(&format!("A2 0002 '{i}/+/#' '$share/{i}/a'"));
        hostile.send(&[subscribe, unsubscribe].concat());
        assert_eq!(hostile.receive_packet(), b"\x90\x04\x00\x01\x02\x01");
        assert_eq!(hostile.receive_packet(), b"\xB0\x02\x00\x02");
    }
    broker.check_memory_below(MEMORY);
    bystander.check();
}

#[test]
fn sessions_that_nobody_comes_back_for_are_bounded() {
    const MEMORY: usize = 60_000_000;
    let broker = Broker::start_with_config("limits.sessions = 1000");
    let bystander = Bystander::start(&broker);
    for i in 0..1500 {
        let mut raw = Raw::connect(broker.mqtt);
        raw.send(&bytes(&format!("10 'MQTT' 04 00 0000 'lost-{i}'")));
        let connack = raw.receive_packet();
        // The bystander has one of the thousand.
        let expected: &[u8] = if i < 999 {
            b"\x20\x02\x00\x00"
        } else {
            b"\x20\x02\x00\x03"
        };
        assert_eq!(connack, expected, "{i}");
    }
    broker.check_memory_below(MEMORY);
    bystander.check();
}

#[test]
fn requests_of_http_that_are_wrong_harm_nobody() {
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    for request in [
        &b"\x16\x03\x01\x00\xF1\x01\x00\x00\xED"[..],
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /../../../etc/passwd HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /mqtt HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: close\r\n\r\n",
        b"POST /mqtt HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    ] {
        let mut stream = TcpStream::connect(broker.http).unwrap();
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let status = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || status.starts_with("HTTP/1.1 4") || status.starts_with("HTTP/1.0 4"),
            "{status}"
        );
    }
    // A header without an end.
    let mut stream = TcpStream::connect(broker.http).unwrap();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\n");
    let line = [b"x: ", &[b'y'; 1000][..], b"\r\n"].concat();
    let n_lines = (0..1000)
        .take_while(|_| stream.write_all(&line).is_ok())
        .count();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        n_lines < 1000 || answer.starts_with(b"HTTP/1.1 431"),
        "{answer:?}"
    );
    bystander.check();
}
