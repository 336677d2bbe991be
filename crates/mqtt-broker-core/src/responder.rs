//! Requests to the broker's owner: messages on one topic, which nobody else gets, and their answers.

use std::fmt;

use bytes::Bytes;
use mqtt_protocol::{ReasonCode, TopicName};

use crate::ConnectionId;

/// Answers what Clients publish on one topic; the answers come by [`Broker::respond`](crate::Broker::respond).
pub trait Responder: fmt::Debug + Send {
    /// The topic.
    fn topic(&self) -> &str;

    /// Takes a request, to be answered later.
    ///
    /// # Errors
    ///
    /// It will not be answered; the acknowledgement says why.
    fn accept(&mut self, request: Request) -> Result<(), Refusal>;
}

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Of the acknowledgement, such as [`ReasonCode::QuotaExceeded`].
    pub reason_code: ReasonCode,
    /// The same for a person.
    pub reason: &'static str,
}

/// What a Client asks. It shares the memory of all that was read with it: whoever keeps it makes it its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who.
    pub connection: ConnectionId,
    /// The largest packet that it reads.
    pub packet_size_max: u32,
    /// Where it wants the answer, if it said so by a property, as Clients of 5.0 do above QoS 0.
    pub response_topic: Option<TopicName>,
    /// What is to come back with the answer.
    pub correlation_data: Option<Bytes>,
    /// The question.
    pub payload: Bytes,
}

/// An answer, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Where the asker wants it.
    pub topic_name: TopicName,
    /// What the asker sent along.
    pub correlation_data: Option<Bytes>,
    /// The answer.
    pub payload: Bytes,
}

/// What became of a [`Response`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Responded {
    /// It is on its way.
    Sent,
    /// The Client does not keep up: to be tried again.
    Later,
    /// The Client is gone, or not subscribed to the topic.
    Refused,
}
