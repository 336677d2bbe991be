//! The broker: many Network Connections in, effects out.

mod authenticate;
mod connect;
mod deadlines;
mod disconnect;
mod publish;
mod respond;
mod restore;
mod store;
mod subscribe;

pub use self::restore::Restoration;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytestring::ByteString;
use mqtt_protocol::{
    DecodeError, Instant, Packet, Publish, ReasonCode, Request, ServerConnection, ServerOutput,
    ServerSettings,
};

use crate::{
    Authenticator, ConnectionId, Counters, DisconnectCause, Event, Output, Recorder, Responder,
    Settings,
    broker::store::{EndedSessions, Left},
    encodings::Encodings,
    message::Message,
    peers::{Connection, Peers},
    retained::RetainedMessages,
    session::SessionIndex,
    timers::Timers,
    topic_tree::{MatchCache, TopicTree},
};

/// An MQTT Server for many Clients.
#[derive(Debug)]
pub struct Broker {
    settings: Settings,
    server_settings: Arc<ServerSettings>,
    /// Without one everybody may connect.
    authenticator: Option<Box<dyn Authenticator>>,
    recorder: Option<Box<dyn Recorder>>,
    responder: Option<Box<dyn Responder>>,
    peers: Peers,
    session_by_client_identifier: HashMap<ByteString, SessionIndex>,
    topic_tree: TopicTree,
    match_cache: MatchCache,
    retained: RetainedMessages,
    timers: Timers,
    /// Sessions whose next turn has come; kept for its memory.
    due_for_more: Vec<SessionIndex>,
    /// What ended sessions had of Shared Subscriptions, for other members.
    left: VecDeque<Left>,
    /// When the next turn of it comes.
    left_due: Option<Instant>,
    ended_sessions: EndedSessions,
    encodings: Encodings,
    events: VecDeque<Event>,
    /// Where the next assigned Client Identifier comes from.
    seed: u64,
    is_shutting_down: bool,
    /// Whether the store takes nothing for now.
    is_store_failing: bool,
}

