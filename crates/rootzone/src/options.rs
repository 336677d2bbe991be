//! The command line.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{history_tasks::HistoryTask, wrong_option};

/// A small MQTT broker that also serves the Rootzone dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(
    name = "rootzone",
    version,
    after_help = "The log goes to standard error; RUST_LOG chooses how much (error, warn, info, debug, trace)."
)]
pub(crate) struct Options {
    /// TCP port for MQTT; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 1883, value_parser = port, allow_negative_numbers = true)]
    pub(crate) mqtt_port: u16,

    /// HTTP port for the page and for MQTT over WebSocket at /mqtt; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = port, allow_negative_numbers = true)]
    pub(crate) port: u16,

    /// Address to listen on; the default is this machine only
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = ip_address)]
    pub(crate) bind: IpAddr,

    /// File of limits, see docs/limits.md; without one the defaults hold
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Folder for what is to survive a restart [default: `rootzone` where this user's data belong]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,

    /// Keep nothing on disk: sessions, queued and retained messages are lost when the broker ends
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) in_memory: bool,

    /// Folder of the built page [default: `dist` of the workspace, or beside this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) page: Option<PathBuf>,

    /// Web site (`*`: any) that may connect although it is neither this server nor on this machine; may be repeated
    #[arg(long, value_name = "SCHEME://HOST[:PORT]", value_parser = origin)]
    pub(crate) allow_origin: Vec<String>,

    /// Without one of these the broker runs
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
}

/// What is done with a data directory instead of running the broker.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Task {
    /// Look whether a data directory is whole, or a copy; no broker may use it meanwhile
    Check {
        /// A copy that `backup` wrote, in place of the data directory
        #[arg(conflicts_with = "data_dir")]
        file: Option<PathBuf>,
    },
    /// Make a new file of what can be read in a data directory, and set the old one aside
    Repair,
    /// Take readings from a file into a data directory, or write those that are in it
    History {
        /// Which
        #[command(subcommand)]
        task: HistoryTask,
    },
    /// Write a copy of a data directory's file, while the broker runs or not
    Backup {
        /// The copy; it must not be there yet
        file: PathBuf,
    },
}

impl Options {
    /// Reads the command line; help and mistakes are printed here and end the program with the given code.
    pub(crate) fn from_command_line() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            if error.use_stderr() {
                print_error(&wrong_option::in_one_line(&error));
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

fn port(text: &str) -> Result<u16, InvalidOption> {
    text.parse().map_err(|_| InvalidOption::Port)
}

fn ip_address(text: &str) -> Result<IpAddr, InvalidOption> {
    text.parse().map_err(|_| InvalidOption::IpAddress)
}

/// As browsers send it: what is written otherwise would never be met.
fn origin(text: &str) -> Result<String, InvalidOption> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let text = text.to_ascii_lowercase();
    let (scheme, host) = text.split_once("://").ok_or(InvalidOption::Origin)?;
    if scheme.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
        return Err(InvalidOption::Origin);
    }
    if host.contains('*') {
        return Err(InvalidOption::WildcardInOrigin);
    }
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    if host.is_empty() {
        return Err(InvalidOption::Origin);
    }
    Ok(format!("{scheme}://{host}"))
}

/// Why an option's value is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum InvalidOption {
    #[error("not a port from 0 to 65535")]
    Port,
    #[error("not an address like 127.0.0.1, or 0.0.0.0 for all of this machine")]
    IpAddress,
    #[error("not a web site like https://farm.example:8443, without a path, or *")]
    Origin,
    #[error("browsers name one web site: name each that may connect, or * for any")]
    WildcardInOrigin,
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
        assert_eq!(wrong_option::in_one_line(&error), expected);
    }

    #[test]
    fn mistakes_are_told_in_one_line() {
        for (arguments, expected) in [
            (
                ["--prot", "1"],
                "unexpected argument '--prot' found; a similar argument exists: '--port' (see --help)",
            ),
            (
                ["--port", "http"],
                "invalid value 'http' for '--port <PORT>': not a port from 0 to 65535 (see --help)",
            ),
            (
                ["--mqtt-port", "65536"],
                "invalid value '65536' for '--mqtt-port <PORT>': not a port from 0 to 65535 (see --help)",
            ),
            (
                ["--port", "-1"],
                "invalid value '-1' for '--port <PORT>': not a port from 0 to 65535 (see --help)",
            ),
            (
                ["--bind", "somewhere"],
                "invalid value 'somewhere' for '--bind <ADDRESS>': \
                 not an address like 127.0.0.1, or 0.0.0.0 for all of this machine (see --help)",
            ),
            (
                ["--allow-origin", "https://farm.example/"],
                "invalid value 'https://farm.example/' for '--allow-origin <SCHEME://HOST[:PORT]>': \
                 not a web site like https://farm.example:8443, without a path, or * (see --help)",
            ),
            (
                ["--allow-origin", "https://*.example"],
                "invalid value 'https://*.example' for '--allow-origin <SCHEME://HOST[:PORT]>': \
                 browsers name one web site: name each that may connect, or * for any (see --help)",
            ),
        ] {
            check_report(&arguments, expected);
        }
        check_report(
            &["--page"],
            "a value is required for '--page <DIR>' but none was supplied (see --help)",
        );
        check_report(&["page"], "unrecognized subcommand 'page' (see --help)");
    }

    #[test]
    fn web_sites_are_as_browsers_write_them() {
        for (text, read) in [
            ("https://farm.example", Some("https://farm.example")),
            ("HTTP://Farm.example:8443", Some("http://farm.example:8443")),
            ("https://farm.example:443", Some("https://farm.example")),
            ("HTTP://farm.example:80", Some("http://farm.example")),
            ("https://[fd00::1]:443", Some("https://[fd00::1]")),
            // Not the default port of this scheme.
            ("http://farm.example:443", Some("http://farm.example:443")),
            (
                "https://farm.example:8443",
                Some("https://farm.example:8443"),
            ),
            (
                "https://farm.example:10443",
                Some("https://farm.example:10443"),
            ),
            ("*", Some("*")),
            ("https://*", None),
            ("https://farm.*:8443", None),
            ("farm.example", None),
            ("https://", None),
            ("https://:443", None),
            ("https://farm.example/page", None),
        ] {
            assert_eq!(origin(text).ok().as_deref(), read, "{text}");
        }
    }
}
