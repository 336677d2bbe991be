//! `cargo xtask fuzz`: one of the targets under `fuzz/`, for some minutes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU64;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::process::{Running, cargo, command, is_interrupted, read, run as run_command};
use crate::progress::{Elapsed, pass_on, print, step};
use crate::workspace;

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut chosen = None;
    // To libFuzzer 0 would be for ever.
    let mut minutes = MINUTES;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("minutes") => minutes = arguments.value()?.parse()?,
            Arg::Value(name) if chosen.is_none() => chosen = Some(name.string()?),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    let Some(target) = TARGETS
        .into_iter()
        .find(|name| Some(*name) == chosen.as_deref())
    else {
        bail!("choose a target: {}", TARGETS.join(", "));
    };
    check_nightly()?;
    install_cargo_fuzz()?;
    fuzz(target, Duration::from_secs(minutes.get() * 60))
}

/// The sanitizers and the counters of what was reached are options of nightly's compiler only.
fn check_nightly() -> Result<()> {
    let nightly = command("rustup")
        .and_then(|mut rustup| read(rustup.args(["run", "nightly", "rustc", "--version"])));
    match nightly {
        Ok(_) => Ok(()),
        Err(_) => bail!(
            "fuzzing needs a nightly toolchain: rustup toolchain install nightly --profile minimal"
        ),
    }
}

fn install_cargo_fuzz() -> Result<()> {
    if command("cargo-fuzz").is_ok_and(|mut tool| read(tool.arg("--version")).is_ok()) {
        return Ok(());
    }
    step("installing cargo-fuzz (about a minute)", || {
        let build = workspace::tools().join("build");
        run_command(
            cargo()?
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
                .args(["install", "cargo-fuzz", "--locked", "--root"])
                .arg(workspace::tools())
                .arg("--target-dir")
                .arg(&build),
        )?;
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))
    })
}

/// Begins with the seeds and with what earlier runs have found.
fn fuzz(target: &str, duration: Duration) -> Result<()> {
    let folder = workspace::root().join("fuzz");
    let corpus = folder.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    run_command(cargo_fuzz("build")?.arg(target))?;
    let mut fuzzer = cargo_fuzz("run")?;
    fuzzer
        .arg(target)
        .arg(&corpus)
        .arg(folder.join("seeds").join(target))
        .arg("--")
        .arg(format!("-dict={}", folder.join("mqtt.dict").display()))
        .arg(format!("-max_total_time={}", duration.as_secs()))
        .args(["-max_len=600", "-print_final_stats=1"])
        .stderr(Stdio::piped());
    let mut running = Running::start(&mut fuzzer)?;
    let said = running.child_mut().stderr.take();
    let mut executions = None;
    for line in BufReader::new(said.context("its output is ours")?).lines() {
        let line = line?;
        executions = executions.or(executions_in(&line));
        pass_on(target, &line);
    }
    let status = running.wait()?;
    if is_interrupted() {
        bail!("interrupted");
    }
    if !status.success() {
        bail!(
            "{target} failed: what it was given lies in fuzz/artifacts/{target}; \
             `rustup run nightly cargo fuzz tmin {target} FILE` makes it smaller, \
             and among fuzz/seeds/{target} every `cargo test` runs it again"
        );
    }
    let executions = executions.context("the fuzzer did not say how often it ran")?;
    print(format_args!(
        "{target}: {executions} executions in {}, nothing found",
        Elapsed(duration)
    ));
    Ok(())
}

/// By rustup, as the cargo that started us is not nightly's.
fn cargo_fuzz(what: &str) -> Result<Command> {
    let mut rustup = command("rustup")?;
    rustup.args(["run", "nightly", "cargo", "fuzz", what]);
    Ok(rustup)
}

/// How often the target ran, in libFuzzer's words.
fn executions_in(line: &str) -> Option<u64> {
    let number = line.strip_prefix("stat::number_of_executed_units:")?;
    number.trim().parse().ok()
}

const TARGETS: [&str; 4] = [
    "decode_client_bytes",
    "decode_server_bytes",
    "server_connection",
    "topic_filter",
];
const MINUTES: NonZeroU64 = NonZeroU64::new(5).expect("not zero");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_program_and_its_seeds() {
        let folder = workspace::root().join("fuzz");
        for target in TARGETS {
            let program = folder.join("fuzz_targets").join(format!("{target}.rs"));
            assert!(program.is_file(), "{}", program.display());
            assert!(folder.join("seeds").join(target).is_dir(), "{target}");
        }
    }

    #[test]
    fn executions_are_read_from_the_final_statistics() {
        assert_eq!(
            executions_in("stat::number_of_executed_units: 409329"),
            Some(409_329)
        );
        assert_eq!(executions_in("#409329\tDONE   cov: 1"), None);
    }
}
