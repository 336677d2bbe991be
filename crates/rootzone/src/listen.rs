//! The two listeners, and what to say when they cannot be had.

use std::{
    io::{self, ErrorKind, Write},
    net::SocketAddr,
};

use anyhow::{Context, anyhow, bail};
use tokio::net::{TcpListener, TcpSocket};

use crate::{options::Options, port_holder};

/// Both ports, bound.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) mqtt: TcpListener,
    pub(crate) http: TcpListener,
    mqtt_address: SocketAddr,
    http_address: SocketAddr,
}

impl Listeners {
    pub(crate) async fn bind(options: &Options) -> anyhow::Result<Self> {
        if options.port == options.mqtt_port && options.port != 0 {
            bail!(
                "--port and --mqtt-port are both {}: they must differ",
                options.port
            );
        }
        let mqtt = bind(
            SocketAddr::new(options.bind, options.mqtt_port),
            "--mqtt-port",
        )?;
        let http = bind(SocketAddr::new(options.bind, options.port), "--port")?;
        if !options.bind.is_loopback() {
            tracing::warn!(
                bind = %options.bind,
                "everybody who reaches this address can read and publish: there is no password"
            );
        }
        Ok(Self {
            mqtt_address: mqtt.local_addr().context("cannot read the MQTT port")?,
            http_address: http.local_addr().context("cannot read the HTTP port")?,
            mqtt,
            http,
        })
    }

    /// Prints the one line that programs read, once connections are accepted.
    pub(crate) fn announce(&self, output: &mut impl Write) {
        // Whoever closes standard output does not want to read it.
        let _ = writeln!(
            output,
            "rootzone: mqtt {}, page http://{}/",
            self.mqtt_address, self.http_address
        )
        .and_then(|()| output.flush());
    }
}

fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    try_bind(address).map_err(|error| explain(&error, address, option))
}

fn try_bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Otherwise a port could not be taken again for a minute after a restart. On Windows it means something else.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other errors speak for themselves"
)]
fn explain(error: &io::Error, address: SocketAddr, option: &str) -> anyhow::Error {
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => match port_holder::find(port) {
            Some(holder) => {
                anyhow!("port {port} is in use by {holder}: choose another with {option}")
            }
            None => anyhow!("port {port} is in use: choose another with {option}"),
        },
        ErrorKind::PermissionDenied => {
            anyhow!("no permission to listen on port {port}: choose another with {option}")
        }
        ErrorKind::AddrNotAvailable => anyhow!(
            "{} is no address of this machine: choose another with --bind",
            address.ip()
        ),
        _ => anyhow!("cannot listen on {address}: {error}"),
    }
}

/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;
