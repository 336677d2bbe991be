//! Exactly once, whatever breaks: the tab is reloaded, the link is cut and the broker is killed at any moment,
//! while the tab publishes numbers at QoS 2 to a subscriber that counts them.
//!
//! `CRASH_SECONDS` says for how long, `CRASH_MESSAGES` until how many numbers there were, `SEED` repeats the choices
//! of another run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use tokio::process::Command;

use crate::harness::{Broker, ClientPage, Link, Process, eventually, number, python};

#[tokio::test]
async fn every_number_arrives_exactly_once() {
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let mut world = World::start().await;
    let start = Instant::now();
    let mut counts = Counts::default();
    while !is_enough(start, &world) {
        tokio::time::sleep(Duration::from_millis(rng.u64(20..1200))).await;
        // Whatever is broken is mended soon, so that something gets through.
        if rng.bool() {
            world.mend().await;
            continue;
        }
        match rng.u32(0..3) {
            0 => {
                world.reload().await;
                counts.n_reloads += 1;
            }
            1 => {
                world.link.cut();
                counts.n_cuts += 1;
            }
            _ => {
                if let Some(broker) = world.broker.take() {
                    broker.kill().await;
                    counts.n_kills += 1;
                }
            }
        }
    }
    let took = start.elapsed();
    world.settle().await;

    let loads = world.loads().await;
    let received = world.numbers();
    let once: BTreeSet<u64> = received.iter().copied().collect();
    let n_twice = received.len() - once.len();
    let lost = lost(&loads, &once);
    let unacknowledged: Vec<_> = world.acknowledged.difference(&once).collect();
    let n_late = world.n_late_commands();
    let n_commands = world.pump.lines().len();
    let n_published = loads.last().map_or(0, |last| last.end);
    let n_stored: u64 = loads.iter().map(|load| load.end - load.first).sum();
    println!(
        "{} numbers arrived in {took:.0?}, {} of them seen acknowledged, {n_stored} certainly stored before their \
         page ended; {} came too late for that; {n_commands} commands; {counts:?}, SEED={seed}",
        once.len(),
        world.acknowledged.len(),
        n_published - once.len() as u64,
    );
    assert_eq!(lost, [0; 0], "lost, with SEED={seed}");
    assert_eq!(n_twice, 0, "delivered twice, with SEED={seed}");
    assert!(
        unacknowledged.is_empty(),
        "acknowledged and lost: {unacknowledged:?}, with SEED={seed}"
    );
    assert_eq!(n_late, 0, "commands came late, with SEED={seed}");
    assert_eq!(world.failures, [""; 0], "with SEED={seed}");
    // Otherwise this was no test.
    let floor = took.as_secs() / 20;
    assert!(
        counts.n_reloads.min(counts.n_cuts).min(counts.n_kills) >= floor
            && once.len() as u64 >= 5 * took.as_secs()
            && n_stored >= n_published / 2
            && n_commands as u64 >= took.as_secs() / 2,
        "{counts:?}, {n_stored} of {n_published} certainly stored"
    );
}

#[derive(Debug, Default)]
struct Counts {
    n_reloads: u64,
    n_cuts: u64,
    n_kills: u64,
}

fn is_enough(start: Instant, world: &World) -> bool {
    match number("CRASH_MESSAGES") {
        Some(messages) => world.counter.lines().len() as u64 > messages,
        None => start.elapsed().as_secs() >= number("CRASH_SECONDS").unwrap_or(20),
    }
}

/// The numbers that did not arrive although they were stored, or although a later one of the same load did.
///
/// What a load published in its last moments may not have been stored before it ended; then it was never sent,
/// and neither was a later one.
fn lost(loads: &[Load], arrived: &BTreeSet<u64>) -> Vec<u64> {
    let ends = loads[1..].iter().map(|next| next.first).chain([u64::MAX]);
    let missing = loads.iter().zip(ends).flat_map(|(load, next_first)| {
        let newest = arrived.range(load.first..next_first).next_back();
        let end = newest.map_or(load.end, |newest| load.end.max(newest + 1));
        (load.first..end).filter(|number| !arrived.contains(number))
    });
    missing.collect()
}

/// The numbers of one load of the page: those that were certainly stored when it ended.
struct Load {
    first: u64,
    end: u64,
}

