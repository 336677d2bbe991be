//! A grower reads a chart, goes through time and compares probes.

use dashboard::dom::{document, window};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{HtmlElement, KeyboardEvent, KeyboardEventInit};

use crate::page::{Page, settle, until};

#[wasm_bindgen_test]
async fn what_is_shown_stands_in_the_address() {
    let page = open().await;
    page.press("button", "7 d").await;
    until("the range in the address", || {
        (search() == "?window=7d").then_some(())
    })
    .await;
    let range = page.find("button", "7 d").await;
    assert_eq!(range.get_attribute("aria-pressed").as_deref(), Some("true"));
    assert!(page.sees("button", "Back to now").is_none());
}

#[wasm_bindgen_test]
async fn keys_zoom_and_move_and_a_button_leads_back() {
    let page = open().await;
    page.press("button", "1 h").await;
    press_key("+", false).await;
    until("half an hour", || (search() != "?window=1h").then_some(())).await;
    press_key("ArrowLeft", true).await;
    page.press("button", "Back to now").await;
    page.loses("button", "Back to now").await;
}

#[wasm_bindgen_test]
async fn arrow_keys_tell_values() {
    let page = open().await;
    until("a reading", || {
        let spoken = stage()?.query_selector("[aria-live]").ok()??;
        stage()?.dispatch_event(&key("ArrowLeft", false)).ok()?;
        spoken.text_content()?.contains("31.0 %").then_some(())
    })
    .await;
    assert!(page.sees("button", "Save picture").is_some());
}

#[wasm_bindgen_test]
async fn probes_of_a_zone_stand_on_one_chart() {
    let page = open().await;
    page.says("rootzone/greenhouse/bench-b/moisture", "44");
    let box_of_other = until("the other probe", || {
        let found = document().query_selector(".reading-chart-others input");
        found
            .ok()?
            .map(|found| found.unchecked_into::<HtmlElement>())
    })
    .await;
    box_of_other.click();
    page.reads("figure", "", "Bench a 31.0 %; Bench b 44.0 %")
        .await;
    page.press("button", "Show as table").await;
    page.reads("table", "", "From Bench a Bench b").await;
    page.press("button", "Bench a").await;
    page.reads("table", "", "From Bench b").await;
    let hidden = page.find("button", "Bench a").await;
    assert_eq!(
        hidden.get_attribute("aria-pressed").as_deref(),
        Some("false")
    );
}

/// The page of a probe that has said something.
async fn open() -> Page {
    let page = Page::open().await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.press("link", "Bench a").await;
    until("a chart", stage).await;
    settle().await;
    page
}

fn stage() -> Option<HtmlElement> {
    let stage = document().query_selector(".chart-stage").ok()??;
    Some(stage.unchecked_into())
}

async fn press_key(name: &str, shift: bool) {
    stage().unwrap().dispatch_event(&key(name, shift)).unwrap();
    settle().await;
}

fn key(name: &str, shift: bool) -> KeyboardEvent {
    let init = KeyboardEventInit::new();
    init.set_key(name);
    init.set_shift_key(shift);
    KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap()
}

fn search() -> String {
    window().location().search().unwrap()
}
