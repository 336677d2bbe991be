//! Pictures of the page for people to judge, and for the README.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{
    Broker, Dashboard, Field, Measurements, Role, Subscriber, V5_0, eventually, field_simulator,
    import_history,
};

#[tokio::test]
async fn screenshots_of_every_page_at_two_widths_in_light_and_dark() {
    let measurements = Measurements::open();
    let folder_of_broker = TempDir::new().unwrap();
    fill(folder_of_broker.path(), &measurements).await;
    let broker = Broker::with_data(folder_of_broker.path(), 0, 0).await;
    let readings = Subscriber::start(&broker, V5_0, "rootzone/+/+/moisture", &[]).await;
    let _field = Field::replay(&broker, &measurements).await;
    let dashboard = Dashboard::open(&broker.page_url()).await;
    dashboard.live_cards(measurements.columns.len()).await;
    dashboard.press_switch("Orchard pump").await;
    dashboard
        .switch_that("Orchard pump", "runs", |look| look.state == "running")
        .await;
    let n_readings = READINGS_EACH * measurements.columns.len();
    eventually("the charts have something to show", async || {
        (readings.messages().len() >= n_readings).then_some(())
    })
    .await;

    let hidden = json!({ "hidden": true });
    dashboard
        .browser
        .devtools("Emulation.setScrollbarsHidden", hidden)
        .await;
    let folder = folder();
    for (name, presses) in PAGES {
        for &(role, name) in presses {
            dashboard.press(role, name).await;
        }
        eventually("the charts show what the broker kept", async || {
            let waiting = dashboard.browser.script(IS_WAITING).await?;
            (waiting == false).then_some(())
        })
        .await;
        for width in [360, 1440] {
            for theme in ["light", "dark"] {
                let file = folder.join(format!("{name}-{width}-{theme}.png"));
                take(&dashboard, width, theme, &file).await;
            }
        }
    }
}

/// Enough for a curve.
const READINGS_EACH: usize = 20;

/// A page's name in its file, and what leads to it.
const PAGES: [(&str, &[(Role, &str)]); 5] = [
    ("field", &[]),
    ("probe", &[(Role::Link, "Bed 1"), (Role::Button, "7 d")]),
    ("zone", &[(Role::Link, "North beds"), (Role::Button, "7 d")]),
    ("pumps", &[(Role::Link, "Pumps")]),
    ("settings", &[(Role::Link, "Settings")]),
];

/// Whether a chart does not show days yet.
const IS_WAITING: &str = "
    const captions = [...document.querySelectorAll('figcaption')];
    return captions.some((caption) => !/\\d [A-Z][a-z]+.* lowest/.test(caption.textContent));
";

/// Lets the field have been there for some weeks.
async fn fill(folder: &Path, measurements: &Measurements) {
    let past = field_simulator()
        .args(["--past-days", "14", "--replay"])
        .arg(measurements.path())
        .output()
        .await
        .unwrap();
    assert!(past.status.success(), "{past:?}");
    let file = folder.join("past.csv");
    fs::write(&file, past.stdout).unwrap();
    import_history(&file, folder).await;
}

async fn take(dashboard: &Dashboard, width: u32, theme: &str, file: &Path) {
    let browser = &dashboard.browser;
    let height = if width < 600 { 800 } else { 1000 };
    let metrics = json!({
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
    });
    browser
        .devtools("Emulation.setDeviceMetricsOverride", metrics)
        .await;
    // Without reduced motion the picture would catch the colours on their way.
    let scheme = json!({ "features": [
        { "name": "prefers-color-scheme", "value": theme },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ] });
    browser.devtools("Emulation.setEmulatedMedia", scheme).await;
    eventually("the page has its new width", async || {
        (browser.script("return innerWidth;").await? == width).then_some(())
    })
    .await;
    // Two frames: one in which the charts learn their new size, one in which they have drawn.
    browser
        .client
        .execute_async(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));",
            Vec::new(),
        )
        .await
        .unwrap();
    let overflow = browser
        .script("return document.documentElement.scrollWidth - innerWidth;")
        .await
        .and_then(|points| points.as_i64())
        .unwrap();
    assert!(
        overflow <= 0,
        "{} is {overflow} px too wide",
        file.display()
    );
    fs::write(file, browser.client.screenshot().await.unwrap()).unwrap();
}

fn folder() -> PathBuf {
    let folder = env::var_os("SCREENSHOTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots"),
        PathBuf::from,
    );
    fs::create_dir_all(&folder).unwrap();
    folder
}