struct World {
    folder: tempfile::TempDir,
    mqtt_port: u16,
    page_port: u16,
    /// `None` while it is dead.
    broker: Option<Broker>,
    link: Link,
    page: ClientPage,
    counter: Process,
    pump: Process,
    /// As the page said, as far as it was asked in time.
    acknowledged: BTreeSet<u64>,
    failures: Vec<String>,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = durable_broker(folder.path(), 0, 0).await;
        let (mqtt_port, page_port) = (broker.mqtt_port, broker.page_port);
        let link = Link::to_page_of(&broker).await;
        let port = mqtt_port.to_string();
        let mut counter = Process::start(
            "the counter",
            python().args(["-c", include_str!("counter.py"), &port, "crash/number"]),
        );
        counter
            .line("the counter is subscribed", |line| {
                (line == "ready").then_some(())
            })
            .await;
        // It has no session: what it gets is sent at once.
        let pump = Process::start(
            "mosquitto_sub",
            Command::new("stdbuf").args([
                "-oL",
                "mosquitto_sub",
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-t",
                "crash/pump",
                "-F",
                "%U %p",
            ]),
        );
        let page = ClientPage::open().await;
        let world = Self {
            folder,
            mqtt_port,
            page_port,
            broker: Some(broker),
            link,
            page,
            counter,
            pump,
            acknowledged: BTreeSet::new(),
            failures: Vec::new(),
        };
        world.run_page().await;
        world
    }

    async fn run_page(&self) {
        let given = vec![json!(self.link.web_socket_url())];
        let client = &self.page.browser.client;
        client
            .execute(include_str!("crashes.js"), given)
            .await
            .unwrap();
    }

    async fn reload(&mut self) {
        self.ask_page().await;
        self.page.browser.client.refresh().await.unwrap();
        self.page.prepare().await;
        self.run_page().await;
    }

    /// Takes what the page knows.
    async fn ask_page(&mut self) {
        let script = "return [acknowledged.splice(0), failures.splice(0)];";
        let said = self.page.browser.script(script).await.unwrap();
        let (acknowledged, failures): (Vec<u64>, Vec<String>) =
            serde_json::from_value(said).unwrap();
        self.acknowledged.extend(acknowledged);
        self.failures.extend(failures);
    }

    async fn mend(&mut self) {
        self.link.mend();
        if self.broker.is_none() {
            let folder = self.folder.path();
            self.broker = Some(durable_broker(folder, self.mqtt_port, self.page_port).await);
        }
    }

    /// Lets everything that was published arrive.
    async fn settle(&mut self) {
        self.mend().await;
        // The last number of a load that ended may never have been stored; one of this load will be.
        let script = "
            window.dispatchEvent(new Event('online'));
            if (!(localStorage.next > window.first)) return null;
            isEnough = true;
            return localStorage.next - 1;
        ";
        let last = eventually("the page has published something", async || {
            self.page.browser.script(script).await?.as_u64()
        })
        .await;
        let last = last.to_string();
        eventually("the last number has arrived", async || {
            self.counter.lines().contains(&last).then_some(())
        })
        .await;
        // What came twice may come a little later.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.ask_page().await;
    }

    /// All loads of the page. The last one was given the time for everything.
    async fn loads(&self) -> Vec<Load> {
        let script = "return `${localStorage.loads ?? ''} ${first} ${localStorage.next}`;";
        let said = self.page.browser.script(script).await.unwrap();
        let words = said.as_str().unwrap().split_whitespace();
        let numbers: Vec<u64> = words.map(|word| word.parse().unwrap()).collect();
        let loads = numbers.chunks(2);
        loads
            .map(|load| Load {
                first: load[0],
                end: load[1],
            })
            .collect()
    }

    fn numbers(&self) -> Vec<u64> {
        let lines = self.counter.lines();
        lines.iter().filter_map(|line| line.parse().ok()).collect()
    }

    /// Commands that arrived later than any that was sent at once.
    fn n_late_commands(&self) -> usize {
        let age = |line: &String| {
            let (arrived, sent) = line.split_once(' ')?;
            let (arrived, sent): (f64, f64) = (arrived.parse().ok()?, sent.parse().ok()?);
            Some(arrived - sent / 1000.0)
        };
        let lines = self.pump.lines();
        let ages = lines.iter().filter_map(age);
        ages.filter(|age| *age > AT_ONCE_SECS).count()
    }
}

async fn durable_broker(folder: &Path, mqtt_port: u16, page_port: u16) -> Broker {
    let data = folder.join("data");
    let arguments = ["--data-dir", data.to_str().unwrap()];
    Broker::with_client_page(&arguments, mqtt_port, page_port).await
}

/// Longer than a busy machine takes; a broker or a link is often gone for longer.
const AT_ONCE_SECS: f64 = 1.0;
