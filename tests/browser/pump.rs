//! A grower switches a pump, and the switch moves when the pump says so.

use std::time::Duration;

use field::{PumpCommand, PumpState, Switch, Timestamp};
use mqtt_protocol::{Publish, QoS, ReasonCode};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, HtmlSelectElement};

use crate::page::{Card, Page, connect_device, topic_name};

#[wasm_bindgen_test]
async fn a_pump_is_asked_to_start_and_says_that_it_runs() {
    let page = Page::open().await;
    page.keeps(STATE, "OFF");
    let card = page.card("Pump 1").await;
    card.reads("Off.").await;
    page.press("switch", "Pump 1").await;
    card.reads("Asked to start").await;
    assert!(!is_checked(&card), "only the pump moves the switch");
    let command = only_command(&page.published().await);
    assert_eq!(command.state, Switch::On);
    assert_eq!(command.run_for, Some(Duration::from_secs(600)));

    page.keeps(STATE, &answer(&command));
    card.reads("Running since").await;
    card.reads("started by you.").await;
    assert!(is_checked(&card));
}

#[wasm_bindgen_test]
async fn a_run_is_as_long_as_was_chosen() {
    let page = Page::open().await;
    page.keeps(STATE, "OFF");
    let lengths = page.find("combobox", "Pump 1: run for").await;
    lengths.unchecked_ref::<HtmlSelectElement>().set_value("1");
    lengths
        .dispatch_event(&Event::new("change").unwrap())
        .unwrap();
    page.press("switch", "Pump 1").await;
    let command = only_command(&page.published().await);
    assert_eq!(command.run_for, Some(Duration::from_secs(60)));
}

#[wasm_bindgen_test]
async fn a_pump_is_asked_to_stop_and_says_that_it_is_off() {
    let page = Page::open().await;
    page.keeps(STATE, "ON");
    let card = page.card("Pump 1").await;
    card.reads("Running since").await;
    page.press("switch", "Pump 1").await;
    card.reads("Asked to stop").await;
    assert!(
        is_checked(&card),
        "water runs until the pump says otherwise"
    );
    let command = only_command(&page.published().await);
    assert_eq!(command.state, Switch::Off);

    page.keeps(STATE, &answer(&command));
    card.reads("Off. Last ran at").await;
    assert!(!is_checked(&card));
}

#[wasm_bindgen_test]
async fn a_command_that_a_message_of_somebody_else_answers_is_not_ours() {
    let page = Page::open().await;
    page.keeps(STATE, "OFF");
    let card = page.card("Pump 1").await;
    card.reads("Off.").await;
    page.keeps(STATE, r#"{"state":"ON","by":"hand"}"#);
    card.reads("started by hand.").await;
    assert!(page.published().await.is_empty());
}

#[wasm_bindgen_test]
async fn an_offline_pump_is_not_started() {
    let page = Page::open().await;
    let device = connect_device(&page.broker, STATUS);
    device.publish(&topic_name(STATUS), "online", true);
    device.publish(&topic_name(STATE), "OFF", true);
    let card = page.card("Pump 1").await;
    card.reads("Off.").await;
    device.lose();
    card.reads("Offline. It can be started when it is back.")
        .await;
    let switch = page.find("switch", "Pump 1").await;
    assert_eq!(
        switch.get_attribute("aria-disabled").as_deref(),
        Some("true")
    );
    switch.click();
    page.reads("alert", "", "Not started: the pump is offline.")
        .await;
    assert!(page.published().await.is_empty());
}

#[wasm_bindgen_test]
async fn a_command_that_reaches_nobody_is_said_to_have_failed_at_once() {
    let mut page = Page::open().await;
    page.keeps(STATE, "OFF");
    let card = page.card("Pump 1").await;
    card.reads("Off.").await;
    page.pumps.take().unwrap().lose();
    page.press("switch", "Pump 1").await;
    card.reads("not confirmed.").await;
    page.reads("main", "", "Pump 1 has not answered").await;
}

#[wasm_bindgen_test]
async fn without_a_broker_a_pump_is_not_started_and_nothing_is_kept_for_later() {
    let page = Page::open().await;
    page.keeps(STATE, "OFF");
    let card = page.card("Pump 1").await;
    card.reads("Off.").await;
    page.broker.refuse(Some(ReasonCode::ServerUnavailable));
    page.broker.cut();
    card.reads("Not connected").await;
    page.press("switch", "Pump 1").await;
    page.reads(
        "alert",
        "",
        "Not started: there is no connection to the broker.",
    )
    .await;
    page.broker.refuse(None);
    page.reads("status", "", "Connected").await;
    card.reads("Off.").await;
    assert!(page.published().await.is_empty());
}

#[wasm_bindgen_test]
async fn a_pump_that_says_what_cannot_be_read_is_neither_off_nor_forgotten() {
    let page = Page::open().await;
    page.keeps(STATUS, "online");
    page.keeps(STATE, "1");
    let card = page.card("Pump 1").await;
    card.reads("Its newest message could not be read").await;
    card.reads("Unreadable message.").await;
    page.press("button", "Stop all pumps").await;
    page.reads("listitem", "", "Pump 1 unreadable message, OFF was sent")
        .await;
    page.reads("status", "", "OFF is sent. 0 of 1 pump confirmed off.")
        .await;
    assert_eq!(only_command(&page.published().await).state, Switch::Off);
    page.keeps(STATE, "off");
    page.reads("status", "", "All off: 1 pump confirmed.").await;
}

#[wasm_bindgen_test]
async fn a_retained_command_is_a_fault_that_a_button_clears() {
    let page = Page::open_with(|broker| {
        broker.publish(&topic_name(SET), "ON", true);
    })
    .await;
    page.reads(
        "alert",
        "",
        "Its command topic holds the retained message ON.",
    )
    .await;
    page.press("button", "Clear it").await;
    page.loses("button", "Clear it").await;
    let published = page.published().await;
    assert_eq!(published.len(), 1, "{published:?}");
    assert_eq!(published[0].topic_name, Some(topic_name(SET)));
    assert!(published[0].retain && published[0].payload.is_empty());
}

/// The one command among what was published, sent as a command must be.
fn only_command(published: &[Publish]) -> PumpCommand {
    let [publish] = published else {
        panic!("one command was expected: {published:?}");
    };
    assert_eq!(publish.topic_name, Some(topic_name(SET)));
    assert_eq!(publish.qos, QoS::AtLeastOnce);
    assert!(!publish.retain, "a retained command starts a pump again");
    assert_eq!(publish.properties.message_expiry_interval(), Some(10));
    let command = PumpCommand::parse(&publish.payload).unwrap();
    assert!(command.id.is_some() && command.time.is_some());
    command
}

/// What a pump says that has done as it was told.
fn answer(command: &PumpCommand) -> String {
    let now = Timestamp::from_millis(js_sys::Date::now() as i64);
    let state = PumpState {
        id: command.id.clone(),
        by: Some("command".into()),
        since: Some(now),
        until: command.run_for.map(|run_for| now + run_for),
        ..PumpState::plain(command.state)
    };
    state.to_json()
}

fn is_checked(card: &Card) -> bool {
    let switch = card.sees("switch", "Pump 1").unwrap();
    switch.get_attribute("aria-checked").as_deref() == Some("true")
}

const STATE: &str = "rootzone/orchard/pump-1/pump/state";
const SET: &str = "rootzone/orchard/pump-1/pump/set";
const STATUS: &str = "rootzone/orchard/pump-1/status";
