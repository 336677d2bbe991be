//! `cargo xtask bench history`: what years of readings cost on the disk, and how quickly they are answered while more
//! of them come.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lexopt::Parser;
use serde_json::{Value, json};

use self::load::{Durations, Load};
use self::readings::{Readings, SCENARIOS};
use super::figures::rounded;
use super::options::Options;
use super::program::{Program, ROOTZONE, Started, release_binary};
use crate::process::{cargo, command, is_interrupted, read, run as run_command};
use crate::progress::{Elapsed, print, say, step};

mod load;
mod readings;

pub(super) fn run(arguments: Parser) -> Result<()> {
    let options = Options::parse_with_only(arguments)?;
    let scenarios = options.choose(&SCENARIOS, |scenario| scenario.name)?;
    let start = Instant::now();
    step("building the broker", || {
        run_command(cargo()?.args(["build", "--release", "--package", ROOTZONE]))
    })?;
    let mut figures = Vec::new();
    for scenario in scenarios {
        let readings = step("writing the file of readings", || {
            (scenario.write)(options.quick)
        })?;
        match readings {
            Some(readings) => measure(scenario.name, &readings, &options, &mut figures)?,
            None => say(format_args!(
                "{}: its file is not there; ROOTZONE_DATA is to name its folder",
                scenario.name
            )),
        }
    }
    if let Some(file) = &options.json {
        let rows: Vec<Value> = figures.iter().map(Figure::as_json).collect();
        fs::write(file, format!("{:#}\n", Value::from(rows)))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    say(format_args!("measured in {}", Elapsed(start.elapsed())));
    Ok(())
}

/// How long each kind of load lasts.
const fn measured(options: &Options) -> Duration {
    Duration::from_secs(if options.quick { 5 } else { 20 })
}

struct Figure {
    scenario: &'static str,
    metric: &'static str,
    value: f64,
    unit: &'static str,
}

impl Figure {
    fn as_json(&self) -> Value {
        json!({
            "scenario": self.scenario,
            "program": ROOTZONE,
            "metric": self.metric,
            "value": self.value,
            "unit": self.unit,
        })
    }
}

/// Imports, starts, and asks while readings come.
fn measure(
    scenario: &'static str,
    readings: &Readings,
    options: &Options,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let mut tell = |metric, value: f64, unit| {
        print(format_args!(
            "{scenario:<22} {metric:<24} {:>10} {unit}",
            rounded(value)
        ));
        figures.push(Figure {
            scenario,
            metric,
            value,
            unit,
        });
    };
    let program = Program::rootzone()?.with_old_readings();
    program.clear_data()?;
    let data = program.data();
    let mut import = command(release_binary(ROOTZONE))?;
    import
        .args(["history", "import"])
        .arg(&readings.file)
        .args(readings.columns)
        .arg("--data-dir")
        .arg(&data);
    let begin = Instant::now();
    let said = read(&mut import)?;
    let elapsed = begin.elapsed();
    let n_points = said.split_whitespace().next().map(str::parse::<f64>);
    let n_points = n_points
        .and_then(Result::ok)
        .with_context(|| format!("the import said {said:?}"))?;
    tell("points", n_points, "");
    tell("import_per_s", n_points / elapsed.as_secs_f64(), "1/s");
    let file = data.join("rootzone.redb");
    let n_bytes = fs::metadata(&file).with_context(|| format!("no {}", file.display()))?;
    tell("file_bytes", n_bytes.len() as f64, "bytes");

    let begin = Instant::now();
    let mut broker = program.start()?;
    tell("start_ms", begin.elapsed().as_secs_f64() * 1e3, "ms");
    let kept = counter(&broker, "rootzone_history_bytes")?;
    tell("bytes_per_point", kept / n_points, "bytes");
    tell("memory_bytes", memory(&mut broker)?, "bytes");

    // Retained, as probes publish: so without the history too, a PUBACK waits for the disk.
    let elsewhere = readings.topics_below("elsewhere");
    let topics = readings.topics_below("rootzone");
    let (mut without, mut with) = (Durations::default(), Durations::default());
    // In turns: a disk that is shared is not the same for long.
    for _ in 0..TURNS {
        for (topics, durations) in [(&elsewhere, &mut without), (&topics, &mut with)] {
            let load = Load::begin(&broker.address(false), topics)?;
            durations.add(load.end_after(measured(options) / TURNS)?);
        }
    }
    tell("puback_p50_without_ms", without.percentile(50), "ms");
    tell("puback_p99_without_ms", without.percentile(99), "ms");
    tell("puback_p50_ms", with.percentile(50), "ms");
    tell("puback_p99_ms", with.percentile(99), "ms");
    tell("readings_per_s", with.rate(), "1/s");

    let load = Load::begin(&broker.address(false), &topics)?;
    let (answers, pings) = load::ask(&broker.address(false), readings, &topics, measured(options))?;
    load.end_after(Duration::ZERO)?;
    tell("queries", answers.len() as f64, "");
    tell("query_p50_ms", answers.percentile(50), "ms");
    tell("query_p99_ms", answers.percentile(99), "ms");
    // What the machine alone makes of it, as other work goes on.
    tell("ping_p99_ms", pings.percentile(99), "ms");
    let loaded = memory(&mut broker)?;
    tell("memory_loaded_bytes", loaded, "bytes");
    drop(broker);
    program.remove_data()?;
    if is_interrupted() {
        bail!("interrupted");
    }
    Ok(())
}

/// Of each kind of load.
const TURNS: u32 = 5;

/// A number of `/metrics`.
fn counter(broker: &Started, name: &str) -> Result<f64> {
    let address = broker.address(true);
    let mut stream = TcpStream::connect(&address)?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let mut lines = answer.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.with_context(|| format!("/metrics has no {name}"))
}

/// What is in memory now, as the system counts it.
fn memory(broker: &mut Started) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", broker.id()))?;
    let mut lines = status.lines();
    let kilobytes = lines.find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"));
    let kilobytes = kilobytes.context("VmRSS is missing")?;
    Ok(kilobytes.trim().parse::<f64>()? * 1024.0)
}
