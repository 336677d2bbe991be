//! The real `rootzone`, on ports of its own.

use std::net::{Ipv4Addr, TcpListener};

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
        }
    }

    /// Debian's mosquitto in its place, which has no page.
    pub(crate) async fn mosquitto() -> Self {
        // It cannot choose a port by itself.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mqtt_port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut process = Process::start(
            "mosquitto",
            Command::new(path_by("MOSQUITTO")).args(["-p", &mqtt_port.to_string()]),
        );
        process
            .line("mosquitto is ready", |line| {
                line.contains(" running").then_some(())
            })
            .await;
        Self {
            process,
            mqtt_port,
            page_port: 0,
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
