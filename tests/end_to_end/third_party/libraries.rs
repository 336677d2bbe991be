//! Clients that people write programs with: what each saw must be what the other saw, over both transports.

use std::env;
use std::path::Path;

use tokio::process::Command;

use crate::harness::{Broker, Process, python};

#[tokio::test]
async fn paho_for_python_sees_what_it_should_over_tcp() {
    check(paho, Transport::Tcp).await;
}

#[tokio::test]
async fn paho_for_python_sees_what_it_should_over_websocket() {
    check(paho, Transport::WebSocket).await;
}

#[tokio::test]
async fn mqtt_js_sees_what_it_should_over_tcp() {
    check(mqtt_js, Transport::Tcp).await;
}

#[tokio::test]
async fn mqtt_js_sees_what_it_should_over_websocket() {
    check(mqtt_js, Transport::WebSocket).await;
}

#[derive(Clone, Copy)]
enum Transport {
    Tcp,
    WebSocket,
}

async fn check(client: fn() -> Command, transport: Transport) {
    let broker = Broker::start().await;
    let (port, transport) = match transport {
        Transport::Tcp => (broker.mqtt_port, "tcp"),
        Transport::WebSocket => (broker.page_port, "websockets"),
    };
    check_report(
        client().args([&port.to_string(), transport, "4"]),
        EVERY_VERSION,
    )
    .await;
    let all = [EVERY_VERSION, ONLY_5_0].concat();
    check_report(client().args([&port.to_string(), transport, "5"]), &all).await;
}

/// Runs a client to its end and compares what it said, warnings of its own aside.
async fn check_report(client: &mut Command, expected: &[(&str, &str)]) {
    let mut process = Process::start("the client", client);
    let status = process.end().await;
    let lines = process.lines();
    let said: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .filter(|(label, _)| expected.iter().any(|(known, _)| known == label))
        .collect();
    assert!(status.success(), "it ended with {status}: {lines:#?}");
    assert_eq!(said, expected, "{lines:#?}");
}

fn paho() -> Command {
    let mut command = python();
    command.arg(script("paho_client.py"));
    command
}

fn mqtt_js() -> Command {
    let node = env::var_os("NODE");
    let node = node.expect("these tests are run by `cargo xtask test end-to-end`");
    let mut command = Command::new(node);
    command.arg(script("mqtt_js_client.js"));
    command
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/end_to_end/clients")
        .join(name)
}

const EVERY_VERSION: &[(&str, &str)] = &[
    ("message", "qos/0 0 zero"),
    ("message", "qos/1 1 one"),
    ("message", "qos/2 2 two"),
    ("large", "3000000"),
    ("retained", "kept 1 True"),
    ("cleared", "0 bytes"),
    ("after clearing", "live"),
    ("will", "gone"),
    ("will of who says goodbye", "nothing else"),
    ("session present", "False"),
    ("session present", "True"),
    ("queued", "first second third"),
    ("session present after a clean start", "False"),
];

const ONLY_5_0: &[(&str, &str)] = &[
    ("user properties", "z=1 z=2 a=3"),
    ("expires in", "60"),
    ("content", "text/plain 1"),
    ("response", "! 42"),
    ("by an alias", "sent/by/alias sent/by/alias"),
    ("to an alias", "received/by/alias received/by/alias"),
    ("subscription identifiers", "7 8"),
    ("shared", "0 2 and 1 3"),
    ("one at a time", "0 1 2 3 4 5 6 7 8 9"),
    ("broker's receive maximum", "1024"),
    ("assigned identifier", "True"),
    ("session present after an expiry of 60", "True"),
    ("session present after an expiry of 0", "False"),
    ("suback", "1 151"),
    ("unsuback", "0 17"),
];
