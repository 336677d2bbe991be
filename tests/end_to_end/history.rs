//! Five years of 24 probes in the broker's history, looked at in a real browser.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::harness::{
    Broker, Dashboard, Role, V5_0, eventually, import_history, number, publish, quantile, tell,
};

#[tokio::test]
async fn years_are_there_when_a_page_is_opened() {
    let folder = TempDir::new().unwrap();
    fill(folder.path()).await;
    let broker = Broker::with_data(folder.path(), 0, 0).await;
    announce(&broker).await;
    let first = broker.page_url() + "probe/orchard/tree-1?window=all";
    let dashboard = Dashboard::open(&first).await;
    eventually("five years of a probe are shown", async || {
        is_of_years(&dashboard).await
    })
    .await;

    dashboard.press(Role::Button, "1 h").await;
    eventually("an hour is shown", async || {
        let caption = caption(&dashboard).await?;
        (caption.contains("lowest") && !caption.contains(YEAR)).then_some(())
    })
    .await;
    dashboard.press(Role::Button, "All").await;
    eventually("and all again", async || is_of_years(&dashboard).await).await;

    dashboard.browser.client.refresh().await.unwrap();
    eventually("after a reload it is there again", async || {
        is_of_years(&dashboard).await
    })
    .await;
    let other_tab = Dashboard::open(&first).await;
    eventually("another tab shows the same", async || {
        is_of_years(&other_tab).await
    })
    .await;

    let (mqtt_port, page_port) = (broker.mqtt_port, broker.page_port);
    broker.kill().await;
    let broker = Broker::with_data(folder.path(), mqtt_port, page_port).await;
    for tab in [&dashboard, &other_tab] {
        eventually("the page is connected again", async || {
            (tab.connection_state().await? == "connected").then_some(())
        })
        .await;
        // What it showed before the kill goes with the reload.
        tab.browser.client.refresh().await.unwrap();
        eventually("and shows what the restarted broker kept", async || {
            is_of_years(tab).await
        })
        .await;
    }
    drop(broker);
}

#[tokio::test]
async fn all_probes_of_a_zone_are_zoomed_from_years_to_an_hour_and_back() {
    let folder = TempDir::new().unwrap();
    fill(folder.path()).await;
    let broker = Broker::with_data(folder.path(), 0, 0).await;
    announce(&broker).await;
    let others: Vec<String> = (2..=N_PROBES)
        .map(|number| format!("orchard%2Ftree-{number}"))
        .collect();
    let address = broker.page_url() + "probe/orchard/tree-1?window=all&beside=";
    let dashboard = Dashboard::open(&(address + &others.join("%2B"))).await;
    eventually("all probes are on the chart", async || {
        let caption = caption(&dashboard).await?;
        (caption.contains("Tree 24 ") && caption.contains(YEAR)).then_some(())
    })
    .await;
    for _ in 0..number("BENCH_ROUNDS").unwrap_or(1) {
        let mut frames = dashboard.frames(ZOOM).await;
        let came_near = dashboard.browser.script("return window.came_near;").await;
        assert_eq!(came_near, Some(true.into()), "an hour was shown");
        for (metric, share) in [
            ("frame_p50_ms", 0.5),
            ("frame_p99_ms", 0.99),
            ("frame_max_ms", 1.0),
        ] {
            tell(
                "probe-24x41k",
                "rootzone",
                metric,
                quantile(&mut frames, share),
            );
        }
    }
    eventually("all is shown again", async || {
        caption(&dashboard).await?.contains(YEAR).then_some(())
    })
    .await;
}

/// Imports a reading an hour of every probe; each misses a day now and then.
async fn fill(folder: &Path) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut text = String::from("time");
    for number in 1..=N_PROBES {
        write!(text, ",rootzone/orchard/tree-{number}/moisture").unwrap();
    }
    for hour in 0..N_HOURS {
        write!(text, "\n{}", (now - (N_HOURS - hour) * 3_600) * 1_000).unwrap();
        for number in 1..=N_PROBES {
            let since_watering = (hour + 31 * number) % 170;
            if (hour + 300 * number) % 5_000 < 24 {
                text.push(',');
            } else {
                write!(text, ",{:.1}", 36.0 - 0.12 * since_watering as f64).unwrap();
            }
        }
    }
    let file = folder.join("past.csv");
    std::fs::write(&file, text).unwrap();
    import_history(&file, folder).await;
}

/// Lets every probe say something that the broker keeps, so that a page knows of it.
async fn announce(broker: &Broker) {
    for number in 1..=N_PROBES {
        let topic = format!("rootzone/orchard/tree-{number}/moisture");
        publish(broker, V5_0, &topic, "21.5", &["-r"]).await;
    }
}

/// Years are told with their year.
async fn is_of_years(dashboard: &Dashboard) -> Option<()> {
    let caption = caption(dashboard).await?;
    (caption.contains("lowest 15.") && caption.contains(YEAR)).then_some(())
}

async fn caption(dashboard: &Dashboard) -> Option<String> {
    let caption = dashboard
        .browser
        .script("return document.querySelector('figcaption')?.innerText;")
        .await?;
    Some(caption.as_str()?.into())
}

const N_PROBES: u64 = 24;
/// How a year begins in a caption; names, values and clocks do not.
const YEAR: &str = " 202";
/// Nearly five years.
const N_HOURS: u64 = 41_000;
/// A step of the wheel with each frame, from all to an hour and back, and how long each frame took.
///
/// Readings so close have to be fetched first: where sixty steps do not lead there, others follow. The address tells
/// where they led, a little later; meanwhile frames do not count.
const ZOOM: &str = "
    const stage = document.querySelector('.chart-stage'), box = stage.getBoundingClientRect(), frames = [];
    delete window.frames_ms;
    const is_near = () => {
        const [start, end] = (new URLSearchParams(location.search).get('window') ?? '').split('-');
        return end - start <= 3600;
    };
    const frame = () => new Promise(requestAnimationFrame);
    const zoom = async (deltaY, n) => {
        let before = await frame();
        while (n-- > 0) {
            const event = { deltaY, ctrlKey: true, bubbles: true, cancelable: true, clientX: box.left + 0.7 * box.width };
            stage.dispatchEvent(new WheelEvent('wheel', event));
            const now = await frame();
            frames.push(now - before);
            before = now;
        }
    };
    const there_and_back = async () => {
        await zoom(-80, 60);
        for (let n = 0; n < 1200 && !is_near(); n++) {
            await (n % 100 < 99 ? frame() : zoom(-80, 5));
        }
        window.came_near = is_near();
        await zoom(100, 60);
        window.frames_ms = frames;
    };
    there_and_back();
";
