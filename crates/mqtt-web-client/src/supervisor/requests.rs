//! What is subscribed to, and the SUBSCRIBE and UNSUBSCRIBE packets that say so.

use std::{collections::VecDeque, num::NonZeroU32};

use mqtt_protocol::{
    ClientConnection, EncodeError, PacketIdentifier, Properties, Property, ReasonCode,
    RetainHandling, Subscription, TopicFilter, UsageError,
};

use super::{Output, SubscribeAnswer};
use crate::{Event, SubscribeError};

/// The subscriptions that are to be, and the requests that are to be made or answered.
#[derive(Debug)]
pub(super) struct Requests {
    len_max: usize,
    last_identifier: u32,
    /// Whether the Server takes Subscription Identifiers.
    has_identifiers: bool,
    /// What streams make necessary; only where there are any.
    streams: Option<&'static Streams>,
    /// In the order in which they were first asked for.
    subscriptions: Vec<Wanted>,
    waiting: VecDeque<Request>,
    /// In the order in which they were sent.
    sent: Vec<(PacketIdentifier, Request)>,
}

/// Reached only through [`Requests::streams`], so that an application without streams does not link it.
#[derive(Debug)]
struct Streams {
    renumber: fn(&mut Requests),
    renew: fn(&mut Requests),
}

static STREAMS: Streams = Streams { renumber, renew };

/// A subscription that is to be.
#[derive(Debug)]
struct Wanted {
    subscription: Subscription,
    /// Of its streams, if there are any.
    identifier: Option<NonZeroU32>,
    n_streams: usize,
    /// Whether it was asked for without a stream.
    is_for_events: bool,
}

#[derive(Debug)]
struct Request {
    kind: Kind,
    /// `None` for what nobody waits for, such as a renewal.
    answer: Option<SubscribeAnswer>,
}

#[derive(Debug)]
enum Kind {
    Subscribe(Vec<Subscription>, Option<NonZeroU32>),
    Unsubscribe(Vec<TopicFilter>),
}

impl Requests {
    /// The Subscription Identifiers begin anywhere, so that those of an earlier page's session are others.
    pub(super) fn new(len_max: usize, random: u32) -> Self {
        Self {
            len_max,
            last_identifier: random % IDENTIFIER_MAX,
            has_identifiers: false,
            streams: None,
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
            self.want(subscription).is_for_events = true;
        }
        self.waiting.push_back(Request {
            kind: Kind::Subscribe(subscriptions, None),
            answer: Some(answer),
        });
        if let Some(streams) = self.streams {
            (streams.renumber)(self);
        }
    }

    /// Subscribes for a stream; gives the Subscription Identifier that all streams of this filter share.
    pub(super) fn subscribe_stream(
        &mut self,
        subscription: Subscription,
        answer: SubscribeAnswer,
        outputs: &mut VecDeque<Output>,
    ) -> Option<NonZeroU32> {
        let answer = self.check(1, answer, outputs)?;
        self.streams = Some(&STREAMS);
        let next = self.last_identifier % IDENTIFIER_MAX + 1;
        let wanted = self.want(&subscription);
        wanted.n_streams += 1;
        let identifier = match wanted.identifier {
            Some(identifier) => identifier,
            None => {
                let identifier = NonZeroU32::new(next)?;
                wanted.identifier = Some(identifier);
                self.last_identifier = next;
                identifier
            }
        };
        self.waiting.push_back(Request {
            kind: Kind::Subscribe(vec![subscription], Some(identifier)),
            answer: Some(answer),
        });
        Some(identifier)
    }

    /// Takes note that a stream of this filter is gone.
    pub(super) fn leave_stream(&mut self, topic_filter: &TopicFilter) {
        let mut subscriptions = self.subscriptions.iter_mut();
        let Some(wanted) =
            subscriptions.find(|wanted| wanted.subscription.topic_filter == *topic_filter)
        else {
            return;
        };
        wanted.n_streams = wanted.n_streams.saturating_sub(1);
        if wanted.n_streams > 0 {
            return;
        }
        wanted.identifier = None;
        if !wanted.is_for_events {
            self.forget(topic_filter);
            self.waiting.push_back(Request {
                kind: Kind::Unsubscribe(vec![topic_filter.clone()]),
                answer: None,
            });
        }
    }

