//! `cargo xtask`: everything a person types that is more than one cargo command.

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};

mod bans;
#[cfg(target_os = "linux")]
mod bench;
mod client_cases;
mod client_page;
mod compression;
mod conformance;
mod demo;
mod fuzz;
mod interface;
mod page;
mod ports;
mod prerequisites;
mod process;
mod progress;
mod screenshots;
mod serve;
mod size;
mod soak;
mod style_sheets;
mod supervisor;
mod test;
mod tidy;
mod tools;
mod wasm_opt;
mod workspace;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if process::is_interrupted() => {
            progress::say("interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            progress::say(format_args!("error: {error:#}{}", hint(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    process::pass_signals_on()?;
    let mut arguments = Parser::from_env();
    let command = match arguments.next()? {
        None | Some(Arg::Long("help") | Arg::Short('h')) => "help".to_owned(),
        Some(Arg::Value(command)) => command.string()?,
        Some(argument @ (Arg::Short(_) | Arg::Long(_))) => {
            return Err(argument.unexpected().into());
        }
    };
    if command == "help" || asks_for_help(&arguments) {
        progress::print(HELP.trim_end());
        return Ok(());
    }
    match command.as_str() {
        "demo" => demo::run(arguments),
        "test" => test::run(arguments),
        "serve" => serve::run(arguments),
        "size" => size::run(arguments),
        "soak" => soak::run(arguments),
        "fuzz" => fuzz::run(arguments),
        "conformance" => without_arguments(arguments, conformance::run),
        #[cfg(target_os = "linux")]
        "bench" => bench::run(arguments),
        "screenshots" => without_arguments(arguments, screenshots::run),
        "tools" => without_arguments(arguments, tools::install_for_page),
        "optimize-wasm" => without_arguments(arguments, page::optimize),
        other => bail!("there is no command {other:?}; `cargo xtask help` lists them"),
    }
}

/// Runs a command that takes nothing more, and refuses what it would ignore.
fn without_arguments(mut arguments: Parser, command: fn() -> Result<()>) -> Result<()> {
    match arguments.next()? {
        Some(argument) => Err(argument.unexpected().into()),
        None => command(),
    }
}

/// Where to read on after a mistake on the command line.
fn hint(error: &anyhow::Error) -> &'static str {
    if error.is::<lexopt::Error>() {
        "; `cargo xtask help` lists all options"
    } else {
        ""
    }
}

/// Whether `--help` stands among our own options.
fn asks_for_help(arguments: &Parser) -> bool {
    arguments.clone().raw_args().is_ok_and(|mut rest| {
        rest.by_ref()
            .take_while(|word| word != "--")
            .any(|word| word == "--help" || word == "-h")
    })
}

const HELP: &str = "\
cargo xtask COMMAND

  demo     build everything that is missing, start the broker and a simulated field,
           print `ready: URL`, open a browser; Ctrl-C stops it all
             --port N        the page and WebSocket (8080)
             --mqtt-port N   MQTT over TCP (1883)
             --data-dir DIR  keep what the broker stores there; else it goes with the demonstration
             --no-open       open no browser
             --replay FILE   play real measurements from a CSV file; without it those in the
                             folder named by ROOTZONE_DATA, else a built-in soil model
             --speed TIME    how much of its time passes in a second, from 1s to 30d (1h)
             --history SPAN  fills the history with what the field would have measured in so
                             many days or years before, such as 30d or 1y
             -- …            what follows goes to field-simulator as it is
  test     every check and test, and how long each took
             [PART …]        only these parts; `cargo xtask test --list` names them
  serve    the page with `trunk serve`, rebuilt when a file changes; for a broker
           that you start beside it with `cargo run -p rootzone`
  soak     what finds more the longer it runs
             simulation      the broker and many clients on a bad network, for an hour
             power-cuts      the broker and its store lose power at any moment, 100,000 times
             kills           the broker killed under other people's clients, 1,000 times
             churn           thousands of sessions that come and go, for ten minutes
             browser-crashes the tab, the link and the broker break while the browser's client
                             publishes 10,000 messages
             browser-memory  1,000 messages a second to the client in a browser, for ten minutes
             --minutes N     for that long
             --cuts N        power-cuts only: until there were so many
             --kills N       kills only: until there were so many
             --messages N    browser-crashes only: until there were so many
             --seed N        this one run again; of the simulation with what came before its failure
  size     what a browser downloads: raw, gzip, brotli; of the page, and of the MQTT client
           alone, beside a program that does nothing
             --json FILE     write the figures there too
             --check         fail above 105,000 bytes by gzip, or 40,000 for the client
  fuzz     random bytes for the decoders and the broker; needs a nightly toolchain
             TARGET          decode_client_bytes, decode_server_bytes,
                             server_connection, topic_filter
             --minutes N     how long (5)
  conformance
           docs/conformance.md: which statements of MQTT the tests show
  bench broker
           what a message costs rootzone and the brokers found beside it, on Linux;
           docs/performance.md says what the figures mean
             --json FILE     write the figures there too
             --quick         Mosquitto only, two short rounds: under five minutes
             --only NAME     only scenarios with these words in their names
             --install-rumqttd
                             install rumqttd under target/tools, to be compared as well
             --broker NAME=COMMAND
                             another broker; {port} and {websocket-port} are filled in
  bench micro
           what decoding, encoding and finding the subscribers cost, without sockets
             --json FILE     write the figures there too
  bench durable
           what it costs to keep what is acknowledged, beside Mosquitto, which keeps it
           in memory alone, and beside the disk's own fdatasync
             --json FILE     write the figures there too
             --quick         one short round
             --only NAME     only scenarios with these words in their names; also restart (the
                             start with a million messages) and memory (of each of them)
  bench store
           what a start, a copy and a commit cost a store with a million entries
             --json FILE     write the figures there too
  bench chart
           the chart beside npm's uPlot, in headless Chromium
             --json FILE     write the figures there too
             --quick         fewer redraws
  bench history
           what years of readings cost on the disk, and how quickly they are answered
           while 2,000 a second come; the file in the folder named by ROOTZONE_DATA, or in
           ../shared/data, and two that are made up
             --json FILE     write the figures there too
             --quick         20 days in place of a year, and shorter loads
             --only NAME     only scenarios with these words in their names
  bench client
           the browser client beside MQTT.js and mqtt-packet in headless Chromium
             --json FILE     write the figures there too
             --quick         fewer and shorter rounds
  bench page
           how busy the whole dashboard is with a hundred probes in one zone, and how
           long its frames take over years of 24 probes, in headless Chromium
             --json FILE     write the figures there too
             --quick         one short round
  screenshots
           the pictures that the tests made, copied into the documents
  tools    only install what the page's build needs, under target/tools
  optimize-wasm
           Trunk's hook, see Trunk.toml
  help     this
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_refuses_what_it_would_ignore() {
        let run = |words: &[&str]| {
            let command = || Ok(());
            without_arguments(Parser::from_args(words.iter().copied()), command)
        };
        assert!(run(&[]).is_ok());
        for (word, message) in [
            ("extra", "unexpected argument \"extra\""),
            ("--bogus", "invalid option '--bogus'"),
        ] {
            let error = run(&[word]).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(hint(&error).contains("`cargo xtask help`"));
        }
    }
}
