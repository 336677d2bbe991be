//! Keeps one client connected: attempts, waits, subscriptions, queue. Pure, so that it is tested natively.

mod elsewhere;
mod ending;
mod persistence;
mod publications;
mod random;
mod requests;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, num::NonZeroU32, time::Duration};

use bytestring::ByteString;
use mqtt_protocol::{
    ClientConnection, ClientEvent, ClientOutput, ClientSession, ClientSettings, Connack, Connect,
    Disconnect, Instant, OutgoingLimits, Properties, Property, ProtocolVersion, Publish,
    ReasonCode, Session, TopicFilter,
};

pub use self::elsewhere::FollowServerReference;

use self::{
    elsewhere::Away,
    persistence::{Keeping, keeper},
    publications::Publications,
    random::Random,
    requests::Requests,
};
use crate::{
    Backoff, Credentials, CredentialsProvider, Event, Failure, Limits, Message, Options,
    Publication, PublishError, Resubscribe, Status, StopReason, SubscribeError,
    SubscriptionOptions,
    receipt::Answer,
    transport::{Generation, LinkEvent},
};

pub(crate) type PublishAnswer = Answer<Result<ReasonCode, PublishError>>;
pub(crate) type SubscribeAnswer = Answer<Result<Vec<ReasonCode>, SubscribeError>>;

/// The client without its shell.
///
/// Link events and [`handle_timeout`](Self::handle_timeout) are followed by draining
/// [`poll_output`](Self::poll_output) until it gives a `Timeout`. The calls of the user only take note;
/// a `handle_timeout` in the same turn sends what all of them together amount to.
pub(crate) struct Supervisor {
    /// In a box: to move so many fields one by one is much code.
    options: Box<Options>,
    state: State,
    status: Status,
    generation: Generation,
    backoff: Backoff,
    random: Random,
    is_visible: bool,
    client_identifier: ByteString,
    /// Those that were asked for.
    credentials: Option<Credentials>,
    away: Option<Away>,
    /// Whether a Server has accepted a connection before.
    has_connected: bool,
    /// Whether requests were given up that the Server may not have seen.
    must_renew: bool,
    /// Whether the last credentials that were asked for were refused.
    was_refused: bool,
    /// When the last attempt began.
    attempted_at: Instant,
    /// Of the time without a connection; a connection has it meanwhile.
    session: ClientSession,
    /// The address of the Server that has the session: no other can go on with it. Empty before one has.
    server: String,
    keeping: Keeping,
    requests: Requests,
    publications: Publications,
    congestion: Option<Congestion>,
    /// What had not left the socket's buffer when it was last looked at.
    buffered_amount: usize,
    /// What was published since.
    n_bytes_published: usize,
    round_trip_time: Option<Duration>,
    outputs: VecDeque<Output>,
}

/// What the shell is to do.
#[derive(Debug)]
pub(crate) enum Output {
    /// Ask for credentials, for the attempt with this number.
    AskForCredentials(Generation),
    /// Open a Network Connection, and forget an earlier one.
    Open(Generation),
    /// Send on it.
    Transmit(Vec<u8>),
    /// End it after what was sent has left.
    Close,
    /// Tell the user.
    Event(Event),
    /// Answer a call.
    Published(PublishAnswer, Result<ReasonCode, PublishError>),
    /// Answer a call.
    Subscribed(SubscribeAnswer, Result<Vec<ReasonCode>, SubscribeError>),
    /// Nothing more until this time.
    Timeout(Option<Instant>),
}

enum State {
    /// The credentials of an attempt are asked for.
    Asking { give_up_at: Instant },
    /// A Network Connection is being opened.
    Opening { give_up_at: Instant },
    /// It is open.
    Open {
        connection: Box<ClientConnection>,
        /// When the Server accepted it.
        connected_at: Option<Instant>,
        deadline: Option<Instant>,
    },
    /// The next attempt is to come.
    Waiting { retry_at: Instant },
    /// No attempt is to come by itself.
    Idle,
}

