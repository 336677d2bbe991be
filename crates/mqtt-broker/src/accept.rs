//! Taking connections from a listener, whatever the machine runs out of.

use std::{io, io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Waits for the next connection of a listener.
///
/// Errors that concern only the connection that was about to be made are passed over.
/// When the machine has no room for another (files, memory), it is asked again after a moment:
/// the client waits in the listener's queue, and the connections that exist are not disturbed.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut n_failed = 0_u32;
    loop {
        match listener.accept().await {
            Ok(accepted) => {
                if n_failed > 0 {
                    tracing::info!(n_failed, "accepting connections again");
                }
                return accepted;
            }
            Err(error) if concerns_one_connection(&error) => {
                tracing::debug!(%error, "a connection was gone before it was accepted");
            }
            Err(error) => {
                if n_failed == 0 {
                    tracing::warn!(%error, "cannot accept connections for now");
                }
                n_failed = n_failed.saturating_add(1);
                sleep(BREATH).await;
            }
        }
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
            | ErrorKind::PermissionDenied
    )
}

const BREATH: Duration = Duration::from_millis(100);