impl Broker {
    /// Makes a broker without connections and sessions; `seed` decides the Client Identifiers that it assigns.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            server_settings: Arc::new(settings.server_settings()),
            settings,
            authenticator: None,
            recorder: None,
            responder: None,
            peers: Peers::new(Counters::default()),
            session_by_client_identifier: HashMap::new(),
            topic_tree: TopicTree::new(),
            match_cache: MatchCache::default(),
            retained: RetainedMessages::default(),
            timers: Timers::default(),
            due_for_more: Vec::new(),
            left: VecDeque::new(),
            left_due: None,
            ended_sessions: EndedSessions::default(),
            encodings: Encodings::default(),
            events: VecDeque::new(),
            seed,
            is_shutting_down: false,
            is_store_failing: false,
        }
    }

    /// Lets only those connect whom `authenticator` lets in; those who are connected stay.
    pub fn set_authenticator(&mut self, authenticator: Box<dyn Authenticator>) {
        self.authenticator = Some(authenticator);
    }

    /// What was chosen at the start.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The numbers so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            connections: self.peers.connections.len() as u64,
            sessions: self.peers.sessions.len() as u64,
            retained_messages: self.retained.len() as u64,
            retained_bytes: self.retained.n_bytes() as u64,
            ..self.peers.counters
        }
    }

    /// A Network Connection was made.
    pub fn open(&mut self, now: Instant) -> ConnectionId {
        let server = ServerConnection::new(Arc::clone(&self.server_settings), now);
        let (index, generation) = self.peers.connections.insert(Connection::new(server));
        self.peers.counters.connections_opened += 1;
        self.arm_silence(index);
        ConnectionId { index, generation }
    }

    /// Counts a Network Connection that the shell closed at once because of a limit of its own.
    pub fn count_refused(&mut self) {
        self.peers.counters.connections_refused += 1;
    }

    /// The Client sent these packets, in this order. What follows a packet that ends the connection is ignored.
    pub fn handle_packets(
        &mut self,
        connection: ConnectionId,
        packets: impl IntoIterator<Item = Packet>,
        now: Instant,
    ) {
        let Some(index) = self.index_of(connection) else {
            return;
        };
        self.peers.lend_memory(index);
        for packet in packets {
            self.peers.counters.packets_received += 1;
            self.handle_packet(index, packet, now);
            if self.is_closing(index) {
                break;
            }
        }
        self.settle(index, now);
    }

    /// What the Client sent is no packet.
    pub fn handle_decode_error(
        &mut self,
        connection: ConnectionId,
        error: &DecodeError,
        now: Instant,
    ) {
        let Some(index) = self.index_of(connection) else {
            return;
        };
        if let Some(connection) = self.peers.connections.find_mut(index) {
            connection.server.handle_decode_error(error);
        }
        self.settle(index, now);
    }

    /// The Network Connection is gone without a word. Its name is free from here on.
    pub fn handle_close(&mut self, connection: ConnectionId, now: Instant) {
        let Some(index) = self.index_of(connection) else {
            return;
        };
        if let Some(connection) = self.peers.connections.find_mut(index) {
            connection.server.handle_close();
        }
        self.settle(index, now);
        self.forget_connection(index);
    }

    /// Ends a connection because of something outside, and tells the Client why if it can be told.
    /// Output that waits for the store is thrown away; what the shell held back it has thrown away itself.
    pub fn disconnect(&mut self, connection: ConnectionId, reason_code: ReasonCode, now: Instant) {
        let Some(index) = self.index_of(connection) else {
            return;
        };
        if let Some(connection) = self.peers.connections.find_mut(index) {
            // Another connection that ended for the same reason may have left a Will to this one meanwhile.
            if connection.waits_for > 0 {
                let _ = connection.server.poll_output();
            }
            connection.server.disconnect(reason_code);
        }
        self.settle(index, now);
        if let Some(connection) = self.peers.connections.find_mut(index) {
            connection.waits_for = 0;
        }
    }

    /// Says whether the Client keeps up. While it does not, QoS 0 messages to it are dropped and others wait.
    pub fn set_writable(&mut self, connection: ConnectionId, writable: bool, now: Instant) {
        let Some(index) = self.index_of(connection) else {
            return;
        };
        let Some(connection) = self.peers.connections.find_mut(index) else {
            return;
        };
        connection.writable = writable;
        if writable && let Some(session) = connection.session {
            self.send_waiting(session, now);
        }
    }

    /// Publishes a message of the shell's own, which may be on a topic that begins with `$`.
    pub fn publish(&mut self, publish: Publish, now: Instant) {
        if let Some(message) = Message::from_publish(publish, now) {
            let keep = self.has_room_for(&message);
            self.route(&message, None, keep, now);
        }
    }

    /// Says goodbye to everybody and closes all connections; those that come later are refused.
    /// Wills are not published: those who would read them are told goodbye too.
    pub fn shut_down(&mut self, now: Instant) {
        self.is_shutting_down = true;
        let indices: Vec<u32> = self.peers.connections.indices().collect();
        for index in indices {
            if let Some(connection) = self.peers.connections.find_mut(index) {
                connection.server.disconnect(ReasonCode::ServerShuttingDown);
                if let Some(session) = connection.session
                    && let Some(session) = self.peers.sessions.find_mut(session.0)
                {
                    session.will = None;
                }
            }
            self.settle(index, now);
        }
    }

    /// Gives back the bytes of an [`Output::Transmit`] so that their memory is used again. Not calling it is fine.
    pub fn recycle(&mut self, bytes: Vec<u8>) {
        self.peers.keep_spare(bytes);
    }

    /// The next effect; [`Output::Timeout`] is the last.
    pub fn poll_output(&mut self) -> Output {
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        while let Some(index) = self.peers.next_touched() {
            let Some(generation) = self.peers.connections.generation(index) else {
                continue;
            };
            let id = ConnectionId { index, generation };
            let Some(connection) = self.peers.connections.find_mut(index) else {
                continue;
            };
            match connection.server.poll_output() {
                ServerOutput::Transmit(bytes) => {
                    self.peers.counters.bytes_sent += bytes.len() as u64;
                    let after = std::mem::take(&mut connection.waits_for);
                    if connection.server.closing().is_some() {
                        self.peers.touch(index);
                    }
                    return Output::Transmit {
                        connection: id,
                        after,
                        bytes,
                    };
                }
                ServerOutput::Close(_) => {
                    self.forget_connection(index);
                    return Output::Close { connection: id };
                }
                ServerOutput::Timeout(_) => {}
            }
        }
        Output::Timeout(self.deadline())
    }

    fn handle_packet(&mut self, index: u32, packet: Packet, now: Instant) {
        let Some(connection) = self.peers.connections.find_mut(index) else {
            return;
        };
        let Some(session_index) = connection.session else {
            self.handle_packet_before_session(index, packet, now);
            return;
        };
        let Some(session) = self.peers.sessions.find_mut(session_index.0) else {
            return;
        };
        match connection
            .server
            .handle_packet(packet, &mut session.exchanges, now)
        {
            None => {}
            Some(Request::Publish(publish)) => {
                self.handle_publish(index, session_index, publish, now)
            }
            Some(Request::Subscribe(subscribe)) => {
                self.handle_subscribe(index, session_index, &subscribe, now)
            }
            Some(Request::Unsubscribe(unsubscribe)) => {
                self.handle_unsubscribe(index, session_index, &unsubscribe)
            }
            Some(Request::Completed {
                packet_identifier,
                message,
            }) => {
                self.peers
                    .complete(session_index, packet_identifier, message);
                self.send_waiting(session_index, now);
            }
            Some(Request::Received(packet_identifier)) => {
                self.peers.receive(index, session_index, packet_identifier);
            }
            Some(Request::Released(packet_identifier)) => {
                self.peers.release(index, session_index, packet_identifier);
            }
            Some(Request::Repeated) => self.peers.wait_for_store(index, session_index),
            Some(Request::Authenticate(auth)) => self.handle_auth(index, session_index, &auth),
            // The end of the connection looks at the Reason Code.
            Some(Request::Disconnect(_)) => {}
        }
    }

    /// Draws the conclusions after anything that may have changed a connection.
    fn settle(&mut self, index: u32, now: Instant) {
        let Some(connection) = self.peers.connections.find_mut(index) else {
            return;
        };
        if let Some(closing) = connection.server.closing() {
            self.end_connection(index, closing.into(), now);
            self.peers.touch(index);
        } else {
            match connection.server.reclaim() {
                Some(memory) => self.peers.keep_spare(memory),
                None if connection.server.output_len() > 0 => self.peers.touch(index),
                None => {}
            }
            self.arm_silence(index);
        }
    }

    fn is_closing(&self, index: u32) -> bool {
        self.peers
            .connections
            .find(index)
            .is_none_or(|connection| connection.server.closing().is_some())
    }

    fn index_of(&self, connection: ConnectionId) -> Option<u32> {
        (self.peers.connections.generation(connection.index) == Some(connection.generation))
            .then_some(connection.index)
    }
}

impl From<mqtt_protocol::Closing> for DisconnectCause {
    fn from(closing: mqtt_protocol::Closing) -> Self {
        use mqtt_protocol::Closing;
        match closing {
            Closing::ByClient(reason_code) => Self::Client(reason_code),
            Closing::ByServer(reason_code) => Self::Server(reason_code),
            Closing::ConnectTimeout => Self::ConnectTimeout,
            Closing::NotMqtt => Self::NotMqtt,
            Closing::ConnectionLost => Self::ConnectionLost,
        }
    }
}
