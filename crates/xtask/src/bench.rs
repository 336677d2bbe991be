//! `cargo xtask bench`: what a message costs `rootzone` and its peers, measured alike and in one run (`broker`),
//! what the steps of its way cost without sockets (`micro`), what it costs to keep it (`durable`) and what that costs a
//! store that is large (`store`), what years of readings cost (`history`), how fast the browser client is beside other
//! people's (`client`), how fast the chart is (`chart`), and how busy the whole page (`page`).

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use serde_json::Value;

use crate::process::{cargo, command, is_interrupted, read, run as run_command};
use crate::progress::{Elapsed, print, say, step};
use crate::workspace;

use self::cores::Cores;
use self::figures::Figures;
use self::options::Options;
use self::program::{Program, Started};
use self::scenario::{SCENARIOS, Scenario};

mod chart;
mod client;
mod cores;
mod durable;
mod figures;
mod history;
mod micro;
mod options;
mod page;
mod peers;
mod program;
mod said;
mod scenario;
mod store;
mod table;

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    match arguments.next()? {
        Some(Arg::Value(what)) if what == "broker" => measure_brokers(arguments),
        Some(Arg::Value(what)) if what == "micro" => micro::run(arguments),
        Some(Arg::Value(what)) if what == "store" => store::run(arguments),
        Some(Arg::Value(what)) if what == "client" => client::run(arguments),
        Some(Arg::Value(what)) if what == "page" => page::run(arguments),
        Some(Arg::Value(what)) if what == "durable" => durable::run(arguments),
        Some(Arg::Value(what)) if what == "chart" => chart::run(arguments),
        Some(Arg::Value(what)) if what == "history" => history::run(arguments),
        Some(argument @ (Arg::Value(_) | Arg::Long(_) | Arg::Short(_))) => {
            Err(argument.unexpected().into())
        }
        None => bail!(
            "what shall be measured? There are `cargo xtask bench broker`, `chart`, `client`, `page`, `micro`, `store`, `durable` and `history`"
        ),
    }
}

fn measure_brokers(arguments: Parser) -> Result<()> {
    let options = BrokerOptions::parse(arguments)?;
    let start = Instant::now();
    let cores = Cores::find()?;
    cores::raise_open_files()?;
    build()?;
    let programs = programs(&options)?;
    let scenarios = options.scenarios()?;
    let figures = measure(&options, &cores, &programs, &scenarios)?;
    print(table::of(&scenarios, &programs, &figures, cores.len()));
    for warning in figures.warnings() {
        say(format_args!("warning: {warning}"));
    }
    if let Some(file) = &options.common.json {
        let names: Vec<_> = programs.iter().map(|program| &*program.name).collect();
        std::fs::write(file, figures.as_json(&scenarios, &names))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    say(format_args!("measured in {}", Elapsed(start.elapsed())));
    Ok(())
}

/// Everything, interleaved: whatever else the machine does meets all programs alike.
fn measure(
    options: &BrokerOptions,
    cores: &Cores,
    programs: &[Program],
    scenarios: &[&Scenario],
) -> Result<Figures> {
    let mut figures = Figures::default();
    for round in 1..=options.rounds() {
        for &scenario in scenarios {
            for program in programs {
                if !program.can_play(scenario) {
                    continue;
                }
                let name = scenario.name;
                let outcome = play(options, cores, program, scenario);
                if is_interrupted() {
                    bail!("interrupted");
                }
                match outcome {
                    Ok(report) => {
                        say(format_args!(
                            "round {round}, {name}, {}: {}",
                            program.name,
                            figures::in_short(scenario, &report)
                        ));
                        figures.add(scenario, &program.name, &report);
                    }
                    Err(error) => figures.fail(scenario, &program.name, &error),
                }
            }
        }
    }
    Ok(figures)
}

/// One program, started for one scenario, and stopped after it.
fn play(
    options: &BrokerOptions,
    cores: &Cores,
    program: &Program,
    scenario: &Scenario,
) -> Result<Value> {
    let (broker_cores, generator_cores) = if scenario.two_cores {
        cores.shared()
    } else {
        cores.apart()
    };
    program.clear_data()?;
    let mut broker = cores::on(&broker_cores, || program.start())?;
    let mut generator = generator(&mut broker, scenario)?;
    if scenario.is_timed() {
        tell_times(&mut generator, options.measured(), options.warm_up());
    }
    let report = cores::on(&generator_cores, || generate(generator))?;
    drop(broker);
    program.remove_data()?;
    Ok(report)
}

/// The load generator, about to play this.
fn generator(broker: &mut Started, scenario: &Scenario) -> Result<Command> {
    let mut generator = command(program::release_binary(GENERATOR))?;
    generator
        .args(scenario.load)
        .args(["--address", &broker.address(scenario.websocket)])
        .args(["--process", &broker.id().to_string()]);
    Ok(generator)
}

fn tell_times(generator: &mut Command, measured: Duration, warm_up: Duration) {
    generator
        .args(["--seconds", &measured.as_secs_f64().to_string()])
        .args(["--warm-up", &warm_up.as_secs_f64().to_string()]);
}

/// Lets the load generator do its work, and gives back its report.
fn generate(mut generator: Command) -> Result<Value> {
    let said = read(&mut generator)?;
    serde_json::from_str(&said).with_context(|| format!("the load generator said {said:?}"))
}

fn build() -> Result<()> {
    step("building the broker and the load generator", || {
        // Each alone: together, the features of one would change what the other is built of.
        for package in [program::ROOTZONE, GENERATOR] {
            run_command(cargo()?.args(["build", "--release", "--package", package]))?;
        }
        Ok(())
    })
}

/// Mosquitto first: everything else is compared with it.
fn programs(options: &BrokerOptions) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    match peers::mosquitto()? {
        Some(mosquitto) => programs.push(mosquitto),
        None => say(
            "mosquitto is not there, so there is nothing to compare with (on Debian: apt install mosquitto)",
        ),
    }
    if !options.common.quick {
        if options.install_rumqttd {
            peers::install_rumqttd()?;
        }
        programs.extend(peers::rumqttd()?);
        for (name, words) in &options.brokers {
            programs.push(Program::of_command(name, words)?);
        }
        programs.push(Program::rootzone_in_memory()?);
    }
    programs.push(Program::rootzone()?);
    for program in &programs {
        say(format_args!("{} {}", program.name, program.version));
    }
    Ok(programs)
}