/// A socket whose buffer is above its limit.
#[derive(Debug, Clone, Copy)]
struct Congestion {
    lowest_amount: usize,
    /// When `lowest_amount` was last undercut.
    progress_at: Instant,
    check_at: Instant,
}

impl Supervisor {
    /// Begins with the first attempt.
    pub(crate) fn new(options: Options, is_visible: bool, seed: u64, now: Instant) -> Self {
        let options = Box::new(options);
        let mut random = Random::new(seed);
        let mut supervisor = Self {
            state: State::Idle,
            status: Status::Connecting { attempt: 0 },
            generation: Generation::default(),
            backoff: Backoff::new(options.backoff.clone()),
            is_visible,
            client_identifier: options.client_identifier.as_str().into(),
            credentials: None,
            away: None,
            has_connected: false,
            must_renew: false,
            was_refused: false,
            attempted_at: now,
            session: ClientSession {
                is_established: false,
                exchanges: Session::new(OutgoingLimits {
                    queue_len_max: options.limits.queue_len_max,
                    ..OutgoingLimits::default()
                }),
                keeper: None,
            },
            server: String::new(),
            keeping: Keeping::new(&options),
            requests: Requests::new(options.limits.queue_len_max, random.next()),
            random,
            publications: Publications::new(&options),
            congestion: None,
            buffered_amount: 0,
            n_bytes_published: 0,
            round_trip_time: None,
            outputs: VecDeque::new(),
            options,
        };
        if supervisor.options.session_store.is_none() {
            supervisor.attempt(now);
        }
        supervisor
    }

    pub(crate) fn handle_link(&mut self, generation: Generation, event: LinkEvent, now: Instant) {
        if generation != self.generation {
            return;
        }
        match (event, &mut self.state) {
            (LinkEvent::Opened, State::Opening { give_up_at }) => {
                let connack_timeout = give_up_at.saturating_duration_since(now);
                self.open(connack_timeout, now);
            }
            (LinkEvent::Received(bytes), State::Open { connection, .. }) => {
                connection.handle_input(bytes, now);
                self.drain(now);
            }
            (LinkEvent::Closed(failure), State::Opening { .. } | State::Open { .. }) => {
                self.lose(failure, now);
            }
            (LinkEvent::Opened, State::Open { .. })
            | (LinkEvent::Received(_), State::Opening { .. })
            | (_, State::Asking { .. } | State::Waiting { .. } | State::Idle) => {}
        }
    }

