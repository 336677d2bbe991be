//! Debian's mosquitto clients, which speak TCP only: what of 5.0 they can ask for and show.

use tokio::process::Command;

use crate::harness::{BOTH_VERSIONS, Broker, Process, V5_0, publish};

#[tokio::test]
async fn what_waits_for_a_session_comes_when_it_is_taken_up_again() {
    let broker = Broker::start().await;
    for version in BOTH_VERSIONS {
        let identifier = format!("sleeper-{version}");
        let mut session = vec!["-c", "-i", &identifier, "-t", "queue", "-q", "2"];
        if version == V5_0 {
            session.extend(["-x", "60"]);
        }
        // `-E` leaves as soon as it is subscribed.
        let subscribed = said(subscriber(&broker, version, &session).arg("-E")).await;
        assert!(subscribed.iter().any(|line| line.starts_with("Subscribed")));
        for (qos, payload) in [("1", "first"), ("1", "second"), ("2", "third")] {
            publish(&broker, version, "queue", payload, &["-q", qos]).await;
        }
        let queued = messages(subscriber(&broker, version, &session).args(["-C", "3"])).await;
        assert_eq!(queued, ["queue 1 first", "queue 1 second", "queue 2 third"]);
    }
}

#[tokio::test]
async fn a_session_that_expired_is_forgotten() {
    let broker = Broker::start().await;
    let session = ["-c", "-i", "sleeper", "-t", "queue", "-q", "1"];
    said(subscriber(&broker, V5_0, &session).args(["-x", "0", "-E"])).await;
    publish(&broker, V5_0, "queue", "for nobody", &["-q", "1"]).await;
    let mut later = Process::start("mosquitto_sub", &mut subscriber(&broker, V5_0, &session));
    ready(&mut later).await;
    publish(&broker, V5_0, "queue", "for it", &["-q", "1"]).await;
    let first = later.line("a message", message).await;
    assert_eq!(first, "queue 1 for it");
}

#[tokio::test]
async fn properties_arrive_as_they_were_sent() {
    let broker = Broker::start().await;
    let format = "message %P|%R|%D|%E|%C|%F|%S|%p";
    let mut subscriber = Process::start(
        "mosquitto_sub",
        subscriber(&broker, V5_0, &["-t", "t", "-q", "1", "-F", format]).args([
            "-D",
            "subscribe",
            "subscription-identifier",
            "7",
        ]),
    );
    ready(&mut subscriber).await;
    let properties = [
        &["user-property", "z", "1"][..],
        &["user-property", "z", "2"],
        &["user-property", "a", "3"],
        &["response-topic", "answer"],
        &["correlation-data", "42"],
        &["message-expiry-interval", "60"],
        &["content-type", "text/plain"],
        &["payload-format-indicator", "1"],
    ];
    let arguments: Vec<_> = properties
        .iter()
        .flat_map(|property| [&["-D", "publish"], *property].concat())
        .chain(["-q", "1"])
        .collect();
    publish(&broker, V5_0, "t", "hi", &arguments).await;
    let seen = subscriber.line("the message", message).await;
    assert_eq!(seen, "z:1 z:2 a:3|answer|42|60|text/plain|1|7|hi");
}

#[tokio::test]
async fn topic_aliases_pass_both_ways() {
    let broker = Broker::start().await;
    let mut plain = Process::start(
        "mosquitto_sub",
        &mut subscriber(&broker, V5_0, &["-t", "alias/+", "-F", "message %t|%A|%p"]),
    );
    ready(&mut plain).await;
    let repeated = ["--repeat", "2", "-D", "publish", "topic-alias", "3"];
    publish(&broker, V5_0, "alias/sent", "x", &repeated).await;
    let seen: Vec<_> = collect(&mut plain, 2).await;
    assert_eq!(seen, ["alias/sent||x", "alias/sent||x"]);

    // Its library takes an alias beside a topic, and gives up at the first one that stands alone.
    let mut taker = Process::start(
        "mosquitto_sub",
        subscriber(&broker, V5_0, &["-t", "alias/+", "-F", "message %t|%A|%p"]).args([
            "-D",
            "connect",
            "topic-alias-maximum",
            "5",
        ]),
    );
    ready(&mut taker).await;
    publish(&broker, V5_0, "alias/received", "x", &[]).await;
    assert_eq!(collect(&mut taker, 1).await, ["alias/received|1|x"]);
}

