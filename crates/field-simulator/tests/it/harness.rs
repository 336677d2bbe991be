//! A broker, a field and a watcher, each a process that ends with its test.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How long anything is waited for: a condition that never comes is a failure, not a measurement.
const PATIENCE: Duration = Duration::from_secs(30);

/// Debian's mosquitto on a port of its own.
pub(crate) struct Broker {
    port: u16,
    folder: tempfile::TempDir,
    process: Process,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let process = start_broker(folder.path(), port);
        Self {
            port,
            folder,
            process,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Kills the broker with all it kept in memory, does something, and starts it on the same port.
    pub(crate) fn restart_after(&mut self, meanwhile: impl FnOnce()) {
        self.process.kill();
        meanwhile();
        self.process = start_broker(self.folder.path(), self.port);
    }

    pub(crate) fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let status = Command::new("mosquitto_pub")
            .args(["-V", "5", "-p", &self.port.to_string(), "-q", "1"])
            .args(["-t", topic, "-m", payload])
            .args(more)
            .status()
            .expect("mosquitto_pub should be installed (Debian: mosquitto-clients)");
        assert!(status.success());
    }

    /// Everything that is retained and all that comes.
    pub(crate) fn watch(&self) -> Watcher {
        let child = Command::new("mosquitto_sub")
            .args(["-V", "5", "-p", &self.port.to_string(), "-q", "1"])
            .args(["-t", "#", "-F", "%r %t %p"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto_sub should be installed (Debian: mosquitto-clients)");
        let mut process = Process(child);
        Watcher {
            lines: lines_of(process.0.stdout.take().unwrap()),
            seen: Vec::new(),
            _process: process,
        }
    }
}

/// A running `field-simulator`.
pub(crate) struct Field {
    process: Process,
}

impl Field {
    /// Starts a field and waits for the line that says that it is ready.
    pub(crate) fn start(broker: &Broker, arguments: &[&str]) -> (Self, String) {
        let child = simulator(&broker.url(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Process(child);
        let lines = lines_of(process.0.stdout.take().unwrap());
        let ready = lines.recv_timeout(PATIENCE).expect("a field that is ready");
        (Self { process }, ready)
    }

    pub(crate) fn terminate(mut self) -> ExitStatus {
        let id = self.process.0.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(killed.success());
        self.process.0.wait().unwrap()
    }
}

/// Runs the program to its end; what it said on stderr and whether it was content.
pub(crate) fn run_to_end(broker_url: &str, arguments: &[&str]) -> (bool, String) {
    let child = simulator(broker_url, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    let mut said = String::new();
    let mut stderr = process.0.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    (process.0.wait().unwrap().success(), said)
}

/// Runs the program until its log has a line.
pub(crate) fn first_line_of_log(broker_url: &str, arguments: &[&str]) -> String {
    let child = simulator(broker_url, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    let lines = lines_of(process.0.stderr.take().unwrap());
    lines.recv_timeout(PATIENCE).expect("a line of log")
}

/// What a watcher saw.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) retain: bool,
    pub(crate) topic: String,
    pub(crate) payload: String,
}

pub(crate) struct Watcher {
    lines: mpsc::Receiver<String>,
    seen: Vec<Seen>,
    _process: Process,
}

impl Watcher {
    /// Looks at messages until one is what is looked for.
    #[track_caller]
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Seen) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(remaining) else {
                panic!("{what} did not come; seen: {:#?}", self.seen);
            };
            let mut parts = line.splitn(3, ' ');
            let seen = Seen {
                retain: parts.next() == Some("1"),
                topic: parts.next().unwrap_or_default().into(),
                payload: parts.next().unwrap_or_default().into(),
            };
            self.seen.push(seen.clone());
            if let Some(found) = found(&seen) {
                return found;
            }
        }
    }

    /// Looks at messages until one on this topic begins with this.
    #[track_caller]
    pub(crate) fn wait_for_payload(&mut self, topic: &str, beginning: &str) -> String {
        self.wait_for(&format!("{beginning} on {topic}"), |seen| {
            (seen.topic == topic && seen.payload.starts_with(beginning))
                .then(|| seen.payload.clone())
        })
    }

    pub(crate) fn seen(&self) -> &[Seen] {
        &self.seen
    }
}

/// A file of the shape of the Sydney measurements, in which every value tells its row and column.
pub(crate) fn measurements(folder: &Path, n_rows: usize) -> PathBuf {
    let columns: String = (1..=13).map(|number| format!(",P{number}")).collect();
    let mut text = format!("day,hour{columns}\n");
    for row in 0..n_rows {
        text += &format!("2022-11-{:02},{}", 15 + row / 24, row % 24);
        for column in 0..13 {
            text += &format!(",{:.2}", value(row, column));
        }
        text += "\n";
    }
    let path = folder.join("measurements.csv");
    fs::write(&path, text).unwrap();
    path
}

pub(crate) fn value(row: usize, column: usize) -> f64 {
    10.0 + column as f64 + row as f64 / 100.0
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

struct Process(Child);

impl Process {
    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn simulator(broker_url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-simulator"));
    command.args(["--broker", broker_url]).args(arguments);
    command
}

fn start_broker(folder: &Path, port: u16) -> Process {
    let config = folder.join("mosquitto.conf");
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
    fs::write(&config, text).unwrap();
    let mut process = Process(
        // Debian keeps it where not every PATH looks.
        ["mosquitto", "/usr/sbin/mosquitto"]
            .into_iter()
            .find_map(|program| {
                Command::new(program)
                    .arg("-c")
                    .arg(&config)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .ok()
            })
            .expect("mosquitto should be installed (Debian: mosquitto)"),
    );
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(process.0.try_wait().unwrap().is_none(), "mosquitto ended");
        assert!(Instant::now() < deadline, "mosquitto does not listen");
        thread::yield_now();
    }
    process
}

fn lines_of(output: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