    /// Handles the passing of time, and sends what was asked for since the last call.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Asking { give_up_at } if *give_up_at <= now => {
                self.fail(Failure::CredentialsTimeout, now);
            }
            State::Opening { give_up_at } if *give_up_at <= now => {
                self.fail(Failure::ConnackTimeout, now);
            }
            State::Open { connection, .. } => {
                connection.handle_timeout(now);
                self.drain(now);
            }
            State::Waiting { retry_at } if *retry_at <= now => self.attempt(now),
            State::Asking { .. } | State::Opening { .. } | State::Waiting { .. } | State::Idle => {}
        }
        let keeper = keeper(&mut self.state, &mut self.session);
        self.publications.expire(keeper, &mut self.outputs, now);
    }

    /// Takes note of how much has not left the socket's buffer.
    pub(crate) fn handle_buffered_amount(&mut self, amount: usize, now: Instant) {
        let before = std::mem::replace(&mut self.buffered_amount, amount);
        self.n_bytes_published = 0;
        if amount < before
            && let State::Open { connection, .. } = &mut self.state
        {
            connection.handle_progress(now);
        }
        let limits = &self.options.limits;
        let is_congested = match self.congestion {
            Some(_) => amount > limits.buffered_amount_low,
            None => amount > limits.buffered_amount_max,
        };
        self.publications.is_congested = is_congested;
        if !is_congested {
            self.congestion = None;
            return;
        }
        let congestion = self.congestion.get_or_insert(Congestion {
            lowest_amount: usize::MAX,
            progress_at: now,
            check_at: now,
        });
        if amount < congestion.lowest_amount {
            congestion.lowest_amount = amount;
            congestion.progress_at = now;
        }
        congestion.check_at = now + CONGESTION_CHECK;
        if now.saturating_duration_since(congestion.progress_at) >= STALL_TIMEOUT {
            self.lose(Failure::Stalled, now);
        }
    }

    /// Handles that the page became visible or hidden, came back, or that the machine went on- or offline.
    pub(crate) fn handle_page_event(&mut self, is_visible: bool, now: Instant) {
        let was_visible = std::mem::replace(&mut self.is_visible, is_visible);
        let is_going = was_visible && !is_visible;
        if !is_going {
            self.handle_wake(now);
        }
    }

    /// Finds out at once how things stand.
    fn handle_wake(&mut self, now: Instant) {
        let is_attempt = match &mut self.state {
            State::Open {
                connection,
                connected_at: Some(_),
                ..
            } => {
                connection.probe(PROBE_TIMEOUT, now);
                false
            }
            State::Asking { .. } | State::Opening { .. } | State::Open { .. } => true,
            State::Waiting { .. } | State::Idle => false,
        };
        // What began before the page slept may wait for what will never come.
        if is_attempt && now.saturating_duration_since(self.attempted_at) >= PROBE_TIMEOUT {
            self.lose(Failure::ConnackTimeout, now);
        }
        self.backoff.reset();
        if let State::Waiting { .. } = self.state {
            self.attempt(now);
        }
    }

    pub(crate) fn publish(
        &mut self,
        publication: Publication,
        answer: PublishAnswer,
        now: Instant,
    ) {
        if let Status::Stopped { .. } = self.status {
            let result = Err(PublishError::Stopped);
            self.outputs.push_back(Output::Published(answer, result));
            return;
        }
        let connection = match &mut self.state {
            State::Open { connection, .. } => Some(&mut **connection),
            State::Asking { .. } | State::Opening { .. } | State::Waiting { .. } | State::Idle => {
                None
            }
        };
        // What is published in one turn of the event loop reaches the socket only after it.
        if connection.is_some() {
            self.n_bytes_published += publication.payload.len();
            let n_bytes = self.buffered_amount + self.n_bytes_published;
            self.publications.is_congested |= n_bytes > self.options.limits.buffered_amount_max;
        }
        self.publications
            .publish(publication, answer, connection, &mut self.outputs, now);
        let keeper = keeper(&mut self.state, &mut self.session);
        if let Some(keeper) = keeper {
            self.publications.note_last(keeper);
        }
    }

    pub(crate) fn subscribe(
        &mut self,
        topic_filters: Vec<TopicFilter>,
        options: SubscriptionOptions,
        answer: SubscribeAnswer,
    ) {
        let Some(answer) = self.answer_if_stopped(answer) else {
            return;
        };
        let subscriptions = topic_filters
            .into_iter()
            .map(|topic_filter| options.of(topic_filter))
            .collect();
        self.requests
            .subscribe(subscriptions, answer, &mut self.outputs);
        self.send_requests();
    }

    /// Subscribes for a stream, whose messages have this Subscription Identifier if the Server knows them.
    pub(crate) fn subscribe_stream(
        &mut self,
        topic_filter: TopicFilter,
        options: SubscriptionOptions,
        answer: SubscribeAnswer,
    ) -> Option<NonZeroU32> {
        let answer = self.answer_if_stopped(answer)?;
        let subscription = options.of(topic_filter);
        let identifier = self
            .requests
            .subscribe_stream(subscription, answer, &mut self.outputs);
        self.send_requests();
        identifier
    }

    /// Unsubscribes if this was the last that wanted it.
    pub(crate) fn leave_stream(&mut self, topic_filter: &TopicFilter) {
        self.requests.leave_stream(topic_filter);
        self.send_requests();
    }

    /// Says whether it is going to be asked for.
    pub(crate) fn unsubscribe(
        &mut self,
        topic_filters: Vec<TopicFilter>,
        answer: SubscribeAnswer,
    ) -> bool {
        let Some(answer) = self.answer_if_stopped(answer) else {
            return false;
        };
        let is_accepted = self
            .requests
            .unsubscribe(topic_filters, answer, &mut self.outputs);
        self.send_requests();
        is_accepted
    }

    /// Nothing would come of waiting for a connection that is not attempted.
    fn answer_if_stopped(&mut self, answer: SubscribeAnswer) -> Option<SubscribeAnswer> {
        if let Status::Stopped { .. } = self.status {
            let result = Err(SubscribeError::Stopped);
            self.outputs.push_back(Output::Subscribed(answer, result));
            return None;
        }
        Some(answer)
    }

    pub(crate) fn reconnect_now(&mut self, now: Instant) {
        match self.state {
            State::Waiting { .. } | State::Idle if !self.keeping.is_loading() => {
                self.backoff.reset();
                self.attempt(now);
            }
            State::Waiting { .. } | State::Idle => {}
            State::Asking { .. } | State::Opening { .. } | State::Open { .. } => {}
        }
    }

    /// Takes the credentials that the attempt of this number waits for, or why there are none.
    pub(crate) fn handle_credentials(
        &mut self,
        generation: Generation,
        result: Result<Credentials, String>,
        now: Instant,
    ) {
        if generation != self.generation || !matches!(self.state, State::Asking { .. }) {
            return;
        }
        match result {
            Ok(credentials) => {
                self.credentials = Some(credentials);
                self.open_link(now);
            }
            Err(reason) => self.fail(Failure::NoCredentials { reason }, now),
        }
    }

    pub(crate) fn disconnect(&mut self, now: Instant) {
        if let State::Open { connection, .. } = &mut self.state {
            connection.disconnect(Disconnect {
                reason_code: ReasonCode::NORMAL_DISCONNECTION,
                properties: Properties::new(),
            });
            self.drain(now);
        }
        self.stop(StopReason::ByCaller);
    }

    pub(crate) fn poll_output(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        let (deadline, is_connected) = match &self.state {
            State::Asking { give_up_at } | State::Opening { give_up_at } => {
                (Some(*give_up_at), false)
            }
            State::Open {
                deadline,
                connected_at,
                ..
            } => (*deadline, connected_at.is_some()),
            State::Waiting { retry_at } => (Some(*retry_at), false),
            State::Idle => (None, false),
        };
        let expiry = self.publications.next_expiry().filter(|_| !is_connected);
        let check_at = self.congestion.map(|congestion| congestion.check_at);
        Output::Timeout(earlier(earlier(deadline, expiry), check_at))
    }

    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        self.round_trip_time
    }

    pub(crate) fn url(&self) -> &str {
        &self.options.url
    }

    pub(crate) fn limits(&self) -> Limits {
        self.options.limits
    }

    pub(crate) fn protocol_version(&self) -> ProtocolVersion {
        self.options.protocol_version
    }

    /// Whether messages have the Subscription Identifiers of their subscriptions.
    pub(crate) fn has_subscription_identifiers(&self) -> bool {
        self.requests.has_identifiers()
    }

    /// Who is to be asked for credentials.
    pub(crate) fn credentials_provider(&self) -> Option<&CredentialsProvider> {
        self.options.credentials_provider.as_ref()
    }

    fn attempt(&mut self, now: Instant) {
        self.generation = self.generation.next();
        self.attempted_at = now;
        self.set_status(Status::Connecting {
            attempt: self.backoff.n_failures().saturating_add(1),
        });
        if self.options.credentials_provider.is_none() {
            self.open_link(now);
            return;
        }
        self.state = State::Asking {
            give_up_at: now + self.options.credentials_timeout,
        };
        let ask = Output::AskForCredentials(self.generation);
        self.outputs.push_back(ask);
    }

    fn open_link(&mut self, now: Instant) {
        self.state = State::Opening {
            give_up_at: now + self.options.connack_timeout,
        };
        self.outputs.push_back(Output::Open(self.generation));
    }

    fn open(&mut self, connack_timeout: Duration, now: Instant) {
        let settings = ClientSettings {
            connack_timeout,
            pingresp_timeout: self.options.pingresp_timeout,
            maximum_packet_size: self.options.limits.maximum_packet_size.get(),
        };
        let mut session = std::mem::take(&mut self.session);
        let is_elsewhere = self.server != self.options.url;
        if is_elsewhere {
            session.is_established = false;
            self.server.clear();
        }
        let mut connect = self.connect_packet(session.is_established);
        self.keeping.is_clearing = self.is_clearing(connect.clean_start);
        if self.keeping.is_clearing {
            // It ends without a DISCONNECT, and nobody is to hear that this Client is gone.
            connect.will = None;
        }
        let connection = ClientConnection::new(connect, session, settings, now);
        self.state = State::Open {
            connection: Box::new(connection),
            connected_at: None,
            deadline: None,
        };
        if is_elsewhere {
            // With what was given up for it, so that the next page does not go on where that is still in flight.
            self.note_identity();
        }
        self.drain(now);
    }

    /// Whether a connection is only to make the Server forget an earlier session. On 3.1.1 what begins with
    /// Clean Session 1 ends with the connection, so one that is to be kept begins with another.
    fn is_clearing(&self, clean_start: bool) -> bool {
        clean_start
            && self.keeping.is_kept()
            && self.options.protocol_version == ProtocolVersion::V3_1_1
    }

    fn connect_packet(&self, is_established: bool) -> Connect {
        let options = &self.options;
        let limits = &options.limits;
        // A Server must not go on with a session of which a fresh page knows nothing.
        // On 3.1.1, where it would keep a session for ever, every connection begins anew unless we keep it too.
        let (clean_start, properties) = match options.protocol_version {
            ProtocolVersion::V3_1_1 => (
                !(is_established && self.keeping.is_kept()),
                Properties::new(),
            ),
            ProtocolVersion::V5_0 => (
                !is_established,
                Properties::new()
                    .with(Property::SessionExpiryInterval(
                        options.session_expiry_interval_secs,
                    ))
                    .with(Property::ReceiveMaximum(limits.receive_maximum))
                    .with(Property::MaximumPacketSize(limits.maximum_packet_size))
                    .with(Property::TopicAliasMaximum(limits.topic_alias_maximum)),
            ),
        };
        let (user_name, password) = match &self.credentials {
            Some(asked) => (&asked.user_name, &asked.password),
            None => (&options.user_name, &options.password),
        };
        Connect {
            protocol_version: options.protocol_version,
            clean_start,
            keep_alive: options.keep_alive_secs,
            properties,
            client_identifier: self.client_identifier.clone(),
            will: options.will.clone(),
            user_name: user_name.as_deref().map(Into::into),
            password: password.clone(),
        }
    }

    /// Does what the connection asks for, and sends what waits.
    fn drain(&mut self, now: Instant) {
        while let State::Open { connection, .. } = &mut self.state {
            match connection.poll_output() {
                ClientOutput::Transmit(bytes) => self.outputs.push_back(Output::Transmit(bytes)),
                ClientOutput::Event(event) => self.handle_event(event, now),
                // Comes after the event that says why, which has ended this state.
                ClientOutput::Close => {}
                ClientOutput::Timeout(until) => {
                    let State::Open { deadline, .. } = &mut self.state else {
                        return;
                    };
                    *deadline = until;
                    if !self.send_publications(now) {
                        return;
                    }
                }
            }
        }
    }

    /// Ends a connection whose link is of no use any more.
    fn lose(&mut self, failure: Failure, now: Instant) {
        if let State::Open { connection, .. } = &mut self.state {
            connection.handle_close();
        }
        while let State::Open { connection, .. } = &mut self.state {
            match connection.poll_output() {
                ClientOutput::Event(ClientEvent::Closed(_)) | ClientOutput::Timeout(_) => break,
                ClientOutput::Event(event) => self.handle_event(event, now),
                ClientOutput::Transmit(_) | ClientOutput::Close => {}
            }
        }
        self.fail(failure, now);
    }

    /// Hands over publications that wait; says whether there were any.
    fn send_publications(&mut self, now: Instant) -> bool {
        if let State::Open { connection, .. } = &mut self.state {
            self.publications.send(connection, &mut self.outputs, now)
        } else {
            false
        }
    }

    fn send_requests(&mut self) {
        if let State::Open { connection, .. } = &mut self.state {
            self.requests.send(connection, &mut self.outputs);
        }
    }

    fn handle_event(&mut self, event: ClientEvent, now: Instant) {
        match event {
            ClientEvent::Connected(connack) => self.handle_connected(&connack, now),
            ClientEvent::Message(publish) => {
                if let Some(message) = message(publish) {
                    self.outputs
                        .push_back(Output::Event(Event::Message(message)));
                }
            }
            ClientEvent::PublicationAcknowledged { token, reason_code } => self
                .publications
                .handle_acknowledgement(token, reason_code, &mut self.outputs),
            ClientEvent::PublicationFailed { token, failure } => {
                self.publications
                    .handle_failure(token, failure, &mut self.outputs)
            }
            ClientEvent::Subscribed {
                packet_identifier,
                reason_codes,
            }
            | ClientEvent::Unsubscribed {
                packet_identifier,
                reason_codes,
            } => {
                self.requests
                    .handle_answer(packet_identifier, reason_codes, &mut self.outputs);
                self.send_requests();
            }
            ClientEvent::Pong { round_trip_time } => self.round_trip_time = Some(round_trip_time),
            ClientEvent::Closed(reason) => self.handle_closed(reason, now),
        }
    }

    fn handle_connected(&mut self, connack: &Connack, now: Instant) {
        if let State::Open { connected_at, .. } = &mut self.state {
            *connected_at = Some(now);
        }
        self.was_refused = false;
        self.arrive();
        self.server.clone_from(&self.options.url);
        let identifiers = connack.properties.subscription_identifiers_available();
        let is_5_0 = self.options.protocol_version == ProtocolVersion::V5_0;
        self.requests
            .handle_connected(is_5_0 && identifiers.unwrap_or(true));
        let is_first = !self.has_connected;
        self.has_connected = true;
        if let Some(assigned) = connack.properties.assigned_client_identifier() {
            self.client_identifier = assigned.clone();
        }
        self.note_identity();
        if self.keeping.is_clearing {
            self.end_link();
            self.attempt(now);
            return;
        }
        let session_present = connack.session_present;
        self.set_status(Status::Connected { session_present });
        let renew = match self.options.resubscribe {
            Resubscribe::Always => true,
            Resubscribe::IfSessionLost => !session_present || self.must_renew,
        };
        self.must_renew = false;
        if renew && !is_first {
            self.requests.renew();
        }
        self.send_requests();
    }

    fn set_status(&mut self, status: Status) {
        // Others follow each other in no way in which they could be the same.
        let is_told = match (&self.status, &status) {
            (Status::Connecting { attempt: told }, Status::Connecting { attempt }) => {
                told == attempt
            }
            (Status::Stopped { reason: told }, Status::Stopped { reason }) => told == reason,
            _ => false,
        };
        if !is_told {
            self.status = status.clone();
            self.outputs.push_back(Output::Event(Event::Status(status)));
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn message(publish: Publish) -> Option<Message> {
    Some(Message {
        topic_name: publish.topic_name?,
        payload: publish.payload,
        qos: publish.qos,
        retain: publish.retain,
        properties: publish.properties,
    })
}

/// How long a connection may take to show that it survived the page's sleep.
const PROBE_TIMEOUT: Duration = Duration::from_millis(1200);
const CONGESTION_CHECK: Duration = Duration::from_millis(100);
const STALL_TIMEOUT: Duration = Duration::from_secs(20);
