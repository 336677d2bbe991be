//! What is subscribed to, and the SUBSCRIBE and UNSUBSCRIBE packets that say so.

use std::collections::VecDeque;

use mqtt_protocol::{
    ClientConnection, EncodeError, PacketIdentifier, Properties, ReasonCode, Subscription,
    TopicFilter, UsageError,
};

use super::{Output, SubscribeAnswer};
use crate::{Event, SubscribeError};

/// The subscriptions that are to be, and the requests that are to be made or answered.
#[derive(Debug)]
pub(super) struct Requests {
    len_max: usize,
    /// In the order in which they were first asked for.
    subscriptions: Vec<Subscription>,
    waiting: VecDeque<Request>,
    /// In the order in which they were sent.
    sent: Vec<(PacketIdentifier, Request)>,
}

#[derive(Debug)]
struct Request {
    kind: Kind,
    /// `None` for a renewal.
    answer: Option<SubscribeAnswer>,
}

#[derive(Debug)]
enum Kind {
    Subscribe(Vec<Subscription>),
    Unsubscribe(Vec<TopicFilter>),
}

impl Requests {
    pub(super) fn new(len_max: usize) -> Self {
        Self {
            len_max,
            subscriptions: Vec::new(),
            waiting: VecDeque::new(),
            sent: Vec::new(),
        }
    }

    pub(super) fn subscribe(
        &mut self,
        subscriptions: Vec<Subscription>,
        answer: SubscribeAnswer,
        outputs: &mut VecDeque<Output>,
    ) {
        let n_filters = subscriptions.len();
        let Some(answer) = self.check(n_filters, answer, outputs) else {
            return;
        };
        for subscription in &subscriptions {
            self.forget(&subscription.topic_filter);
            self.subscriptions.push(subscription.clone());
        }
        self.waiting.push_back(Request {
            kind: Kind::Subscribe(subscriptions),
            answer: Some(answer),
        });
    }

    pub(super) fn unsubscribe(
        &mut self,
        topic_filters: Vec<TopicFilter>,
        answer: SubscribeAnswer,
        outputs: &mut VecDeque<Output>,
    ) {
        let n_filters = topic_filters.len();
        let Some(answer) = self.check(n_filters, answer, outputs) else {
            return;
        };
        for topic_filter in &topic_filters {
            self.forget(topic_filter);
        }
        self.waiting.push_back(Request {
            kind: Kind::Unsubscribe(topic_filters),
            answer: Some(answer),
        });
    }

    /// Asks again for everything that is not asked for anyway.
    pub(super) fn renew(&mut self) {
        self.waiting.retain(|request| request.answer.is_some());
        let waiting = &self.waiting;
        let mut renewed = self.subscriptions.clone();
        renewed.retain(|subscription| {
            let mut waiting = waiting.iter();
            !waiting.any(|request| request.is_about(&subscription.topic_filter))
        });
        while !renewed.is_empty() {
            let last = renewed.split_off(renewed.len().saturating_sub(RENEWAL_LEN_MAX));
            self.waiting.push_front(Request {
                kind: Kind::Subscribe(last),
                answer: None,
            });
        }
    }

    /// Sends what waits.
    pub(super) fn send(
        &mut self,
        connection: &mut ClientConnection,
        outputs: &mut VecDeque<Output>,
    ) {
        if !connection.is_connected() {
            return;
        }
        while let Some(request) = self.waiting.pop_front() {
            let properties = Properties::new();
            let sent = match &request.kind {
                Kind::Subscribe(subscriptions) => {
                    connection.subscribe(subscriptions.clone(), properties)
                }
                Kind::Unsubscribe(topic_filters) => {
                    connection.unsubscribe(topic_filters.clone(), properties)
                }
            };
            match sent {
                Ok(packet_identifier) => {
                    self.sent.push((packet_identifier, request));
                }
                Err(UsageError::NoPacketIdentifier | UsageError::NotConnected) => {
                    self.waiting.push_front(request);
                    break;
                }
                Err(error) => request.fail(&error, outputs),
            }
        }
    }

    pub(super) fn handle_answer(
        &mut self,
        packet_identifier: PacketIdentifier,
        reason_codes: Vec<ReasonCode>,
        outputs: &mut VecDeque<Output>,
    ) {
        let mut sent = self.sent.iter();
        let position = sent.position(|(identifier, _)| *identifier == packet_identifier);
        let Some(position) = position else {
            return;
        };
        let (_, request) = self.sent.remove(position);
        if let Kind::Subscribe(subscriptions) = request.kind {
            for (subscription, reason_code) in subscriptions.into_iter().zip(&reason_codes) {
                outputs.push_back(Output::Event(Event::Subscribed {
                    topic_filter: subscription.topic_filter,
                    reason_code: *reason_code,
                }));
            }
        }
        if let Some(answer) = request.answer {
            outputs.push_back(Output::Subscribed(answer, Ok(reason_codes)));
        }
    }

    /// Takes note that the connection ended: what was not answered is to be asked again.
    pub(super) fn handle_close(&mut self) {
        while let Some((_, request)) = self.sent.pop() {
            self.waiting.push_front(request);
        }
    }

    /// Answers every caller that nothing more will come.
    pub(super) fn stop(&mut self, outputs: &mut VecDeque<Output>) {
        self.handle_close();
        while let Some(request) = self.waiting.pop_front() {
            if let Some(answer) = request.answer {
                outputs.push_back(Output::Subscribed(answer, Err(SubscribeError::Stopped)));
            }
        }
    }

    fn check(
        &self,
        n_filters: usize,
        answer: SubscribeAnswer,
        outputs: &mut VecDeque<Output>,
    ) -> Option<SubscribeAnswer> {
        let error = if n_filters == 0 {
            SubscribeError::Empty
        } else if self.waiting.len() + self.sent.len() >= self.len_max {
            SubscribeError::TooManyRequests
        } else {
            return Some(answer);
        };
        outputs.push_back(Output::Subscribed(answer, Err(error)));
        None
    }

    fn forget(&mut self, topic_filter: &TopicFilter) {
        self.subscriptions
            .retain(|subscription| subscription.topic_filter != *topic_filter);
    }
}

impl Request {
    fn is_about(&self, topic_filter: &TopicFilter) -> bool {
        match &self.kind {
            Kind::Subscribe(subscriptions) => subscriptions
                .iter()
                .any(|subscription| subscription.topic_filter == *topic_filter),
            Kind::Unsubscribe(_) => false,
        }
    }

    fn fail(self, error: &UsageError, outputs: &mut VecDeque<Output>) {
        if let Kind::Subscribe(subscriptions) = self.kind {
            for subscription in subscriptions {
                outputs.push_back(Output::Event(Event::Subscribed {
                    topic_filter: subscription.topic_filter,
                    reason_code: ReasonCode::PacketTooLarge,
                }));
            }
        }
        if let Some(answer) = self.answer {
            let error = match error {
                UsageError::Encode(EncodeError::PacketTooLarge { .. }) => SubscribeError::TooLarge,
                UsageError::Encode(_)
                | UsageError::NotConnected
                | UsageError::ReceiveMaximumReached
                | UsageError::QueueFull
                | UsageError::QoSNotSupported
                | UsageError::RetainNotSupported
                | UsageError::TopicAlias
                | UsageError::NoPacketIdentifier => SubscribeError::Invalid,
            };
            outputs.push_back(Output::Subscribed(answer, Err(error)));
        }
    }
}

/// Topic Filters in one SUBSCRIBE of a renewal; keeps it well below any Maximum Packet Size.
const RENEWAL_LEN_MAX: usize = 64;
