//! Being asked to stop: Ctrl-C, or SIGTERM or a closed terminal where there are signals.

use anyhow::Context;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Every way to be asked; listening begins when it is made.
pub(crate) struct StopSignal {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    hang_up: Signal,
}

#[cfg(unix)]
pub(crate) fn listen() -> anyhow::Result<StopSignal> {
    let listen_to = |kind| signal(kind).context("cannot listen to signals");
    Ok(StopSignal {
        interrupt: listen_to(SignalKind::interrupt())?,
        terminate: listen_to(SignalKind::terminate())?,
        hang_up: listen_to(SignalKind::hangup())?,
    })
}

#[cfg(not(unix))]
pub(crate) fn listen() -> anyhow::Result<StopSignal> {
    Ok(StopSignal {})
}

impl StopSignal {
    #[cfg(unix)]
    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn received(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
