//! `cargo xtask demo`: everything, running, from a fresh clone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::{env, fs, process};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::process::{cargo, command, detach, run as run_command};
use crate::progress::{print, say, step};
use crate::supervisor::Supervisor;
use crate::{page, ports, tools, workspace};

// The simulator's own file: to depend on its crate would mean to build it before our first word.
#[path = "../../field-simulator/src/time_span.rs"]
mod time_span;

pub(crate) fn run(arguments: Parser) -> Result<()> {
    let options = Options::parse(arguments, measurements())?;
    options.check()?;
    say(options.what_plays());
    tools::install_for_page()?;
    page::build()?;
    build_binaries()?;

    // Declared first, so that the broker is gone when its folder goes.
    let temporary = TemporaryFolder::new();
    let data_directory = match &options.data_dir {
        Some(folder) => folder,
        None => &temporary.0,
    };
    if let Some(n_days) = options.past_days {
        fill_history(n_days, &options, data_directory)?;
    }
    let mut supervisor = Supervisor::new();
    supervisor.start(
        BROKER,
        command(workspace::binary(BROKER))?
            .env(
                "RUST_LOG",
                env::var_os("RUST_LOG").unwrap_or_else(|| QUIET.into()),
            )
            .args(["--port", &options.port.to_string()])
            .args(["--mqtt-port", &options.mqtt_port.to_string()])
            .arg("--data-dir")
            .arg(data_directory)
            .arg("--page")
            .arg(workspace::page()),
    )?;
    let broker = supervisor.wait_for(BROKER, BrokerAddresses::parse)?;
    supervisor.start(
        SIMULATOR,
        command(workspace::binary(SIMULATOR))?
            .args(["--broker", &format!("mqtt://{}", broker.mqtt)])
            .args(options.simulator_arguments())
            .args(options.past_of_live_field()),
    )?;
    supervisor.wait_for(SIMULATOR, |line| {
        // Its errors begin with its name too.
        (line.starts_with(SIMULATOR) && line.contains(" pumps on ")).then_some(())
    })?;
    print(format_args!("ready: {}", broker.page));
    if options.open {
        open_browser(&broker.page);
    }
    supervisor.watch()?;
    say("stopping");
    Ok(())
}

/// Lets the broker know what the field would have measured before it was started.
fn fill_history(n_days: u16, options: &Options, data_directory: &Path) -> Result<()> {
    fs::create_dir_all(data_directory)?;
    let file = data_directory.join("past.csv");
    step("filling the history", || {
        let readings =
            fs::File::create(&file).with_context(|| format!("cannot write {}", file.display()))?;
        run_command(
            command(workspace::binary(SIMULATOR))?
                .args(["--past-days", &n_days.to_string()])
                .args(options.simulator_arguments())
                .stdout(readings),
        )?;
        run_command(
            command(workspace::binary(BROKER))?
                .args(["history", "import"])
                .arg(&file)
                .args(["--time-column", "time", "--series", "{column}"])
                .arg("--data-dir")
                .arg(data_directory),
        )
    })?;
    // It is in the history, and as large again.
    let _ = fs::remove_file(&file);
    Ok(())
}

/// A number of days or years, such as 30d or 1y, in days.
fn days(text: &str) -> Option<u16> {
    let (number, n_days) = match text.strip_suffix('y') {
        Some(number) => (number, 365),
        None => (text.strip_suffix('d')?, 1),
    };
    let n_days = number.parse::<u16>().ok()?.checked_mul(n_days)?;
    (1..=PAST_DAYS_MAX).contains(&n_days).then_some(n_days)
}

/// The broker and the field: unoptimised, as that is quickest to build and fast enough to look at.
pub(crate) fn build_binaries() -> Result<()> {
    step("building the broker and the simulated field", || {
        run_command(cargo()?.args(["build", "--package", BROKER, "--package", SIMULATOR]))
    })
}

/// A folder for what the field of one demonstration leaves; it goes with this value.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> Self {
        Self(env::temp_dir().join(format!("rootzone-demo-{}", process::id())))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // The broker makes it, if it comes so far.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Options {
    port: u16,
    mqtt_port: u16,
    data_dir: Option<PathBuf>,
    open: bool,
    replay: Option<PathBuf>,
    /// Real measurements that nobody named, played where nothing else is.
    found: Option<PathBuf>,
    speed: Option<String>,
    /// For how long the field is to have been there already.
    past_days: Option<u16>,
    simulator: Vec<OsString>,
}

