//! `cargo xtask bench micro`: what the steps of a message's way cost `rootzone` without sockets.

use std::path::PathBuf;

use anyhow::{Context, Result};
use lexopt::{Arg, Parser};
use serde_json::{Value, json};

use crate::process::{cargo, read, run as run_command};
use crate::progress::{print, step};

use super::figures::rounded;
use super::program::ROOTZONE;

pub(crate) fn run(arguments: Parser) -> Result<()> {
    let json = parse(arguments)?;
    step("building the benchmark", || {
        run_command(cargo()?.args(BENCHMARK).arg("--no-run"))
    })?;
    let said = step("measuring", || read(cargo()?.args(BENCHMARK)))?;
    let figures = figures(&said)?;
    print(format_args!("{:<34} {:>10} {:>12}", "scenario", "ns", "/s"));
    for (scenario, nanoseconds) in &figures {
        print(format_args!(
            "{scenario:<34} {:>10} {:>12}",
            rounded(*nanoseconds),
            rounded(per_s(*nanoseconds))
        ));
    }
    if let Some(file) = json {
        std::fs::write(&file, as_json(&figures))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Where the figures shall be written, too.
fn parse(mut arguments: Parser) -> Result<Option<PathBuf>> {
    let mut json = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            // Relative to where we were started, not to where we work.
            Arg::Long("json") => json = Some(std::path::absolute(arguments.value()?)?),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    Ok(json)
}

/// Scenarios and nanoseconds, as the benchmark prints them.
fn figures(said: &str) -> Result<Vec<(&str, f64)>> {
    said.lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            line.split_once(' ')
                .and_then(|(scenario, figure)| Some((scenario, figure.parse().ok()?)))
                .with_context(|| format!("the benchmark said {line:?}"))
        })
        .collect()
}

fn as_json(figures: &[(&str, f64)]) -> String {
    let rows = figures.iter().flat_map(|&(scenario, nanoseconds)| {
        let row = |metric, value, unit| {
            json!({
                "scenario": scenario,
                "program": ROOTZONE,
                "metric": metric,
                "value": value,
                "unit": unit,
            })
        };
        [
            row("per_s", per_s(nanoseconds), "1/s"),
            row("ns", nanoseconds, "ns"),
        ]
    });
    format!("{:#}\n", rows.collect::<Value>())
}

fn per_s(nanoseconds: f64) -> f64 {
    1e9 / nanoseconds
}

const BENCHMARK: [&str; 5] = ["bench", "--package", "mqtt-broker-core", "--bench", "micro"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_benchmark_prints_becomes_rows() {
        let figures = figures("micro-decode-5.0 50.0\n").unwrap();
        let rows: Value = serde_json::from_str(&as_json(&figures)).unwrap();
        assert_eq!(
            rows,
            json!([
                {"scenario": "micro-decode-5.0", "program": "rootzone", "metric": "per_s", "value": 2e7, "unit": "1/s"},
                {"scenario": "micro-decode-5.0", "program": "rootzone", "metric": "ns", "value": 50.0, "unit": "ns"},
            ])
        );
    }

    #[test]
    fn what_is_no_figure_is_an_error() {
        assert!(figures("running 0 tests").is_err());
    }
}
