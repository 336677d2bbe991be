//! `cargo xtask bench chart`: our chart beside npm's uPlot, in one headless Chromium and by turns.

mod server;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lexopt::Parser;
use serde_json::{Value, json};

use crate::process::{Running, cargo, command, run as run_command};
use crate::progress::{print, say, step};
use crate::{prerequisites, tools, wasm_opt, workspace};

use self::server::{Report, Server};
use super::figures::rounded;
use super::options::Options;

pub(crate) fn run(arguments: Parser) -> Result<()> {
    let options = Options::parse(arguments)?;
    let folder = build()?;
    let scenarios = json!(SCENARIOS.map(|(name, series, points, redraws)| json!({
        "name": name,
        "series": series,
        "points": points,
        "redraws": if options.quick { redraws / 4 } else { redraws },
    })));
    fs::write(folder.join("scenarios.json"), scenarios.to_string())?;
    let figures = measure(&folder)?;
    print(table(&figures));
    for goal in missed(&figures) {
        say(format_args!("missed: {goal}"));
    }
    if let Some(file) = &options.json {
        fs::write(file, format!("{:#}\n", Value::from(figures)))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Gathers what the browser loads in a folder.
fn build() -> Result<PathBuf> {
    tools::install_wasm_target()?;
    tools::install_wasm_bindgen()?;
    tools::install_uplot()?;
    step("building the chart's page", || {
        run_command(
            cargo()?
                .args(["build", "--target", tools::WASM, "--profile", PROFILE])
                .args(["--example", NAME]),
        )
    })?;
    let folder = super::folder().join("chart");
    fs::create_dir_all(&folder)?;
    let built = workspace::target()
        .join(tools::WASM)
        .join(PROFILE)
        .join("examples")
        .join(NAME)
        .with_extension("wasm");
    run_command(
        command("wasm-bindgen")?
            .arg(built)
            .args(["--target", "web", "--no-typescript", "--out-dir"])
            .arg(&folder),
    )?;
    let wasm = folder.join(NAME.to_owned() + "_bg.wasm");
    if tools::has_wasm_opt() {
        run_command(wasm_opt::command(&wasm, &wasm)?.args(wasm_opt::OPTIMIZING))?;
    }
    let uplot = workspace::node_modules().join("uplot").join("dist");
    for file in ["uPlot.iife.min.js", "uPlot.min.css"] {
        fs::copy(uplot.join(file), folder.join(file))
            .with_context(|| format!("uPlot has no {file}"))?;
    }
    fs::write(folder.join("index.html"), include_str!("chart/page.html"))?;
    fs::write(folder.join("page.js"), include_str!("chart/page.js"))?;
    Ok(folder)
}

fn measure(folder: &Path) -> Result<Vec<Value>> {
    let browser = prerequisites::browser()?;
    let server = Server::start(folder)?;
    let profile = super::folder().join("chromium");
    let mut chromium = command(browser.chromium)?;
    chromium
        .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--window-size=1300,1300"])
        .args(["--enable-precise-memory-info", "--js-flags=--expose-gc"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(server.address())
        .stderr(std::process::Stdio::null());
    let _browser = Running::start(&mut chromium)?;
    let mut figures = Vec::new();
    loop {
        match server.next_report()? {
            Report::Figures(found) => {
                let name = found.first().map_or(&Value::Null, |row| &row["scenario"]);
                say(format_args!("measured {name}"));
                figures.extend(found);
            }
            Report::Failure(what) => bail!("the page failed: {what}"),
            Report::End => return Ok(figures),
        }
    }
}

fn figure(figures: &[Value], scenario: &str, program: &str, metric: &str) -> Option<f64> {
    let is_it = |row: &&Value| {
        row["scenario"] == scenario && row["program"] == program && row["metric"] == metric
    };
    figures.iter().find(is_it)?["value"].as_f64()
}

fn table(figures: &[Value]) -> String {
    let mut lines = vec![format!(
        "{:<10} {:<16} {:>12} {:>12} {:>8}",
        "scenario", "metric", OURS, PEER, "times"
    )];
    for (scenario, ..) in SCENARIOS {
        for metric in METRICS {
            let of = |program| figure(figures, scenario, program, metric);
            if let (Some(ours), Some(peers)) = (of(OURS), of(PEER)) {
                lines.push(format!(
                    "{scenario:<10} {metric:<16} {:>12} {:>12} {:>8}",
                    rounded(ours),
                    rounded(peers),
                    rounded(peers / ours)
                ));
            }
        }
    }
    for (scenario, metric) in ALONE {
        if let Some(ours) = figure(figures, scenario, OURS, metric) {
            lines.push(format!("{scenario:<10} {metric:<16} {:>12}", rounded(ours)));
        }
    }
    lines.join("\n")
}

/// What is not as good as it shall be.
fn missed(figures: &[Value]) -> Vec<String> {
    let mut missed = Vec::new();
    for (scenario, least) in SPEED_GOALS {
        let of = |program| figure(figures, scenario, program, "redraw_ms");
        if let (Some(ours), Some(peers)) = (of(OURS), of(PEER))
            && peers < least * ours
        {
            let times = rounded(peers / ours);
            missed.push(format!(
                "{scenario}: redraws {times} times as fast (goal: {least})"
            ));
        }
    }
    for (scenario, ..) in SCENARIOS {
        for (metric, most) in LIMITS {
            if let Some(value) = figure(figures, scenario, OURS, metric)
                && value > most
            {
                missed.push(format!(
                    "{scenario}: {metric} {} (goal: {most})",
                    rounded(value)
                ));
            }
        }
    }
    for (scenario, metric, most) in LIMITS_ALONE {
        if let Some(value) = figure(figures, scenario, OURS, metric)
            && value > most
        {
            missed.push(format!(
                "{scenario}: {metric} {} (goal: {most})",
                rounded(value)
            ));
        }
    }
    missed
}

const NAME: &str = "chart_benchmark";
const PROFILE: &str = "wasm-release";
const OURS: &str = "rootzone";
const PEER: &str = "uplot";
const METRICS: [&str; 4] = ["redraw_ms", "append_us", "pointer_ms", "bytes_per_point"];
/// Name, series, readings of each, redraws.
const SCENARIOS: [(&str, usize, usize, usize); 4] = [
    ("10x1k", 10, 1_000, 200),
    ("20x100k", 20, 100_000, 60),
    ("100x100k", 100, 100_000, 20),
    ("10x1M", 10, 1_000_000, 40),
];
/// How many times as fast as the other.
const SPEED_GOALS: [(&str, f64); 3] = [("10x1k", 1.0), ("100x100k", 3.0), ("10x1M", 10.0)];
/// Twenty-four series of five years, from all of them to an hour and back.
const ZOOM: &str = "zoom-24x41k";
/// A hundred small charts with ten readings a second each.
const GRID: &str = "grid-100";
/// What is measured of ours alone.
const ALONE: [(&str, &str); 4] = [
    (ZOOM, "frame_ms"),
    (ZOOM, "frame_p99_ms"),
    (GRID, "script_percent"),
    (GRID, "scroll_frame_p95_ms"),
];
const LIMITS_ALONE: [(&str, &str, f64); 3] = [
    (ZOOM, "frame_p99_ms", 33.0),
    (GRID, "script_percent", 5.0),
    (GRID, "scroll_frame_p95_ms", 33.0),
];
const LIMITS: [(&str, f64); 2] = [("pointer_ms", 2.0), ("bytes_per_point", 8.0)];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scenario: &str, program: &str, metric: &str, value: f64) -> Value {
        json!({"scenario": scenario, "program": program, "metric": metric, "value": value, "unit": ""})
    }

    #[test]
    fn goals_that_are_missed_are_said() {
        let figures = [
            row("10x1M", OURS, "redraw_ms", 10.0),
            row("10x1M", PEER, "redraw_ms", 90.0),
            row("10x1k", OURS, "redraw_ms", 1.0),
            row("10x1k", PEER, "redraw_ms", 1.5),
            row("10x1k", OURS, "pointer_ms", 2.5),
            row("10x1k", PEER, "pointer_ms", 9.5),
        ];
        assert_eq!(
            missed(&figures),
            [
                "10x1M: redraws 9.00 times as fast (goal: 10)",
                "10x1k: pointer_ms 2.50 (goal: 2)"
            ]
        );
    }
}
