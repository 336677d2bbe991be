//! The Client side of one Network Connection.

mod event;
mod incoming;
mod journal;
mod keeper;
mod outgoing;
mod topic_alias;

pub use event::{ClientEvent, ClientOutput, CloseReason, PublicationFailure, PublicationToken};
pub use journal::{SessionJournal, StoredSession};
pub use keeper::{Held, Lane, SessionChange, SessionIdentity, SessionKeeper, StoreOperation};

use std::{collections::VecDeque, num::NonZeroU16, time::Duration};

use bytes::Bytes;

use self::topic_alias::TopicAliases;
use crate::{
    AcknowledgedQoS, Connect, Decoder, DecoderSettings, Disconnect, EncodeError, Instant, Packet,
    PacketIdentifier, PacketType, PingAction, PingTimer, Properties, ProtocolVersion, Publish, QoS,
    ReasonCode, Role, Session, Subscribe, Subscription, TopicFilter, Unsubscribe,
    packet::{self, receiver},
};

/// The Client side of one Network Connection: from CONNECT to its end.
///
/// Every call is followed by draining [`poll_output`](Self::poll_output) until it gives a `Timeout`.
/// This holds after an error too: the DISCONNECT with its Reason Code is already queued, and `Close` follows it.
///
/// ```
/// use std::time::Duration;
/// use mqtt_protocol::{
///     ClientConnection, ClientOutput, ClientSession, ClientSettings, Connect, Instant,
///     Properties, ProtocolVersion,
/// };
///
/// let connect = Connect {
///     protocol_version: ProtocolVersion::V5_0,
///     clean_start: true,
///     keep_alive: 60,
///     properties: Properties::new(),
///     client_identifier: "probe-1".into(),
///     will: None,
///     user_name: None,
///     password: None,
/// };
/// let now = Instant::START;
/// let mut connection = ClientConnection::new(
///     connect,
///     ClientSession::default(),
///     ClientSettings::default(),
///     now,
/// );
/// let deadline = loop {
///     match connection.poll_output() {
///         ClientOutput::Transmit(bytes) => assert!(!bytes.is_empty()), // put on the wire
///         ClientOutput::Event(_event) => {}                            // tell the application
///         ClientOutput::Close => {}                                    // end the Network Connection
///         ClientOutput::Timeout(deadline) => break deadline,           // wait for input until then
///     }
/// };
/// assert_eq!(deadline, Some(now + Duration::from_secs(10)));
/// ```
#[derive(Debug)]
pub struct ClientConnection {
    state: State,
    version: ProtocolVersion,
    clean_start: bool,
    settings: ClientSettings,
    /// As we asked for it; what is in force is in `ping_timer`.
    keep_alive: u16,
    receive_maximum: NonZeroU16,
    connack_due: Instant,
    decoder: Decoder,
    session: ClientSession,
    server_limits: ServerLimits,
    topic_aliases: TopicAliases,
    /// What waits for a SUBACK or UNSUBACK.
    requests: Vec<Request>,
    ping_timer: Option<PingTimer>,
    transmit: Vec<u8>,
    events: VecDeque<ClientEvent>,
}

/// The Client's part of the Session State, to be passed from one Network Connection to the next.
#[derive(Debug, Default)]
pub struct ClientSession {
    /// Whether a Server has accepted it before. Without that, none can have kept it.
    pub is_established: bool,
    /// The unfinished exchanges.
    pub exchanges: Session<Box<OutgoingMessage>>,
    /// What keeps it beyond the life of this process, if anything does.
    pub keeper: Option<Box<dyn SessionKeeper>>,
}

/// A PUBLISH above QoS 0 on its way, with what is to be known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// What is sent; its Packet Identifier and DUP are set here.
    pub publish: Publish,
    /// What the caller calls it.
    pub token: PublicationToken,
    /// Whether it may wait for the Server's Receive Maximum, and be sent again after the connection was lost.
    pub may_wait: bool,
    /// When it is not to be sent any more if it has not been.
    pub expires_at: Option<Instant>,
}

