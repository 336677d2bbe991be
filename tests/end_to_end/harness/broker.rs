//! The real `rootzone`, on ports of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use tempfile::TempDir;
use tokio::process::Command;

use super::{Process, path_by, rootzone};

pub(crate) struct Broker {
    process: Process,
    pub(crate) mqtt_port: u16,
    pub(crate) page_port: u16,
    /// What it is set up by.
    _folder: Option<TempDir>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        Self::start_at(0, 0).await
    }

    /// On ports that were another broker's before.
    pub(crate) async fn start_at(mqtt_port: u16, page_port: u16) -> Self {
        Self::start_command(rootzone().arg("--in-memory"), mqtt_port, page_port).await
    }

    async fn start_command(command: &mut Command, mqtt_port: u16, page_port: u16) -> Self {
        let mut process = Process::start(
            "rootzone",
            command
                .args(["--mqtt-port", &mqtt_port.to_string()])
                .args(["--port", &page_port.to_string()])
                .arg("--page")
                .arg(path_by("ROOTZONE_PAGE")),
        );
        let (mqtt_port, page_port) = process.line("the broker is ready", ports).await;
        Self {
            process,
            mqtt_port,
            page_port,
            _folder: None,
        }
    }

    /// Debian's mosquitto in its place, which has no page.
    pub(crate) async fn mosquitto() -> Self {
        let mqtt_port = free_port();
        let arguments = ["-p", &mqtt_port.to_string()].map(String::from);
        Self::start_mosquitto(&arguments, mqtt_port, 0, None).await
    }

    /// Debian's mosquitto with a WebSocket listener, which [`page_port`](Self::page_port) is then,
    /// for whoever has the password.
    pub(crate) async fn guarded_mosquitto() -> Self {
        let (mqtt_port, web_socket_port) = (free_port(), free_port());
        let folder = TempDir::new().unwrap();
        let passwords = folder.path().join("passwords");
        let status = Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(&passwords)
            .args([USER_NAME, PASSWORD])
            .status()
            .await
            .unwrap();
        assert!(status.success(), "mosquitto_passwd ended with {status}");
        let configuration = folder.path().join("mosquitto.conf");
        let lines = [
            format!("listener {mqtt_port} 127.0.0.1"),
            format!("listener {web_socket_port} 127.0.0.1"),
            "protocol websockets".into(),
            "allow_anonymous false".into(),
            format!("password_file {}", passwords.display()),
            // As root it would become a user who cannot read that file.
            "user root".into(),
        ];
        fs::write(&configuration, lines.join("\n")).unwrap();
        let arguments = ["-c", &configuration.display().to_string()].map(String::from);
        Self::start_mosquitto(&arguments, mqtt_port, web_socket_port, Some(folder)).await
    }

    async fn start_mosquitto(
        arguments: &[String],
        mqtt_port: u16,
        page_port: u16,
        folder: Option<TempDir>,
    ) -> Self {
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
            _folder: folder,
        }
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

/// One for a broker that cannot choose by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Whom a guarded mosquitto lets in.
pub(crate) const USER_NAME: &str = "anna";
pub(crate) const PASSWORD: &str = "geheim";

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
