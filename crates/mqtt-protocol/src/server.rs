//! The Server side of one Network Connection.

mod acknowledge;
mod authenticate;
mod connect;
mod disconnect;
mod publish;
mod sent_aliases;

pub use self::connect::Acceptance;

use self::{authenticate::Authentication, sent_aliases::SentAliases};

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use bytestring::ByteString;

use crate::{
    Auth, Disconnect, Instant, Packet, PacketIdentifier, ProtocolVersion, Publish, QoS, ReasonCode,
    Session, SilenceTimer, Subscribe, TopicName, Unsubscribe,
};

/// The Server side of one Network Connection: which packet may come when, and what is answered.
///
/// The first packet goes to [`handle_first_packet`](Self::handle_first_packet). Its CONNECT is
/// [accepted](Self::accept), [refused](Self::refuse) or [challenged](Self::challenge); in the last case the
/// next packet goes to [`handle_answer`](Self::handle_answer). Once the CONNECT is accepted, packets go to [`handle_packet`](Self::handle_packet) together with the Session.
/// What only the owner of topics and sessions can answer is returned as a [`Request`], because it has to be
/// answered before the next packet is looked at. All else is found in [`poll_output`](Self::poll_output),
/// which also works after an error: the DISCONNECT is then queued, and [`ServerOutput::Close`] follows.
#[derive(Debug)]
pub struct ServerConnection {
    settings: Arc<ServerSettings>,
    state: State,
    version: ProtocolVersion,
    connect_due: Instant,
    silence: SilenceTimer,
    client: ClientCapabilities,
    /// Of a Client that named an Authentication Method.
    authentication: Option<Box<Authentication>>,
    /// Of the CONNECT or the CONNACK, in seconds.
    session_expiry_interval: u32,
    /// At the place of an alias, less one, the Topic Name that it stands for.
    topic_by_alias: Vec<Option<TopicName>>,
    /// Only for a Client that takes Topic Aliases.
    sent_aliases: Option<Box<SentAliases>>,
    output: Vec<u8>,
}

/// What a Server says about itself, the same for all Clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// Time for the CONNECT to come, and for a connected Client to show anew who it is.
    pub connect_timeout: Duration,
    /// The largest packet that is read.
    pub maximum_packet_size: u32,
    /// QoS 1 and 2 messages that a Client may send before they are acknowledged.
    pub receive_maximum: NonZeroU16,
    /// The highest Topic Alias that a Client may use.
    pub topic_alias_maximum: u16,
    /// Topic Aliases that we use towards one Client at most, if it takes as many.
    pub sent_topic_aliases_max: u16,
    /// The highest QoS of a PUBLISH from a Client.
    pub maximum_qos: QoS,
    /// Whether retained messages are kept.
    pub retain_available: bool,
    /// Whether Topic Filters may have wildcards.
    pub wildcard_subscription_available: bool,
    /// Whether subscriptions may have identifiers.
    pub subscription_identifiers_available: bool,
    /// Whether `$share/…` is understood.
    pub shared_subscription_available: bool,
    /// The longest Keep Alive that a 5.0 Client may choose.
    pub keep_alive_max: Option<NonZeroU16>,
    /// The longest Session Expiry Interval in seconds; `u32::MAX` for no limit.
    pub session_expiry_interval_max: u32,
    /// The base for Response Topics, told to Clients that ask.
    pub response_information: Option<ByteString>,
}

/// What the Client said about itself in its CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCapabilities {
    /// The largest packet that it reads.
    pub maximum_packet_size: NonZeroU32,
    /// QoS 1 and 2 messages that it lets us send before it acknowledges them.
    pub receive_maximum: NonZeroU16,
    /// The highest Topic Alias that we may use.
    pub topic_alias_maximum: u16,
    /// Whether failures may be explained everywhere.
    pub request_problem_information: bool,
    /// Whether it wants the base for Response Topics.
    pub request_response_information: bool,
}

