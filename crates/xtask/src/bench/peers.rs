//! The other brokers, set up so that like is compared with like: TCP_NODELAY, nothing dropped, nothing on disk unless
//! it is asked to keep.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::program::{FILE, Program};
use crate::process::{cargo, command, read, run};
use crate::progress::{say, step};
use crate::workspace;

pub(crate) fn mosquitto() -> Result<Option<Program>> {
    let Some(mut program) = mosquitto_with(MOSQUITTO_WITH_WEBSOCKET)? else {
        return Ok(None);
    };
    program.speaks_websocket = true;
    if let Err(error) = program.start() {
        say(format_args!(
            "mosquitto is measured without WebSocket: {error:#}"
        ));
        program.file = Some((MOSQUITTO_CONF, MOSQUITTO));
        program.speaks_websocket = false;
        drop(program.start()?);
    }
    Ok(Some(program))
}

/// With a file that it writes every half hour and when it ends; until then it has everything in memory alone.
pub(crate) fn persistent_mosquitto() -> Result<Option<Program>> {
    mosquitto_with(PERSISTENT_MOSQUITTO)
}

fn mosquitto_with(configuration: &'static str) -> Result<Option<Program>> {
    let Some(path) = find("mosquitto") else {
        return Ok(None);
    };
    let path = path.to_str().context("the path is no text")?.to_owned();
    // Help is how it says its version, and no success in its eyes.
    let help = command(&path)?.arg("-h").output()?;
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let version = help.lines().next().and_then(|line| line.rsplit(' ').next());
    Ok(Some(Program {
        name: "mosquitto".to_owned(),
        version: version.unwrap_or_default().to_owned(),
        words: [&path, "-c", FILE].map(Into::into).into(),
        file: Some((MOSQUITTO_CONF, configuration)),
        speaks_websocket: false,
    }))
}

pub(crate) fn rumqttd() -> Result<Option<Program>> {
    let Some(path) = find(RUMQTTD) else {
        return Ok(None);
    };
    let path = path.to_str().context("the path is no text")?.to_owned();
    let version = read(command(&path)?.arg("--version")).unwrap_or_default();
    let program = Program {
        name: RUMQTTD.to_owned(),
        version: version
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned(),
        words: [&path, "--config", FILE].map(Into::into).into(),
        file: Some(("rumqttd.toml", RUMQTTD_TOML)),
        speaks_websocket: true,
    };
    drop(program.start()?);
    Ok(Some(program))
}

pub(crate) fn install_rumqttd() -> Result<()> {
    if find(RUMQTTD).is_some() {
        return Ok(());
    }
    step("installing rumqttd (3 to 10 minutes)", || {
        // Without its lock file: a crate in it is too old for the Rust of today.
        run(cargo()?
            .args(["install", RUMQTTD, "--version", RUMQTTD_VERSION, "--root"])
            .arg(workspace::tools())
            .arg("--target-dir")
            .arg(workspace::tools().join("build"))
            .args(["--no-default-features", "--features", "websocket"]))
    })
}

/// On `PATH` with our tools, or where Debian keeps daemons.
fn find(program: &str) -> Option<PathBuf> {
    let path = workspace::path_with_tools().ok()?;
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

const RUMQTTD: &str = "rumqttd";
const RUMQTTD_VERSION: &str = "0.20.0";

const MOSQUITTO_CONF: &str = "mosquitto.conf";

const MOSQUITTO: &str = "\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence false
max_queued_messages 0
max_inflight_messages 1000
";

const MOSQUITTO_WITH_WEBSOCKET: &str = "\
listener {port} 127.0.0.1
listener {websocket-port} 127.0.0.1
protocol websockets
allow_anonymous true
set_tcp_nodelay true
persistence false
max_queued_messages 0
max_inflight_messages 1000
";

/// `user` is for root, who would otherwise become somebody who may not write there.
const PERSISTENT_MOSQUITTO: &str = "\
listener {port} 127.0.0.1
allow_anonymous true
user root
set_tcp_nodelay true
persistence true
persistence_location {data}/
max_queued_messages 0
max_inflight_messages 1000
";

const RUMQTTD_TOML: &str = r#"
id = 0

[router]
id = 0
max_connections = 11000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v4.1]
name = "v4-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 0
    [v4.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 20480
    max_inflight_count = 500
    dynamic_filters = true

[ws.1]
name = "ws-1"
listen = "127.0.0.1:{websocket-port}"
next_connection_delay_ms = 0
    [ws.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 20480
    max_inflight_count = 500
    dynamic_filters = true
"#;
