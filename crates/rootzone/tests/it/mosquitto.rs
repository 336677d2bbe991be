//! Debian's mosquitto clients.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::broker::Broker;

/// Publishes one message and waits until it has been acknowledged as its QoS wants.
pub(crate) fn publish(broker: &Broker, arguments: &[&str]) {
    let status = client("mosquitto_pub", broker)
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success(), "mosquitto_pub {arguments:?}: {status}");
}

/// Publishes standard input as one message.
pub(crate) fn publish_bytes(broker: &Broker, arguments: &[&str], payload: &[u8]) {
    let mut process = client("mosquitto_pub", broker)
        .arg("-s")
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(payload).unwrap();
    assert!(process.wait().unwrap().success());
}

/// A subscriber, ended with the test.
pub(crate) struct Subscriber {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Messages that came before the subscription was known to stand.
    early: VecDeque<String>,
}

impl Subscriber {
    /// Subscribes and waits until the subscription stands.
    ///
    /// Each message is one line: topic, QoS, retain flag and payload.
    pub(crate) fn start(broker: &Broker, arguments: &[&str]) -> Self {
        // A retained message on a second filter of the same SUBSCRIBE tells that it has been handled.
        let ready_topic = format!("test/ready/{}", N_STARTED.fetch_add(1, Ordering::Relaxed));
        publish(broker, &["-t", &ready_topic, "-m", "ready", "-r"]);
        let mut process = client("mosquitto_sub", broker)
            .args(["-F", "%t %q %r %p"])
            .args(arguments)
            .args(["-t", &ready_topic])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let early = lines
            .by_ref()
            .map(Result::unwrap)
            .take_while(|line| !line.starts_with(&ready_topic))
            .collect();
        Self {
            process,
            lines,
            early,
        }
    }

    pub(crate) fn next_line(&mut self) -> String {
        self.early.pop_front().unwrap_or_else(|| {
            self.lines
                .next()
                .expect("the subscriber runs as long as the broker does")
                .unwrap()
        })
    }

    /// Ends it without a word to the broker.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn client(program: &str, broker: &Broker) -> Command {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &broker.mqtt.port().to_string()]);
    command
}

static N_STARTED: AtomicUsize = AtomicUsize::new(0);