#[derive(Default)]
struct BrokerOptions {
    common: Options,
    install_rumqttd: bool,
    /// Names and commands of further brokers.
    brokers: Vec<(String, String)>,
}

impl BrokerOptions {
    fn parse(arguments: Parser) -> Result<Self> {
        let mut options = Self::default();
        let common = Options::parse_with_more(arguments, &mut |name, arguments| {
            match name {
                "install-rumqttd" => options.install_rumqttd = true,
                "broker" => {
                    let text = arguments.value()?.string()?;
                    let named = text.split_once('=');
                    let (name, words) = named.context("--broker: NAME=COMMAND is wanted")?;
                    if !words.contains(program::PORT) {
                        bail!("--broker: {name}'s command must say where its {{port}} goes");
                    }
                    options.brokers.push((name.to_owned(), words.to_owned()));
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if common.quick && (options.install_rumqttd || !options.brokers.is_empty()) {
            bail!("--quick compares with Mosquitto only");
        }
        Ok(Self { common, ..options })
    }

    fn scenarios(&self) -> Result<Vec<&'static Scenario>> {
        self.common.choose(&SCENARIOS, |scenario| scenario.name)
    }

    const fn rounds(&self) -> usize {
        if self.common.quick { 2 } else { 3 }
    }

    const fn measured(&self) -> Duration {
        Duration::from_secs(if self.common.quick { 2 } else { 5 })
    }

    const fn warm_up(&self) -> Duration {
        Duration::from_millis(if self.common.quick { 500 } else { 1_000 })
    }
}

const GENERATOR: &str = "load-generator";

/// Where the brokers' files and logs are.
fn folder() -> PathBuf {
    workspace::target().join("bench")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<BrokerOptions> {
        BrokerOptions::parse(Parser::from_args(words.iter().copied()))
    }

    #[test]
    fn brokers_are_named_and_have_a_port() {
        let parsed = options(&["--broker", "other=/bin/other -p {port}"]).unwrap();
        assert_eq!(
            parsed.brokers,
            [("other".to_owned(), "/bin/other -p {port}".to_owned())]
        );
        assert!(options(&["--broker", "other"]).is_err());
        assert!(options(&["--broker", "other=/bin/other"]).is_err());
        assert!(options(&["--quick", "--broker", "other=x {port}"]).is_err());
    }

    #[test]
    fn some_scenarios_can_be_chosen() {
        let names = |words: &[&str]| -> Vec<_> {
            let options = options(words).unwrap();
            let scenarios = options.scenarios().unwrap();
            scenarios.iter().map(|scenario| scenario.name).collect()
        };
        assert_eq!(names(&["--only", "idle"]), ["idle-tcp", "idle-ws"]);
        assert_eq!(names(&[]).len(), SCENARIOS.len());
        assert!(options(&["--only", "x"]).unwrap().scenarios().is_err());
    }
}
