//! A `rootzone` that can be killed and started again.

use std::{
    io::{BufRead, BufReader},
    iter,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

/// Ports that stay the same from one life of a broker to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) mqtt: u16,
    pub(crate) http: u16,
}

impl Ports {
    /// Two that are free.
    ///
    /// They are none of those that the system gives to clients: a client that tries a port again and again
    /// while nobody listens would sooner or later be connected with itself.
    pub(crate) fn find() -> Self {
        static N_TRIED: AtomicU16 = AtomicU16::new(0);
        let first = u16::try_from(std::process::id() % 5000).unwrap() + 20_000;
        let mut free = iter::repeat_with(|| first + N_TRIED.fetch_add(1, Ordering::Relaxed))
            .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        Self {
            mqtt: free.next().unwrap(),
            http: free.next().unwrap(),
        }
    }
}

/// One life of a broker.
pub(crate) struct Broker {
    process: Child,
}

impl Broker {
    /// Starts, and does not wait until it is ready.
    pub(crate) fn spawn(data_directory: &Path, ports: Ports) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_rootzone"))
            .args(["--mqtt-port", &ports.mqtt.to_string()])
            .args(["--port", &ports.http.to_string()])
            .arg("--data-dir")
            .arg(data_directory)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process }
    }

    /// Waits for the line that says so, unless that was done before.
    pub(crate) fn wait_until_ready(&mut self) {
        let Some(output) = self.process.stdout.take() else {
            return;
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert!(line.starts_with("rootzone: mqtt "), "{line:?}");
    }

    /// Gives it no time for anything: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end();
    }
}
