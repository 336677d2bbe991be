//! A pump from the page: nothing is believed before the pump says so.

use std::time::Instant;

use crate::harness::{
    Broker, Dashboard, Field, Link, Role, Subscriber, V3_1_1, V5_0, eventually, publish,
};

const PUMP: &str = "Orchard pump";
const PUMP_LEVEL: &str = "orchard-pump";
const PUMP_SET: &str = "rootzone/orchard/orchard-pump/pump/set";
const PUMP_STATE: &str = "rootzone/orchard/orchard-pump/pump/state";
const ZONE_READINGS: &str = "rootzone/orchard/+/moisture";

#[tokio::test]
async fn a_switch_starts_the_pump_the_soil_gets_wetter_and_the_switch_stops_it() {
    let broker = Broker::start().await;
    let states = Subscriber::start(&broker, V5_0, PUMP_STATE, &[]).await;
    // The slowest soil there is: what rises is the pump's doing.
    let _field = Field::start(&broker, &["--speed", "1s"]).await;
    let dashboard = Dashboard::open(&broker.page_url()).await;
    dashboard
        .switch_that(PUMP, "is off", |look| look.state == "off" && !look.checked)
        .await;
    let readings = Subscriber::start(&broker, V5_0, ZONE_READINGS, &[]).await;
    let before = readings
        .message("the zone's soil is known", |message| {
            message.moisture().is_some()
        })
        .await;

    dashboard.press_switch(PUMP).await;
    let running = dashboard
        .switch_that(PUMP, "is shown running", |look| look.state == "running")
        .await;
    assert!(running.checked, "{running:?}");
    let said = states
        .message("the pump says ON", |message| {
            message.pump_state().as_deref() == Some("ON")
        })
        .await;
    assert_eq!(said.topic, PUMP_STATE);

    eventually("the zone's moisture rises", async || {
        let now = readings.last(&before.topic)?.moisture()?;
        (now > before.moisture()? + 0.5).then_some(())
    })
    .await;

    dashboard.press_switch(PUMP).await;
    let stopped = dashboard
        .switch_that(PUMP, "is shown off", |look| look.state == "off")
        .await;
    assert!(!stopped.checked, "{stopped:?}");
    assert_eq!(
        states.last(PUMP_STATE).unwrap().pump_state().as_deref(),
        Some("OFF")
    );
}

#[tokio::test]
async fn a_pump_that_never_answers_is_a_clear_failure_after_ten_seconds() {
    let broker = Broker::start().await;
    let _field = Field::start(&broker, &["--stuck-pump", PUMP_LEVEL]).await;
    let dashboard = Dashboard::open(&broker.page_url()).await;
    dashboard
        .switch_that(PUMP, "can be pressed", |look| look.state == "off")
        .await;

    let pressed = Instant::now();
    dashboard.press_switch(PUMP).await;
    let asked = dashboard
        .switch_that(PUMP, "is asked", |look| look.state == "asked-on")
        .await;
    assert!(!asked.checked, "{asked:?}");
    let failed = dashboard
        .switch_that(PUMP, "is not confirmed", |look| {
            look.state == "not-confirmed"
        })
        .await;
    assert!(
        pressed.elapsed().as_secs() >= 9,
        "the failure came too early"
    );
    assert!(!failed.checked, "{failed:?}");
    assert!(failed.text.contains("not"), "{failed:?}");
}

#[tokio::test]
async fn a_pump_that_stops_during_a_cut_is_shown_off_after_it() {
    let broker = Broker::start().await;
    let states = Subscriber::start(&broker, V5_0, PUMP_STATE, &[]).await;
    let _field = Field::start(&broker, &[]).await;
    let link = Link::to_page_of(&broker).await;
    let dashboard = Dashboard::open(&link.page_url()).await;
    dashboard
        .switch_that(PUMP, "is off", |look| look.state == "off")
        .await;
    dashboard.press_switch(PUMP).await;
    dashboard
        .switch_that(PUMP, "runs", |look| look.state == "running")
        .await;

    link.cut();
    eventually("the page knows of the cut", async || {
        (dashboard.connection_state().await? != "connected").then_some(())
    })
    .await;
    publish(&broker, V3_1_1, PUMP_SET, "OFF", &["-q", "1"]).await;
    states
        .message("the pump says OFF during the cut", |message| {
            !message.retain && message.pump_state().as_deref() == Some("OFF")
        })
        .await;

    link.mend();
    let after = dashboard
        .switch_that(PUMP, "is shown off", |look| look.state == "off")
        .await;
    assert!(!after.checked, "{after:?}");
    assert_eq!(
        dashboard.connection_state().await.as_deref(),
        Some("connected")
    );
}

#[tokio::test]
async fn one_button_stops_every_pump() {
    let broker = Broker::start().await;
    let states = Subscriber::start(&broker, V5_0, "rootzone/+/+/pump/state", &[]).await;
    let _field = Field::start(&broker, &[]).await;
    let dashboard = Dashboard::open(&broker.page_url()).await;
    let pumps = [PUMP, "North pump"];
    for pump in pumps {
        dashboard
            .switch_that(pump, "is off", |look| look.state == "off")
            .await;
        dashboard.press_switch(pump).await;
    }
    for pump in pumps {
        dashboard
            .switch_that(pump, "runs", |look| look.state == "running")
            .await;
    }

    let button = dashboard
        .browser
        .named(Role::Button, "Stop all pumps")
        .await;
    button.click().await.unwrap();

    for pump in pumps {
        dashboard
            .switch_that(pump, "is shown off", |look| look.state == "off")
            .await;
    }
    for topic in [PUMP_STATE, "rootzone/north-beds/north-pump/pump/state"] {
        assert_eq!(
            states.last(topic).unwrap().pump_state().as_deref(),
            Some("OFF"),
            "{topic}"
        );
    }
}
