//! The command line.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;

/// A small MQTT broker that also serves the Rootzone dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(
    name = "rootzone",
    version,
    after_help = "The log goes to standard error; RUST_LOG chooses how much (error, warn, info, debug, trace)."
)]
pub(crate) struct Options {
    /// TCP port for MQTT; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 1883)]
    pub(crate) mqtt_port: u16,

    /// HTTP port for the page and for MQTT over WebSocket at /mqtt; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) port: u16,

    /// Address to listen on; the default is this machine only
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) bind: IpAddr,

    /// Folder of the built page [default: `dist` of the workspace, or beside this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) page: Option<PathBuf>,

    /// Web site (`*`: any) that may connect although it is neither this server nor on this machine; may be repeated
    #[arg(long, value_name = "SCHEME://HOST[:PORT]")]
    pub(crate) allow_origin: Vec<String>,
}

impl Options {
    /// Reads the command line; help and mistakes are printed here and end the program with the given code.
    pub(crate) fn from_command_line() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            if error.use_stderr() {
                print_error(&one_line(&error.render().to_string()));
            } else {
                // Whoever closes standard output does not want to read it.
                let _ = error.print();
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
        })
    }
}

/// Says in one line what went wrong.
pub(crate) fn print_error(message: &str) {
    let _ = writeln!(io::stderr(), "rootzone: {message}");
}

/// The message and the tip of clap's report, without the usage.
fn one_line(report: &str) -> String {
    let report = report.split("\n\nUsage:").next().unwrap_or(report);
    let report = report
        .split("\n\nFor more information")
        .next()
        .unwrap_or(report);
    let words: Vec<&str> = report
        .trim_start_matches("error:")
        .split_whitespace()
        .collect();
    format!("{} (see --help)", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_on_this_machine_only() {
        let options = Options::try_parse_from(["rootzone"]).unwrap();
        assert_eq!(
            (options.mqtt_port, options.port, options.bind),
            (1883, 8080, IpAddr::V4(Ipv4Addr::LOCALHOST))
        );
    }

    #[track_caller]
    fn check_report(arguments: &[&str], expected: &str) {
        let error = Options::try_parse_from([&["rootzone"], arguments].concat()).unwrap_err();
        assert_eq!(one_line(&error.render().to_string()), expected);
    }

    #[test]
    fn mistakes_are_told_in_one_line() {
        check_report(
            &["--prot", "1"],
            "unexpected argument '--prot' found tip: a similar argument exists: '--port' (see --help)",
        );
        check_report(
            &["--port", "http"],
            "invalid value 'http' for '--port <PORT>': invalid digit found in string (see --help)",
        );
        check_report(
            &["--port", "65536"],
            "invalid value '65536' for '--port <PORT>': 65536 is not in 0..=65535 (see --help)",
        );
        check_report(
            &["--bind", "somewhere"],
            "invalid value 'somewhere' for '--bind <ADDRESS>': invalid IP address syntax (see --help)",
        );
    }
}
