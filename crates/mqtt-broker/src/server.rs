//! The public face: sockets in, one broker behind them.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use mqtt_broker_core::{
    Action, Authenticator, Broker, ConnectionId, Counters, Recorder, Responded, Responder, Response,
};
use mqtt_protocol::{Instant, TopicName};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{oneshot, watch},
    time::timeout,
};

use crate::{
    Admission, Health, Settings, StoreCounters,
    accept::accept,
    address_quota::AddressQuota,
    connection::Transport,
    connection_task::ConnectionTask,
    flush_list::FlushList,
    hub::{BackupRequest, Hub},
    keeper::{self, Restored},
    store::{Store, StoreError},
    store_clock::Reading,
    timer,
    timer::stopped,
};

/// An MQTT server for any number of listeners. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Server {
    hub: Arc<Hub>,
    quota: AddressQuota,
    /// Every task of the server holds a receiver for as long as it runs.
    is_stopping: Arc<watch::Sender<bool>>,
    /// The store's task holds a receiver until the last is written.
    is_store_closing: Arc<watch::Sender<bool>>,
}

/// Why there is no copy of the store.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The server keeps everything in memory, or has ended.
    #[error("there is no store to copy")]
    NoStore,
    /// What the store or the disk of the copy said.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Server {
    /// Starts a server that keeps everything in memory; `seed` decides the Client Identifiers that it assigns.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let broker = Broker::new(settings.broker.clone(), seed);
        Self::start(settings, broker, Instant::START)
    }

    /// Starts a server that goes on with what the store has, and acknowledges nothing that the store has not.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O.
    pub fn open(
        settings: Settings,
        seed: u64,
        mut store: Box<dyn Store>,
    ) -> Result<(Self, Restored), StoreError> {
        let (broker, now, restored) =
            keeper::restore(&settings, seed, &mut *store, &Reading::take(Instant::START))?;
        let server = Self::start(settings, broker, now);
        tokio::spawn(keeper::keep(
            Arc::clone(&server.hub),
            store,
            server.is_store_closing.subscribe(),
        ));
        Ok((server, restored))
    }

    fn start(settings: Settings, broker: Broker, now: Instant) -> Self {
        let server = Self {
            quota: AddressQuota::new(settings.connections.per_address),
            hub: Arc::new(Hub::new(settings, broker, now)),
            is_stopping: Arc::new(watch::Sender::new(false)),
            is_store_closing: Arc::new(watch::Sender::new(false)),
        };
        // A broker that was restored has deadlines and something to store before anybody connects.
        server.hub.handle_timeout(&mut FlushList::default());
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

    /// Lets a recorder keep what messages say. Its records are written by the store that the server was given.
    pub fn set_recorder(&self, recorder: Box<dyn Recorder>) {
        self.hub.set_recorder(recorder);
    }

    /// Gives the messages of one topic to `responder` instead of to those who subscribe to it.
    pub fn set_responder(&self, responder: Box<dyn Responder>) {
        self.hub.set_responder(responder);
    }

    /// Whether the authenticator lets this Client do something.
    #[must_use]
    pub fn is_authorized(&self, connection: ConnectionId, action: Action<'_>) -> bool {
        self.hub.is_authorized(connection, action)
    }

    /// Whether the Client that asked is there and subscribed to the topic of the answer.
    #[must_use]
    pub fn is_reachable(&self, connection: ConnectionId, topic_name: &TopicName) -> bool {
        self.hub.is_reachable(connection, topic_name)
    }

    /// Sends an answer to the Client that asked.
    pub async fn respond(&self, connection: ConnectionId, response: Response) -> Responded {
        let mut flushes = FlushList::default();
        let responded = self.hub.run(&mut flushes, |broker, now| {
            broker.respond(connection, response, now)
        });
        flushes.flush_all(&self.hub).await;
        responded
    }

    /// Lets the store be written soon, as others who share it have something to keep and wait for that.
    pub async fn ask_to_store(&self) {
        let mut flushes = FlushList::default();
        self.hub.ask_to_store(&mut flushes);
        flushes.flush_all(&self.hub).await;
    }

    /// The numbers so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.hub.counters()
    }

    /// What the store has done so far; nothing without one.
    #[must_use]
    pub fn store_counters(&self) -> StoreCounters {
        self.hub.store_counters()
    }

    /// Whether it can do what it promises, or why not.
    #[must_use]
    pub fn health(&self) -> Health {
        match self.hub.store_failure() {
            None => Health::Well,
            Some(reason) => Health::Failing(reason),
        }
    }

    /// Writes a copy of the store into a new file while the server goes on.
    ///
    /// # Errors
    ///
    /// There is no store, the file is there already, or what either disk said.
    pub async fn back_up(&self, file: PathBuf) -> Result<(), BackupError> {
        let (answer, answered) = oneshot::channel();
        self.hub.ask_for_backup(BackupRequest { file, answer });
        answered
            .await
            .map_or(Err(BackupError::NoStore), |outcome| Ok(outcome?))
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
        self.is_store_closing.send_replace(true);
        let is_stored = timeout(STORE_CLOSING, self.is_store_closing.closed()).await;
        if is_stored.is_err() {
            tracing::error!("the store did not take the last of what was to be kept in time");
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

/// Time for the store to take what is left when the server shuts down; nobody was promised that.
const STORE_CLOSING: Duration = Duration::from_secs(10);
