//! A broker that can be started, and one that runs.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail};

use super::scenario::Scenario;
use crate::process::{Running, command, is_interrupted, read};
use crate::workspace;

/// A program that can be started on any port.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The program and its arguments, with places for the ports, the file and the folder of its data.
    pub(crate) words: Vec<String>,
    /// The name and the text of a file that is written for it, with places for the ports and the folder.
    pub(crate) file: Option<(&'static str, &'static str)>,
    pub(crate) speaks_websocket: bool,
}

/// A program that runs now, until this value goes.
pub(crate) struct Started {
    running: Running,
    ports: Ports,
}

#[derive(Clone, Copy)]
struct Ports {
    mqtt: u16,
    websocket: u16,
}

impl Program {
    /// Our own, as a user would run it: it keeps what it acknowledges.
    pub(crate) fn rootzone() -> Result<Self> {
        Self::rootzone_with(ROOTZONE, &["--data-dir", DATA])
    }

    /// The same without a data directory.
    pub(crate) fn rootzone_in_memory() -> Result<Self> {
        Self::rootzone_with(ROOTZONE_IN_MEMORY, &["--in-memory"])
    }

    fn rootzone_with(name: &str, options: &[&str]) -> Result<Self> {
        let path = release_binary(ROOTZONE);
        let path = path.to_str().context("the path is no text")?;
        let commit = read(command("git")?.args(["rev-parse", "--short", "HEAD"]));
        let words = [path, "--mqtt-port", PORT, "--port", WEBSOCKET_PORT];
        Ok(Self {
            name: name.to_owned(),
            version: commit.map_or_else(|_| String::new(), |commit| commit.trim().to_owned()),
            words: words
                .iter()
                .chain(options)
                .map(|&word| word.into())
                .collect(),
            file: None,
            speaks_websocket: true,
        })
    }

    /// With queues as long as a measurement wants them.
    pub(crate) fn with_long_queues(mut self) -> Self {
        self.words.extend(["--config", FILE].map(str::to_owned));
        self.file = Some(("rootzone.toml", LONG_QUEUES));
        self
    }

    /// Which keeps readings however old they are.
    pub(crate) fn with_old_readings(mut self) -> Self {
        self.words.extend(["--config", FILE].map(str::to_owned));
        self.file = Some(("rootzone.toml", OLD_READINGS));
        self
    }

    /// Where it keeps what it must not forget.
    pub(crate) fn data(&self) -> PathBuf {
        super::folder().join(format!("{}-data", self.name))
    }