/// What a Client asks for.
///
/// `M` is what the owner keeps of a message that goes to the Client. Requests that only tell of something are there
/// for an owner that keeps sessions on disk: what they say is queued must not go out before they are kept.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<M> {
    /// To publish a message that is no duplicate. Its Topic Name is there, its Topic Alias is not.
    /// Above QoS 0 answered by [`ServerConnection::acknowledge`].
    Publish(Publish),
    /// To subscribe; answered by [`ServerConnection::suback`].
    Subscribe(Subscribe),
    /// To unsubscribe; answered by [`ServerConnection::unsuback`].
    Unsubscribe(Unsubscribe),
    /// To send more of what waits in the session, if there is any: an exchange with the Client is over.
    Completed {
        /// Under which it was.
        packet_identifier: PacketIdentifier,
        /// `None` if the owner took it before.
        message: Option<M>,
    },
    /// Nothing: the Client has received a QoS 2 message, whose PUBREL is queued.
    Received(PacketIdentifier),
    /// Nothing: the Client has released a QoS 2 message of its own, whose PUBCOMP is queued.
    Released(PacketIdentifier),
    /// Nothing: the Client has repeated a QoS 2 message, whose PUBREC is queued.
    Repeated,
    /// To show anew who it is, or to go on with that; answered by [`ServerConnection::challenge`],
    /// [`ServerConnection::reauthenticated`] or [`ServerConnection::disconnect`].
    Authenticate(Auth),
    /// To be left alone. The connection is closed already.
    Disconnect(Disconnect),
}

/// What is to be done for the Network Connection.
#[derive(Debug, PartialEq, Eq)]
pub enum ServerOutput {
    /// Put these bytes on the wire.
    Transmit(Vec<u8>),
    /// Close the Network Connection; said again until it is done.
    Close(Closing),
    /// Call [`ServerConnection::handle_timeout`] at this moment.
    Timeout(Option<Instant>),
}

/// Why the Server closes a Network Connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The Client said goodbye.
    ByClient(ReasonCode),
    /// We do, for this reason, whether or not the Client could be told.
    ByServer(ReasonCode),
    /// No CONNECT came in time.
    ConnectTimeout,
    /// What came first was no CONNECT.
    NotMqtt,
    /// The Network Connection was gone first.
    ConnectionLost,
}

/// How far a Network Connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    AwaitingConnect,
    /// The CONNECT, or an AUTH, is with the owner, who accepts, challenges or refuses.
    Connecting,
    /// The Client is to answer a challenge.
    Authenticating,
    Connected,
    Closed(Closing),
}

impl ServerConnection {
    /// Begins to wait for a CONNECT.
    #[must_use]
    pub fn new(settings: Arc<ServerSettings>, now: Instant) -> Self {
        Self {
            connect_due: now + settings.connect_timeout,
            settings,
            state: State::AwaitingConnect,
            version: ProtocolVersion::V5_0,
            silence: SilenceTimer::new(0, now),
            client: ClientCapabilities::default(),
            authentication: None,
            session_expiry_interval: 0,
            topic_by_alias: Vec::new(),
            sent_aliases: None,
            output: Vec::new(),
        }
    }

