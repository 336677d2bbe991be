//! A running `rootzone`, ended with the test.

use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{Resource, Rlimit, geteuid, getrlimit, prlimit};

/// The binary on ports of its own.
pub(crate) struct Broker {
    process: Child,
    pub(crate) mqtt: SocketAddr,
    pub(crate) http: SocketAddr,
}

impl Broker {
    pub(crate) fn start() -> Self {
        Self::start_with::<&str>(&[])
    }

    /// Starts with more arguments.
    pub(crate) fn start_with<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        let mut command = command(PROGRAM);
        command.args(ANY_PORTS).arg("--in-memory").args(arguments);
        Self::start_command(command)
    }

    /// Starts with a data directory.
    pub(crate) fn start_in(data_directory: &Path) -> Self {
        let mut command = command(PROGRAM);
        command
            .args(ANY_PORTS)
            .arg("--data-dir")
            .arg(data_directory);
        Self::start_command(command)
    }

    /// Starts with a data directory and limits of its own.
    pub(crate) fn start_in_with_config(data_directory: &Path, config: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, config).unwrap();
        let mut command = command(PROGRAM);
        command.args(ANY_PORTS).arg("--config").arg(file.path());
        command.arg("--data-dir").arg(data_directory);
        Self::start_command(command)
    }

    /// Starts with limits of its own, in the form of `docs/limits.md`.
    pub(crate) fn start_with_config(config: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, config).unwrap();
        Self::start_with(&[OsStr::new("--config"), file.path().as_os_str()])
    }

    /// Starts with a limit of open files that it cannot raise.
    pub(crate) fn start_with_open_files(limit: u32) -> Self {
        let mut command = command("sh");
        command
            .args([
                "-c",
                &format!("ulimit -n {limit} && exec \"$0\" \"$@\""),
                PROGRAM,
            ])
            .args(ANY_PORTS)
            .arg("--in-memory");
        Self::start_command(command)
    }

    /// Starts with a data directory, and with files that can be kept from growing: its log is on the same disk.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_in_bounded(data_directory: &Path, file_size_max: Option<u64>) -> Self {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(data_directory.join("log"))
            .unwrap();
        log.set_len(LOG_BYTES).unwrap();
        let mut command = command_with_bounded_files(file_size_max);
        command
            .args(ANY_PORTS)
            .arg("--data-dir")
            .arg(data_directory)
            .stderr(log);
        Self::start_command(command)
    }

    /// No file may grow beyond this, as on a disk that is full.
    #[cfg(target_os = "linux")]
    pub(crate) fn bound_files(&self, file_size_max: Option<u64>) {
        let limit = Rlimit {
            current: file_size_max,
            maximum: getrlimit(Resource::Fsize).maximum,
        };
        prlimit(Some(Pid::from_child(&self.process)), Resource::Fsize, limit).unwrap();
    }

    /// Waits until it says that it is ready.
    fn start_command(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (mqtt, http) =
            parse_ready(&line).unwrap_or_else(|| panic!("not the line that says ready: {line:?}"));
        Self {
            process,
            mqtt,
            http,
        }
    }

    /// Checks how much of its memory is in use: VmRSS, as the system counts it.
    #[track_caller]
    pub(crate) fn check_memory_below(&self, bytes_max: usize) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .unwrap();
        let bytes = kilobytes.parse::<usize>().unwrap() * 1024;
        assert!(bytes < bytes_max, "{bytes} bytes, not below {bytes_max}");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Gives it no time for anything.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a start that fails says on standard error.
pub(crate) fn refusal<S: AsRef<OsStr>>(arguments: &[S]) -> (ExitStatus, String) {
    refusal_of(command(PROGRAM).args(arguments))
}

/// What a start with a data directory says that fails on a disk on which no file can have more bytes.
#[cfg(target_os = "linux")]
pub(crate) fn refusal_in_bounded(
    data_directory: &Path,
    file_size_max: u64,
) -> (ExitStatus, String) {
    let mut command = command_with_bounded_files(Some(file_size_max));
    command.args(ANY_PORTS).arg("--data-dir");
    refusal_of(command.arg(data_directory))
}

/// What a start with a data directory says that fails for somebody whom the permissions of files concern.
#[cfg(target_os = "linux")]
pub(crate) fn refusal_of_ordinary_user(data_directory: &Path) -> (ExitStatus, String) {
    let mut command = if geteuid().is_root() {
        let mut command = command("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", PROGRAM]);
        command
    } else {
        command(PROGRAM)
    };
    command.args(ANY_PORTS).arg("--data-dir");
    refusal_of(command.arg(data_directory))
}

fn refusal_of(command: &mut Command) -> (ExitStatus, String) {
    let mut process = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = String::new();
    process
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    (process.wait().unwrap(), errors)
}

/// An attempt to write more fails, and does not end the process as it does by default.
#[cfg(target_os = "linux")]
fn command_with_bounded_files(file_size_max: Option<u64>) -> Command {
    let limit = file_size_max.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let mut command = command("sh");
    command.args([
        "-c",
        &format!("trap '' XFSZ && exec prlimit --fsize={limit}: \"$0\" \"$@\""),
        PROGRAM,
    ]);
    command
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("RUST_LOG", "warn");
    // Whatever a test forgets, it leaves this user's own data alone.
    command.env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

fn parse_ready(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let (mqtt, http) = line
        .strip_prefix("rootzone: mqtt ")?
        .strip_suffix("/\n")?
        .split_once(", page http://")?;
    Some((mqtt.parse().ok()?, http.parse().ok()?))
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_rootzone");
/// More than any file of a test may have.
const LOG_BYTES: u64 = 1 << 34;
const ANY_PORTS: [&str; 4] = ["--port", "0", "--mqtt-port", "0"];
