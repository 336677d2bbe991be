//! Another broker, by the settings in the page: Debian's mosquitto with a WebSocket listener and a password file.

use crate::harness::{
    BOTH_VERSIONS, Broker, Dashboard, PASSWORD, Role, Subscriber, USER_NAME, V3_1_1, eventually,
    publish,
};

#[tokio::test]
async fn a_broker_with_a_password_is_tried_kept_and_used_by_both_versions() {
    let own = Broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mosquitto = Broker::mosquitto_with_password(folder.path()).await;
    for version in BOTH_VERSIONS {
        check(&own, &mosquitto, version).await;
    }
}

async fn check(own: &Broker, mosquitto: &Broker, version: &str) {
    let who = ["-u", USER_NAME, "-P", PASSWORD];
    let commands = Subscriber::start(mosquitto, version, "rootzone/+/+/pump/set", &who).await;
    let dashboard = Dashboard::open(&own.page_url()).await;
    dashboard.press(Role::Link, "Settings").await;
    let address = format!("ws://127.0.0.1:{}/mqtt", mosquitto.page_port);
    dashboard.fill("Address", &address).await;
    dashboard.fill("User name", USER_NAME).await;
    dashboard.fill("Password", "wrong").await;
    dashboard.fill("Name", "Mosquitto").await;
    let name = if version == V3_1_1 { "3.1.1" } else { "5.0" };
    dashboard.fill("MQTT version", name).await;
    dashboard.press(Role::Button, "Connect").await;
    dashboard
        .reads(
            "not authorized. Check the user name and the password. The connection in use goes on.",
        )
        .await;
    assert_eq!(
        dashboard.connection_state().await.as_deref(),
        Some("connected")
    );

    dashboard.fill("Password", PASSWORD).await;
    dashboard.press(Role::Button, "Connect").await;
    dashboard
        .browser
        .named(Role::Button, "Mosquitto is in use")
        .await;
    dashboard.reads("mosquitto version").await;

    dashboard.press(Role::Link, "Field").await;
    publish(mosquitto, version, MOISTURE, "37.2", &who).await;
    eventually("the reading is shown", async || {
        let cards = dashboard.cards().await?;
        (cards.get("Bench a")?.value == "37.2").then_some(())
    })
    .await;

    let retained = [&who[..], &["-r", "-q", "1"]].concat();
    publish(mosquitto, version, PUMP_STATUS, "online", &retained).await;
    publish(mosquitto, version, PUMP_STATE, "OFF", &retained).await;
    dashboard
        .switch_that("Valve", "is off", |look| look.state == "off")
        .await;
    dashboard.press_switch("Valve").await;
    let command = commands
        .message("the command", |message| message.payload.contains("ON"))
        .await;
    assert!(!command.retain, "{command:?}");
    publish(mosquitto, version, PUMP_STATE, "ON", &retained).await;
    dashboard
        .switch_that("Valve", "runs", |look| look.checked)
        .await;

    let url = dashboard.browser.client.current_url().await.unwrap();
    assert_eq!(url.query(), Some("broker=Mosquitto"));
    dashboard.browser.client.refresh().await.unwrap();
    dashboard
        .switch_that("Valve", "is there again", |look| look.checked)
        .await;
    for topic in [PUMP_STATUS, PUMP_STATE] {
        publish(mosquitto, version, topic, "", &retained).await;
    }
}

const MOISTURE: &str = "rootzone/greenhouse/bench-a/moisture";
const PUMP_STATUS: &str = "rootzone/greenhouse/valve/status";
const PUMP_STATE: &str = "rootzone/greenhouse/valve/pump/state";
