//! Publications on their way: those that wait, and who waits for their answers.

use std::collections::VecDeque;

use mqtt_protocol::{
    ClientConnection, EncodeError, Instant, OutgoingMessage, Property, ProtocolVersion,
    PublicationFailure, PublicationToken, Publish, QoS, ReasonCode, UsageError,
};

use super::{Output, PublishAnswer};
use crate::{
    Limits, Publication, PublishError, QueuePolicy,
    queue::{Queue, Waiting},
};

#[derive(Debug)]
pub(super) struct Publications {
    version: ProtocolVersion,
    queue: Queue,
    /// Invariant: sorted by token.
    answers: Vec<(PublicationToken, PublishAnswer)>,
    last_token: u64,
    /// Whether the socket's buffer is above its limit.
    pub(super) is_congested: bool,
}

impl Publications {
    pub(super) fn new(version: ProtocolVersion, limits: &Limits) -> Self {
        Self {
            version,
            queue: Queue::new(limits.queue_len_max, limits.queue_bytes_max),
            answers: Vec::new(),
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
        let waiting = Waiting {
            token,
            expires_at: publication.expiry.map(|expiry| now + expiry),
            publication,
        };
        let policy = waiting.publication.queue;
        let connection = connection.filter(|connection| connection.is_connected());
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
        self.expire(outputs, now);
        let mut is_any = false;
        while !self.is_congested && connection.is_ready() {
            let Some(waiting) = self.queue.pop() else {
                break;
            };
            self.hand_over(waiting, connection, outputs, now);
            is_any = true;
        }
        is_any
    }

    /// Answers for what has waited for too long.
    pub(super) fn expire(&mut self, outputs: &mut VecDeque<Output>, now: Instant) {
        for token in self.queue.take_expired(now) {
            self.answer(token, Err(PublishError::Expired), outputs);
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
            PublicationFailure::NotEncodable(error) => encode_error(error),
        };
        self.answer(token, Err(error), outputs);
    }

    /// Answers every caller that nothing more will come.
    pub(super) fn stop(&mut self, outputs: &mut VecDeque<Output>) {
        while let Some(waiting) = self.queue.pop() {
            self.answer(waiting.token, Err(PublishError::Stopped), outputs);
        }
        for (_, answer) in self.answers.drain(..) {
            outputs.push_back(Output::Published(answer, Err(PublishError::Indeterminate)));
        }
    }

    fn hand_over(
        &mut self,
        waiting: Waiting,
        connection: &mut ClientConnection,
        outputs: &mut VecDeque<Output>,
        now: Instant,
    ) {
        let token = waiting.token;
        let is_acknowledged = waiting.publication.qos > QoS::AtMostOnce;
        let message = self.outgoing_message(waiting, now);
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
            may_wait: publication.queue == QueuePolicy::WhileDisconnected,
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
        }
    }
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