impl Options {
    fn parse(mut arguments: Parser, found: Option<PathBuf>) -> Result<Self> {
        let mut options = Self {
            port: PORT,
            mqtt_port: MQTT_PORT,
            data_dir: None,
            open: true,
            replay: None,
            found: None,
            speed: None,
            past_days: None,
            simulator: Vec::new(),
        };
        let mut words: Vec<OsString> = arguments.raw_args()?.collect();
        if let Some(dashes) = words.iter().position(|word| word == "--") {
            options.simulator = words.split_off(dashes + 1);
            words.pop();
        }
        let mut arguments = Parser::from_args(words);
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("port") => options.port = port(&mut arguments, "--port")?,
                Arg::Long("mqtt-port") => options.mqtt_port = port(&mut arguments, "--mqtt-port")?,
                Arg::Long("data-dir") => {
                    options.data_dir = Some(std::path::absolute(arguments.value()?)?);
                }
                Arg::Long("no-open") => options.open = false,
                Arg::Long("replay") => options.replay = Some(arguments.value()?.into()),
                Arg::Long("history") => {
                    let span = arguments.value()?.string()?;
                    let n_days = days(&span).with_context(|| {
                        format!(
                            "--history: {span:?} is not a time from 1d to 10y, such as 30d or 1y"
                        )
                    })?;
                    options.past_days = Some(n_days);
                }
                Arg::Long("speed") => options.speed = Some(arguments.value()?.string()?),
                Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                    return Err(argument.unexpected().into());
                }
            }
        }
        if options.replay.is_none() && !options.simulator.iter().any(names_replay) {
            options.found = found;
        }
        Ok(options)
    }

    /// What the field will show, as nobody should take a model for measurements or the other way round.
    fn what_plays(&self) -> String {
        if let Some(file) = &self.replay {
            format!("the field plays {}", file.display())
        } else if let Some(file) = &self.found {
            format!("the field plays {}, found by ROOTZONE_DATA", file.display())
        } else if self.simulator.iter().any(names_replay) {
            "the field plays what was chosen behind --".to_owned()
        } else {
            "the field plays its built-in soil model".to_owned()
        }
    }

    /// What can be known to be wrong before anything is built.
    fn check(&self) -> Result<()> {
        if let Some(file) = &self.replay
            && !file.is_file()
        {
            bail!("there is no file {} to replay", file.display());
        }
        if let Some(speed) = &self.speed
            && time_span::parse_seconds(speed).is_none()
        {
            bail!("--speed: {speed:?} is not a time from 1s to 30d, such as 1h or 10m");
        }
        if self.port == self.mqtt_port && self.port != 0 {
            bail!(
                "--port and --mqtt-port are both {}: they must differ",
                self.port
            );
        }
        ports::check_free(self.port, "page and WebSocket", "--port")?;
        ports::check_free(self.mqtt_port, "MQTT", "--mqtt-port")
    }

    fn simulator_arguments(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(file) = self.replay.as_ref().or(self.found.as_ref()) {
            words.extend(["--replay".into(), absolute(file).into_os_string()]);
        }
        if let Some(speed) = &self.speed {
            words.extend(["--speed".into(), speed.into()]);
        }
        words.extend(self.simulator.iter().cloned());
        words
    }

    /// The live readings join those that the history begins with.
    fn past_of_live_field(&self) -> Option<String> {
        let n_days = self.past_days?;
        Some(format!("--after-days={n_days}"))
    }
}

fn port(arguments: &mut Parser, option: &str) -> Result<u16> {
    let value = arguments.value()?;
    let port = value.to_str().and_then(|text| text.parse().ok());
    port.with_context(|| format!("{option}: {value:?} is not a port from 0 to 65535"))
}

/// Whether an argument of the simulator's chooses what plays.
fn names_replay(argument: &OsString) -> bool {
    argument
        .to_str()
        .is_some_and(|text| text == "--replay" || text.starts_with("--replay="))
}

/// Real measurements, for those who have them and said where.
fn measurements() -> Option<PathBuf> {
    let folder = env::var_os("ROOTZONE_DATA")?;
    let file = Path::new(&folder).join("simpact_sydney_13sensors_hourly.csv");
    file.is_file().then_some(file)
}

/// Children run in the workspace's root, wherever we were started.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// What the broker says when it is ready: `rootzone: mqtt 127.0.0.1:1883, page http://127.0.0.1:8080/`.
#[derive(Debug, PartialEq, Eq)]
struct BrokerAddresses {
    mqtt: String,
    page: String,
}

impl BrokerAddresses {
    fn parse(line: &str) -> Option<Self> {
        let (mqtt, page) = line
            .strip_prefix("rootzone: mqtt ")?
            .split_once(", page ")?;
        Some(Self {
            mqtt: mqtt.to_owned(),
            page: page.trim().to_owned(),
        })
    }
}

/// Opens a browser where there is a screen for one; that it can't is no failure.
fn open_browser(url: &str) {
    let opener: &'static [&'static str] = if cfg!(target_os = "macos") {
        &["open"]
    } else if cfg!(windows) {
        &["cmd", "/C", "start"]
    } else if env::var_os("DISPLAY").is_some() || env::var_os("WAYLAND_DISPLAY").is_some() {
        &["xdg-open"]
    } else {
        return;
    };
    let child = command(opener[0])
        .and_then(|mut command| detach(command.args(&opener[1..]).arg(url)))
        .context("no browser was opened");
    match child {
        // An opener may last as long as the browser that it opens.
        Ok(mut child) => drop(thread::spawn(move || match child.wait() {
            Ok(status) if !status.success() => {
                say(format_args!(
                    "no browser was opened: {} ended with {status}",
                    opener[0]
                ));
            }
            Ok(_) | Err(_) => {}
        })),
        Err(why) => say(format_args!("{why:#}")),
    }
}

