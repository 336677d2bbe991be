//! The public face: sockets in, one broker behind them.

use std::{net::IpAddr, sync::Arc};

use mqtt_broker_core::{Authenticator, Counters};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    time::timeout,
};

use crate::{
    Admission, Health, Settings, accept::accept, address_quota::AddressQuota,
    connection::Transport, connection_task::ConnectionTask, flush_list::FlushList, hub::Hub, timer,
    timer::stopped,
};

/// An MQTT server for any number of listeners. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Server {
    hub: Arc<Hub>,
    quota: AddressQuota,
    /// Every task of the server holds a receiver for as long as it runs.
    is_stopping: Arc<watch::Sender<bool>>,
}

impl Server {
    /// Starts a server; `seed` decides the Client Identifiers that it assigns.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let server = Self {
            quota: AddressQuota::new(settings.connections.per_address),
            hub: Arc::new(Hub::new(settings, seed)),
            is_stopping: Arc::new(watch::Sender::new(false)),
        };
        tokio::spawn(timer::keep_deadlines(
            Arc::clone(&server.hub),
            server.is_stopping.subscribe(),
        ));
        server
    }

    /// Lets only those connect whom `authenticator` lets in; those who are connected stay.
    pub fn set_authenticator(&self, authenticator: Box<dyn Authenticator>) {
        self.hub.set_authenticator(authenticator);
    }

    /// The numbers so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.hub.counters()
    }

    /// Whether it can do what it promises: always, as everything is in memory.
    #[must_use]
    pub const fn health(&self) -> Health {
        Health::Well
    }

    /// Lets a connection from this address in, whatever it speaks, unless there are too many already.
    pub fn admit(&self, address: IpAddr) -> Option<Admission> {
        let admission = self.quota.admit(address);
        if admission.is_none() {
            tracing::debug!(%address, "refused: too many connections from this address");
            self.hub.count_refused();
        }
        admission
    }

    /// Serves MQTT over TCP to all who connect, until [`Self::shut_down`].
    pub async fn serve_tcp(&self, listener: TcpListener) {
        let mut is_stopping = self.is_stopping.subscribe();
        loop {
            let stream = select! {
                (stream, _) = accept(&listener) => stream,
                () = stopped(&mut is_stopping) => return,
            };
            self.serve(stream, Transport::Tcp, Vec::new());
        }
    }

    /// Serves MQTT over a connection whose WebSocket handshake is done, and of which these bytes were read already.
    pub fn serve_websocket(&self, stream: TcpStream, bytes_already_read: impl Into<Vec<u8>>) {
        self.serve(stream, Transport::WebSocket, bytes_already_read.into());
    }

    /// Says goodbye to all Clients, closes their connections and waits for a bounded time until they are gone.
    pub async fn shut_down(&self) {
        self.is_stopping.send_replace(true);
        let mut flushes = FlushList::default();
        self.hub.shut_down(&mut flushes);
        let all_gone = async {
            flushes.flush_all(&self.hub).await;
            self.is_stopping.closed().await;
        };
        if timeout(self.hub.settings().shut_down, all_gone)
            .await
            .is_err()
        {
            tracing::warn!("some clients did not close their connections in time");
        }
    }

    fn serve(&self, stream: TcpStream, transport: Transport, bytes_already_read: Vec<u8>) {
        let is_stopping = self.is_stopping.subscribe();
        if *is_stopping.borrow() {
            return;
        }
        let peer = match stream.set_nodelay(true).and_then(|()| stream.peer_addr()) {
            Ok(peer) => peer,
            Err(error) => {
                tracing::debug!(%error, "a connection was gone before it was served");
                return;
            }
        };
        let Some(admission) = self.admit(peer.ip()) else {
            return;
        };
        tracing::debug!(%peer, ?transport, "accepted");
        let mut task = ConnectionTask::new(Arc::clone(&self.hub), stream, transport);
        task.handle_early_bytes(bytes_already_read);
        tokio::spawn(async move {
            task.await;
            drop((is_stopping, admission));
        });
    }
}
