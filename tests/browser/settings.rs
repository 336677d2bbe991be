//! A grower says which broker, and how the page looks.

use dashboard::dom::{document, window};
use dashboard::in_page_broker::InPageBroker;
use dashboard::preferences;
use dashboard::state::{Broker, Brokers};
use js_sys::{Function, Object, Reflect};
use mqtt_protocol::{ProtocolVersion, ReasonCode};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{HtmlInputElement, HtmlSelectElement};

use crate::page::{DEFAULT_ADDRESS, Page, settle, topic_name, until};
use crate::role::spoken;

#[wasm_bindgen_test]
async fn a_wrong_address_is_refused_with_the_reason_and_stays_as_it_was_typed() {
    let page = Page::open().await;
    page.press("link", "Settings").await;
    for wrong in ["http://greenhouse.local", "ws://", "greenhouse"] {
        page.fill("Address", wrong).await;
        page.press("button", "Connect").await;
        page.reads("alert", "", "That is not an address").await;
        page.reads("alert", "", "The connection in use goes on.")
            .await;
        has_focus(&page, "Address").await;
        let field = page.find("textbox", "Address").await;
        assert_eq!(field.get_attribute("aria-invalid").as_deref(), Some("true"));
        assert_eq!(value(&page, "Address").await, wrong);
    }
    assert_eq!(remembered(), [""; 0]);
    page.reads("main", "", DEFAULT_ADDRESS).await;
}

#[wasm_bindgen_test]
async fn another_broker_is_tried_then_kept_and_used() {
    let page = Page::open().await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.card("Bench a").await;
    let other = InPageBroker::listen(TENT);
    other.publish(&topic_name("rootzone/tent/pot/moisture"), "55", true);
    page.press("link", "Settings").await;
    page.fill("Address", TENT).await;
    page.fill("Name", "Tent").await;
    page.fill("User name", "anna").await;
    page.fill("Password", "geheim").await;
    page.fill("Client Identifier", "tablet").await;
    page.fill("Keep Alive", "30").await;
    choose_version(&page, "3.1.1").await;
    page.press("button", "Connect").await;
    page.reads("main", "", &["Address in use ", TENT].concat())
        .await;
    page.find("button", "Tent is in use").await;

    let connects = other.take_connects();
    let [connect] = connects.as_slice() else {
        panic!("the connection that was tried is the one that is used: {connects:?}");
    };
    assert_eq!(connect.protocol_version, ProtocolVersion::V3_1_1);
    assert_eq!(connect.user_name.as_deref(), Some("anna"));
    assert_eq!(connect.password.as_deref(), Some(&b"geheim"[..]));
    assert_eq!(&*connect.client_identifier, "tablet");
    assert_eq!(connect.keep_alive, 30);
    assert_eq!(remembered(), ["Tent"]);
    assert_eq!(
        value(&page, "Password").await,
        "",
        "the form is empty again"
    );

    page.press("link", "Field").await;
    page.card("Pot").await.reads("55.0 %").await;
    assert!(page.sees("heading", "Bench a").is_none());
}

#[wasm_bindgen_test]
async fn a_refusal_is_said_in_words_while_the_old_connection_goes_on() {
    let page = Page::open().await;
    let other = InPageBroker::listen(TENT);
    page.press("link", "Settings").await;
    for (reason_code, words, field) in [
        (
            ReasonCode::BadUserNameOrPassword,
            "The broker refused: wrong user name or password.",
            "User name",
        ),
        (
            ReasonCode::NotAuthorized,
            "The broker refused: not authorized. Check the user name and the password.",
            "User name",
        ),
        (
            ReasonCode::ClientIdentifierNotValid,
            "The broker refused: Client Identifier not valid.",
            "Client Identifier",
        ),
        (
            ReasonCode::ServerBusy,
            "Not connected: the broker refused: server busy.",
            "Address",
        ),
    ] {
        other.refuse(Some(reason_code));
        page.fill("Address", TENT).await;
        page.fill("Password", "falsch").await;
        page.press("button", "Connect").await;
        page.reads("alert", "", words).await;
        has_focus(&page, field).await;
        assert_eq!(value(&page, "Address").await, TENT);
        assert_eq!(value(&page, "Password").await, "falsch");
    }
    page.reads("status", "", "Connected").await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.press("link", "Field").await;
    page.card("Bench a").await.reads("live").await;
    assert_eq!(remembered(), [""; 0]);
}

