//! A grower learns how it stands with the broker.

use mqtt_protocol::ReasonCode;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Page, topic_name};

#[wasm_bindgen_test]
async fn a_refusal_is_said_in_words_and_can_be_tried_again() {
    let page = Page::open_with(|broker| broker.refuse(Some(ReasonCode::NotAuthorized))).await;
    page.reads("status", "", "Refused").await;
    page.reads(
        "region",
        "Connection",
        "The broker refused: not authorized.",
    )
    .await;
    let notice = page.find("region", "Connection").await;
    let settings = crate::role::find(&notice, "link", "Check the address in the settings");
    settings.unwrap().click();
    page.find("heading", "Settings").await;
    page.broker.refuse(None);
    page.press("button", "Try now").await;
    page.reads("status", "", "Connected").await;
    page.loses("region", "Connection").await;
}

#[wasm_bindgen_test]
async fn a_lost_connection_is_said_and_comes_back_by_itself() {
    let page = Page::open().await;
    page.broker.refuse(Some(ReasonCode::ServerUnavailable));
    page.broker.cut();
    page.reads("status", "", "Reconnecting").await;
    page.reads(
        "region",
        "Connection",
        "Not connected: the broker refused: server unavailable.",
    )
    .await;
    page.broker.refuse(None);
    page.reads("status", "", "Connected").await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.card("Bench a").await.reads("live").await;
}

#[wasm_bindgen_test]
async fn during_a_cut_everything_is_said_to_be_what_was_heard_last() {
    let page = Page::open().await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.keeps("rootzone/greenhouse/valve/pump/state", "ON");
    let (probe, pump) = (page.card("Bench a").await, page.card("Valve").await);
    probe.reads("live").await;
    pump.reads("Running since").await;
    page.broker.refuse(Some(ReasonCode::ServerUnavailable));
    page.broker.cut();
    probe.reads("last heard").await;
    assert!(!probe.text().contains("live"), "{}", probe.text());
    pump.reads("Not connected. It was running when it was last heard.")
        .await;
    let switch = pump.sees("switch", "Valve").unwrap();
    assert_eq!(
        switch.get_attribute("aria-checked").as_deref(),
        Some("true")
    );
    page.reads("main", "", "Not connected.").await;
    page.press("link", "Pumps").await;
    page.reads("main", "", "What stands here was heard before.")
        .await;
    page.reads("listitem", "", "its end was not heard").await;
    page.press("link", "Settings").await;
    page.reads("main", "", "Round trip not measured").await;
}

#[wasm_bindgen_test]
async fn what_was_kept_meanwhile_is_shown_after_a_reconnection() {
    let page = Page::open().await;
    page.broker.cut();
    page.broker.publish(
        &topic_name("rootzone/orchard/pump-1/pump/state"),
        "ON",
        true,
    );
    page.card("Pump 1").await.reads("Running since").await;
}
