//! Believable probes and pumps that talk to any MQTT broker.

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::Parser as _;
use field_simulator::options::Options;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let log_filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "field_simulator=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(log_filter)
        .with_writer(std::io::stderr)
        .init();
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        #[expect(clippy::print_stderr, reason = "the program's last word")]
        Err(error) => {
            eprintln!("field-simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> anyhow::Result<()> {
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
    let _ = writeln!(std::io::stdout(), "field-simulator: {}", simulator.ready());
    tokio::select! {
        () = simulator.run() => {}
        () = stopped => {}
    }
    simulator.shut_down().await;
    Ok(())
}
