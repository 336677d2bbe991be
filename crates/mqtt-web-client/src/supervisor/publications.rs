//! Publications on their way: those that wait, and who waits for their answers.

use std::collections::VecDeque;

use mqtt_protocol::{
    ClientConnection, EncodeError, Instant, OutgoingMessage, Property, ProtocolVersion,
    PublicationFailure, PublicationToken, Publish, PublishParts, QoS, ReasonCode, SessionChange,
    SessionKeeper, StoredSession, TopicName, UsageError,
};

use super::{Output, PublishAnswer};
use crate::{
    Event, OfflineQueue, Options, Publication, PublishError, QueuePolicy,
    queue::{Queue, Waiting},
};

#[derive(Debug)]
pub(super) struct Publications {
    version: ProtocolVersion,
    queue: Queue,
    /// Invariant: sorted by token.
    answers: Vec<(PublicationToken, PublishAnswer)>,
    /// Those of an earlier page, which have nobody to answer to.
    restored: Vec<(PublicationToken, TopicName)>,
    offline_queue: OfflineQueue,
    last_token: u64,
    /// Whether the socket's buffer is above its limit.
    pub(super) is_congested: bool,
}

impl Publications {
    pub(super) fn new(options: &Options) -> Self {
        let limits = &options.limits;
        Self {
            version: options.protocol_version,
            queue: Queue::new(limits.queue_len_max, limits.queue_bytes_max),
            answers: Vec::new(),
            restored: Vec::new(),
            offline_queue: options.offline_queue,
            last_token: 0,
            is_congested: false,
        }
    }

    pub(super) fn publish(
        &mut self,
        publication: Publication,
        answer: PublishAnswer,
        connection: Option<&mut ClientConnection>,
        outputs: &mut VecDeque<Output>,
        now: Instant,
    ) {
        self.last_token += 1;
        let token = PublicationToken(self.last_token);
        self.answers.push((token, answer));
        let waiting = Box::new(Waiting {
            token,
            expires_at: publication.expiry.map(|expiry| now + expiry),
            publication,
            is_noted: false,
        });
        let connection = connection.filter(|connection| connection.is_connected());
        let may_wait = self.offline_queue.keeps_unsent(waiting.publication.qos);
        let policy = if connection.is_none() && !may_wait {
            QueuePolicy::Never
        } else {
            waiting.publication.queue
        };
        match (connection, policy) {
            (None, QueuePolicy::Never) => {
                self.answer(token, Err(PublishError::NotConnected), outputs);
            }
            (Some(_), QueuePolicy::Never) if self.is_congested => {
                self.answer(token, Err(PublishError::Busy), outputs);
            }
            (Some(connection), QueuePolicy::Never) => {
                self.hand_over(waiting, connection, outputs, now);
            }
            (connection, QueuePolicy::WhileDisconnected) => {
                if self.queue.push(waiting).is_err() {
                    self.answer(token, Err(PublishError::QueueFull), outputs);
                } else if let Some(connection) = connection {
                    self.send(connection, outputs, now);
                }
            }
        }
    }

    /// Hands over what waits, as far as the Server and the socket take it; says whether there was any.
    pub(super) fn send(
        &mut self,
        connection: &mut ClientConnection,
        outputs: &mut VecDeque<Output>,
        now: Instant,
    ) -> bool {
        self.expire(connection.keeper_mut(), outputs, now);
        let mut is_any = false;
        while !self.is_congested && connection.is_ready() {
            // What is of QoS 0 is answered when it is sent, and keeps its order.
            let is_in_order = |waiting: &Waiting| {
                waiting.publication.qos > QoS::AtMostOnce || !connection.is_waiting_for_store()
            };
            let Some(waiting) = self.queue.pop_if(&is_in_order) else {
                break;
            };
            self.hand_over(waiting, connection, outputs, now);
            is_any = true;
        }
        is_any
    }

