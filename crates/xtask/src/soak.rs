//! `cargo xtask soak`: tests that find more the longer they run.

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::process::{cargo, run as run_command};

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut what = None;
    let mut minutes = 60;
    let mut seed = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("minutes") => minutes = arguments.value()?.parse()?,
            Arg::Long("seed") => seed = Some(arguments.value()?.parse()?),
            Arg::Value(name) if what.is_none() => what = Some(name.string()?),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    match what.as_deref() {
        Some("simulation") => {
            let seconds = u64::checked_mul(minutes, 60).context("too many minutes")?;
            simulate(seconds, seed)
        }
        Some(other) => bail!("there is no soak of {other:?}; there is one of the simulation"),
        None => bail!("soak what? There is the simulation"),
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
