//! A grower sees how wet the soil is, and how far that can be trusted.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Page, connect_device, topic_name};

#[wasm_bindgen_test]
async fn a_first_start_shows_how_to_begin() {
    let page = Page::open().await;
    page.find("heading", "No device has said anything yet")
        .await;
    page.reads("main", "", "The page listens at ws://127.0.0.1:8080/mqtt.")
        .await;
    page.reads("listitem", "", MOISTURE).await;
}

#[wasm_bindgen_test]
async fn a_probe_appears_with_its_first_message() {
    let page = Page::open().await;
    page.says(MOISTURE, "37.2");
    let card = page.card("Bench a").await;
    card.reads("37.2 %").await;
    card.reads("live").await;
    page.find("heading", "Greenhouse").await;
    page.loses("heading", "No device has said anything yet")
        .await;
}

#[wasm_bindgen_test]
async fn the_target_band_names_the_badge() {
    let page = Page::open().await;
    page.keeps(CONFIG, r#"{"name":"Bench A","target":[25,40]}"#);
    for (moisture, word) in [("20", "dry"), ("31", "good"), ("55", "wet")] {
        page.says(MOISTURE, moisture);
        let card = page.card("Bench A").await;
        card.reads(&format!("Bench A {word} {moisture}.0 %")).await;
    }
}

#[wasm_bindgen_test]
async fn a_retained_reading_has_no_known_age_and_is_not_judged() {
    let page = Page::open_with(|broker| {
        let config = r#"{"name":"Bench A","target":[25,40]}"#;
        broker.publish(&topic_name(CONFIG), config, true);
        broker.publish(&topic_name(MOISTURE), "20", true);
    })
    .await;
    let card = page.card("Bench A").await;
    card.reads("age unknown").await;
    card.reads("Kept by the broker; when it was measured is not known.")
        .await;
    assert!(!card.text().contains("dry"), "{}", card.text());
    page.says(MOISTURE, "20");
    card.reads("live").await;
    card.reads("dry").await;
}

#[wasm_bindgen_test]
async fn a_reading_of_the_future_is_not_live() {
    let page = Page::open().await;
    page.says(MOISTURE, r#"{"moisture":20,"time":"2999-01-01T00:00:00Z"}"#);
    let card = page.card("Bench a").await;
    card.reads("age unknown its clock is ahead").await;
}

#[wasm_bindgen_test]
async fn a_device_that_is_lost_is_offline_until_it_is_back() {
    let page = Page::open().await;
    let device = connect_device(&page.broker, STATUS);
    device.publish(&topic_name(STATUS), "online", true);
    device.publish(&topic_name(MOISTURE), "31", false);
    let card = page.card("Bench a").await;
    card.reads("live").await;
    device.lose();
    card.reads("offline since").await;
    page.keeps(STATUS, "online");
    page.says(MOISTURE, "32");
    card.reads("live").await;
}

#[wasm_bindgen_test]
async fn an_unreadable_message_is_said_to_be_one() {
    let page = Page::open().await;
    page.says(MOISTURE, "very wet");
    let card = page.card("Bench a").await;
    card.reads("unreadable message").await;
    card.reads("Its newest message could not be read").await;
}

#[wasm_bindgen_test]
async fn settings_that_cannot_be_read_are_said_to_be_so() {
    let page = Page::open().await;
    page.says(MOISTURE, "31");
    let card = page.card("Bench a").await;
    card.reads("live").await;
    page.keeps(CONFIG, "Bench A");
    card.reads("unreadable settings").await;
    page.press("link", "Bench a").await;
    page.reads("main", "", "Its settings could not be read")
        .await;
}

#[wasm_bindgen_test]
async fn a_row_of_the_chart_s_table_stays_while_its_cells_change() {
    let page = Page::open().await;
    page.says(MOISTURE, "31");
    page.press("link", "Bench a").await;
    page.press("button", "Show as table").await;
    page.reads("rowgroup", "", "31.0 %").await;
    let row = page.find("row", "").await;
    page.says(MOISTURE, "33");
    page.reads("rowgroup", "", "33.0 %").await;
    assert!(row.is_connected());
}

#[wasm_bindgen_test]
async fn a_sensor_of_another_make_announces_itself() {
    let page = Page::open().await;
    page.keeps(
        "homeassistant/sensor/tent/soil_1/config",
        r#"{"dev_cla":"moisture","unit_of_meas":"%","name":"Soil 1","stat_t":"tent/soil_1","uniq_id":"t1","dev":{"ids":"t","name":"Tent","sa":"Tent"}}"#,
    );
    page.find("heading", "Tent").await;
    page.keeps("tent/soil_1", "44.5");
    page.reads("article", "", "44.5 %").await;
}

#[wasm_bindgen_test]
async fn what_a_device_says_is_never_html() {
    let page = Page::open().await;
    page.keeps(CONFIG, r#"{"name":"<img src=x>"}"#);
    page.says(MOISTURE, "31");
    let card = page.card("<img src=x>").await;
    card.reads("31.0 %").await;
    assert!(
        page.sees("main", "")
            .unwrap()
            .query_selector("img")
            .unwrap()
            .is_none()
    );
}

const MOISTURE: &str = "rootzone/greenhouse/bench-a/moisture";
const STATUS: &str = "rootzone/greenhouse/bench-a/status";
const CONFIG: &str = "rootzone/config/bench-a";