    /// Answers for what has waited for too long.
    pub(super) fn expire(
        &mut self,
        keeper: Option<&mut (dyn SessionKeeper + 'static)>,
        outputs: &mut VecDeque<Output>,
        now: Instant,
    ) {
        let expired = self.queue.take_expired(now);
        self.give_up(expired, &PublishError::Expired, keeper, outputs);
    }

    /// Answers for what waited and is not sent, and lets the keeper forget it.
    #[expect(clippy::vec_box, reason = "that is how they wait")]
    fn give_up(
        &mut self,
        given_up: Vec<Box<Waiting>>,
        error: &PublishError,
        mut keeper: Option<&mut (dyn SessionKeeper + 'static)>,
        outputs: &mut VecDeque<Output>,
    ) {
        for waiting in given_up {
            if let Some(keeper) = keeper.as_mut().filter(|_| waiting.is_noted) {
                keeper.note(SessionChange::MessageEnded(waiting.token));
            }
            self.answer(waiting.token, Err(error.clone()), outputs);
        }
    }

    /// Answers for what does not wait for the next connection.
    pub(super) fn handle_close(
        &mut self,
        keeper: Option<&mut (dyn SessionKeeper + 'static)>,
        outputs: &mut VecDeque<Output>,
    ) {
        let offline_queue = self.offline_queue;
        let given_up = self
            .queue
            .take_if(&|waiting| !offline_queue.keeps_unsent(waiting.publication.qos));
        self.give_up(given_up, &PublishError::NotConnected, keeper, outputs);
    }

    /// Takes note of the last publication, if it waits and may do so without a connection.
    pub(super) fn note_last(&mut self, keeper: &mut dyn SessionKeeper) {
        let last = self.queue.iter_mut().next_back();
        if let Some(waiting) = last
            && waiting.token.0 == self.last_token
            && self.offline_queue.keeps_unsent(waiting.publication.qos)
        {
            note(waiting, keeper);
        }
    }

    /// Takes note of everything that waits.
    pub(super) fn note_all(&mut self, keeper: &mut dyn SessionKeeper) {
        for waiting in self.queue.iter_mut() {
            note(waiting, keeper);
        }
    }

    /// Puts publications of an earlier page before those of this one, which have not been sent.
    pub(super) fn restore(&mut self, stored: &mut StoredSession) {
        let last_token = stored.last_token;
        self.last_token += last_token;
        for waiting in self.queue.iter_mut() {
            waiting.token.0 += last_token;
        }
        for (token, _) in &mut self.answers {
            token.0 += last_token;
        }
        let in_flight = stored.exchanges.outgoing.in_flight();
        let in_flight = in_flight.filter_map(|(_, _, _, message)| message);
        for message in in_flight.chain(&stored.queued) {
            if let Some(topic_name) = &message.publish.topic_name {
                self.restored.push((message.token, topic_name.clone()));
            }
        }
        while let Some(message) = stored.queued.pop() {
            let publish = message.publish;
            // What is left of the expiry is said anew when it is sent.
            let mut properties = publish.properties;
            if message.expires_at.is_some() {
                let is_expiry = |it: &Property| matches!(it, Property::MessageExpiryInterval(_));
                properties.0.retain(|property| !is_expiry(property));
            }
            if let Some(topic_name) = publish.topic_name {
                self.queue.push_front(Box::new(Waiting {
                    token: message.token,
                    expires_at: message.expires_at,
                    is_noted: true,
                    publication: Publication {
                        topic_name,
                        payload: publish.payload,
                        qos: publish.qos,
                        retain: publish.retain,
                        expiry: None,
                        queue: QueuePolicy::WhileDisconnected,
                        properties,
                    },
                }));
            }
        }
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.queue.next_expiry()
    }

    pub(super) fn handle_acknowledgement(
        &mut self,
        token: PublicationToken,
        reason_code: ReasonCode,
        outputs: &mut VecDeque<Output>,
    ) {
        let result = if reason_code.is_error() {
            Err(PublishError::Refused(reason_code))
        } else {
            Ok(reason_code)
        };
        self.answer(token, result, outputs);
    }

    pub(super) fn handle_failure(
        &mut self,
        token: PublicationToken,
        failure: PublicationFailure,
        outputs: &mut VecDeque<Output>,
    ) {
        let error = match failure {
            PublicationFailure::Indeterminate => PublishError::Indeterminate,
            PublicationFailure::Expired => PublishError::Expired,
            PublicationFailure::HeldTooLong => PublishError::Busy,
            PublicationFailure::NotEncodable(error) => encode_error(error),
        };
        self.answer(token, Err(error), outputs);
    }

    /// Answers every caller that nothing more will come.
    pub(super) fn stop(&mut self, outputs: &mut VecDeque<Output>) {
        // What is stored goes on with the next connection, be it of this page or of the next.
        for waiting in self.queue.take_if(&|waiting| !waiting.is_noted) {
            self.answer(waiting.token, Err(PublishError::Stopped), outputs);
        }
        for (_, answer) in self.answers.drain(..) {
            outputs.push_back(Output::Published(answer, Err(PublishError::Indeterminate)));
        }
    }

    #[expect(
        clippy::boxed_local,
        reason = "it comes in a box, and moving it out is more code"
    )]
    fn hand_over(
        &mut self,
        waiting: Box<Waiting>,
        connection: &mut ClientConnection,
        outputs: &mut VecDeque<Output>,
        now: Instant,
    ) {
        let token = waiting.token;
        let is_acknowledged = waiting.publication.qos > QoS::AtMostOnce;
        let is_noted = waiting.is_noted;
        let message = self.outgoing_message(*waiting, now);
        let result = match connection.publish(message, now) {
            Ok(()) if is_acknowledged => return,
            Ok(()) => Ok(ReasonCode::Success),
            Err(UsageError::NotConnected) => Err(PublishError::NotConnected),
            Err(UsageError::ReceiveMaximumReached) => Err(PublishError::Busy),
            Err(UsageError::QueueFull | UsageError::NoPacketIdentifier) => {
                Err(PublishError::QueueFull)
            }
            Err(UsageError::QoSNotSupported | UsageError::RetainNotSupported) => {
                Err(PublishError::NotSupported)
            }
            Err(UsageError::TopicAlias) => Err(PublishError::Invalid),
            Err(UsageError::Encode(error)) => Err(encode_error(error)),
        };
        if let Some(keeper) = connection.keeper_mut().filter(|_| is_noted) {
            keeper.note(SessionChange::MessageEnded(token));
        }
        self.answer(token, result, outputs);
    }

    fn outgoing_message(&self, waiting: Waiting, now: Instant) -> OutgoingMessage {
        let expiry_secs_left = waiting.expiry_secs_left(now);
        let publication = waiting.publication;
        let mut properties = publication.properties;
        if self.version == ProtocolVersion::V5_0
            && let Some(secs) = expiry_secs_left
        {
            properties.push(Property::MessageExpiryInterval(secs));
        }
        OutgoingMessage {
            publish: Publish {
                dup: false,
                qos: publication.qos,
                retain: publication.retain,
                topic_name: Some(publication.topic_name),
                packet_identifier: None,
                properties,
                payload: publication.payload,
            },
            token: waiting.token,
            may_wait: publication.queue == QueuePolicy::WhileDisconnected
                && self.offline_queue.keeps_sent(),
            expires_at: waiting.expires_at,
        }
    }

    fn answer(
        &mut self,
        token: PublicationToken,
        result: Result<ReasonCode, PublishError>,
        outputs: &mut VecDeque<Output>,
    ) {
        let position = self
            .answers
            .binary_search_by_key(&token, |(token, _)| *token);
        if let Ok(position) = position {
            let (_, answer) = self.answers.remove(position);
            outputs.push_back(Output::Published(answer, result));
            return;
        }
        let mut restored = self.restored.iter();
        if let Some(position) = restored.position(|(restored, _)| *restored == token) {
            let (_, topic_name) = self.restored.swap_remove(position);
            outputs.push_back(Output::Event(Event::Published { topic_name, result }));
        }
    }
}

fn note(waiting: &mut Waiting, keeper: &mut dyn SessionKeeper) {
    let publication = &waiting.publication;
    waiting.is_noted = true;
    keeper.note(SessionChange::Queued {
        token: waiting.token,
        expires_at: waiting.expires_at,
        publish: PublishParts {
            dup: false,
            qos: publication.qos,
            retain: publication.retain,
            topic_name: Some(&publication.topic_name),
            packet_identifier: None,
            properties: &publication.properties,
            payload: &publication.payload,
        },
    });
}

fn encode_error(error: EncodeError) -> PublishError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other error is a rule that the publication itself breaks"
    )]
    match error {
        EncodeError::PacketTooLarge { .. } => PublishError::TooLarge,
        _ => PublishError::Invalid,
    }
}
