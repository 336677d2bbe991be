//! The broker dies under an open page, and comes back.

use std::time::Duration;

use crate::harness::{Broker, Dashboard, Field, Measurements, Subscriber, V5_0, eventually};

const PUMP: &str = "Greenhouse valve";

// Shows 3.1.1 [MQTT-6.0.0-3], 3.1.1 [MQTT-7.1.2-1], 5.0 [MQTT-4.2.0-1], 5.0 [MQTT-6.0.0-3].
#[tokio::test]
async fn a_page_outlives_its_broker() {
    let measurements = Measurements::open();
    let n_probes = measurements.columns.len();
    let broker = Broker::start().await;
    let _field = Field::replay(&broker, &measurements).await;
    let dashboard = Dashboard::open(&broker.page_url()).await;
    dashboard.live_cards(n_probes).await;
    dashboard
        .switch_that(PUMP, "is known", |look| look.state == "off")
        .await;
    dashboard
        .browser
        .script("window.isTheSamePage = true;")
        .await;

    let (mqtt_port, page_port) = (broker.mqtt_port, broker.page_port);
    broker.kill().await;
    let said = eventually("the badge says that the broker is gone", async || {
        (dashboard.connection_state().await? != "connected").then_some(())?;
        dashboard.connection_notice().await
    })
    .await;
    println!("in words: {said}");
    dashboard
        .switch_that(PUMP, "is not known", |look| look.state != "off")
        .await;
    // The outage itself lasts that long.
    tokio::time::sleep(Duration::from_secs(3)).await;

    let broker = Broker::start_at(mqtt_port, page_port).await;
    eventually("the page is connected again", async || {
        (dashboard.connection_state().await? == "connected").then_some(())
    })
    .await;
    let cards = dashboard.live_cards(n_probes).await;
    let values = |cards: &std::collections::BTreeMap<_, crate::harness::Card>| {
        cards
            .values()
            .map(|card| card.value.clone())
            .collect::<Vec<_>>()
    };
    let before = values(&cards);
    eventually("values move again", async || {
        (values(&dashboard.cards().await?) != before).then_some(())
    })
    .await;
    dashboard
        .switch_that(PUMP, "is known again", |look| look.state == "off")
        .await;
    assert_eq!(
        dashboard
            .browser
            .script("return window.isTheSamePage;")
            .await,
        Some(true.into()),
        "the page was loaded anew"
    );
    let states = Subscriber::start(&broker, V5_0, "rootzone/+/+/pump/state", &[]).await;
    states
        .message("the pumps have announced themselves again", |message| {
            message.retain
        })
        .await;
}

#[tokio::test]
async fn a_broker_that_is_told_to_end_says_so() {
    let broker = Broker::start().await;
    let dashboard = Dashboard::open(&broker.page_url()).await;
    eventually("the page is connected", async || {
        (dashboard.connection_state().await? == "connected").then_some(())
    })
    .await;

    dashboard.note_connection_notices().await;

    broker.terminate().await;

    eventually("the page has given the reason", async || {
        let said = dashboard.connection_notices().await?;
        said.iter()
            .any(|notice| notice.contains("shutting down"))
            .then_some(())
    })
    .await;
}
