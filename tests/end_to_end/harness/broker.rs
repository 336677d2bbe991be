//! The real `rootzone`, on ports of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use tokio::process::Command;

use super::{Process, path_by, rootzone};

pub(crate) struct Broker {
    process: Process,
    pub(crate) mqtt_port: u16,
    pub(crate) page_port: u16,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        Self::start_at(0, 0).await
    }

    /// On ports that were another broker's before.
    pub(crate) async fn start_at(mqtt_port: u16, page_port: u16) -> Self {
        let page = path_by("ROOTZONE_PAGE");
        Self::start_command(rootzone().arg("--in-memory"), &page, mqtt_port, page_port).await
    }

    /// One that keeps what it has to in a folder, on any ports or another broker's.
    pub(crate) async fn with_data(folder: &Path, mqtt_port: u16, page_port: u16) -> Self {
        let page = path_by("ROOTZONE_PAGE");
        let mut command = rootzone();
        command.arg("--data-dir").arg(folder);
        Self::start_command(&mut command, &page, mqtt_port, page_port).await
    }

    /// One that serves the page of the client alone, with further arguments, on any ports or another broker's.
    pub(crate) async fn with_client_page(
        arguments: &[&str],
        mqtt_port: u16,
        page_port: u16,
    ) -> Self {
        let page = path_by("CLIENT_PAGE");
        Self::start_command(rootzone().args(arguments), &page, mqtt_port, page_port).await
    }

    /// One that serves the page of the benchmarks.
    pub(crate) async fn with_benchmark_page() -> Self {
        let page = path_by("BENCHMARK_PAGE");
        Self::start_command(rootzone().arg("--in-memory"), &page, 0, 0).await
    }

    async fn start_command(
        command: &mut Command,
        page: &Path,
        mqtt_port: u16,
        page_port: u16,
    ) -> Self {
        let mut process = Process::start(
            "rootzone",
            command
                .args(["--mqtt-port", &mqtt_port.to_string()])
                .args(["--port", &page_port.to_string()])
                .arg("--page")
                .arg(page),
        );
        let (mqtt_port, page_port) = process.line("the broker is ready", ports).await;
        Self {
            process,
            mqtt_port,
            page_port,
        }
    }

    /// Debian's mosquitto in its place, which has no page.
    pub(crate) async fn mosquitto() -> Self {
        let mqtt_port = free_port();
        Self::start_mosquitto(&["-p", &mqtt_port.to_string()], mqtt_port, 0).await
    }

    /// Debian's mosquitto with a WebSocket listener, that asks for [`USER_NAME`] and [`PASSWORD`].
    pub(crate) async fn mosquitto_with_password(folder: &Path) -> Self {
        Self::mosquitto_with_password_at(folder, free_port(), free_port()).await
    }

    /// The same on ports that were another one's before.
    pub(crate) async fn mosquitto_with_password_at(
        folder: &Path,
        mqtt_port: u16,
        page_port: u16,
    ) -> Self {
        let passwords = folder.join("passwords");
        let status = Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(&passwords)
            .args([USER_NAME, PASSWORD])
            .status()
            .await
            .unwrap();
        assert!(status.success(), "mosquitto_passwd ended with {status}");
        let config = folder.join("mosquitto.conf");
        // Started by root it would otherwise become a user who may not read the folder.
        let text = format!(
            "user root\nallow_anonymous false\npassword_file {}\n\
             listener {mqtt_port} 127.0.0.1\n\
             listener {page_port} 127.0.0.1\nprotocol websockets\n",
            passwords.display()
        );
        std::fs::write(&config, text).unwrap();
        let config = config.to_str().unwrap();
        Self::start_mosquitto(&["-c", config], mqtt_port, page_port).await
    }

    async fn start_mosquitto(arguments: &[&str], mqtt_port: u16, page_port: u16) -> Self {
        let mut process = Process::start(
            "mosquitto",
            Command::new(path_by("MOSQUITTO")).args(arguments),
        );
        process
            .line("mosquitto is ready", |line| {
                line.contains(" running").then_some(())
            })
            .await;
        Self {
            process,
            mqtt_port,
            page_port,
        }
    }

    /// Where MQTT over WebSocket is.
    pub(crate) fn web_socket_url(&self) -> String {
        format!("ws://127.0.0.1:{}/mqtt", self.page_port)
    }

    pub(crate) fn page_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.page_port)
    }

    /// As a power cut would.
    pub(crate) async fn kill(self) {
        self.process.kill().await;
    }

    /// As a service manager would.
    pub(crate) async fn terminate(self) {
        let status = self.process.terminate().await;
        assert!(status.success(), "the broker ended with {status}");
    }
}

/// Takes readings into a folder before a broker has it. The columns of the file are called like their series.
pub(crate) async fn import_history(file: &Path, folder: &Path) {
    let status = rootzone()
        .args(["history", "import"])
        .arg(file)
        .args(["--time-column", "time", "--series", "{column}"])
        .arg("--data-dir")
        .arg(folder)
        .status()
        .await
        .unwrap();
    assert!(status.success(), "the import ended with {status}");
}

/// Mosquitto cannot choose a port by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Whom Mosquitto lets in.
pub(crate) const USER_NAME: &str = "grower";
pub(crate) const PASSWORD: &str = "soil and water";

/// From `rootzone: mqtt 127.0.0.1:1883, page http://127.0.0.1:8080/`.
fn ports(line: &str) -> Option<(u16, u16)> {
    let (mqtt, page) = line
        .strip_prefix("rootzone: mqtt 127.0.0.1:")?
        .split_once(", page ")?;
    let page = page
        .strip_prefix("http://127.0.0.1:")?
        .trim_end_matches('/');
    Some((mqtt.parse().ok()?, page.parse().ok()?))
}
