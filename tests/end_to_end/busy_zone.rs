//! A zone of many probes that speak often: the page of all of them side by side keeps up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{Broker, Dashboard, Publisher, eventually, number, quantile, tell};

#[tokio::test]
async fn a_hundred_probes_are_drawn_as_they_come() {
    let duration = Duration::from_secs(number("BENCH_SCALE").unwrap_or(1));
    let broker = Broker::start().await;
    let dashboard = Dashboard::open(&(broker.page_url() + "zone/orchard?window=1h")).await;
    let field = BusyField::start(&broker);
    eventually("all probes are on the page", async || {
        let values = dashboard.browser.script(VALUES).await?;
        (values.as_array()?.len() == N_PROBES).then_some(())
    })
    .await;
    for _ in 0..number("BENCH_ROUNDS").unwrap_or(1) {
        let before = Busy::of(&dashboard).await;
        tokio::time::sleep(duration).await;
        let busy = Busy::of(&dashboard).await;
        tell(
            "zone-100",
            "rootzone",
            "script_percent",
            busy.script_percent(&before),
        );
        tell(
            "zone-100",
            "rootzone",
            "busy_percent",
            busy.busy_percent(&before),
        );
        let mut frames = dashboard.frames(SCROLL).await;
        let p95 = quantile(&mut frames, 0.95);
        tell("zone-100", "rootzone", "scroll_frame_p95_ms", p95);
    }
    let newest = value(field.stop().await);
    eventually("every probe shows its newest reading", async || {
        let values = dashboard.browser.script(VALUES).await?;
        (values == json!(vec![newest.as_str(); N_PROBES])).then_some(())
    })
    .await;
}

/// A hundred probes of which each speaks ten times a second.
struct BusyField {
    is_over: Arc<AtomicBool>,
    publishing: JoinHandle<u64>,
}

impl BusyField {
    fn start(broker: &Broker) -> Self {
        let mut publisher = Publisher::connect(broker);
        let is_over = Arc::new(AtomicBool::new(false));
        let is_told = Arc::clone(&is_over);
        let publishing = tokio::task::spawn_blocking(move || {
            let (start, mut round) = (Instant::now(), 0);
            loop {
                round += 1;
                let payload = value(round);
                for probe in 0..N_PROBES {
                    let topic = format!("rootzone/orchard/tree-{probe}/moisture");
                    publisher.add(&topic, payload.as_bytes());
                    if probe % PROBES_AT_ONCE == PROBES_AT_ONCE - 1 {
                        publisher.send();
                        let n_sent = round * N_PROBES as u64 + probe as u64;
                        let due = Duration::from_millis(n_sent);
                        std::thread::sleep(due.saturating_sub(start.elapsed()));
                    }
                }
                if is_told.load(Ordering::Relaxed) {
                    return round;
                }
            }
        });
        Self {
            is_over,
            publishing,
        }
    }

    /// The last round of readings.
    async fn stop(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.publishing.await.unwrap()
    }
}

/// What all probes read in a round.
fn value(round: u64) -> String {
    format!("{:.1}", 20.0 + (round % 97) as f64 / 10.0)
}

/// What the page's main thread has done until a moment, in seconds.
struct Busy {
    metrics: Value,
}

impl Busy {
    async fn of(dashboard: &Dashboard) -> Self {
        let browser = &dashboard.browser;
        browser.devtools("Performance.enable", json!({})).await;
        let metrics = browser.devtools("Performance.getMetrics", json!({})).await;
        Self { metrics }
    }

    fn seconds(&self, name: &str) -> f64 {
        let metrics = self.metrics["metrics"].as_array().unwrap();
        let metric = metrics.iter().find(|metric| metric["name"] == name);
        metric.unwrap()["value"].as_f64().unwrap()
    }

    fn percent(&self, before: &Self, name: &str) -> f64 {
        let took = |name| self.seconds(name) - before.seconds(name);
        100.0 * took(name) / took("Timestamp")
    }

    fn script_percent(&self, before: &Self) -> f64 {
        self.percent(before, "ScriptDuration")
    }

    /// With layout, style and paint.
    fn busy_percent(&self, before: &Self) -> f64 {
        self.percent(before, "TaskDuration")
    }
}

const N_PROBES: usize = 100;
const PROBES_AT_ONCE: usize = 10;
const VALUES: &str = "return [...document.querySelectorAll('.zone-page-probe strong')].map((value) => value.innerText);";
/// Scrolls for some seconds.
const SCROLL: &str = "
    const frames = [];
    let before = performance.now();
    delete window.frames_ms;
    window.scrollTo(0, 0);
    const step = (now) => {
        frames.push(now - before);
        before = now;
        if (frames.length > 200) { window.frames_ms = frames.slice(1); return; }
        window.scrollBy(0, 20);
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
";