#[wasm_bindgen_test]
async fn where_nobody_listens_is_unreachable_and_not_kept() {
    let page = Page::open().await;
    page.press("link", "Settings").await;
    page.fill("Address", "ws://nowhere.invalid/mqtt").await;
    page.press("button", "Connect").await;
    page.reads("alert", "", "Not connected: the broker cannot be reached.")
        .await;
    has_focus(&page, "Address").await;
    page.reads("status", "", "Connected").await;
    assert_eq!(remembered(), [""; 0]);
}

#[wasm_bindgen_test]
async fn a_trial_says_that_it_is_going_on_and_can_be_cancelled() {
    let page = Page::open().await;
    let other = InPageBroker::listen(TENT);
    other.keep_silent(true);
    page.press("link", "Settings").await;
    page.fill("Address", TENT).await;
    page.press("button", "Connect").await;
    page.reads("status", "", "Trying, for 10 s at most.").await;
    page.press("button", "Cancel").await;
    page.loses("button", "Cancel").await;
    has_focus(&page, "Address").await;
    assert_eq!(value(&page, "Address").await, TENT);
    other.keep_silent(false);
    settle().await;
    page.reads("main", "", &["Address in use ", DEFAULT_ADDRESS].concat())
        .await;
    assert_eq!(remembered(), [""; 0]);
}

#[wasm_bindgen_test]
async fn a_trial_leaves_the_session_in_use_alone() {
    let page = Page::open_at("/settings", keep_tent, |_| ()).await;
    let tent = InPageBroker::listen(TENT);
    page.press("button", "Use Tent").await;
    page.find("button", "Tent is in use").await;
    page.reads("status", "", "Connected").await;
    page.press("button", "Edit Tent").await;
    has_focus(&page, "Address").await;
    tent.refuse_by(|connect| {
        let is_right = connect.password.as_deref() == Some(b"geheim");
        (!is_right).then_some(ReasonCode::BadUserNameOrPassword)
    });
    drop(tent.take_connects());
    page.fill("Password", "falsch").await;
    page.press("button", "Connect").await;
    page.reads("alert", "", "wrong user name or password").await;
    let identifiers: Vec<_> = tent.take_connects();
    assert_eq!(identifiers.len(), 1);
    assert_ne!(&*identifiers[0].client_identifier, "tablet");
    page.reads("status", "", "Connected").await;

    page.fill("Password", "geheim").await;
    page.press("button", "Connect").await;
    page.reads("status", "", "The broker has accepted.").await;
    page.reads("status", "", "Connected").await;
    let connects = tent.take_connects();
    assert_eq!(&*connects.last().unwrap().client_identifier, "tablet");
}

#[wasm_bindgen_test]
async fn brokers_are_switched_with_one_press_and_the_address_says_which() {
    let tent = InPageBroker::listen(TENT);
    let page = Page::open_at("/settings", keep_tent, |_| ()).await;
    page.find("button", "The one that served this page is in use")
        .await;
    assert_eq!(search(), "");
    page.press("button", "Use Tent").await;
    page.find("button", "Tent is in use").await;
    assert_eq!(search(), "?broker=Tent");
    page.reads("banner", "", "Connected Tent").await;
    tent.publish(&topic_name("rootzone/tent/pot/moisture"), "55", true);
    page.press("link", "Field").await;
    assert_eq!(search(), "?broker=Tent", "links keep it");
    page.press("link", "Pot").await;
    page.reads("main", "", "55.0 %").await;
    assert_eq!(search(), "?broker=Tent");

    page.reload().await;
    page.reads("main", "", "55.0 %").await;

    page.press("link", "Settings").await;
    page.press("button", "Use the one that served this page")
        .await;
    page.reads("main", "", &["Address in use ", DEFAULT_ADDRESS].concat())
        .await;
    assert_eq!(search(), "");
}

#[wasm_bindgen_test]
async fn going_back_keeps_the_broker_in_use_and_the_address_says_which() {
    let tent = InPageBroker::listen(TENT);
    let page = Page::open_at("/", keep_tent, |_| ()).await;
    page.press("link", "Settings").await;
    page.press("button", "Use Tent").await;
    page.find("button", "Tent is in use").await;
    tent.publish(&topic_name("rootzone/tent/pot/moisture"), "55", true);
    window().history().unwrap().back().unwrap();
    page.card("Pot").await.reads("55.0 %").await;
    page.find("heading", "Field Tent").await;
    assert_eq!(search(), "?broker=Tent");
}

