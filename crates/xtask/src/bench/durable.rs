//! `cargo xtask bench durable`: what it costs to keep what is acknowledged.
//!
//! Beside `rootzone` stand Mosquitto, which acknowledges from memory, and the disk itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lexopt::Parser;
use serde_json::Value;

use self::disk::Disk;
use self::kept::SCENARIOS as KEPT;
use super::cores::{self, Cores};
use super::figures::{self, Figures};
use super::options::Options;
use super::program::{Program, ROOTZONE};
use super::scenario::{Metric, Scenario, saturating};
use super::{build, folder, generate, generator, peers, tell_times};
use crate::process::is_interrupted;
use crate::progress::{Elapsed, print, say};

mod disk;
mod kept;
mod table;

pub(super) fn run(arguments: Parser) -> Result<()> {
    let options = Options::parse_with_only(arguments)?;
    let scenarios = wanted(&options, &SCENARIOS);
    let kept = match &options.only {
        Some(_) => wanted(&options, &KEPT),
        None => Vec::new(),
    };
    if scenarios.is_empty() && kept.is_empty() {
        let names: Vec<_> = SCENARIOS.iter().chain(&KEPT).map(|one| one.name).collect();
        bail!("--only: there are {}", names.join(", "));
    }
    let start = Instant::now();
    let cores = Cores::find()?;
    cores::raise_open_files()?;
    build()?;
    let mut figures = Figures::default();
    let programs = programs()?;
    for round in 1..=rounds(&options) {
        for &scenario in &scenarios {
            let mut disk = Disk::default();
            for program in &programs {
                // Just before and just after: a disk that is shared is not the same for long.
                let is_beside_the_disk = program.name == ROOTZONE;
                if is_beside_the_disk {
                    measure_disk(&mut disk, &cores, &options)?;
                }
                let outcome = play(&options, &cores, program, scenario);
                take(&mut figures, round, scenario, &program.name, outcome)?;
                if is_beside_the_disk {
                    measure_disk(&mut disk, &cores, &options)?;
                }
            }
            take(&mut figures, round, scenario, disk::NAME, Ok(disk.report()))?;
        }
        for &scenario in &kept {
            let outcome = kept::measure(&cores, scenario);
            take(&mut figures, round, scenario, ROOTZONE, outcome)?;
        }
    }
    let mut names: Vec<_> = programs.iter().map(|program| &*program.name).collect();
    names.push(disk::NAME);
    print(table::of(&scenarios, &kept, &names, &figures));
    for warning in figures.warnings() {
        say(format_args!("warning: {warning}"));
    }
    if let Some(file) = &options.json {
        let told: Vec<_> = scenarios
            .iter()
            .chain(&kept)
            .filter(|scenario| !is_beside(scenario))
            .copied()
            .collect();
        std::fs::write(file, figures.as_json(&told, &names))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    say(format_args!("measured in {}", Elapsed(start.elapsed())));
    Ok(())
}

/// Mosquitto first, as it is what others are compared with.
fn programs() -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    match peers::persistent_mosquitto()? {
        Some(mosquitto) => programs.push(mosquitto),
        None => say("mosquitto is not there (on Debian: apt install mosquitto)"),
    }
    programs.push(Program::rootzone()?.with_long_queues());
    for program in &programs {
        say(format_args!("{} {}", program.name, program.version));
    }
    Ok(programs)
}

fn measure_disk(disk: &mut Disk, cores: &Cores, options: &Options) -> Result<()> {
    let (core, _) = cores.apart();
    cores::on(&core, || disk.measure(&folder(), measured(options) / 2))
}

fn play(options: &Options, cores: &Cores, program: &Program, scenario: &Scenario) -> Result<Value> {
    program.clear_data()?;
    let (broker_cores, generator_cores) = cores.apart();
    let mut broker = cores::on(&broker_cores, || program.start())?;
    let mut generator = generator(&mut broker, scenario)?;
    tell_times(&mut generator, measured(options), warm_up(options));
    if program.name == ROOTZONE {
        generator.args(["--metrics", &broker.address(true)]);
    }
    let report = cores::on(&generator_cores, || generate(generator))?;
    drop(broker);
    program.remove_data()?;
    Ok(report)
}

fn take(
    figures: &mut Figures,
    round: usize,
    scenario: &Scenario,
    program: &str,
    outcome: Result<Value>,
) -> Result<()> {
    if is_interrupted() {
        bail!("interrupted");
    }
    match outcome {
        Ok(report) => {
            let (name, short) = (scenario.name, figures::in_short(scenario, &report));
            say(format_args!("round {round}, {name}, {program}: {short}"));
            figures.add(scenario, program, &report);
        }
        Err(error) => figures.fail(scenario, program, &error),
    }
    Ok(())
}

/// Whether it is for the table alone.
fn is_beside(scenario: &Scenario) -> bool {
    scenario.name.ends_with(ONLINE)
}

/// How many publish; whether the subscriber is away, so that every message is written, or takes it at once, so that
/// some are written and forgotten by the same commit.
const SCENARIOS: [Scenario; 8] = [
    publishers("publishers-1", &["durable", "--away", "--count", "1"]),
    publishers("publishers-16", &["durable", "--away", "--count", "16"]),
    publishers("publishers-64", &["durable", "--away", "--count", "64"]),
    publishers("publishers-1000", &["durable", "--away", "--count", "1000"]),
    publishers("publishers-1-online", &["durable", "--count", "1"]),
    publishers("publishers-16-online", &["durable", "--count", "16"]),
    publishers("publishers-64-online", &["durable", "--count", "64"]),
    publishers("publishers-1000-online", &["durable", "--count", "1000"]),
];

const fn publishers(name: &'static str, load: &'static [&'static str]) -> Scenario {
    Scenario {
        metrics: &[
            Metric::AckedPerS,
            Metric::AckedPerFsync,
            Metric::P50Ms,
            Metric::P99Ms,
            Metric::BytesPerMessage,
        ],
        ..saturating(name, load)
    }
}

const ONLINE: &str = "-online";

fn wanted<'a>(options: &Options, all: &'a [Scenario]) -> Vec<&'a Scenario> {
    all.iter().filter(|one| options.wants(one.name)).collect()
}

const fn rounds(options: &Options) -> usize {
    if options.quick { 1 } else { 5 }
}

const fn measured(options: &Options) -> Duration {
    Duration::from_secs(if options.quick { 2 } else { 3 })
}

const fn warm_up(options: &Options) -> Duration {
    Duration::from_millis(if options.quick { 500 } else { 1_000 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_measured_when_it_is_named() {
        let names = |words: &[&str]| -> Vec<_> {
            let options =
                Options::parse_with_only(Parser::from_args(words.iter().copied())).unwrap();
            let scenarios = wanted(&options, &SCENARIOS).into_iter();
            let all = scenarios.chain(wanted(&options, &KEPT));
            all.map(|scenario| scenario.name).collect()
        };
        assert_eq!(
            names(&["--only", "publishers-16"]),
            ["publishers-16", "publishers-16-online"]
        );
        assert_eq!(
            names(&["--only", "restart"]),
            ["restart", "restart-distinct"]
        );
        assert_eq!(names(&["--only", "x"]), [""; 0]);
    }
}
