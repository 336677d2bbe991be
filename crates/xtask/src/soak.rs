//! `cargo xtask soak`: tests that find more the longer they run.

use std::process::Command;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::process::{cargo, run as run_command};
use crate::{prerequisites, test};

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut what = None;
    let mut until = None;
    let mut unit = None;
    let mut seed = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long(name @ ("minutes" | "cuts" | "kills" | "messages")) => {
                if unit.is_some() {
                    bail!("--{name}: something else already says when it is enough");
                }
                unit = Some(name.to_owned());
                let number: u64 = arguments.value()?.parse()?;
                until = Some(match unit.as_deref() {
                    Some("minutes") => Until::Seconds(seconds(number)?),
                    _ => Until::Times(number),
                });
            }
            Arg::Long("seed") => seed = Some(arguments.value()?.parse()?),
            Arg::Value(name) if what.is_none() => what = Some(name.string()?),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    let what = what.with_context(|| format!("soak what? {SOAKS}"))?;
    match (what.as_str(), unit.as_deref()) {
        (_, Some(unit @ ("cuts" | "kills" | "messages"))) if !counts(&what, unit) => {
            bail!(
                "--cuts is for power-cuts, --kills for kills, --messages for browser-crashes; {what} takes --minutes"
            )
        }
        ("simulation", _) => simulate(until.unwrap_or(Until::Seconds(3600)), seed),
        ("power-cuts", _) => cut_power(until.unwrap_or(Until::Times(100_000)), seed),
        ("kills", _) => kill(until.unwrap_or(Until::Times(1000)), seed),
        ("churn", _) => churn(until.unwrap_or(Until::Seconds(600)), seed),
        ("browser-crashes", _) => crash_browser(until.unwrap_or(Until::Times(10_000)), seed),
        ("browser-memory", _) if seed.is_some() => bail!("browser-memory takes no --seed"),
        ("browser-memory", _) => use_memory(until.unwrap_or(Until::Seconds(600))),
        (other, _) => bail!("there is no soak of {other:?}. {SOAKS}"),
    }
}

/// Whether a soak is told by this when it is enough.
fn counts(what: &str, unit: &str) -> bool {
    matches!(
        (what, unit),
        ("power-cuts", "cuts") | ("kills", "kills") | ("browser-crashes", "messages")
    )
}

fn seconds(minutes: u64) -> Result<u64> {
    minutes.checked_mul(60).context("too many minutes")
}

/// When it is enough.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Seconds(u64),
    /// As many power cuts, kills or messages.
    Times(u64),
}

impl Until {
    fn tell(self, test: &mut Command, seconds: &str, times: &str) {
        match self {
            Self::Seconds(number) => test.env(seconds, number.to_string()),
            Self::Times(number) => test.env(times, number.to_string()),
        };
    }
}

/// The protocol, with many clients on a bad network; or one seed of it.
pub(crate) fn simulate(until: Until, seed: Option<u64>) -> Result<()> {
    let mut test = optimised_test(seed)?;
    until.tell(&mut test, "SIMULATION_SECONDS", "");
    run_command(test.args(["--package", "mqtt-broker-core"]).args([
        "--test",
        "simulation",
        "--",
        "--nocapture",
    ]))
}

/// Lets the power go again and again while messages are stored, or runs one seed of it.
pub(crate) fn cut_power(until: Until, seed: Option<u64>) -> Result<()> {
    let mut test = optimised_test(seed)?;
    until.tell(&mut test, "POWER_CUT_SECONDS", "POWER_CUTS");
    run_command(
        test.args(["--package", "mqtt-broker", "--features", "testing"])
            .args(["--test", "power_cuts", "--", "--nocapture"]),
    )
}

/// Kills the broker again and again under other people's clients.
pub(crate) fn kill(until: Until, seed: Option<u64>) -> Result<()> {
    let programs = prerequisites::mqtt_programs()?;
    let mut test = real_broker_test(seed)?;
    until.tell(&mut test, "KILL_SECONDS", "KILLS");
    run_command(test.env("PYTHON", &programs.python).arg("kills::"))
}

/// Lets thousands of sessions come and go, and watches the size of what is stored.
fn churn(until: Until, seed: Option<u64>) -> Result<()> {
    let mut test = real_broker_test(seed)?;
    until.tell(&mut test, "CHURN_SECONDS", "");
    run_command(test.arg("churn::"))
}

/// Reloads the tab, cuts the link and kills the broker at random while the tab publishes numbers.
pub(crate) fn crash_browser(until: Until, seed: Option<u64>) -> Result<()> {
    test::prepare_end_to_end()?;
    let mut test = test::end_to_end_command()?;
    until.tell(&mut test, "CRASH_SECONDS", "CRASH_MESSAGES");
    if let Some(seed) = seed {
        test.env("SEED", seed.to_string());
    }
    run_command(test.args(["client::crashes::", "--", "--nocapture"]))
}

/// Lets messages come to the client in a browser, and watches its memory.
fn use_memory(until: Until) -> Result<()> {
    test::prepare_end_to_end()?;
    let mut test = test::end_to_end_command()?;
    until.tell(&mut test, "MEMORY_SECONDS", "");
    run_command(test.args(["client::memory::", "--", "--nocapture"]))
}

/// What checks itself in an unoptimised build does so here too.
fn optimised_test(seed: Option<u64>) -> Result<Command> {
    let mut test = cargo_test(seed)?;
    test.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .arg("--release");
    Ok(test)
}

fn real_broker_test(seed: Option<u64>) -> Result<Command> {
    let mut test = cargo_test(seed)?;
    test.args(["--package", "rootzone", "--test", "soak"])
        .args(["--", "--nocapture"]);
    Ok(test)
}

fn cargo_test(seed: Option<u64>) -> Result<Command> {
    let mut test = cargo()?;
    if let Some(seed) = seed {
        test.env("SEED", seed.to_string());
    }
    test.arg("test");
    Ok(test)
}

const SOAKS: &str =
    "There are simulation, power-cuts, kills, churn, browser-crashes and browser-memory.";
