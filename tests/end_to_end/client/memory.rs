//! A client that comes and goes, or goes on and on, takes no more memory than it did.
//!
//! `MEMORY_SECONDS` says for how long messages come.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Account, Broker, ClientPage, Publisher, V5_0, eventually, number};

#[tokio::test]
async fn a_thousand_clients_leave_nothing_behind() {
    let broker = Broker::with_client_page(&["--in-memory"], 0, 0).await;
    let page = ClientPage::open().await;
    // What the browser itself makes of a page's scripts, once, is not the client's.
    connect(&page, &broker, 600).await;
    connect(&page, &broker, 200).await;
    let at_a_fifth = Memory::of(&page).await;
    println!("after 200 connections: {at_a_fifth:?}");
    connect(&page, &broker, 800).await;
    let memory = Memory::of(&page).await;
    println!("after 1000 connections: {memory:?}");
    memory.check(at_a_fifth);
}

#[tokio::test]
async fn a_thousand_messages_a_second_leave_nothing_behind() {
    let duration = Duration::from_secs(number("MEMORY_SECONDS").unwrap_or(30));
    let broker = Broker::with_client_page(&["--in-memory"], 0, 0).await;
    let page = ClientPage::open().await;
    page.connect(&broker.web_socket_url(), V5_0, Account::default())
        .await;
    page.connected().await;
    // Only their number is kept.
    page.browser
        .script("messages.push = () => { window.nMessages = (window.nMessages ?? 0) + 1; };")
        .await;
    page.subscribe("#", 0).await.unwrap();
    let publisher = Publisher::connect(&broker);
    let publishing = tokio::task::spawn_blocking(move || publish(publisher, duration));
    let start = Instant::now();
    tokio::time::sleep(duration / 5).await;
    let at_a_fifth = Memory::of(&page).await;
    println!("after {:?}: {at_a_fifth:?}", start.elapsed());
    let n_published = publishing.await.unwrap();
    eventually("all messages have come", async || {
        let n_messages = page.browser.script("return nMessages;").await?;
        (n_messages.as_u64()? == n_published).then_some(())
    })
    .await;
    let memory = Memory::of(&page).await;
    println!("after {n_published} messages: {memory:?}");
    memory.check(at_a_fifth);
}

async fn connect(page: &ClientPage, broker: &Broker, n_times: u32) {
    for _ in 0..n_times / 200 {
        let given = vec![json!(broker.web_socket_url()), json!(200)];
        let browser = &page.browser;
        let done = browser.client.execute_async(CYCLES, given).await.unwrap();
        assert_eq!(done, true);
    }
}

/// A message each millisecond; says how many.
fn publish(mut publisher: Publisher, duration: Duration) -> u64 {
    let start = Instant::now();
    let mut n_published = 0;
    while start.elapsed() < duration {
        let topic = format!("rootzone/bed/probe-{}/moisture", n_published % 50);
        publisher.add(&topic, format!("{{\"moisture\":{n_published}}}").as_bytes());
        publisher.send();
        n_published += 1;
        let due = Duration::from_millis(n_published);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
    n_published
}

/// What is in use after everything was collected.
#[derive(Clone, Copy, Debug)]
struct Memory {
    linear_bytes: f64,
    heap_bytes: f64,
}

impl Memory {
    async fn of(page: &ClientPage) -> Self {
        let browser = &page.browser;
        // What one collection finalises, the next can collect.
        for _ in 0..3 {
            browser
                .devtools("HeapProfiler.collectGarbage", json!({}))
                .await;
        }
        let usage = browser.devtools("Runtime.getHeapUsage", json!({})).await;
        let linear = browser.script("return memory.buffer.byteLength;").await;
        Self {
            linear_bytes: linear.and_then(|bytes| bytes.as_f64()).unwrap(),
            heap_bytes: usage.get("usedSize").and_then(Value::as_f64).unwrap(),
        }
    }

    fn check(self, earlier: Self) {
        assert!(
            self.linear_bytes <= GROWTH_MAX * earlier.linear_bytes
                && self.heap_bytes <= GROWTH_MAX * earlier.heap_bytes,
            "{self:?} after {earlier:?}"
        );
    }
}

const GROWTH_MAX: f64 = 1.02;

/// Connects, is told so, publishes and goes, again and again.
const CYCLES: &str = r"
    const [url, nCycles, done] = arguments;
    (async () => {
        for (let n = 0; n < nCycles; n++) {
            let tell;
            const connected = new Promise((resolve) => (tell = resolve));
            const told = (status) => { if (status.startsWith('connected')) tell(); };
            const mqttClient = await client.PageClient.open(url, n % 2 === 0, '', '', '', told, () => {});
            await connected;
            await mqttClient.publish('memory/cycle', bytes('x'), n % 3, false);
            mqttClient.free();
        }
        return true;
    })().then(done, (error) => done(String(error)));
";