#[wasm_bindgen_test]
async fn a_remembered_broker_is_tried_before_it_is_used() {
    let tent = InPageBroker::listen(TENT);
    tent.refuse(Some(ReasonCode::ServerBusy));
    let page = Page::open_at("/settings", keep_tent, |_| ()).await;
    page.press("button", "Use Tent").await;
    page.reads("alert", "", "the broker refused: server busy")
        .await;
    page.find("heading", "Edit Tent").await;
    page.find("button", "The one that served this page is in use")
        .await;
    page.reads("status", "", "Connected").await;
    assert_eq!(search(), "");
    page.reload().await;
    page.find("button", "The one that served this page is in use")
        .await;
}

#[wasm_bindgen_test]
async fn a_trial_ends_after_10_s() {
    let page = Page::open().await;
    let other = InPageBroker::listen(TENT);
    other.keep_silent(true);
    page.press("link", "Settings").await;
    page.fill("Address", TENT).await;
    let began = js_sys::Date::now();
    page.press("button", "Connect").await;
    page.reads("status", "", "Trying, for 10 s at most.").await;
    while page.sees("alert", "").is_none() {
        assert!(js_sys::Date::now() - began < 12_000.0, "it goes on");
        settle().await;
    }
    assert!(js_sys::Date::now() - began > 9_000.0, "it was too short");
    page.reads("alert", "", "The connection in use goes on.")
        .await;
    assert_eq!(remembered(), [""; 0]);
}

#[wasm_bindgen_test]
async fn where_storage_is_forbidden_that_is_said_and_everything_works() {
    let tent = InPageBroker::listen(TENT);
    let page = Page::open_at("/settings", || (), |_| ()).await;
    let forbidden = ForbiddenStorage::new();
    page.reload().await;
    page.reads("status", "", "does not let the page keep anything")
        .await;
    page.fill("Address", TENT).await;
    page.fill("Name", "Tent").await;
    page.press("button", "Connect").await;
    page.find("button", "Tent is in use").await;
    page.press("radio", "Dark").await;
    let root = document().document_element().unwrap();
    assert_eq!(root.get_attribute("data-theme").as_deref(), Some("dark"));
    drop((forbidden, tent));
}

#[wasm_bindgen_test]
async fn a_broker_is_edited_in_its_place() {
    let tent = InPageBroker::listen(TENT);
    let page = Page::open_at("/settings", keep_tent, |_| ()).await;
    page.press("button", "Edit Tent").await;
    page.find("heading", "Edit Tent").await;
    has_focus(&page, "Address").await;
    assert_eq!(value(&page, "User name").await, "anna");
    page.fill("Name", "Polytunnel").await;
    page.press("button", "Connect").await;
    page.find("button", "Polytunnel is in use").await;
    page.find("heading", "Connect to another broker").await;
    assert_eq!(remembered(), ["Polytunnel"]);
    assert_eq!(search(), "?broker=Polytunnel");
    drop(tent);
}

#[wasm_bindgen_test]
async fn a_forgotten_broker_can_be_had_back() {
    let tent = InPageBroker::listen(TENT);
    let page = Page::open_at("/settings?broker=Tent", keep_tent, |_| ()).await;
    page.reads("status", "", "Connected").await;
    page.press("button", "Forget Tent").await;
    page.reads("status", "", "Forgot Tent.").await;
    assert_eq!(remembered(), [""; 0]);
    page.reads("main", "", &["Address in use ", DEFAULT_ADDRESS].concat())
        .await;
    until("the focus on the way back", || {
        let focused = document().active_element()?;
        (spoken(&focused) == "Undo").then_some(())
    })
    .await;
    page.press("button", "Undo").await;
    page.find("button", "Tent is in use").await;
    page.loses("button", "Undo").await;
    assert_eq!(remembered(), ["Tent"]);
    assert_eq!(search(), "?broker=Tent");
    drop(tent);
}

