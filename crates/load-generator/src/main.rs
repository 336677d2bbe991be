//! The load generator as a program: a plan on the command line, a report in JSON on standard output.

#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use load_generator::{
    DurablePlan, Extent, Pace, Plan, QoS, Shape, Target, Transport, Version, hold_idle, run,
    run_durable,
};
use serde_json::json;

fn main() -> ExitCode {
    match start() {
        Ok(text) => {
            // Whoever closed standard output does not want to read it.
            let _ = writeln!(io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "load-generator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<String> {
    let mut target = Target {
        address: SocketAddr::from(([127, 0, 0, 1], 1883)),
        transport: Transport::Tcp,
        version: Version::V3,
        process: None,
    };
    let mut what = None;
    let mut qos = QoS::AtMostOnce;
    let mut pace = Pace::ClosedLoop;
    let mut messages = None;
    let (mut seconds, mut warm_up) = (5.0, 1.0);
    let mut count = None;
    let mut before = 0;
    let (mut sessions, mut topics, mut are_connected, mut metrics) = (1, 1, true, None);
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(word) if what.is_none() => what = Some(word.string()?),
            Arg::Long("address") => target.address = arguments.value()?.parse()?,
            Arg::Long("websocket") => target.transport = Transport::WebSocket,
            Arg::Long("mqtt5") => target.version = Version::V5,
            Arg::Long("process") => target.process = Some(arguments.value()?.parse()?),
            Arg::Long("count") => count = Some(arguments.value()?.parse()?),
            Arg::Long("sessions") => sessions = arguments.value()?.parse()?,
            Arg::Long("topics") => topics = arguments.value()?.parse::<usize>()?.max(1),
            Arg::Long("before") => before = arguments.value()?.parse()?,
            Arg::Long("away") => are_connected = false,
            Arg::Long("metrics") => metrics = Some(arguments.value()?.parse()?),
            Arg::Long("rate") => pace = Pace::PerSecond(arguments.value()?.parse()?),
            Arg::Long("messages") => messages = Some(arguments.value()?.parse()?),
            Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
            Arg::Long("warm-up") => warm_up = arguments.value()?.parse()?,
            Arg::Long("qos") => {
                qos = match arguments.value()?.parse()? {
                    0 => QoS::AtMostOnce,
                    1 => QoS::AtLeastOnce,
                    2 => QoS::ExactlyOnce,
                    other => bail!("--qos: there is no QoS {other}"),
                };
            }
            Arg::Long("help") | Arg::Short('h') => return Ok(HELP.trim_end().to_owned()),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    let what = what.context("which load? See --help")?;
    let time = |option, secs| {
        Duration::try_from_secs_f64(secs).with_context(|| format!("{option}: not a time"))
    };
    let extent = match messages {
        Some(messages) => Extent::Messages(messages),
        None => Extent::Time {
            warm_up: time("--warm-up", warm_up)?,
            measured: time("--seconds", seconds)?,
        },
    };
    let shape = match what.as_str() {
        "fan-in" => Shape::FanIn {
            publishers: count.unwrap_or(50),
        },
        "fan-out" => Shape::FanOut {
            subscribers: count.unwrap_or(200),
        },
        "pairs" => Shape::Pairs {
            pairs: count.unwrap_or(20),
        },
        "idle" => {
            let report = hold_idle(&target, count.unwrap_or(10_000))?;
            let json = json!({
                "connections": report.connections,
                "bytes_per_connection": report.bytes_per_connection,
            });
            return Ok(json.to_string());
        }
        "durable" => {
            let plan = DurablePlan {
                target,
                publishers: count.unwrap_or(64),
                sessions,
                topics,
                are_connected,
                before,
                extent,
                metrics,
            };
            return Ok(run_durable(&plan)?.as_json().to_string());
        }
        other => bail!("there is no load {other:?}; see --help"),
    };
    let plan = Plan {
        target,
        shape,
        qos,
        pace,
        extent,
    };
    Ok(run(&plan)?.as_json().to_string())
}

const HELP: &str = "\
load-generator LOAD [OPTION …]

  fan-in    50 publishers and a subscriber, at most 1,000 messages undelivered
  fan-out   a publisher and 200 subscribers, at most 16 messages undelivered
  pairs     20 publishers with a subscriber each, at most 10 messages undelivered in each pair
  idle      10,000 connections that do nothing, and the broker's memory for each
  durable   64 publishers at QoS 1, each with one message unacknowledged, and sessions that outlive their connections

  --address ADDRESS  of the broker (127.0.0.1:1883)
  --websocket        MQTT over WebSocket at /mqtt
  --mqtt5            MQTT 5.0 instead of 3.1.1
  --qos N            0, 1 or 2 (0)
  --count N          publishers, subscribers, pairs or connections
  --sessions N       of durable: how many, each with a subscription (1)
  --topics N         of durable: how many, of which sessions and messages take turns (1)
  --before N         of durable: so many messages before anything is measured (0)
  --away             of durable: the sessions have no connection
  --metrics ADDRESS  of durable: rootzone's HTTP server, which is asked for the number of its commits
  --rate N           so many messages a second, one by one, instead of a closed loop
  --warm-up SECONDS  not counted (1)
  --seconds SECONDS  counted (5)
  --messages N       so many messages instead of a time
  --process ID       the broker's process, whose CPU time and memory are read
";