/// How patient a [`ClientConnection`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSettings {
    /// From CONNECT to CONNACK.
    pub connack_timeout: Duration,
    /// From PINGREQ to PINGRESP.
    pub pingresp_timeout: Duration,
    /// The largest packet that is accepted where CONNECT says nothing of it, as on 3.1.1.
    pub maximum_packet_size: u32,
}

/// Why a call of ours was not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The Server has not accepted the connection, or it has ended.
    #[error("not connected")]
    NotConnected,
    /// The Server's Receive Maximum is reached, and the message may not wait.
    #[error("the server's receive maximum is reached")]
    ReceiveMaximumReached,
    /// As many messages wait as may.
    #[error("the queue of outgoing messages is full")]
    QueueFull,
    /// The Server said that it does not support this QoS.
    #[error("the server does not support this QoS")]
    QoSNotSupported,
    /// The Server said that it keeps no retained messages.
    #[error("the server does not support retained messages")]
    RetainNotSupported,
    /// Topic Aliases are not for the caller to choose.
    #[error("topic alias chosen by the caller")]
    TopicAlias,
    /// All Packet Identifiers are in use.
    #[error("no packet identifier is free")]
    NoPacketIdentifier,
    /// The packet breaks a rule or the Server's Maximum Packet Size.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// The life of a Network Connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// CONNECT is sent.
    AwaitingConnack,
    /// The Server has accepted.
    Connected,
    /// Everything is said; `Close` is to be told.
    Closing,
    /// `Close` was told.
    Closed,
}

/// What the CONNACK said about the Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ServerLimits {
    maximum_packet_size: u32,
    maximum_qos: QoS,
    retain_available: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Request {
    packet_identifier: PacketIdentifier,
    kind: RequestKind,
    n_filters: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    Subscribe,
    Unsubscribe,
}

impl ClientConnection {
    /// Begins with a CONNECT on a Network Connection that has just opened.
    ///
    /// With Clean Start nothing is left of the session's exchanges: messages of QoS 1 in flight begin anew, and those
    /// of QoS 2 have failed.
    #[must_use]
    pub fn new(
        connect: Connect,
        session: ClientSession,
        settings: ClientSettings,
        now: Instant,
    ) -> Self {
        let properties = &connect.properties;
        let maximum_packet_size = properties
            .maximum_packet_size()
            .map_or(settings.maximum_packet_size, Into::into);
        let mut connection = Self {
            state: State::AwaitingConnack,
            version: connect.protocol_version,
            clean_start: connect.clean_start,
            settings,
            keep_alive: connect.keep_alive,
            receive_maximum: properties.receive_maximum().unwrap_or(NonZeroU16::MAX),
            connack_due: now + settings.connack_timeout,
            decoder: Decoder::new(DecoderSettings {
                maximum_packet_size,
                version: Some(connect.protocol_version),
                role: Role::Client,
            }),
            session,
            server_limits: ServerLimits::default(),
            topic_aliases: TopicAliases::new(properties.topic_alias_maximum().unwrap_or(0)),
            requests: Vec::new(),
            ping_timer: None,
            transmit: Vec::new(),
            events: VecDeque::new(),
        };
        if connection.clean_start {
            // 3.1.1 [MQTT-3.1.2-6], 5.0 [MQTT-3.1.2-4]: whether or not the answer to this will come.
            connection.session.is_established = false;
            connection.restart_session();
        }
        if let Err(error) = connection.send_connect(connect) {
            connection.close(CloseReason::ConnectNotEncodable(error));
        }
        connection
    }

