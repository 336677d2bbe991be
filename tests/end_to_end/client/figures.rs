//! The client's speed beside other people's clients in the same page: `cargo xtask bench client`.
//!
//! An ordinary run of the tests has one short round, which shows that everything can be measured.

use std::time::Duration;

use serde_json::{Value, json};

use super::pixels;
use crate::harness::{Broker, Browser, Publisher, eventually, number, tell};

#[tokio::test]
async fn figures() {
    let n_rounds = number("BENCH_ROUNDS").unwrap_or(1);
    let scale = number("BENCH_SCALE").unwrap_or(1);
    let server = Broker::with_benchmark_page().await;
    let browser = Browser::open(&server.page_url()).await;
    load(&browser).await;
    for _ in 0..n_rounds {
        for (scenario, programs, n_packets) in IN_PAGE {
            for program in programs {
                let given = vec![json!(scenario), json!(program), json!(n_packets * scale)];
                let per_s = run(&browser, MEASURE, given).await;
                tell(scenario, program, "per_s", per_s);
            }
        }
        for program in CLIENTS {
            let per_s = receive_over_socket(&browser, program, 20_000 * scale).await;
            tell("receive-qos0-socket", program, "per_s", per_s);
        }
    }
    drop(browser);
    for _ in 0..n_rounds {
        let latency = pixels::measure(Duration::from_secs(scale.clamp(3, 15))).await;
        println!("{} messages were drawn", latency.n_messages);
        for (metric, value) in [
            ("p50_ms", latency.p50_ms),
            ("p99_ms", latency.p99_ms),
            ("frames_per_s", latency.frames_per_s),
        ] {
            tell("socket-to-pixels", ROOTZONE, metric, value);
        }
    }
}

/// Loads the other clients and what lets all of them do the same.
async fn load(browser: &Browser) {
    eventually("the page is ready", async || {
        let ready = browser.script("return 'client' in window;").await?;
        (ready == true).then_some(())
    })
    .await;
    let loaded = browser
        .client
        .execute_async(LOAD, Vec::new())
        .await
        .unwrap();
    assert_eq!(loaded, true, "other people's clients");
    browser.script(include_str!("figures.js")).await;
    let ready = browser.script("return 'bench' in window;").await;
    assert_eq!(ready, Some(true.into()), "the benchmarks");
}

/// All that a broker can deliver to one subscriber.
async fn receive_over_socket(browser: &Browser, program: &str, n_packets: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let limits = folder.path().join("limits.toml");
    // What is measured is not when messages to a slow client are dropped.
    std::fs::write(&limits, LIMITS).unwrap();
    let limits = limits.to_str().unwrap();
    let broker = Broker::with_client_page(&["--in-memory", "--config", limits], 0, 0).await;
    let given = vec![
        json!(program),
        json!(broker.web_socket_url()),
        json!(TOPIC),
        json!(n_packets),
    ];
    run(browser, LISTEN, given).await;
    let mut publisher = Publisher::connect(&broker);
    let publishing = tokio::task::spawn_blocking(move || {
        for n in 1..=n_packets {
            publisher.add(TOPIC, &[b'x'; 32]);
            if n % 32 == 0 || n == n_packets {
                publisher.send();
            }
        }
        // Its connection ends only now.
        publisher
    });
    let per_s = run(browser, HEARD, Vec::new()).await;
    publishing.await.unwrap();
    per_s
}

/// The figure that a script ends with.
async fn run(browser: &Browser, script: &str, given: Vec<Value>) -> f64 {
    let answer = browser.client.execute_async(script, given).await.unwrap();
    answer
        .as_f64()
        .unwrap_or_else(|| panic!("the page said {answer}"))
}

/// Scenarios of the page itself, who takes part, and the packets of a round at the smallest scale.
const IN_PAGE: [(&str, [&str; 2], u64); 3] = [
    ("decode-publish-73", [ROOTZONE, "mqtt-packet"], 64_000),
    ("publish-qos0", CLIENTS, 16_000),
    ("receive-qos0", CLIENTS, 32_000),
];
const CLIENTS: [&str; 2] = [ROOTZONE, "mqtt.js"];
const ROOTZONE: &str = "rootzone";
const TOPIC: &str = "rootzone/north-beds/probe-12/moisture";

const LIMITS: &str = "\
[connections.output]
high_watermark = 268435456
low_watermark = 134217728
stop_reading = 536870912
";

const LOAD: &str = r"
    const done = arguments[0];
    const load = (source) => new Promise((resolve, reject) => {
        const script = document.createElement('script');
        script.src = source;
        script.onload = resolve;
        script.onerror = reject;
        document.head.append(script);
    });
    Promise.all(['mqtt.js', 'mqtt-packet.js'].map(load)).then(() => done(true), () => done(false));
";
const MEASURE: &str = r"
    const [scenario, program, nPackets, done] = arguments;
    bench[scenario](program, nPackets).then(done, (error) => done(String(error)));
";
const LISTEN: &str = r"
    const [program, url, filter, nPackets, done] = arguments;
    bench.listen(program, url, filter, nPackets).then(() => done(0), (error) => done(String(error)));
";
const HEARD: &str = r"
    const done = arguments[0];
    heard.then(done, (error) => done(String(error)));
";
