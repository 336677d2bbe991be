//! What a million messages that wait cost: memory, and time when the broker starts again.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::super::cores::{self, Cores};
use super::super::program::{Program, Started};
use super::super::scenario::{Goal, Metric, Scenario, saturating};
use super::{generate, generator};

pub(super) fn measure(cores: &Cores, scenario: &Scenario) -> Result<Value> {
    let program = if scenario.name == WITHOUT_STORE {
        Program::rootzone_in_memory()?
    } else {
        Program::rootzone()?
    }
    .with_long_queues();
    program.clear_data()?;
    let outcome = if scenario.metrics.contains(&Metric::StartS) {
        start_again(cores, &program, scenario)
    } else {
        fill(cores, &program, scenario).map(|(report, _)| report)
    };
    program.remove_data()?;
    outcome
}

/// Lets the messages come; gives back what they took, and the broker that has them.
fn fill(cores: &Cores, program: &Program, scenario: &Scenario) -> Result<(Value, Started)> {
    let (broker_cores, generator_cores) = cores.apart();
    let mut broker = cores::on(&broker_cores, || program.start())?;
    let mut generator = generator(&mut broker, scenario)?;
    generator.args(["--metrics", &broker.address(true)]);
    let report = cores::on(&generator_cores, || generate(generator))?;
    Ok((report, broker))
}

/// Kills the broker and starts it again; the time is from there to the first CONNACK.
fn start_again(cores: &Cores, program: &Program, scenario: &Scenario) -> Result<Value> {
    let (_, broker) = fill(cores, program, scenario)?;
    broker.kill()?;
    let (broker_cores, _) = cores.apart();
    let begin = Instant::now();
    let broker = cores::on(&broker_cores, || program.start())?;
    hear_connack(&broker.address(false))?;
    let seconds = begin.elapsed().as_secs_f64();
    let log = program.log()?;
    ensure!(
        log.contains(RESTORED),
        "it went on with something else: {}",
        log.lines().next().unwrap_or_default()
    );
    Ok(json!({ "start_s": seconds }))
}

/// Connects, however long the broker needs before it answers.
fn hear_connack(address: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(CONNECT)?;
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).context("no CONNACK came")?;
    if connack != [0x20, 2, 0, 0] {
        bail!("CONNECT was answered with {connack:x?}");
    }
    Ok(())
}

pub(super) const SCENARIOS: [Scenario; 4] = [
    // The 10,000 messages wait in 100 sessions each.
    Scenario {
        metrics: &[Metric::StartS],
        goal: Goal::AtMost(START_S_MAX),
        ..saturating(
            "restart",
            &[
                "durable",
                "--away",
                "--count",
                "1000",
                "--sessions",
                "100000",
                "--topics",
                "1000",
                "--messages",
                "10000",
            ],
        )
    },
    Scenario {
        metrics: &[Metric::StartS],
        goal: Goal::AtMost(START_S_MAX),
        ..saturating(
            "restart-distinct",
            &[
                "durable",
                "--away",
                "--count",
                "1000",
                "--sessions",
                "100000",
                "--topics",
                "100000",
                "--messages",
                "1000000",
            ],
        )
    },
    Scenario {
        metrics: &[Metric::ResidentBytesPerMessage],
        goal: Goal::AtMost(MESSAGE_BYTES_MAX),
        ..saturating("memory", &IN_ONE_SESSION)
    },
    Scenario {
        metrics: &[Metric::ResidentBytesPerMessage],
        goal: Goal::AtMost(MESSAGE_BYTES_MAX),
        ..saturating(WITHOUT_STORE, &IN_ONE_SESSION)
    },
];

/// What the first of them bring is the program's and not theirs: the cache of the store, above all.
const IN_ONE_SESSION: [&str; 8] = [
    "durable",
    "--away",
    "--count",
    "1000",
    "--before",
    "100000",
    "--messages",
    "1000000",
];
const WITHOUT_STORE: &str = "memory-without-store";
/// What the log says of everything that the two loads for it leave behind.
const RESTORED: &str = "n_sessions=100000 n_queued_messages=1000000";
/// 3.1.1, a clean session, the Client Identifier `a`.
const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
const PATIENCE: Duration = Duration::from_secs(120);
const START_S_MAX: f64 = 10.0;
/// The payload and 200 bytes.
const MESSAGE_BYTES_MAX: f64 = 264.0;
