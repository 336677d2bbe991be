//! From a publisher's socket to the screen: 1,000 messages a second into 50 charts that can be seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::harness::{Broker, Browser, Publisher, eventually};

/// Of all messages, and the frames that the page drew meanwhile.
#[derive(Debug)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) frames_per_s: f64,
    pub(super) n_messages: usize,
}

pub(super) async fn measure(duration: Duration) -> Latency {
    let broker = Broker::start().await;
    let browser = Browser::open("about:blank").await;
    set_height(&browser, 6000).await;
    let script = json!({ "source": include_str!("pixels.js") });
    browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", script)
        .await;
    browser.client.goto(&broker.page_url()).await.unwrap();

    let publisher = Publisher::connect(&broker);
    let is_enough = Arc::new(AtomicBool::new(false));
    let publishing = tokio::task::spawn_blocking({
        let is_enough = Arc::clone(&is_enough);
        move || publish(publisher, &is_enough)
    });
    eventually("every chart is drawn", async || {
        let n_drawn = browser.script(N_DRAWN).await?;
        (n_drawn == N_PROBES).then_some(())
    })
    .await;
    let height = browser
        .script(HEIGHT)
        .await
        .and_then(|height| height.as_u64());
    set_height(&browser, height.unwrap()).await;
    tokio::time::sleep(WARM_UP).await;
    browser.script(BEGIN).await.unwrap();
    tokio::time::sleep(duration).await;
    let said = browser.script(END).await.unwrap();
    let (drawn, frames_per_s): (Vec<(String, String, f64)>, f64) =
        serde_json::from_value(said).unwrap();
    is_enough.store(true, Ordering::Relaxed);
    let sent = publishing.await.unwrap();
    let latencies = latencies(&sent, drawn);
    // Otherwise the figure would be of something else.
    let wanted = (duration.as_secs_f64() * RATE * 0.9) as usize;
    assert!(
        latencies.len() >= wanted,
        "only {} of {wanted} messages were drawn",
        latencies.len()
    );
    let percentile = |part: f64| latencies[((latencies.len() - 1) as f64 * part) as usize] / 1000.0;
    Latency {
        p50_ms: percentile(0.5),
        p99_ms: percentile(0.99),
        frames_per_s,
        n_messages: latencies.len(),
    }
}

/// As high as all cards need: charts out of sight do not draw.
async fn set_height(browser: &Browser, height: u64) {
    let metrics =
        json!({ "width": 1440, "height": height, "deviceScaleFactor": 1, "mobile": false });
    browser
        .devtools("Emulation.setDeviceMetricsOverride", metrics)
        .await;
}

/// When each message was sent, in microseconds, by probe. The so-manyeth message says its number by its value.
type Sent = Vec<Vec<f64>>;

/// One message after the other, each at its time, a probe after the other.
fn publish(mut publisher: Publisher, is_enough: &AtomicBool) -> Sent {
    let mut sent = vec![Vec::new(); N_PROBES];
    let start = Instant::now();
    for n in 0.. {
        let due = start + Duration::from_secs_f64(f64::from(n) / RATE);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if is_enough.load(Ordering::Relaxed) {
            break;
        }
        let probe = n as usize % N_PROBES;
        let topic = format!("rootzone/zone-{}/{}/moisture", probe / 10, name(probe));
        let stamp = microseconds();
        let moisture = value(sent[probe].len());
        let payload = format!(r#"{{"moisture":{moisture:.1},"stamp":{stamp:.0}}}"#);
        sent[probe].push(stamp);
        publisher.add(&topic, payload.as_bytes());
        publisher.send();
    }
    sent
}

/// From every message to the frame after the one that drew it or a later one of its probe; sorted.
fn latencies(sent: &Sent, drawn: Vec<(String, String, f64)>) -> Vec<f64> {
    let mut by_probe: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for (card, value, end) in drawn {
        let probe = (0..N_PROBES).find(|probe| words(&card) == words(&name(*probe)));
        let probe = probe.unwrap_or_else(|| panic!("there is no probe {card:?}"));
        let value = value.parse().unwrap();
        by_probe.entry(probe).or_default().push((value, end));
    }
    assert_eq!(by_probe.len(), N_PROBES, "not every chart was drawn");
    let mut latencies = Vec::new();
    for (probe, drawn) in by_probe {
        let sent = &sent[probe];
        // The value comes again after a while: it is the newest of those that were sent by then.
        let number = |shown: f64, end: f64| {
            let is_it = |n: &usize| sent[*n] <= end && (value(*n) - shown).abs() < 0.05;
            (0..sent.len()).rev().find(is_it)
        };
        let mut next = None;
        for (value, end) in drawn {
            let number = number(value, end).expect("what is shown was sent");
            // What was drawn when the measurement began is not of it.
            if let Some(next) = next {
                latencies.extend((next..=number).map(|n| end - sent[n]));
            }
            next = Some(next.unwrap_or(0).max(number + 1));
        }
    }
    latencies.sort_by(f64::total_cmp);
    latencies
}

fn name(probe: usize) -> String {
    format!("probe-{probe}")
}

/// The page shows a device's name as people write it.
fn words(name: &str) -> String {
    name.to_lowercase().replace([' ', '_'], "-")
}

/// As the page shows it, to one decimal, different for a long time.
fn value(number: usize) -> f64 {
    5.0 + (number % 900) as f64 / 10.0
}

fn microseconds() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_micros() as f64
}

const N_PROBES: usize = 50;
/// Messages a second, of all probes together.
const RATE: f64 = 1000.0;
const WARM_UP: Duration = Duration::from_secs(2);

const HEIGHT: &str = r"
    const bottoms = [...document.querySelectorAll('.probe-card')].map((card) => card.getBoundingClientRect().bottom);
    return Math.ceil(scrollY + Math.max(...bottoms));
";
const N_DRAWN: &str = "return new Set(drawn.map(([probe]) => probe)).size;";
const BEGIN: &str =
    "window.begun = performance.now(); window.drawn = []; window.nFrames = 0; return true;";
const END: &str = "return [drawn, nFrames * 1000 / (performance.now() - begun)];";
