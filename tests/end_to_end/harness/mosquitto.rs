//! Debian's `mosquitto_sub` and `mosquitto_pub`: a stranger's view of what is on the wire.

use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use super::{Broker, Process, eventually};

/// The versions as mosquitto's programs name them.
pub(crate) const V3_1_1: &str = "311";
pub(crate) const V5_0: &str = "5";
pub(crate) const BOTH_VERSIONS: [&str; 2] = [V3_1_1, V5_0];

/// One message as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) payload: String,
}

impl Message {
    /// The moisture in a reading of either form.
    pub(crate) fn moisture(&self) -> Option<f64> {
        match serde_json::from_str(&self.payload).ok()? {
            Value::Number(number) => number.as_f64(),
            Value::Object(fields) => fields.get("moisture")?.as_f64(),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => None,
        }
    }

    /// ON or OFF in the state of a pump.
    pub(crate) fn pump_state(&self) -> Option<String> {
        match serde_json::from_str(&self.payload) {
            Ok(Value::Object(fields)) => Some(fields.get("state")?.as_str()?.to_owned()),
            Ok(_) | Err(_) => Some(self.payload.clone()),
        }
    }
}

/// A running `mosquitto_sub`.
pub(crate) struct Subscriber {
    process: Process,
}

impl Subscriber {
    /// Returns when the Server has acknowledged the subscription.
    pub(crate) async fn start(
        broker: &Broker,
        version: &str,
        filter: &str,
        arguments: &[&str],
    ) -> Self {
        let mut process = Process::start(
            "mosquitto_sub",
            // Through a pipe it would otherwise keep its lines until it has many.
            Command::new("stdbuf")
                .args(["-oL", "mosquitto_sub", "-d", "-h", "127.0.0.1"])
                .args(["-p", &broker.mqtt_port.to_string()])
                .args(["-V", version, "-t", filter, "-F", FORMAT])
                .args(arguments),
        );
        process
            .line("mosquitto_sub is subscribed", |line| {
                line.starts_with("Subscribed").then_some(())
            })
            .await;
        Self { process }
    }

    /// As when its network is gone: without a word to the Server.
    pub(crate) async fn kill(self) {
        self.process.kill().await;
    }

    /// All that has arrived so far, oldest first.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.process
            .lines()
            .iter()
            .filter_map(|line| parse(line))
            .collect()
    }

    /// The newest on a topic.
    pub(crate) fn last(&self, topic: &str) -> Option<Message> {
        self.messages()
            .into_iter()
            .rev()
            .find(|message| message.topic == topic)
    }

    /// Waits for a message, among those that have arrived already too.
    pub(crate) async fn message(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        eventually(what, async || {
            self.messages().into_iter().find(|message| wanted(message))
        })
        .await
    }
}

/// Publishes once by `mosquitto_pub`, and returns when it is acknowledged as its QoS asks.
pub(crate) async fn publish(
    broker: &Broker,
    version: &str,
    topic: &str,
    payload: &str,
    arguments: &[&str],
) {
    let status = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &broker.mqtt_port.to_string()])
        .args(["-V", version, "-t", topic, "-m", payload])
        .args(arguments)
        .status()
        .await
        .unwrap();
    assert!(status.success(), "mosquitto_pub ended with {status}");
}

fn parse(line: &str) -> Option<Message> {
    let mut fields = line.strip_prefix(MARK)?.splitn(4, ' ');
    let qos = fields.next()?.parse().ok()?;
    let retain = fields.next()? == "1";
    let topic = fields.next()?.to_owned();
    let payload = fields.next()?.to_owned();
    Some(Message {
        topic,
        qos,
        retain,
        payload,
    })
}

const MARK: &str = "message ";
/// Our topics hold no spaces.
const FORMAT: &str = "message %q %r %t %p";
