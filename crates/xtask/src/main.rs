//! `cargo xtask`: everything a person types that is more than one cargo command.

use std::process::ExitCode;

use anyhow::{Result, bail};

mod process;
mod progress;
mod tools;
mod workspace;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if process::is_interrupted() => {
            progress::say("interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            progress::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    process::pass_signals_on()?;
    let mut arguments = std::env::args_os().skip(1);
    let Some(command) = arguments.next() else {
        bail!("which command?");
    };
    match command.to_str() {
        Some("tools") => tools::install_for_page(),
        _ => bail!("no such command"),
    }
}
