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
    state: watch::Sender<State>,
    acceptor: JoinHandle<()>,
}

#[derive(Clone, Copy)]
struct State {
    is_whole: bool,
    /// How many times all connections that there were fell silent.
    n_silences: usize,
}

impl Link {
    pub(crate) async fn to_page_of(broker: &Broker) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, receiver) = watch::channel(State {
            is_whole: true,
            n_silences: 0,
        });
        let acceptor = tokio::spawn(accept(listener, broker.page_port, receiver));
        Self {
            port,
            state,
            acceptor,
        }
    }

    pub(crate) fn page_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn web_socket_url(&self) -> String {
        format!("ws://127.0.0.1:{}/mqtt", self.port)
    }

    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.is_whole = false);
    }

    pub(crate) fn mend(&self) {
        self.state.send_modify(|state| state.is_whole = true);
    }

    /// Lets the connections that there are carry nothing more, and seem open: as after a machine's sleep.
    pub(crate) fn silence(&self) {
        self.state.send_modify(|state| state.n_silences += 1);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, state: watch::Receiver<State>) {
    while let Ok((near, _)) = listener.accept().await {
        if state.borrow().is_whole {
            tokio::spawn(forward(near, to, state.clone()));
        }
    }
}

async fn forward(mut near: TcpStream, to: u16, mut state: watch::Receiver<State>) {
    let n_silences = state.borrow().n_silences;
    let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else {
        return;
    };
    tokio::select! {
        // How a connection ends is between its two ends.
        _ = copy_bidirectional(&mut near, &mut far) => return,
        _ = state.wait_for(|state| !state.is_whole || state.n_silences > n_silences) => {}
    }
    // Both ends are kept open until it is cut, or its owner has gone.
    let _ = state.wait_for(|state| !state.is_whole).await;
}
