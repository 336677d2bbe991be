//! A grower goes from page to page, with a screen reader too.

use dashboard::dom::{document, window};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Page, settle, until};

#[wasm_bindgen_test]
async fn navigation_moves_the_focus_to_the_heading_and_marks_the_link() {
    let page = Page::open().await;
    assert_eq!(current(&page), ["Field"]);
    for (name, title) in [
        ("Pumps", "Pumps · Rootzone"),
        ("Settings", "Settings · Rootzone"),
        ("Field", "Field · Rootzone"),
    ] {
        page.press("link", name).await;
        has_focused_heading(&page, name).await;
        assert_eq!(current(&page), [name]);
        assert_eq!(document().title(), title);
    }
}

#[wasm_bindgen_test]
async fn the_browsers_own_buttons_work() {
    let page = Page::open().await;
    page.press("link", "Pumps").await;
    has_focused_heading(&page, "Pumps").await;
    window().history().unwrap().back().unwrap();
    has_focused_heading(&page, "Field").await;
    assert_eq!(current(&page), ["Field"]);
}

#[wasm_bindgen_test]
async fn a_card_leads_to_its_probes_page() {
    let page = Page::open().await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.press("link", "Bench a").await;
    has_focused_heading(&page, "Bench a").await;
    page.reads("main", "", "31.0 %").await;
    page.reads("main", "", "rootzone/greenhouse/bench-a/moisture")
        .await;
}

#[wasm_bindgen_test]
async fn a_title_names_the_probe_and_its_zone_and_a_new_name_leaves_the_focus() {
    let page = Page::open().await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.press("link", "Greenhouse").await;
    has_title("Greenhouse · Rootzone").await;
    page.press("link", "Field").await;
    page.press("link", "Bench a").await;
    has_title("Bench a, Greenhouse · Rootzone").await;
    has_focused_heading(&page, "Bench a").await;
    let toggle = page.find("button", "Show as table").await;
    toggle.focus().unwrap();
    page.keeps("rootzone/config/bench-a", r#"{"name":"Fig"}"#);
    has_title("Fig, Greenhouse · Rootzone").await;
    settle().await;
    assert!(toggle.is_same_node(document().active_element().as_deref()));
}

#[wasm_bindgen_test]
async fn what_was_not_heard_of_is_titled_by_its_address() {
    let _page = Page::open_at("/probe/north-beds/row-5", || (), |_| ()).await;
    has_title("Row 5, North beds · Rootzone").await;
}

#[wasm_bindgen_test]
async fn a_run_is_listed_on_the_page_of_the_pumps() {
    let page = Page::open().await;
    page.press("link", "Pumps").await;
    page.reads("main", "", "No pump has said anything yet.")
        .await;
    page.keeps("rootzone/orchard/pump-1/pump/state", "ON");
    page.reads("main", "", "1 pump is running.").await;
    page.reads("listitem", "", "still running").await;
}

async fn has_focused_heading(page: &Page, name: &str) {
    let what = format!("the focus on the heading {name:?}");
    until(&what, || {
        let heading = page.sees("heading", name)?;
        let focused = document().active_element()?;
        (heading.tag_name() == "H1" && focused.is_same_node(Some(&heading))).then_some(())
    })
    .await;
}

async fn has_title(title: &str) {
    until(&format!("the title {title:?}"), || {
        (document().title() == title).then_some(())
    })
    .await;
}

/// The links that are marked as the page that is shown.
fn current(page: &Page) -> Vec<String> {
    let navigation = page.sees("navigation", "Pages").unwrap();
    let links = crate::role::find_all(&navigation, "link", "");
    links
        .iter()
        .filter(|link| link.get_attribute("aria-current").as_deref() == Some("page"))
        .map(|link| crate::role::spoken(link))
        .collect()
}