#[wasm_bindgen_test]
async fn a_link_to_an_unknown_broker_is_asked_about_before_it_is_connected_to() {
    let other = InPageBroker::listen(TENT);
    other.publish(&topic_name("rootzone/tent/pot/moisture"), "55", true);
    let address = ["/probe/tent/pot?broker=", TENT].concat();
    let page = Page::open_at(&address, || (), |_| ()).await;
    page.reads("main", "", "names a broker that this browser does not know")
        .await;
    page.reads("status", "", "Not connected").await;
    assert_eq!(value(&page, "Address").await, TENT);
    settle().await;
    assert!(other.take_connects().is_empty());

    page.press("button", "Connect").await;
    page.reads("main", "", "55.0 %").await;
    assert!(search().starts_with("?broker="));
    assert_eq!(remembered(), [TENT]);
}

#[wasm_bindgen_test]
async fn a_link_is_split_into_the_fields_and_shows_no_password() {
    let address = "/?broker=ws%3A%2F%2Fanna%3Age%2540heim%40tent.invalid%2Fmqtt";
    let page = Page::open_at(address, || (), |_| ()).await;
    page.find("textbox", "Address").await;
    assert_eq!(value(&page, "Address").await, TENT);
    assert_eq!(value(&page, "User name").await, "anna");
    assert_eq!(value(&page, "Password").await, "ge@heim");
    assert!(!window().location().href().unwrap().contains("heim"));

    page.fill("Address", "ws://ben:secret@tent.invalid/mqtt")
        .await;
    page.press("button", "Connect").await;
    page.reads("alert", "", "cannot be reached").await;
    assert_eq!(value(&page, "Address").await, TENT);
    assert_eq!(value(&page, "User name").await, "ben");
    assert_eq!(value(&page, "Password").await, "secret");
}

#[wasm_bindgen_test]
async fn a_password_is_kept_by_the_tab_alone_unless_that_is_asked_for() {
    let tent = InPageBroker::listen(TENT);
    let page = Page::open().await;
    page.press("link", "Settings").await;
    page.fill("Address", TENT).await;
    page.fill("User name", "anna").await;
    page.fill("Password", "geheim").await;
    page.press("button", "Connect").await;
    page.reads("status", "", "The broker has accepted.").await;
    assert!(!kept_text().contains("geheim"));
    page.reload().await;
    page.reads("status", "", "Connected").await;
    assert_eq!(
        tent.take_connects().last().unwrap().password.as_deref(),
        Some(&b"geheim"[..]),
        "the tab still knows it"
    );

    let tab = window().session_storage().unwrap().unwrap();
    tab.clear().unwrap();
    page.reload().await;
    page.reads("main", "", "The password of this broker is not kept")
        .await;
    assert!(tent.take_connects().is_empty());
    page.fill("Password", "geheim").await;
    page.press("checkbox", "Keep the password in this browser")
        .await;
    page.press("button", "Connect").await;
    page.reads("status", "", "Connected").await;
    assert!(kept_text().contains("geheim"));
    tab.clear().unwrap();
    page.reload().await;
    page.reads("status", "", "Connected").await;
}

#[wasm_bindgen_test]
async fn a_name_that_another_broker_has_is_refused() {
    let page = Page::open_at("/settings", keep_tent, |_| ()).await;
    page.fill("Address", "ws://shed.invalid").await;
    page.fill("Name", "Tent").await;
    page.press("button", "Connect").await;
    page.reads("alert", "", "Another broker is called so.")
        .await;
    has_focus(&page, "Name").await;
}

#[wasm_bindgen_test]
async fn what_an_earlier_version_kept_is_carried_over_once() {
    let tent = InPageBroker::listen(TENT);
    let keep = || storage().set_item("rootzone.broker", TENT).unwrap();
    let page = Page::open_at("/", keep, |_| ()).await;
    page.reads("status", "", "Connected").await;
    assert_eq!(tent.take_connects().len(), 1);
    assert_eq!(storage().get_item("rootzone.broker").unwrap(), None);
    assert_eq!(remembered(), [TENT]);
}

#[wasm_bindgen_test]
async fn what_is_damaged_is_left_out() {
    for damaged in [
        "{",
        "[1,2]",
        r#"{"brokers":[{"address":7}],"preferred":{}}"#,
    ] {
        let keep = || storage().set_item("rootzone.brokers", damaged).unwrap();
        let page = Page::open_at("/settings", keep, |_| ()).await;
        page.reads("status", "", "Connected").await;
        page.find("button", "The one that served this page is in use")
            .await;
    }
}

