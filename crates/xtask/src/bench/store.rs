//! `cargo xtask bench store`: what a start, a copy and a commit cost a store with a million entries.

use std::path::PathBuf;

use anyhow::{Context, Result};
use lexopt::{Arg, Parser};
use serde_json::{Value, json};

use crate::process::{cargo, read, run as run_command};
use crate::progress::{print, step};

use super::figures::rounded;
use super::program::ROOTZONE;

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut json: Option<PathBuf> = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => json = Some(arguments.value()?.into()),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    step("building the benchmark", || {
        run_command(cargo()?.args(BENCHMARK).arg("--no-run"))
    })?;
    let said = step("measuring, which takes a minute", || {
        read(cargo()?.args(BENCHMARK))
    })?;
    let mut rows = Vec::new();
    for (scenario, value, unit) in said.lines().filter_map(figure) {
        print(format_args!("{scenario:<68} {:>12} {unit}", rounded(value)));
        rows.push(json!({
            "scenario": scenario,
            "program": ROOTZONE,
            "metric": unit,
            "value": value,
            "unit": unit,
        }));
    }
    if let Some(file) = json {
        std::fs::write(&file, format!("{:#}\n", Value::from(rows)))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// A line of the benchmark: name, value and unit.
fn figure(line: &str) -> Option<(&str, f64, &str)> {
    let mut words = line.split('\t');
    Some((words.next()?, words.next()?.parse().ok()?, words.next()?))
}

const BENCHMARK: [&str; 7] = [
    "bench",
    "--package",
    "mqtt-broker",
    "--features",
    "testing",
    "--bench",
    "store",
];
