//! A grower says where the broker is.

use dashboard::dom::document;
use dashboard::{in_page_broker::InPageBroker, preferences};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlInputElement;

use crate::page::{DEFAULT_ADDRESS, Page, topic_name};

#[wasm_bindgen_test]
async fn a_wrong_address_is_refused_with_the_reason() {
    let page = Page::open().await;
    page.press("link", "Settings").await;
    for wrong in ["http://greenhouse.local", "ws://", "greenhouse"] {
        fill(&page, wrong).await;
        page.press("button", "Connect").await;
        page.reads("alert", "", "That is not an address").await;
        let field = page.find("textbox", "Address").await;
        assert_eq!(field.get_attribute("aria-invalid").as_deref(), Some("true"));
    }
    assert_eq!(preferences::broker_address(), None);
    page.reads("main", "", DEFAULT_ADDRESS).await;
}

#[wasm_bindgen_test]
async fn another_broker_is_connected_to_and_kept() {
    let page = Page::open().await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.card("Bench a").await;
    let other = InPageBroker::listen(OTHER_ADDRESS);
    other.publish(&topic_name("rootzone/tent/pot/moisture"), "55", true);
    page.press("link", "Settings").await;
    fill(&page, OTHER_ADDRESS).await;
    page.press("button", "Connect").await;
    page.reads("main", "", &format!("Address in use {OTHER_ADDRESS}"))
        .await;
    assert_eq!(
        preferences::broker_address().as_deref(),
        Some(OTHER_ADDRESS)
    );
    page.press("link", "Field").await;
    page.card("Pot").await.reads("55.0 %").await;
    assert!(page.sees("heading", "Bench a").is_none());
}

#[wasm_bindgen_test]
async fn an_address_where_nobody_listens_is_said_to_be_unreachable() {
    let page = Page::open().await;
    page.press("link", "Settings").await;
    fill(&page, "ws://nowhere.invalid/mqtt").await;
    page.press("button", "Connect").await;
    page.reads(
        "region",
        "Connection",
        "Not connected: the broker cannot be reached.",
    )
    .await;
    page.press("button", "Use the one that served this page")
        .await;
    page.reads("status", "", "Connected").await;
    assert_eq!(preferences::broker_address(), None);
}

#[wasm_bindgen_test]
async fn a_theme_is_shown_and_kept() {
    let page = Page::open().await;
    page.press("link", "Settings").await;
    page.press("radio", "Dark").await;
    let root = document().document_element().unwrap();
    assert_eq!(root.get_attribute("data-theme").as_deref(), Some("dark"));
    assert_eq!(preferences::theme(), "dark");
}

async fn fill(page: &Page, text: &str) {
    let field = page.find("textbox", "Address").await;
    field.unchecked_into::<HtmlInputElement>().set_value(text);
}

const OTHER_ADDRESS: &str = "ws://tent.invalid/mqtt";