/// Every device that connects is worth a line of a broker's log, and none of a demonstration's.
const QUIET: &str = "warn";
pub(crate) const BROKER: &str = "rootzone";
pub(crate) const SIMULATOR: &str = "field-simulator";
const PAST_DAYS_MAX: u16 = 3_650;
const PORT: u16 = 8080;
const MQTT_PORT: u16 = 1883;

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options> {
        Options::parse(Parser::from_args(words.iter().copied()), None)
    }

    #[test]
    fn ports_and_the_file_are_taken_from_the_command_line() {
        let options =
            options(&["--port", "9000", "--mqtt-port=1884", "--replay", "a.csv"]).unwrap();
        assert_eq!((options.port, options.mqtt_port), (9000, 1884));
        assert_eq!(options.replay, Some("a.csv".into()));
        assert!(options.open);
    }

    #[test]
    fn what_follows_two_dashes_goes_to_the_simulator() {
        let options = options(&["--no-open", "--replay=/a.csv", "--", "--stuck-pump"]).unwrap();
        assert_eq!(
            options.simulator_arguments(),
            ["--replay", "/a.csv", "--stuck-pump"]
        );
    }

    #[test]
    fn a_wrong_option_is_named() {
        let error = options(&["--prot", "9000"]).err().unwrap().to_string();
        assert!(error.contains("--prot"), "{error}");
    }

    #[test]
    fn a_port_that_is_none_is_named_with_its_option() {
        for option in ["--port", "--mqtt-port"] {
            for value in ["abc", "65536", ""] {
                let error = options(&[option, value]).err().unwrap().to_string();
                assert_eq!(
                    error,
                    format!("{option}: {value:?} is not a port from 0 to 65535")
                );
            }
        }
    }

    #[test]
    fn a_history_is_as_long_as_is_said() {
        for (text, n_days) in [("1y", 365), ("30d", 30)] {
            assert_eq!(
                options(&["--history", text]).unwrap().past_days,
                Some(n_days)
            );
        }
        assert_eq!(options(&[]).unwrap().past_of_live_field(), None);
        for nonsense in ["", "y", "11y", "0d", "1", "1h", "-1d", "99999y"] {
            let error = options(&["--history", nonsense]).err().unwrap().to_string();
            assert!(error.starts_with("--history: "), "{error}");
        }
    }

    #[test]
    fn the_live_field_goes_on_where_its_past_ends() {
        let past = options(&["--history", "1y"]).unwrap().past_of_live_field();
        assert_eq!(past.as_deref(), Some("--after-days=365"));
    }

    #[track_caller]
    fn check_refusal(words: &[&str], message: &str) {
        let error = options(words).unwrap().check().unwrap_err();
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_built() {
        check_refusal(
            &["--port", "4000", "--mqtt-port", "4000"],
            "--port and --mqtt-port are both 4000: they must differ",
        );
        check_refusal(
            &["--speed", "fast"],
            "--speed: \"fast\" is not a time from 1s to 30d, such as 1h or 10m",
        );
        check_refusal(
            &["--replay", "no/such.csv"],
            "there is no file no/such.csv to replay",
        );
        let any_ports = ["--port", "0", "--mqtt-port", "0", "--speed", "10m"];
        options(&any_ports).unwrap().check().unwrap();
    }

    #[test]
    fn it_says_what_plays_and_who_chose_it() {
        let found = || Some("/data/found.csv".into());
        for (words, found, plays, arguments) in [
            (
                &["--replay", "/a.csv"][..],
                found(),
                "the field plays /a.csv",
                &["--replay", "/a.csv"][..],
            ),
            (
                &[],
                found(),
                "the field plays /data/found.csv, found by ROOTZONE_DATA",
                &["--replay", "/data/found.csv"],
            ),
            (&[], None, "the field plays its built-in soil model", &[]),
            (
                &["--", "--replay=/a.csv"],
                found(),
                "the field plays what was chosen behind --",
                &["--replay=/a.csv"],
            ),
        ] {
            let parser = Parser::from_args(words.iter().copied());
            let options = Options::parse(parser, found).unwrap();
            assert_eq!(options.what_plays(), plays);
            assert_eq!(options.simulator_arguments(), arguments);
        }
    }

    #[test]
    fn the_broker_s_ready_line_is_understood() {
        let line = "rootzone: mqtt 127.0.0.1:1883, page http://127.0.0.1:8080/";
        assert_eq!(
            BrokerAddresses::parse(line),
            Some(BrokerAddresses {
                mqtt: "127.0.0.1:1883".into(),
                page: "http://127.0.0.1:8080/".into(),
            })
        );
        assert_eq!(BrokerAddresses::parse("2026-01-01 INFO listening"), None);
    }
}
