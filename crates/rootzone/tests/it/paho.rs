//! The Python client of Eclipse Paho, over WebSocket.

use std::{env, process::Command};

use crate::broker::Broker;

/// Sends itself messages of every QoS, the last one of 3 MiB, and prints what comes back.
const SCRIPT: &str = r#"
import sys
import paho.mqtt.client as mqtt

port, protocol = int(sys.argv[1]), int(sys.argv[2])
sizes = {0: 10, 1: 70000, 2: 3 * 1024 * 1024}
received = []

def on_connect(client, *_):
    client.subscribe("paho/#", 2)

def on_subscribe(client, *_):
    for qos, size in sizes.items():
        client.publish(f"paho/{qos}", b"x" * size, qos)

def on_message(client, _, message):
    received.append((message.topic, message.qos, len(message.payload)))
    if len(received) == len(sizes):
        client.disconnect()

client = mqtt.Client("paho", transport="websockets", protocol=protocol)
client.ws_set_options("/mqtt")
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port)
client.loop_forever()
print(sorted(received))
"#;

#[test]
fn paho_speaks_both_versions_over_websocket() {
    let broker = Broker::start();
    // The one that has paho, where somebody has looked for it.
    let python = env::var_os("PYTHON").unwrap_or_else(|| "/usr/bin/python3".into());
    for protocol in ["4", "5"] {
        let output = Command::new(&python)
            .args(["-c", SCRIPT, &broker.http.port().to_string(), protocol])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            "[('paho/0', 0, 10), ('paho/1', 1, 70000), ('paho/2', 2, 3145728)]",
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