    /// Handles a packet of a Client whose CONNECT was accepted.
    pub fn handle_packet<M>(
        &mut self,
        packet: Packet,
        session: &mut Session<M>,
        now: Instant,
    ) -> Option<Request<M>> {
        if self.state != State::Connected {
            return None;
        }
        self.silence.handle_packet(now);
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish, session),
            Packet::Puback(puback) => self.handle_puback(&puback, session),
            Packet::Pubrec(pubrec) => self.handle_pubrec(&pubrec, session),
            Packet::Pubrel(pubrel) => self.handle_pubrel(&pubrel, session),
            Packet::Pubcomp(pubcomp) => self.handle_pubcomp(&pubcomp, session),
            Packet::Subscribe(subscribe) => Some(Request::Subscribe(subscribe)),
            Packet::Unsubscribe(unsubscribe) => Some(Request::Unsubscribe(unsubscribe)),
            Packet::Pingreq => {
                self.transmit(&Packet::Pingresp);
                None
            }
            Packet::Disconnect(disconnect) => self.handle_disconnect(disconnect),
            Packet::Auth(auth) => self.handle_auth(auth, now),
            // [MQTT-3.1.0-2]: a second CONNECT. The others are packets that only a Server sends.
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp => {
                self.disconnect(ReasonCode::ProtocolError);
                None
            }
        }
    }

    /// Closes what has been silent, or unauthenticated, for too long. To be called at the deadline that `poll_output` said, or later.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.state {
            State::AwaitingConnect | State::Authenticating => {
                self.state = State::Closed(Closing::ConnectTimeout);
            }
            State::Connected => {
                let is_reauthentication_over =
                    self.reauthentication_due().is_some_and(|due| due <= now);
                self.disconnect(match is_reauthentication_over {
                    true => ReasonCode::NotAuthorized,
                    false => ReasonCode::KeepAliveTimeout,
                });
            }
            State::Connecting | State::Closed(_) => {}
        }
    }

    /// The next thing to be done; `Close` or `Timeout` is the last.
    pub fn poll_output(&mut self) -> ServerOutput {
        if !self.output.is_empty() {
            return ServerOutput::Transmit(std::mem::take(&mut self.output));
        }
        match self.state {
            State::Closed(closing) => ServerOutput::Close(closing),
            State::AwaitingConnect
            | State::Connecting
            | State::Authenticating
            | State::Connected => ServerOutput::Timeout(self.deadline()),
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    /// Each packet puts it off, but for a Client that is to show who it is.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::AwaitingConnect | State::Authenticating => Some(self.connect_due),
            State::Connected => match (self.silence.deadline(), self.reauthentication_due()) {
                (Some(silence), Some(due)) => Some(silence.min(due)),
                (silence, due) => silence.or(due),
            },
            State::Connecting | State::Closed(_) => None,
        }
    }

    /// Whether a CONNECT was accepted and nobody said goodbye.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// Why the connection is to be closed, if it is.
    #[must_use]
    pub const fn closing(&self) -> Option<Closing> {
        match self.state {
            State::Closed(closing) => Some(closing),
            State::AwaitingConnect
            | State::Connecting
            | State::Authenticating
            | State::Connected => None,
        }
    }

    /// What the connection speaks; only meaningful once a CONNECT came.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// What the Client can do.
    #[must_use]
    pub const fn client(&self) -> &ClientCapabilities {
        &self.client
    }

    /// How many seconds the session outlives the connection; `u32::MAX` for ever.
    #[must_use]
    pub const fn session_expiry_interval(&self) -> u32 {
        self.session_expiry_interval
    }

    /// The bytes that wait for [`poll_output`](Self::poll_output).
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.output.len()
    }

    /// Lends memory for the output, if it has none.
    pub fn lend(&mut self, memory: impl FnOnce() -> Option<Vec<u8>>) {
        if self.output.capacity() == 0
            && let Some(mut memory) = memory()
        {
            memory.clear();
            self.output = memory;
        }
    }

    /// Gives the memory of an output back that has nothing in it, so that an idle connection is small.
    pub fn reclaim(&mut self) -> Option<Vec<u8>> {
        (self.output.is_empty() && self.output.capacity() > 0)
            .then(|| std::mem::take(&mut self.output))
    }

    /// Sends a packet if it is not larger than what the Client reads; says whether it was sent.
    fn transmit(&mut self, packet: &Packet) -> bool {
        packet
            .encode_within(
                self.version,
                self.client.maximum_packet_size.get(),
                &mut self.output,
            )
            .is_ok()
    }
}

impl Default for ClientCapabilities {
    fn default() -> Self {
        Self {
            maximum_packet_size: NonZeroU32::MAX,
            receive_maximum: NonZeroU16::MAX,
            topic_alias_maximum: 0,
            request_problem_information: true,
            request_response_information: false,
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            maximum_packet_size: u32::MAX,
            receive_maximum: NonZeroU16::MAX,
            topic_alias_maximum: 0,
            sent_topic_aliases_max: 0,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifiers_available: true,
            shared_subscription_available: true,
            keep_alive_max: None,
            session_expiry_interval_max: u32::MAX,
            response_information: None,
        }
    }
}

#[cfg(test)]
mod tests;
