//! Other people's MQTT clients against our broker and our field, and our field against another broker.

mod libraries;
mod mosquitto;

use crate::harness::{
    BOTH_VERSIONS, Broker, Field, Measurements, Subscriber, V3_1_1, V5_0, eventually, publish,
};

const PUMP_SET: &str = "rootzone/north-beds/north-pump/pump/set";
const PUMP_STATE: &str = "rootzone/north-beds/north-pump/pump/state";

#[tokio::test]
async fn both_versions_read_the_same_values() {
    let measurements = Measurements::open();
    let broker = Broker::start().await;
    let filter = "rootzone/+/+/moisture";
    let old = Subscriber::start(&broker, V3_1_1, filter, &[]).await;
    let new = Subscriber::start(&broker, V5_0, filter, &[]).await;
    let _field = Field::replay(&broker, &measurements).await;

    let n_messages = 3 * measurements.columns.len();
    let (old, new) = eventually("three readings of every probe", async || {
        let (old, new) = (old.messages(), new.messages());
        (old.len().min(new.len()) >= n_messages)
            .then(|| (old[..n_messages].to_vec(), new[..n_messages].to_vec()))
    })
    .await;
    assert_eq!(old, new);
    assert!(
        old.iter().all(|message| message.moisture().is_some()),
        "{old:?}"
    );
}

#[tokio::test]
async fn both_versions_switch_the_same_pump() {
    check_pump(Broker::start().await).await;
}

#[tokio::test]
async fn the_field_obeys_through_another_broker_too() {
    check_pump(Broker::mosquitto().await).await;
}

async fn check_pump(broker: Broker) {
    let states = Subscriber::start(&broker, V5_0, PUMP_STATE, &[]).await;
    let _field = Field::start(&broker, &[]).await;
    states.message("the pump announces itself", |_| true).await;
    for version in BOTH_VERSIONS {
        for command in ["ON", "OFF"] {
            publish(&broker, version, PUMP_SET, command, &["-q", "1"]).await;
            eventually(&format!("the pump is {command} by {version}"), async || {
                (states.last(PUMP_STATE)?.pump_state()? == command).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test]
async fn every_qos_passes_between_every_two_versions() {
    let broker = Broker::start().await;
    for from in BOTH_VERSIONS {
        for to in BOTH_VERSIONS {
            let topic = format!("qos/{from}/{to}");
            let subscriber = Subscriber::start(&broker, to, &topic, &["-q", "2"]).await;
            for qos in ["0", "1", "2"] {
                let payload = format!("sent at {qos}");
                publish(&broker, from, &topic, &payload, &["-q", qos]).await;
                let message = subscriber
                    .message(&format!("QoS {qos} from {from} to {to}"), |message| {
                        message.payload == payload
                    })
                    .await;
                assert_eq!(message.qos.to_string(), qos);
                assert!(!message.retain);
            }
            assert_eq!(subscriber.messages().len(), 3);
        }
    }
}

#[tokio::test]
async fn a_retained_message_waits_for_a_subscriber_until_it_is_cleared() {
    let broker = Broker::start().await;
    for version in BOTH_VERSIONS {
        let topic = format!("retained/{version}");
        publish(&broker, version, &topic, "kept", &["-q", "1", "-r"]).await;
        for reader in BOTH_VERSIONS {
            let subscriber = Subscriber::start(&broker, reader, &topic, &["-q", "1"]).await;
            let message = subscriber.message("the retained message", |_| true).await;
            assert_eq!((message.payload.as_str(), message.retain), ("kept", true));
        }

        publish(&broker, version, &topic, "", &["-q", "1", "-r"]).await;
        let subscriber = Subscriber::start(&broker, version, &topic, &["-q", "1"]).await;
        publish(&broker, version, &topic, "live", &["-q", "1"]).await;
        let first = subscriber.message("a live message", |_| true).await;
        assert_eq!((first.payload.as_str(), first.retain), ("live", false));
    }
}

#[tokio::test]
async fn a_will_is_published_when_its_client_is_lost() {
    let broker = Broker::start().await;
    let witness = Subscriber::start(&broker, V5_0, "will/#", &["-q", "1"]).await;
    for version in BOTH_VERSIONS {
        let topic = format!("will/{version}");
        let lost = Subscriber::start(
            &broker,
            version,
            "anything",
            &[
                "--will-topic",
                &topic,
                "--will-payload",
                "lost",
                "--will-qos",
                "1",
            ],
        )
        .await;
        lost.kill().await;
        let message = witness
            .message("the Will", |message| message.topic == topic)
            .await;
        assert_eq!(message.payload, "lost");
    }
}
