//! Believable probes and pumps that talk to any MQTT broker.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write as _},
    process::ExitCode,
    time::SystemTime,
};

use anyhow::Context as _;
use clap::Parser as _;
use field_simulator::{options::Options, past};
use tokio::signal::unix::{SignalKind, signal};

// The broker's own file: to depend on its crate would mean to build the broker.
#[path = "../../rootzone/src/wrong_option.rs"]
mod wrong_option;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) if error.use_stderr() => {
            print_error(&wrong_option::in_one_line(&error));
            return ExitCode::from(2);
        }
        Err(help) => {
            // Whoever closes standard output does not want to read it.
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    let log_filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "field_simulator=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(log_filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // It would panic where that cannot be written either.
        .log_internal_errors(false)
        .init();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Says in one line what went wrong.
fn print_error(message: &str) {
    let _ = writeln!(io::stderr(), "field-simulator: {message}");
}

async fn run(options: &Options) -> anyhow::Result<()> {
    if let Some(n_days) = options.past_days {
        let source = field_simulator::source(options)?;
        let out = BufWriter::new(io::stdout().lock());
        return match past::write(source, n_days, SystemTime::now(), out) {
            // Who reads no more has what they wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.context("standard output"),
        };
    }
    let mut terminate = signal(SignalKind::terminate()).context("no signals")?;
    let stopped = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    tokio::pin!(stopped);
    let mut simulator = tokio::select! {
        simulator = field_simulator::start(options) => simulator?,
        () = &mut stopped => return Ok(()),
    };
    // Whoever does not read the line may still want the field.
    let _ = writeln!(io::stdout(), "field-simulator: {}", simulator.ready());
    tokio::select! {
        () = simulator.run() => {}
        () = stopped => {}
    }
    simulator.shut_down().await;
    Ok(())
}