#[tokio::test]
async fn members_of_a_share_take_turns() {
    let broker = Broker::start().await;
    let mut members = Vec::new();
    for _ in 0..2 {
        let arguments = ["-t", "$share/group/t", "-q", "1"];
        let mut member =
            Process::start("mosquitto_sub", &mut subscriber(&broker, V5_0, &arguments));
        ready(&mut member).await;
        members.push(member);
    }
    for payload in ["0", "1", "2", "3"] {
        publish(&broker, V5_0, "t", payload, &["-q", "1"]).await;
    }
    let mut seen = Vec::new();
    for member in &mut members {
        seen.push(collect(member, 2).await);
    }
    seen.sort();
    assert_eq!(seen, [["t 1 0", "t 1 2"], ["t 1 1", "t 1 3"]]);
}

#[tokio::test]
async fn a_receive_maximum_of_one_is_enough() {
    let broker = Broker::start().await;
    let mut subscriber = Process::start(
        "mosquitto_sub",
        subscriber(&broker, V5_0, &["-t", "t", "-q", "2"]).args([
            "-D",
            "connect",
            "receive-maximum",
            "1",
        ]),
    );
    ready(&mut subscriber).await;
    publish(&broker, V5_0, "t", "x", &["-q", "2", "--repeat", "20"]).await;
    assert_eq!(collect(&mut subscriber, 20).await, ["t 2 x"; 20]);
}

#[tokio::test]
async fn reason_codes_and_the_assigned_identifier_are_shown() {
    let broker = Broker::start().await;
    let lines = said(
        Command::new("mosquitto_pub")
            .args(["-d", "-h", "127.0.0.1", "-V", V5_0])
            .args(["-p", &broker.mqtt_port.to_string()])
            .args(["-t", "nobody", "-m", "x", "-q", "1"]),
    )
    .await;
    assert!(
        lines.iter().any(|line| line.ends_with("RC:16)")),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("Client auto-") && line.ends_with("received CONNACK (0)")),
        "{lines:#?}"
    );
    let too_deep = format!("{}a", "a/".repeat(128));
    let lines = said(subscriber(&broker, V5_0, &["-t", "t", "-t", &too_deep]).arg("-E")).await;
    assert!(
        lines.contains(&"Subscribed (mid: 1): 0, 151".to_owned()),
        "{lines:#?}"
    );
}

fn subscriber(broker: &Broker, version: &str, arguments: &[&str]) -> Command {
    // Through a pipe it would otherwise keep its lines until it has many.
    let mut command = Command::new("stdbuf");
    command
        .args(["-oL", "mosquitto_sub", "-d", "-h", "127.0.0.1"])
        .args(["-p", &broker.mqtt_port.to_string(), "-V", version])
        .args(["-F", "message %t %q %p"])
        .args(arguments);
    command
}

/// Everything that a program says until it ends by itself.
async fn said(command: &mut Command) -> Vec<String> {
    let mut process = Process::start("a mosquitto client", command);
    let status = process.end().await;
    assert!(status.success(), "{status}: {:#?}", process.lines());
    process.lines()
}

async fn messages(command: &mut Command) -> Vec<String> {
    let lines = said(command).await;
    lines.iter().filter_map(|line| message(line)).collect()
}

fn message(line: &str) -> Option<String> {
    line.strip_prefix("message ").map(str::to_owned)
}

async fn ready(subscriber: &mut Process) {
    subscriber
        .line("it is subscribed", |line| {
            line.starts_with("Subscribed").then_some(())
        })
        .await;
}

/// Waits for as many messages.
async fn collect(subscriber: &mut Process, number: usize) -> Vec<String> {
    crate::harness::eventually("its messages", async || {
        let seen: Vec<_> = subscriber
            .lines()
            .iter()
            .filter_map(|line| message(line))
            .collect();
        (seen.len() >= number).then_some(seen)
    })
    .await
}
