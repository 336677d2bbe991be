//! `cargo xtask soak`: tests that find more the longer they run.

use std::process::Command;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::process::{cargo, run as run_command};

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut what = None;
    let mut minutes = None;
    let mut n_cuts = None;
    let mut seed = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("minutes") => minutes = Some(arguments.value()?.parse()?),
            Arg::Long("cuts") => n_cuts = Some(arguments.value()?.parse()?),
            Arg::Long("seed") => seed = Some(arguments.value()?.parse()?),
            Arg::Value(name) if what.is_none() => what = Some(name.string()?),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    let seconds = |minutes| u64::checked_mul(minutes, 60).context("too many minutes");
    match what.as_deref() {
        Some("simulation") if n_cuts.is_some() => {
            bail!("the simulation cuts no power; --cuts is for power-cuts")
        }
        Some("simulation") => simulate(seconds(minutes.unwrap_or(60))?, seed),
        Some("power-cuts") => match (n_cuts, minutes) {
            (Some(_), Some(_)) => bail!("either --cuts or --minutes says when it is enough"),
            (None, Some(minutes)) => cut_power(Until::Seconds(seconds(minutes)?), seed),
            (n_cuts, None) => cut_power(Until::Cuts(n_cuts.unwrap_or(100_000)), seed),
        },
        Some(other) => bail!(
            "there is no soak of {other:?}; there is one of the simulation and one of power-cuts"
        ),
        None => bail!("soak what? There are simulation and power-cuts"),
    }
}

/// When it is enough.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Seconds(u64),
    Cuts(u64),
}

/// Runs the simulation of the protocol for that long, or one seed of it.
pub(crate) fn simulate(seconds: u64, seed: Option<u64>) -> Result<()> {
    run_command(
        optimised_test(seed)?
            .env("SIMULATION_SECONDS", seconds.to_string())
            .args(["--package", "mqtt-broker-core"])
            .args(["--test", "simulation", "--", "--nocapture"]),
    )
}

/// Lets the power go again and again while messages are stored, or runs one seed of it.
pub(crate) fn cut_power(until: Until, seed: Option<u64>) -> Result<()> {
    let mut test = optimised_test(seed)?;
    match until {
        Until::Seconds(seconds) => test.env("POWER_CUT_SECONDS", seconds.to_string()),
        Until::Cuts(n_cuts) => test.env("POWER_CUTS", n_cuts.to_string()),
    };
    run_command(
        test.args(["--package", "mqtt-broker", "--features", "testing"])
            .args(["--test", "power_cuts", "--", "--nocapture"]),
    )
}

fn optimised_test(seed: Option<u64>) -> Result<Command> {
    let mut test = cargo()?;
    if let Some(seed) = seed {
        test.env("SEED", seed.to_string());
    }
    // What checks itself in an unoptimised build does so here too.
    test.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .args(["test", "--release"]);
    Ok(test)
}