#[wasm_bindgen_test]
async fn a_full_storage_is_said_and_everything_works_on() {
    let tent = InPageBroker::listen(TENT);
    let page = Page::open_at("/settings", fill_storage, |_| ()).await;
    page.fill("Address", TENT).await;
    page.fill("Name", "Tent").await;
    page.press("button", "Connect").await;
    page.find("button", "Tent is in use").await;
    page.reads("status", "", "does not let the page keep anything")
        .await;
    page.press("link", "Field").await;
    page.press("link", "Settings").await;
    page.press("button", "Use the one that served this page")
        .await;
    page.press("button", "Use Tent").await;
    page.find("button", "Tent is in use").await;
    storage().clear().unwrap();
    drop(tent);
}

#[wasm_bindgen_test]
async fn the_brokers_software_is_shown_if_it_says_so() {
    let page = Page::open().await;
    page.press("link", "Settings").await;
    page.reads("main", "", "Round trip").await;
    assert!(!spoken(&page.find("main", "").await.into()).contains("Software"));
    page.keeps("$SYS/broker/version", "mosquitto version 2.0.18");
    page.reads("main", "", "Software mosquitto version 2.0.18")
        .await;
    page.broker.cut();
    page.reads("main", "", "Software mosquitto version 2.0.18")
        .await;
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

fn keep_tent() {
    let mut brokers = Brokers::default();
    let mut tent = Broker::new(TENT);
    let typed = [TENT, "anna", "geheim", "Tent", "5.0", "tablet", "60"];
    for (field, value) in typed.into_iter().enumerate() {
        tent.set_value(field, value);
    }
    tent.keeps_password = true;
    brokers.keep(tent, "");
    assert!(preferences::keep_brokers(&brokers));
}

/// A browser that lets no page keep anything, until this is dropped.
struct ForbiddenStorage([(&'static str, Object); 2]);

impl ForbiddenStorage {
    fn new() -> Self {
        let forbid = Object::new();
        let get = Function::new_no_args("throw new DOMException('forbidden', 'SecurityError')");
        Reflect::set(&forbid, &"get".into(), &get).unwrap();
        Reflect::set(&forbid, &"configurable".into(), &true.into()).unwrap();
        Self(["localStorage", "sessionStorage"].map(|name| {
            let was = Object::get_own_property_descriptor(&window(), &name.into());
            Object::define_property(&window(), &name.into(), &forbid);
            (name, was.unchecked_into())
        }))
    }
}

impl Drop for ForbiddenStorage {
    fn drop(&mut self) {
        for (name, was) in &self.0 {
            Object::define_property(&window(), &(*name).into(), was);
        }
    }
}

/// Leaves no room in this browser's storage.
fn fill_storage() {
    let storage = storage();
    let mut chunk = "x".repeat(1 << 20);
    let mut number = 0;
    while !chunk.is_empty() {
        match storage.set_item(&["filler", &number.to_string()].concat(), &chunk) {
            Ok(()) => number += 1,
            Err(_) => chunk.truncate(chunk.len() / 2),
        }
    }
}

async fn choose_version(page: &Page, version: &str) {
    let choice = page.find("combobox", "MQTT version").await;
    choice
        .unchecked_into::<HtmlSelectElement>()
        .set_value(version);
}

async fn value(page: &Page, field: &str) -> String {
    let field = page.find("textbox", field).await;
    field.unchecked_into::<HtmlInputElement>().value()
}

async fn has_focus(page: &Page, field: &str) {
    let what = ["the focus on the field ", field].concat();
    until(&what, || {
        let field = page.sees("textbox", field)?;
        let focused = document().active_element()?;
        focused.is_same_node(Some(&field)).then_some(())
    })
    .await;
}

/// The labels of the brokers that this browser keeps.
fn remembered() -> Vec<String> {
    let brokers = preferences::brokers().unwrap();
    brokers
        .known
        .iter()
        .map(|known| known.label().into())
        .collect()
}

fn kept_text() -> String {
    storage().get_item("rootzone.brokers").unwrap().unwrap()
}

fn storage() -> web_sys::Storage {
    window().local_storage().unwrap().unwrap()
}

fn search() -> String {
    window().location().search().unwrap()
}

const TENT: &str = "ws://tent.invalid/mqtt";