    /// Handles bytes from the Server.
    pub fn handle_input(&mut self, bytes: Bytes, now: Instant) {
        if self.is_over() {
            return;
        }
        if let Some(ping_timer) = &mut self.ping_timer {
            ping_timer.handle_input(now);
        }
        self.decoder.feed(bytes);
        // What follows a violation or a DISCONNECT in the same bytes is dropped.
        while !self.is_over() {
            match self.decoder.next_packet_for::<receiver::Client>() {
                Ok(Some(packet)) => self.handle_packet(packet, now),
                Ok(None) => break,
                Err(error) => self.fail(error.reason_code()),
            }
        }
        self.send_session(now);
    }

    /// Handles the passing of time.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::AwaitingConnack if self.connack_due <= now => {
                self.close(CloseReason::ConnackTimeout);
            }
            State::Connected => {
                let action = self
                    .ping_timer
                    .as_mut()
                    .map_or(PingAction::Nothing, |timer| timer.handle_timeout(now));
                self.obey(action);
            }
            State::AwaitingConnack | State::Closing | State::Closed => {}
        }
    }

    /// Asks the Server for a sign of life that may take no longer than `timeout`.
    /// For a shell that woke up and cannot know whether the connection still stands.
    pub fn probe(&mut self, timeout: Duration, now: Instant) {
        if self.state == State::Connected {
            let timer = self
                .ping_timer
                .get_or_insert_with(|| PingTimer::new(0, timeout, now));
            let action = timer.probe(timeout, now);
            self.obey(action);
        }
    }

    /// Takes note that what was transmitted is on its way: a PINGREQ may have to wait behind a large packet.
    pub fn handle_progress(&mut self, now: Instant) {
        if let Some(ping_timer) = &mut self.ping_timer {
            ping_timer.handle_input(now);
        }
    }

    /// Handles the end of the Network Connection.
    pub fn handle_close(&mut self) {
        if !self.is_over() {
            self.close(CloseReason::ConnectionLost);
        }
        self.state = State::Closed;
        self.transmit.clear();
    }

    /// Publishes a message. Above QoS 0 the answer is an event with the message's token, unless this is an error.
    /// One of QoS 0 goes at once, also before those that [wait for the store](Self::is_waiting_for_store).
    ///
    /// # Errors
    ///
    /// The message is not sent, and no event will tell of it.
    pub fn publish(
        &mut self,
        mut message: OutgoingMessage,
        now: Instant,
    ) -> Result<(), UsageError> {
        self.check_connected()?;
        let publish = &mut message.publish;
        if publish.qos > self.server_limits.maximum_qos {
            return Err(UsageError::QoSNotSupported);
        }
        if publish.retain && !self.server_limits.retain_available {
            return Err(UsageError::RetainNotSupported);
        }
        if publish.properties.topic_alias().is_some() {
            return Err(UsageError::TopicAlias);
        }
        // 5.0 [MQTT-3.3.4-6]: only the Server knows which subscriptions match.
        if publish
            .properties
            .subscription_identifiers()
            .next()
            .is_some()
        {
            return Err(EncodeError::PropertyNotAllowed(0x0B).into());
        }
        publish.dup = false;
        publish.packet_identifier = None;
        let Some(qos) = AcknowledgedQoS::new(publish.qos) else {
            message.publish.parts().encode_within(
                self.version,
                self.server_limits.maximum_packet_size,
                &mut self.transmit,
            )?;
            return Ok(());
        };
        let outgoing = &mut self.session.exchanges.outgoing;
        if !message.may_wait && !outgoing.is_ready() {
            return Err(UsageError::ReceiveMaximumReached);
        }
        outgoing
            .push(Box::new(message), qos)
            .map_err(|_| UsageError::QueueFull)?;
        self.send_session(now);
        Ok(())
    }

    /// Sends a SUBSCRIBE; the answer is an event with the identifier.
    ///
    /// # Errors
    ///
    /// It is not sent.
    pub fn subscribe(
        &mut self,
        subscriptions: Vec<Subscription>,
        properties: Properties,
    ) -> Result<PacketIdentifier, UsageError> {
        let n_filters = subscriptions.len();
        self.request(RequestKind::Subscribe, n_filters, |packet_identifier| {
            Packet::Subscribe(Subscribe {
                packet_identifier,
                properties,
                subscriptions,
            })
        })
    }

    /// Sends an UNSUBSCRIBE; the answer is an event with the identifier.
    ///
    /// # Errors
    ///
    /// It is not sent.
    pub fn unsubscribe(
        &mut self,
        topic_filters: Vec<TopicFilter>,
        properties: Properties,
    ) -> Result<PacketIdentifier, UsageError> {
        let n_filters = topic_filters.len();
        self.request(RequestKind::Unsubscribe, n_filters, |packet_identifier| {
            Packet::Unsubscribe(Unsubscribe {
                packet_identifier,
                properties,
                topic_filters,
            })
        })
    }

    /// Handles that this many operations of the session's keeper are durable.
    pub fn handle_stored(&mut self, sequence: u64, now: Instant) {
        if let Some(keeper) = &mut self.session.keeper {
            keeper.handle_stored(sequence);
        }
        self.release(now);
    }

    /// Goes on without the session's keeper, whose store takes nothing any more.
    pub fn handle_store_failed(&mut self, now: Instant) {
        if let Some(keeper) = &mut self.session.keeper {
            keeper.handle_store_failed();
        }
        self.release(now);
        self.session.keeper = None;
    }

    /// Says goodbye, then closes.
    pub fn disconnect(&mut self, disconnect: Disconnect) {
        if self.is_over() {
            return;
        }
        // A DISCONNECT that cannot be encoded is left out: closing matters more.
        let _ = self.send(&Packet::Disconnect(disconnect));
        self.close(CloseReason::ByCaller);
    }

    /// Gives the next thing to do; to be called until it gives a `Timeout`.
    pub fn poll_output(&mut self) -> ClientOutput {
        if !self.transmit.is_empty() {
            return ClientOutput::Transmit(std::mem::take(&mut self.transmit));
        }
        if let Some(event) = self.events.pop_front() {
            return ClientOutput::Event(event);
        }
        match self.state {
            State::AwaitingConnack => ClientOutput::Timeout(Some(self.connack_due)),
            State::Connected => {
                ClientOutput::Timeout(self.ping_timer.as_ref().and_then(PingTimer::deadline))
            }
            State::Closing => {
                self.state = State::Closed;
                ClientOutput::Close
            }
            State::Closed => ClientOutput::Timeout(None),
        }
    }

    /// Whether the Server has accepted the connection and it has not ended.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// Whether a message above QoS 0 would be sent at once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_connected() && self.session.exchanges.outgoing.is_ready()
    }

    /// Whether messages above QoS 0 wait for the session's keeper before they are sent.
    #[must_use]
    pub fn is_waiting_for_store(&self) -> bool {
        let keeper = self.session.keeper.as_ref();
        keeper.is_some_and(|keeper| keeper.is_holding(Lane::Outgoing))
    }

    /// The session as it is; for a store.
    #[must_use]
    pub fn session(&self) -> &ClientSession {
        &self.session
    }

    /// The session's keeper, if it has one.
    pub fn keeper_mut(&mut self) -> Option<&mut (dyn SessionKeeper + 'static)> {
        self.session.keeper.as_deref_mut()
    }

    /// Takes the session out, for the next Network Connection.
    #[must_use]
    pub fn into_session(self) -> ClientSession {
        self.session
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Closing | State::Closed)
    }

    fn check_connected(&self) -> Result<(), UsageError> {
        if self.is_connected() {
            Ok(())
        } else {
            Err(UsageError::NotConnected)
        }
    }

    fn request(
        &mut self,
        kind: RequestKind,
        n_filters: usize,
        packet: impl FnOnce(PacketIdentifier) -> Packet,
    ) -> Result<PacketIdentifier, UsageError> {
        self.check_connected()?;
        let outgoing = &mut self.session.exchanges.outgoing;
        let packet_identifier = outgoing
            .reserve_packet_identifier()
            .ok_or(UsageError::NoPacketIdentifier)?;
        if let Err(error) = self.send(&packet(packet_identifier)) {
            let outgoing = &mut self.session.exchanges.outgoing;
            outgoing.release_packet_identifier(packet_identifier);
            return Err(error.into());
        }
        self.requests.push(Request {
            packet_identifier,
            kind,
            n_filters,
        });
        Ok(packet_identifier)
    }

    fn obey(&mut self, action: PingAction) {
        match action {
            PingAction::Nothing => {}
            PingAction::SendPingreq => self.send_fixed(&Packet::Pingreq),
            PingAction::GiveUp => self.close(CloseReason::PingrespTimeout),
        }
    }

    fn send_connect(&mut self, connect: Connect) -> Result<(), EncodeError> {
        // 3.1.1 [MQTT-3.1.3-7]
        if self.version == ProtocolVersion::V3_1_1
            && connect.client_identifier.is_empty()
            && !connect.clean_start
        {
            return Err(EncodeError::ClientIdentifierMissing);
        }
        self.send(&Packet::Connect(Box::new(connect)))
    }

    fn send(&mut self, packet: &Packet) -> Result<(), EncodeError> {
        packet.encode_of_client(
            self.version,
            self.server_limits.maximum_packet_size,
            &mut self.transmit,
        )
    }

    /// Sends a packet of a few bytes, which no Server's Maximum Packet Size can sensibly exclude.
    fn send_fixed(&mut self, packet: &Packet) {
        if self.send(packet).is_err() {
            self.close(CloseReason::Violation(ReasonCode::PacketTooLarge));
        }
    }

    /// Sends a PUBACK, PUBREC, PUBREL or PUBCOMP, which no Server's Maximum Packet Size can sensibly exclude either.
    fn acknowledge(
        &mut self,
        packet_type: PacketType,
        packet_identifier: PacketIdentifier,
        reason_code: ReasonCode,
    ) {
        let start = self.transmit.len();
        let output = &mut self.transmit;
        packet::acknowledge(
            packet_type,
            packet_identifier,
            reason_code,
            self.version,
            output,
        );
        if self.transmit.len() - start > self.server_limits.maximum_packet_size as usize {
            self.transmit.truncate(start);
            self.close(CloseReason::Violation(ReasonCode::PacketTooLarge));
        }
    }

    /// Closes because the Server broke a rule.
    fn fail(&mut self, reason_code: ReasonCode) {
        if self.is_over() {
            return;
        }
        // On 3.1.1 a DISCONNECT would be a normal one and discard the Will Message.
        if self.version == ProtocolVersion::V5_0 {
            let properties = Properties::new();
            let _ = self.send(&Packet::Disconnect(Disconnect {
                reason_code,
                properties,
            }));
        }
        self.close(CloseReason::Violation(reason_code));
    }

    fn close(&mut self, reason: CloseReason) {
        if self.is_over() {
            return;
        }
        self.state = State::Closing;
        let outgoing = &mut self.session.exchanges.outgoing;
        outgoing.suspend();
        if let Some(keeper) = &mut self.session.keeper {
            keeper.forget_packets();
        }
        for message in outgoing.abandon(|message| !message.may_wait) {
            self.events.push_back(ClientEvent::PublicationFailed {
                token: message.token,
                failure: PublicationFailure::Indeterminate,
            });
        }
        self.events.push_back(ClientEvent::Closed(reason));
    }
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            connack_timeout: Duration::from_secs(10),
            pingresp_timeout: Duration::from_secs(20),
            maximum_packet_size: 1 << 20,
        }
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            maximum_packet_size: u32::MAX,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
        }
    }
}
