//! What a browser does to a page: whatever it was, the client is connected again within 2 s.

use serde_json::json;

use crate::harness::{Account, Broker, ClientPage, Link, V5_0, eventually};

#[tokio::test]
async fn a_page_that_is_shown_again_recovers() {
    let world = World::start().await;
    let browser = &world.page.browser;
    let tab = browser.client.window().await.unwrap();
    let other = browser.client.new_window(true).await.unwrap();
    browser.client.switch_to_window(other.handle).await.unwrap();
    browser.devtools("Page.bringToFront", json!({})).await;

    world.link.silence();
    browser.client.switch_to_window(tab).await.unwrap();
    browser.devtools("Page.bringToFront", json!({})).await;
    world.sees("hidden").await;
    world.recovers_from("visible").await;
}

#[tokio::test]
async fn a_page_that_was_frozen_recovers() {
    let world = World::start().await;
    let browser = &world.page.browser;
    let state = |state: &str| json!({ "state": state });
    browser
        .devtools("Page.setWebLifecycleState", state("frozen"))
        .await;
    world.link.silence();
    browser
        .devtools("Page.setWebLifecycleState", state("active"))
        .await;
    world.recovers_from("resume").await;
}

#[tokio::test]
async fn a_page_that_was_offline_recovers() {
    let world = World::start().await;
    let browser = &world.page.browser;
    let conditions = |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Network.emulateNetworkConditions", conditions(true))
        .await;
    world.sees("offline").await;
    world.link.cut();
    eventually("the client has noticed", async || {
        (!world.page.is_connected().await).then_some(())
    })
    .await;

    world.link.mend();
    browser
        .devtools("Network.emulateNetworkConditions", conditions(false))
        .await;
    world.recovers_from("online").await;
}

#[tokio::test]
async fn a_page_that_comes_back_from_the_cache_recovers() {
    let world = World::start().await;
    let client = &world.page.browser.client;
    let elsewhere = Broker::with_client_page(&["--in-memory"], 0, 0).await;
    client.goto(&elsewhere.page_url()).await.unwrap();
    client.back().await.unwrap();
    world.recovers_from("restored").await;
}

struct World {
    page: ClientPage,
    link: Link,
    _broker: Broker,
}

impl World {
    /// A page whose client is connected through a link.
    async fn start() -> Self {
        let broker = Broker::with_client_page(&["--in-memory"], 0, 0).await;
        let link = Link::to_page_of(&broker).await;
        let page = ClientPage::open().await;
        page.connect(&link.web_socket_url(), V5_0, Account::default())
            .await;
        page.connected().await;
        Self {
            page,
            link,
            _broker: broker,
        }
    }

    async fn sees(&self, event: &str) {
        eventually(&format!("the page is {event}"), async || {
            self.page.has_seen(event).await.then_some(())
        })
        .await;
    }

    /// Checks that a connection was made anew, and how long it took since this happened to the page.
    async fn recovers_from(&self, event: &str) {
        let took = eventually(&format!("connected after {event}"), async || {
            let events = self.page.events().await;
            let happened = events.iter().rposition(|(_, seen)| seen == event)?;
            let mut later = events[happened..].iter();
            let (connected_at, _) = later.find(|(_, seen)| seen.starts_with("connected"))?;
            Some(connected_at - events[happened].0)
        })
        .await;
        println!("{took:.0} ms from {event} to connected");
        assert!(took <= 2000.0, "{took:.0} ms from {event} to connected");
        let ping = self.page.publish("still/alive", "yes", 1, false).await;
        assert_eq!(ping, Ok(serde_json::Value::Null));
    }
}