    /// Lets it begin with nothing.
    pub(crate) fn clear_data(&self) -> Result<()> {
        self.remove_data()?;
        let folder = self.data();
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))
    }

    /// Gives the disk back what it took.
    pub(crate) fn remove_data(&self) -> Result<()> {
        let folder = self.data();
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", folder.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What it said since it was started.
    pub(crate) fn log(&self) -> Result<String> {
        let path = self.log_path();
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn log_path(&self) -> PathBuf {
        super::folder().join(format!("{}.log", self.name))
    }

    /// A broker whose command line a person wrote; words are separated by spaces.
    pub(crate) fn of_command(name: &str, words: &str) -> Result<Self> {
        let program = Self {
            name: name.to_owned(),
            version: words.to_owned(),
            words: words.split_whitespace().map(Into::into).collect(),
            file: None,
            speaks_websocket: words.contains(WEBSOCKET_PORT),
        };
        // Now, and not when everything else was measured.
        drop(program.start()?);
        Ok(program)
    }

    pub(crate) fn can_play(&self, scenario: &Scenario) -> bool {
        self.speaks_websocket || !scenario.websocket
    }

    /// Starts it on free ports, and waits until it answers.
    pub(crate) fn start(&self) -> Result<Started> {
        let ports = Ports::free()?;
        let (folder, data) = (super::folder(), self.data());
        let data = data.to_string_lossy();
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (file_name, text) = self.file.unwrap_or_default();
        let file = folder.join(file_name);
        if !file_name.is_empty() {
            fs::write(&file, ports.fill_in(text).replace(DATA, &data))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        let log_path = self.log_path();
        let log = File::create(&log_path)
            .with_context(|| format!("cannot write {}", log_path.display()))?;
        let mut words = self.words.iter().map(|word| {
            let word = ports.fill_in(word);
            word.replace(FILE, &file.to_string_lossy())
                .replace(DATA, &data)
        });
        let mut command: Command = command(words.next().context("there is no command")?)?;
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // Ctrl-C reaches it through us, and once.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut started = Started {
            running: Running::start(&mut command)?,
            ports,
        };
        started.wait_until_ready(self).with_context(|| {
            let said = fs::read_to_string(&log_path).unwrap_or_default();
            let last = said.lines().last().unwrap_or("nothing").to_owned();
            format!("{} does not start; it last said: {last}", self.name)
        })?;
        Ok(started)
    }
}

impl Started {
    pub(crate) fn id(&mut self) -> u32 {
        self.running.child_mut().id()
    }

    pub(crate) fn address(&self, websocket: bool) -> String {
        let port = if websocket {
            self.ports.websocket
        } else {
            self.ports.mqtt
        };
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string()
    }

    /// Ends it as a power cut would: without a word.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.running.child_mut().kill()?;
        self.running.wait()?;
        Ok(())
    }

    fn wait_until_ready(&mut self, program: &Program) -> Result<()> {
        let mut ports = vec![self.ports.mqtt];
        if program.speaks_websocket {
            ports.push(self.ports.websocket);
        }
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.running.poll()? {
                bail!("it ended with {status}");
            }
            ports.retain(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err());
            if ports.is_empty() {
                return Ok(());
            }
            if is_interrupted() {
                bail!("interrupted");
            }
            if Instant::now() > deadline {
                bail!("it does not listen after {} s", READY_WITHIN.as_secs());
            }
            thread::sleep(TURN);
        }
    }
}

impl Ports {
    /// Two that nobody has now.
    fn free() -> Result<Self> {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (first, second) = (listen()?, listen()?);
        Ok(Self {
            mqtt: first.local_addr()?.port(),
            websocket: second.local_addr()?.port(),
        })
    }

    fn fill_in(self, text: &str) -> String {
        text.replace(PORT, &self.mqtt.to_string())
            .replace(WEBSOCKET_PORT, &self.websocket.to_string())
    }
}

pub(crate) fn release_binary(name: &str) -> PathBuf {
    workspace::target()
        .join("release")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

const ROOTZONE_IN_MEMORY: &str = "rootzone-in-memory";
pub(crate) const ROOTZONE: &str = "rootzone";
/// Where the port of MQTT over TCP goes.
pub(crate) const PORT: &str = "{port}";
/// Where the port of MQTT over WebSocket goes.
pub(crate) const WEBSOCKET_PORT: &str = "{websocket-port}";
/// Where the name of the file goes that is written for the program.
pub(crate) const FILE: &str = "{file}";
/// Where the name of the folder goes that is the program's for as long as it is measured.
pub(crate) const DATA: &str = "{data}";
const LONG_QUEUES: &str = "\
[limits]
queued_messages_per_session = 100000000
queued_bytes_per_session = 17179869184
queued_bytes = 17179869184
";
const OLD_READINGS: &str = "[history]\nraw_days = 0\n";
const READY_WITHIN: Duration = Duration::from_secs(10);
const TURN: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_filled_in() {
        let ports = Ports {
            mqtt: 7,
            websocket: 8,
        };
        assert_eq!(ports.fill_in("{port}/{websocket-port}"), "7/8");
    }

    #[test]
    fn a_program_that_does_not_start_is_named() {
        let error = Program::of_command("other", "false {port}").err().unwrap();
        let message = format!("{error:#}");
        assert!(message.starts_with("other does not start"), "{message}");
    }
}
