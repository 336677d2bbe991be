//! The network between a browser and the broker, which a test can cut.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Broker;

/// Forwards connections until it is cut; then it ends them and every new one at once.
pub(crate) struct Link {
    port: u16,
    is_whole: watch::Sender<bool>,
    acceptor: JoinHandle<()>,
}

impl Link {
    pub(crate) async fn to_page_of(broker: &Broker) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_whole, state) = watch::channel(true);
        let acceptor = tokio::spawn(accept(listener, broker.page_port, state));
        Self {
            port,
            is_whole,
            acceptor,
        }
    }

    pub(crate) fn page_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, state: watch::Receiver<bool>) {
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow() {
            tokio::spawn(forward(near, to, state.clone()));
        }
    }
}

async fn forward(mut near: TcpStream, to: u16, mut state: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else {
        return;
    };
    tokio::select! {
        // How a connection ends is between its two ends.
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = state.wait_for(|is_whole| !is_whole) => {}
    }
}
