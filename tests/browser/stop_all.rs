//! A grower stops every pump at once, and sees who has confirmed.

use field::{PumpCommand, Switch};
use mqtt_protocol::ReasonCode;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::Page;

#[wasm_bindgen_test]
async fn stop_all_pumps_sends_off_to_each_and_names_who_confirmed() {
    let page = Page::open().await;
    for pump in PUMPS {
        page.keeps(&state(pump), "ON");
    }
    page.card("Pump 2").await.reads("Running since").await;
    page.press("button", "Stop all pumps").await;
    page.reads("status", "", "OFF is sent. 0 of 2 pumps confirmed off.")
        .await;
    let published = page.published().await;
    let mut topics = Vec::new();
    for publish in &published {
        let command = PumpCommand::parse(&publish.payload).unwrap();
        assert_eq!(command.state, Switch::Off);
        assert!(!publish.retain);
        topics.push(publish.topic_name.as_ref().unwrap().as_str());
    }
    topics.sort_unstable();
    assert_eq!(
        topics,
        PUMPS.map(|pump| format!("rootzone/orchard/{pump}/pump/set"))
    );

    page.keeps(&state(PUMPS[0]), "OFF");
    page.reads("status", "", "1 of 2 pumps confirmed off.")
        .await;
    page.reads("listitem", "", "Pump 1 confirmed off").await;
    page.reads("listitem", "", "Pump 2 asked, waiting for its answer")
        .await;
    page.keeps(&state(PUMPS[1]), "OFF");
    page.reads("status", "", "All off: 2 pumps confirmed.")
        .await;
    page.press("button", "Close").await;
    page.loses("region", "Stop all pumps").await;
}

#[wasm_bindgen_test]
async fn stop_all_pumps_also_stops_one_that_shows_up_afterwards() {
    let page = Page::open().await;
    page.press("button", "Stop all pumps").await;
    page.reads("status", "", "No pump is known yet.").await;
    assert!(page.published().await.is_empty());
    page.keeps(&state(PUMPS[0]), "ON");
    page.reads("listitem", "", "Pump 1 asked").await;
    assert_eq!(page.published().await.len(), 1);
}

#[wasm_bindgen_test]
async fn stop_all_pumps_waits_for_the_connection_if_there_is_none() {
    let page = Page::open().await;
    page.keeps(&state(PUMPS[0]), "ON");
    page.card("Pump 1").await.reads("Running since").await;
    page.broker.refuse(Some(ReasonCode::ServerUnavailable));
    page.broker.cut();
    page.reads("status", "", "Reconnecting").await;
    page.press("button", "Stop all pumps").await;
    page.reads("status", "", "Not connected: OFF is sent the moment")
        .await;
    page.reads("listitem", "", "Pump 1 waits for the connection")
        .await;
    assert!(page.published().await.is_empty());
    page.broker.refuse(None);
    page.reads("status", "", "OFF is sent. 0 of 1 pump confirmed off.")
        .await;
    let published = page.published().await;
    let command = PumpCommand::parse(&published[0].payload).unwrap();
    assert_eq!(command.state, Switch::Off);
}

fn state(pump: &str) -> String {
    format!("rootzone/orchard/{pump}/pump/state")
}

const PUMPS: [&str; 2] = ["pump-1", "pump-2"];
