//! `cargo xtask soak`: tests that find more the longer they run.

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::prerequisites;
use crate::process::{cargo, run as run_command};

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut what = None;
    let mut minutes = None;
    let mut n_kills = None;
    let mut seed = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("minutes") => minutes = Some(arguments.value()?.parse::<u64>()?),
            Arg::Long("kills") => n_kills = Some(arguments.value()?.parse()?),
            Arg::Long("seed") => seed = Some(arguments.value()?.parse()?),
            Arg::Value(name) if what.is_none() => what = Some(name.string()?),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    let seconds_or =
        |default: u64| u64::checked_mul(minutes.unwrap_or(default), 60).context("too many minutes");
    if n_kills.is_some() && (what.as_deref() != Some("kills") || minutes.is_some()) {
        bail!("--kills is for the soak of the kills, in the place of --minutes");
    }
    match what.as_deref() {
        Some("simulation") => simulate(seconds_or(60)?, seed),
        Some("kills") => {
            let until = match n_kills {
                Some(n_kills) => KillsUntil::Number(n_kills),
                None => KillsUntil::Seconds(seconds_or(60)?),
            };
            kill(until, seed)
        }
        Some("churn") => churn(seconds_or(10)?, seed),
        Some(other) => bail!("there is no soak of {other:?}; {SOAKS}"),
        None => bail!("soak what? {SOAKS}"),
    }
}

/// Runs the simulation of the protocol for that long, or one seed of it.
pub(crate) fn simulate(seconds: u64, seed: Option<u64>) -> Result<()> {
    let mut test = cargo()?;
    if let Some(seed) = seed {
        test.env("SEED", seed.to_string());
    }
    run_command(
        test.env("SIMULATION_SECONDS", seconds.to_string())
            // What checks itself in an unoptimised build does so here too.
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
            .args(["test", "--release", "--package", "mqtt-broker-core"])
            .args(["--test", "simulation", "--", "--nocapture"]),
    )
}

/// When there were enough kills.
pub(crate) enum KillsUntil {
    Seconds(u64),
    Number(u64),
}

/// Kills the broker again and again under other people's clients.
pub(crate) fn kill(until: KillsUntil, seed: Option<u64>) -> Result<()> {
    let programs = prerequisites::mqtt_programs()?;
    let mut test = cargo()?;
    if let Some(seed) = seed {
        test.env("SEED", seed.to_string());
    }
    match until {
        KillsUntil::Seconds(seconds) => test.env("KILL_SECONDS", seconds.to_string()),
        KillsUntil::Number(n_kills) => test.env("KILLS", n_kills.to_string()),
    };
    run_command(
        test.env("PYTHON", &programs.python)
            .args(["test", "--package", "rootzone", "--test", "soak"])
            .args(["--", "--nocapture", "kills::"]),
    )
}

/// Lets thousands of sessions come and go, and watches the size of what is stored.
fn churn(seconds: u64, seed: Option<u64>) -> Result<()> {
    let mut test = cargo()?;
    if let Some(seed) = seed {
        test.env("SEED", seed.to_string());
    }
    run_command(
        test.env("CHURN_SECONDS", seconds.to_string())
            .args(["test", "--package", "rootzone", "--test", "soak"])
            .args(["--", "--nocapture", "churn::"]),
    )
}

const SOAKS: &str = "there is one of the simulation, one of kills and one of churn";
