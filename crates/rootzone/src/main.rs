//! The rootzone broker: MQTT over TCP and WebSocket, and the dashboard, in one process.

#![forbid(unsafe_code)]

mod config;
mod control;
mod csv_readings;
mod data_directory;
mod health;
mod history_service;
mod history_tasks;
mod http;
mod listen;
mod metrics;
mod open_files;
mod options;
mod page;
mod patient_stream;
mod port_holder;
mod security_headers;
mod stop;
mod tasks;
mod wall_clock;
mod websocket_handshake;
mod wrong_option;

use std::{
    hash::{BuildHasher, RandomState},
    io::{self, IsTerminal},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use mqtt_broker::Server;
use tokio::{runtime, select, sync::watch, time::timeout};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use crate::{
    config::AllLimits, listen::Listeners, metrics::Counting, options::Options, page::Page,
};

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit_code) => return exit_code,
    };
    log_to_stderr();
    let outcome = match &options.task {
        None => start(&options),
        Some(task) => tasks::run(task, options.data_dir.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            options::print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn start(options: &Options) -> anyhow::Result<()> {
    open_files::raise_limit();
    let page = Page::choose(options.page.as_deref())?;
    let limits = config::read(options.config.as_deref())?;
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads")?;
    let outcome = runtime.block_on(run(options, limits, page));
    // Whoever has not left by now is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

async fn run(options: &Options, limits: AllLimits, page: Page) -> anyhow::Result<()> {
    let mut stop_signal = stop::listen()?;
    let listeners = Listeners::bind(options).await?;
    let seed = RandomState::new().hash_one(());
    let mut is_something_lost = false;
    let (server, kept) = if options.in_memory {
        tracing::info!("keeping nothing on disk");
        (Server::new(limits.broker, seed), None)
    } else {
        let kept = data_directory::open(&limits, seed, options.data_dir.as_deref())?;
        is_something_lost = kept.is_something_lost;
        control::serve(kept.directory.path(), &kept.server);
        (kept.server, Some((kept.history, kept.directory)))
    };
    let history = kept.as_ref().map(|(history, _)| history.clone());
    let is_stopping = watch::Sender::new(false);
    listeners.announce(&mut io::stdout());

    let mqtt = server.clone();
    tokio::spawn(async move { mqtt.serve_tcp(listeners.mqtt).await });
    let http = tokio::spawn(http::serve(
        listeners.http,
        server.clone(),
        http::router(
            server.clone(),
            page,
            options.allow_origin.clone(),
            Counting {
                server: server.clone(),
                history,
                is_something_lost,
            },
        ),
        limits.http,
        is_stopping.subscribe(),
    ));

    stop_signal.received().await;
    tracing::info!("shutting down");
    is_stopping.send_replace(true);
    let stopped = async {
        server.shut_down().await;
        timeout(HTTP_STOP_TIME, http).await
    };
    select! {
        _ = stopped => {}
        () = stop_signal.received() => tracing::warn!("stopping at once"),
    }
    Ok(())
}

fn log_to_stderr() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // It would panic where that cannot be written either: a log on the disk that is full ends no task.
        .log_internal_errors(false)
        .init();
}

/// Time for HTTP answers under way when the process stops.
const HTTP_STOP_TIME: Duration = Duration::from_secs(1);