    pub(super) fn handle_connected(&mut self, has_identifiers: bool) {
        self.has_identifiers = has_identifiers;
    }

    pub(super) fn has_identifiers(&self) -> bool {
        self.has_identifiers
    }

    /// Says whether it is going to be asked for.
    pub(super) fn unsubscribe(
        &mut self,
        topic_filters: Vec<TopicFilter>,
        answer: SubscribeAnswer,
        outputs: &mut VecDeque<Output>,
    ) -> bool {
        let n_filters = topic_filters.len();
        let Some(answer) = self.check(n_filters, answer, outputs) else {
            return false;
        };
        for topic_filter in &topic_filters {
            self.forget(topic_filter);
        }
        self.waiting.push_back(Request {
            kind: Kind::Unsubscribe(topic_filters),
            answer: Some(answer),
        });
        true
    }

    /// Asks again for everything that is not asked for anyway.
    pub(super) fn renew(&mut self) {
        for _ in 0..self.waiting.len() {
            let Some(request) = self.waiting.pop_front() else {
                break;
            };
            if request.answer.is_some() || matches!(request.kind, Kind::Unsubscribe(_)) {
                self.waiting.push_back(request);
            }
        }
        if let Some(streams) = self.streams {
            (streams.renew)(self);
        }
        let mut renewed = Vec::new();
        for wanted in &self.subscriptions {
            if wanted.identifier.is_none() && !self.is_asked_for(wanted) {
                renewed.push(wanted.subscription.clone());
            }
        }
        while !renewed.is_empty() {
            let last = renewed.split_off(renewed.len().saturating_sub(RENEWAL_LEN_MAX));
            self.waiting.push_front(Request {
                kind: Kind::Subscribe(last, None),
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
            let mut properties = Properties::new();
            let sent = match &request.kind {
                Kind::Subscribe(subscriptions, identifier) => {
                    if let Some(identifier) = identifier.filter(|_| self.has_identifiers) {
                        properties.push(Property::SubscriptionIdentifier(identifier));
                    }
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
                Err(error) => self.handle_unsendable(request, &error, outputs),
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
        if let Kind::Subscribe(subscriptions, _) = request.kind {
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

    /// Tells that a request breaks a rule or the Server's Maximum Packet Size.
    fn handle_unsendable(
        &mut self,
        request: Request,
        error: &UsageError,
        outputs: &mut VecDeque<Output>,
    ) {
        let (error, reason_code) = match error {
            UsageError::Encode(EncodeError::PacketTooLarge { .. }) => {
                (SubscribeError::TooLarge, ReasonCode::PacketTooLarge)
            }
            UsageError::Encode(_)
            | UsageError::NotConnected
            | UsageError::ReceiveMaximumReached
            | UsageError::QueueFull
            | UsageError::QoSNotSupported
            | UsageError::RetainNotSupported
            | UsageError::TopicAlias
            | UsageError::NoPacketIdentifier => {
                (SubscribeError::Invalid, ReasonCode::ProtocolError)
            }
        };
        if let Kind::Subscribe(subscriptions, identifier) = request.kind {
            // One filter of a renewal does not take the others with it.
            if request.answer.is_none() && subscriptions.len() > 1 {
                for subscription in subscriptions.into_iter().rev() {
                    self.waiting.push_front(Request {
                        kind: Kind::Subscribe(vec![subscription], identifier),
                        answer: None,
                    });
                }
                return;
            }
            for subscription in subscriptions {
                if request.answer.is_some() && identifier.is_none() {
                    self.give_up(&subscription.topic_filter);
                }
                outputs.push_back(Output::Event(Event::Subscribed {
                    topic_filter: subscription.topic_filter,
                    reason_code,
                }));
            }
        }
        if let Some(answer) = request.answer {
            outputs.push_back(Output::Subscribed(answer, Err(error)));
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

    fn is_asked_for(&self, wanted: &Wanted) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|request| request.is_about(&wanted.subscription.topic_filter))
    }

    /// Takes note of a subscription, in place of another of the same filter.
    fn want(&mut self, subscription: &Subscription) -> &mut Wanted {
        let mut subscriptions = self.subscriptions.iter();
        let position = subscriptions
            .position(|wanted| wanted.subscription.topic_filter == subscription.topic_filter);
        let position = position.unwrap_or_else(|| {
            self.subscriptions.push(Wanted {
                subscription: subscription.clone(),
                identifier: None,
                n_streams: 0,
                is_for_events: false,
            });
            self.subscriptions.len() - 1
        });
        let wanted = &mut self.subscriptions[position];
        wanted.subscription = subscription.clone();
        wanted
    }

    /// What its caller was told that it failed is not to be made later.
    fn give_up(&mut self, topic_filter: &TopicFilter) {
        for wanted in &mut self.subscriptions {
            wanted.is_for_events &= wanted.subscription.topic_filter != *topic_filter;
        }
        self.subscriptions
            .retain(|wanted| wanted.is_for_events || wanted.n_streams > 0);
    }

    fn forget(&mut self, topic_filter: &TopicFilter) {
        self.subscriptions
            .retain(|wanted| wanted.subscription.topic_filter != *topic_filter);
    }
}

impl Request {
    fn is_about(&self, topic_filter: &TopicFilter) -> bool {
        match &self.kind {
            Kind::Subscribe(subscriptions, _) => subscriptions
                .iter()
                .any(|subscription| subscription.topic_filter == *topic_filter),
            Kind::Unsubscribe(_) => false,
        }
    }

    fn identifier(&self) -> Option<NonZeroU32> {
        match &self.kind {
            Kind::Subscribe(_, identifier) => *identifier,
            Kind::Unsubscribe(_) => None,
        }
    }
}

/// Gives back the Subscription Identifiers that the last request takes away from streams.
fn renumber(requests: &mut Requests) {
    let Some(Kind::Subscribe(subscriptions, None)) =
        requests.waiting.back().map(|request| &request.kind)
    else {
        return;
    };
    let wanted = requests.subscriptions.iter().filter(|wanted| {
        wanted.identifier.is_some() && subscriptions.contains(&wanted.subscription)
    });
    let renumbered: Vec<Request> = wanted
        .map(|wanted| {
            let subscription = Subscription {
                retain_handling: RetainHandling::DoNotSend,
                ..wanted.subscription.clone()
            };
            Request {
                kind: Kind::Subscribe(vec![subscription], wanted.identifier),
                answer: None,
            }
        })
        .collect();
    requests.waiting.extend(renumbered);
}

/// Asks again for the subscriptions of streams, each with its Subscription Identifier, unless what is asked for last
/// gives it that.
fn renew(requests: &mut Requests) {
    let mut renewed = Vec::new();
    for wanted in &requests.subscriptions {
        let mut waiting = requests.waiting.iter().rev();
        let last = waiting.find(|request| request.is_about(&wanted.subscription.topic_filter));
        if wanted.identifier.is_some() && last.and_then(Request::identifier) != wanted.identifier {
            renewed.push(Request {
                kind: Kind::Subscribe(vec![wanted.subscription.clone()], wanted.identifier),
                answer: None,
            });
        }
    }
    requests.waiting.extend(renewed);
}

/// Topic Filters in one SUBSCRIBE of a renewal; keeps it well below any Maximum Packet Size.
const RENEWAL_LEN_MAX: usize = 64;
const IDENTIFIER_MAX: u32 = 0x0FFF_FFFF;
