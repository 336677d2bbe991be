//! The command line.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use crate::time_span::{UNITS, parse_seconds};

/// What can be said about the simulated field.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "field-simulator", version, about, after_help = REPLAY_FORM)]
pub struct Options {
    /// The MQTT broker to talk to
    #[arg(long, value_name = "URL", default_value = "mqtt://127.0.0.1:1883")]
    pub broker: BrokerAddress,
    /// Replay these measurements, in the form below; without it a built-in soil model is played
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// How much time of the file or the model passes in a second, such as 1h, 10m or 30s
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1h",
        allow_negative_numbers = true
    )]
    pub speed: Speed,
    /// The same seed gives the same field
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = whole_number::<u64>, allow_negative_numbers = true)]
    pub seed: u64,
    /// The share of readings that are lost, from 0 to 1
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "0",
        allow_negative_numbers = true
    )]
    pub loss: Share,
    /// A pump that never answers, by its level in topics such as orchard-pump, or all; may be repeated
    #[arg(long, value_name = "NAME")]
    pub stuck_pump: Vec<String>,
    /// Let one probe drop off after so many seconds, without a word but its Will
    #[arg(long, value_name = "SECONDS", value_parser = whole_number::<u32>, allow_negative_numbers = true)]
    pub offline_after: Option<u32>,
    /// Wait for a broker that is not there yet
    #[arg(long)]
    pub wait: bool,
    /// Write what the probes would have measured in so many days before now, as `rootzone history import` reads it,
    /// and end
    #[arg(long, value_name = "DAYS", value_parser = whole_number::<u16>, allow_negative_numbers = true)]
    pub past_days: Option<u16>,
    /// Begin as the field is after so many days, where what `--past-days` writes ends
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 0,
        hide_default_value = true,
        value_parser = whole_number::<u16>,
        allow_negative_numbers = true,
        conflicts_with = "past_days"
    )]
    pub after_days: u16,
}

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// A name or an address; an IPv6 address in brackets.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
}

impl FromStr for BrokerAddress {
    type Err = InvalidOption;

    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        let address = text
            .strip_prefix("mqtt://")
            .ok_or(InvalidOption::BrokerAddress)?;
        let address = address.strip_suffix('/').unwrap_or(address);
        let is_bare_ipv6 = address.starts_with('[') && address.ends_with(']');
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !is_bare_ipv6 => (
                host,
                port.parse().map_err(|_| InvalidOption::BrokerAddress)?,
            ),
            _ => (address, 1883),
        };
        if host.is_empty() || port == 0 || host.contains(['/', '@', ' ']) {
            return Err(InvalidOption::BrokerAddress);
        }
        Ok(Self {
            host: host.into(),
            port,
        })
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How much time of the file or the model passes in a second of wall clock: at least a second, at most 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u32);

impl Speed {
    /// The file's or model's time after `elapsed` of wall clock.
    #[must_use]
    pub fn played(self, elapsed: Duration) -> Duration {
        elapsed.saturating_mul(self.0)
    }

    /// How long of wall clock it takes to play `duration`.
    #[must_use]
    pub fn wall(self, duration: Duration) -> Duration {
        duration / self.0
    }
}

impl FromStr for Speed {
    type Err = InvalidOption;

    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        parse_seconds(text).map(Self).ok_or(InvalidOption::Speed)
    }
}

/// In words, as in `1 h per second`.
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, seconds) in UNITS {
            if self.0.is_multiple_of(seconds) {
                let word = if word == "m" { "min" } else { word };
                return write!(f, "{} {word} per second", self.0 / seconds);
            }
        }
        Ok(())
    }
}

/// A share from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0.0);

    /// The number.
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = InvalidOption;

    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        text.parse()
            .ok()
            .filter(|share| (0.0..=1.0).contains(share))
            .map(Self)
            .ok_or(InvalidOption::Share)
    }
}

fn whole_number<T: FromStr>(text: &str) -> Result<T, InvalidOption> {
    text.parse().map_err(|_| InvalidOption::WholeNumber)
}

/// The end of the help.
const REPLAY_FORM: &str = "\
FILE is a CSV file: a line of the columns' names, then a line for each hour that was measured, in order of time.
The columns are day, hour (0 to 23) and one for each of the 13 probes, in percent; an empty field is a gap:
  day,hour,P1,P2,P3,P4,P5,P6,P7,P8,P9,P10,P11,P12,P13
  2022-11-15,23,11.5,29.1,18.2,14,13.3,15.8,12.4,,15.1,17.9,20,22.4,18.8";

/// Why an option's value is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOption {
    /// Not where a broker could be.
    #[error("not an address like mqtt://127.0.0.1:1883")]
    BrokerAddress,
    /// Not how time could pass.
    #[error("not a time from 1s to 30d, such as 1h or 10m")]
    Speed,
    /// Not a share.
    #[error("not a number from 0 to 1")]
    Share,
    /// Not a count, or too large a one.
    #[error("not a whole number from 0, or too large a one")]
    WholeNumber,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::replay::Replay;

    #[test]
    fn the_form_that_help_shows_can_be_replayed() {
        let (_, file) = REPLAY_FORM.split_once(":\n").unwrap();
        let file: String = file
            .lines()
            .map(|line| line.trim().to_owned() + "\n")
            .collect();
        let replay = Replay::read(Path::new("help.csv"), file.as_bytes()).unwrap();
        let value = |probe| replay.value(probe, Duration::ZERO);
        assert_eq!(value(0).map(|value| value.moisture), Some(11.5));
        assert_eq!(value(7), None);
    }

    #[test]
    fn broker_addresses_are_read() {
        for (text, address) in [
            ("mqtt://127.0.0.1:1883", Some("127.0.0.1:1883")),
            ("mqtt://farm.local", Some("farm.local:1883")),
            ("mqtt://[::1]:1884/", Some("[::1]:1884")),
            ("mqtt://[::1]", Some("[::1]:1883")),
            ("127.0.0.1:1883", None),
            ("mqtt://", None),
            ("mqtt://host:99999", None),
            ("mqtt://host:0", None),
            ("ws://host:80", None),
            ("mqtt://user@host", None),
        ] {
            let read = text.parse::<BrokerAddress>().ok();
            assert_eq!(
                read.map(|read| read.to_string()).as_deref(),
                address,
                "{text}"
            );
        }
    }

    #[test]
    fn speeds_are_read_and_said_in_words() {
        for (text, words) in [
            ("1h", Some("1 h per second")),
            ("60 m", Some("1 h per second")),
            ("90m", Some("90 min per second")),
            ("1s", Some("1 s per second")),
            ("2d", Some("2 d per second")),
            ("0s", None),
            ("31d", None),
            ("fast", None),
            ("-1h", None),
            ("1", None),
        ] {
            let read = text.parse::<Speed>().ok();
            assert_eq!(
                read.map(|read| read.to_string()).as_deref(),
                words,
                "{text}"
            );
        }
    }

    #[test]
    fn shares_are_between_nothing_and_all() {
        assert_eq!("0.25".parse(), Ok(Share(0.25)));
        for text in ["-0.1", "1.1", "NaN", "half"] {
            assert_eq!(text.parse::<Share>(), Err(InvalidOption::Share), "{text}");
        }
    }
}
