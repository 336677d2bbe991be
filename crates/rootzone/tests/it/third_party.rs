//! Debian's mosquitto clients, on both versions of the protocol.

use crate::{
    broker::Broker,
    mosquitto::{Subscriber, publish, publish_bytes},
};

const VERSIONS: [&str; 2] = ["mqttv311", "mqttv5"];

// Shows 3.1.1 [MQTT-7.0.0-2], 3.1.1 [MQTT-7.1.1-1], 5.0 [MQTT-4.2-1].
#[test]
fn messages_of_every_qos_arrive_between_both_versions() {
    let broker = Broker::start();
    for to in VERSIONS {
        let filter = format!("{to}/+/moisture");
        let mut subscriber = Subscriber::start(&broker, &["-V", to, "-q", "2", "-t", &filter]);
        for from in VERSIONS {
            for qos in ["0", "1", "2"] {
                let topic = format!("{to}/bed-{qos}/moisture");
                publish(
                    &broker,
                    &["-V", from, "-q", qos, "-t", &topic, "-m", "37.2"],
                );
                assert_eq!(subscriber.next_line(), format!("{topic} {qos} 0 37.2"));
            }
        }
    }
}

#[test]
fn the_subscription_lowers_the_qos() {
    let broker = Broker::start();
    let mut subscriber = Subscriber::start(&broker, &["-q", "1", "-t", "a"]);
    publish(&broker, &["-q", "2", "-t", "a", "-m", "x"]);
    assert_eq!(subscriber.next_line(), "a 1 0 x");
}

#[test]
fn a_retained_message_meets_whoever_subscribes_later() {
    let broker = Broker::start();
    for version in VERSIONS {
        let topic = format!("{version}/status");
        publish(
            &broker,
            &["-V", version, "-q", "1", "-r", "-t", &topic, "-m", "online"],
        );
        let mut subscriber = Subscriber::start(&broker, &["-V", version, "-q", "1", "-t", &topic]);
        assert_eq!(subscriber.next_line(), format!("{topic} 1 1 online"));

        publish(
            &broker,
            &["-V", version, "-q", "1", "-r", "-t", &topic, "-n"],
        );
        assert_eq!(subscriber.next_line(), format!("{topic} 1 0 "));
        let mut subscriber = Subscriber::start(&broker, &["-V", version, "-q", "1", "-t", &topic]);
        publish(&broker, &["-V", version, "-t", &topic, "-m", "not kept"]);
        assert_eq!(subscriber.next_line(), format!("{topic} 0 0 not kept"));
    }
}

#[test]
fn the_will_is_published_when_a_client_vanishes() {
    let broker = Broker::start();
    let mut watcher = Subscriber::start(&broker, &["-q", "1", "-t", "status/+"]);
    for version in VERSIONS {
        let topic = format!("status/{version}");
        let will = [
            "--will-topic",
            &topic,
            "--will-payload",
            "offline",
            "--will-qos",
            "1",
        ];
        let arguments = [&["-V", version, "-t", "nothing"][..], &will[..]].concat();
        let mut device = Subscriber::start(&broker, &arguments);
        device.kill();
        assert_eq!(watcher.next_line(), format!("{topic} 1 0 offline"));
    }
}

#[test]
fn a_payload_of_many_megabytes_arrives_whole() {
    let broker = Broker::start();
    let mut subscriber = Subscriber::start(&broker, &["-q", "1", "-t", "big"]);
    let payload = "0123456789abcdef".repeat(8 * 1024 * 1024 / 16);
    publish_bytes(&broker, &["-q", "1", "-t", "big"], payload.as_bytes());
    assert!(subscriber.next_line() == format!("big 1 0 {payload}"));
}
