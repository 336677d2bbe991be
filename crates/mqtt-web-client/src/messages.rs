//! The messages of a subscription.

use std::{
    cell::RefCell,
    collections::VecDeque,
    num::NonZeroU32,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use mqtt_protocol::{ReasonCode, TopicFilter};

use crate::{
    Event, Message, Receipt, SubscribeError, SubscriptionOptions,
    driver::Driver,
    receipt,
    sink::{self, Queue, Sink},
};

/// The stream of the messages of one subscription, each of them once. Dropping it unsubscribes.
///
/// It goes on over reconnections and ends when its filters are unsubscribed from or the last
/// [`Client`](crate::Client) is dropped.
///
/// At most [`Limits::stream_len_max`](crate::Limits::stream_len_max) messages and
/// [`Limits::stream_bytes_max`](crate::Limits::stream_bytes_max) wait in it. Beyond that the oldest are dropped, of
/// whatever QoS: what is newest matters most, and a page that is too slow must not grow. The reader is told how
/// many by [`Lagged`], in the place where they are missing.
///
/// Where the Server gives messages their Subscription Identifiers (5.0), a message that several subscriptions
/// match comes once in the stream of each, however many copies the Server sends. Elsewhere the filters decide,
/// and a Server of 3.1.1 that sends a copy for every subscription makes each of them come.
#[derive(Debug)]
#[must_use = "dropping it unsubscribes"]
pub struct Messages {
    driver: Weak<Driver>,
    sink: Rc<MessageSink>,
    reason_codes: Vec<ReasonCode>,
}

/// Messages are missing here in the stream, because they were read too slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{n_messages} messages were dropped")]
pub struct Lagged {
    /// How many.
    pub n_messages: usize,
}

/// Resolves to the [`Messages`] when the Server has answered. Dropping it unsubscribes.
#[derive(Debug)]
#[must_use = "dropping it unsubscribes"]
pub struct Subscribing {
    messages: Option<Messages>,
    receipts: VecDeque<Receipt<Result<Vec<ReasonCode>, SubscribeError>>>,
}

impl Messages {
    /// The Server's answers to the first SUBSCRIBE: for each Topic Filter the QoS granted or the refusal.
    #[must_use]
    pub fn reason_codes(&self) -> &[ReasonCode] {
        &self.reason_codes
    }

    /// Takes the next message if there is one.
    pub fn try_next(&mut self) -> Option<Result<Message, Lagged>> {
        self.sink.0.borrow_mut().pop()
    }

    pub(crate) fn subscribe(
        driver: &Rc<Driver>,
        topic_filters: Vec<TopicFilter>,
        options: SubscriptionOptions,
    ) -> Subscribing {
        let limits = driver.limits();
        let sink = Rc::new(MessageSink(RefCell::new(MessageQueue::new(
            limits.stream_len_max,
            limits.stream_bytes_max,
        ))));
        driver.add_sink(Rc::<MessageSink>::clone(&sink));
        let mut receipts = VecDeque::new();
        if topic_filters.is_empty() {
            receipts.push_back(receipt::given(Err(SubscribeError::Empty)));
        }
        // A Subscription Identifier is one SUBSCRIBE's, and each filter has its own.
        for topic_filter in topic_filters {
            let (identifier, receipt) = driver.subscribe_stream(topic_filter.clone(), options);
            if let Some(identifier) = identifier {
                let mut queue = sink.0.borrow_mut();
                queue.filters.push((topic_filter, identifier));
            }
            receipts.push_back(receipt);
        }
        Subscribing {
            messages: Some(Self {
                driver: Rc::downgrade(driver),
                sink,
                reason_codes: Vec::new(),
            }),
            receipts,
        }
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        let Some(driver) = self.driver.upgrade() else {
            return;
        };
        let sink: Rc<dyn Sink> = Rc::<MessageSink>::clone(&self.sink);
        driver.remove_sink(&sink);
        let filters = std::mem::take(&mut self.sink.0.borrow_mut().filters);
        for (topic_filter, _) in filters {
            driver.leave_stream(&topic_filter);
        }
    }
}

impl Stream for Messages {
    type Item = Result<Message, Lagged>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        sink::poll_next(&self.sink.0, context)
    }
}

impl Future for Subscribing {
    type Output = Result<Messages, SubscribeError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(receipt) = self.receipts.front_mut() {
            let Poll::Ready(answer) = Pin::new(receipt).poll(context) else {
                return Poll::Pending;
            };
            self.receipts.pop_front();
            match (answer, &mut self.messages) {
                (Ok(codes), Some(messages)) => messages.reason_codes.extend(codes),
                (Err(error), messages) => {
                    messages.take();
                    self.receipts.clear();
                    return Poll::Ready(Err(error));
                }
                (Ok(_), None) => {}
            }
        }
        let Some(messages) = self.messages.take() else {
            return Poll::Pending;
        };
        let granted = messages.reason_codes.iter().find(|code| !code.is_error());
        match (granted, messages.reason_codes.first()) {
            (None, Some(refusal)) => Poll::Ready(Err(SubscribeError::Refused(*refusal))),
            (Some(_), _) | (None, None) => Poll::Ready(Ok(messages)),
        }
    }
}

#[derive(Debug)]
struct MessageSink(RefCell<MessageQueue>);

impl Sink for MessageSink {
    fn handle_event(&self, event: &Event, by_identifier: bool) {
        if let Event::Message(message) = event {
            self.0.borrow_mut().offer(message, by_identifier);
        }
    }

    fn handle_unsubscribe(&self, topic_filters: &[TopicFilter]) {
        let mut queue = self.0.borrow_mut();
        queue
            .filters
            .retain(|(topic_filter, _)| !topic_filters.contains(topic_filter));
        queue.is_closed |= queue.filters.is_empty();
    }

    fn close(&self) {
        self.0.borrow_mut().is_closed = true;
    }

    fn take_waker(&self) -> Option<Waker> {
        sink::take_waker(&self.0)
    }
}

/// The messages that wait for the reader, and which they may be.
#[derive(Debug)]
struct MessageQueue {
    len_max: usize,
    bytes_max: usize,
    filters: Vec<(TopicFilter, NonZeroU32)>,
    messages: VecDeque<Message>,
    /// Invariant: the sum of the sizes of `messages`.
    n_bytes: usize,
    n_dropped: usize,
    is_closed: bool,
    waker: Option<Waker>,
}

impl MessageQueue {
    fn new(len_max: usize, bytes_max: usize) -> Self {
        Self {
            len_max,
            bytes_max,
            filters: Vec::new(),
            messages: VecDeque::new(),
            n_bytes: 0,
            n_dropped: 0,
            is_closed: false,
            waker: None,
        }
    }

    fn offer(&mut self, message: &Message, by_identifier: bool) {
        if !self.is_closed && self.is_wanted(message, by_identifier) {
            self.push(message.clone());
        }
    }

    /// Whether a message is for this reader.
    ///
    /// A Server may send one copy with all its Subscription Identifiers or a copy for each. So that just one is
    /// taken, only the first filter of ours that matches counts.
    fn is_wanted(&self, message: &Message, by_identifier: bool) -> bool {
        let mut filters = self.filters.iter();
        let first = filters.find(|(filter, _)| filter.matches(&message.topic_name));
        let Some((_, ours)) = first else {
            return false;
        };
        let mut identifiers = message.properties.subscription_identifiers();
        !by_identifier || identifiers.any(|identifier| identifier == *ours)
    }

    fn push(&mut self, message: Message) {
        self.n_bytes += message.size();
        self.messages.push_back(message);
        while self.messages.len() > 1
            && (self.messages.len() > self.len_max || self.n_bytes > self.bytes_max)
        {
            self.pop_message();
            self.n_dropped += 1;
        }
    }

    fn pop_message(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.n_bytes -= message.size();
        Some(message)
    }
}

impl Queue for MessageQueue {
    type Item = Result<Message, Lagged>;

    fn pop(&mut self) -> Option<Self::Item> {
        match std::mem::take(&mut self.n_dropped) {
            0 => self.pop_message().map(Ok),
            n_messages => Some(Err(Lagged { n_messages })),
        }
    }

    fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn waker(&mut self) -> &mut Option<Waker> {
        &mut self.waker
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mqtt_protocol::{Properties, Property, QoS, TopicName};

    use super::*;

    fn message(topic: &'static str, payload: &'static str, identifiers: &[u32]) -> Message {
        let identifiers = identifiers
            .iter()
            .map(|number| Property::SubscriptionIdentifier(identifier(*number)));
        Message {
            topic_name: TopicName::new(topic).unwrap(),
            payload: Bytes::from_static(payload.as_bytes()),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: identifiers.collect::<Properties>(),
        }
    }

    fn identifier(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn queue(filters: &[(&'static str, u32)]) -> MessageQueue {
        let filters = filters.iter();
        let filters = filters
            .map(|(filter, number)| (TopicFilter::new(*filter).unwrap(), identifier(*number)));
        MessageQueue {
            filters: filters.collect(),
            ..MessageQueue::new(3, 100)
        }
    }

    fn read(queue: &mut MessageQueue) -> Vec<Result<String, usize>> {
        std::iter::from_fn(|| queue.pop())
            .map(|item| match item {
                Ok(message) => Ok(String::from_utf8(message.payload.to_vec()).unwrap()),
                Err(Lagged { n_messages }) => Err(n_messages),
            })
            .collect()
    }

    #[test]
    fn overlapping_filters_of_one_stream_give_a_message_once() {
        let one_copy: &[&[u32]] = &[&[1, 2]];
        let a_copy_for_each: &[&[u32]] = &[&[2], &[1]];
        for copies in [one_copy, a_copy_for_each] {
            let mut queue = queue(&[("a/#", 1), ("a/+", 2)]);
            for identifiers in copies {
                queue.offer(&message("a/b", "x", identifiers), true);
            }
            assert_eq!(read(&mut queue), [Ok("x".to_owned())]);
        }
    }

    #[test]
    fn overlapping_streams_each_get_a_message_once() {
        let one_copy: &[&[u32]] = &[&[1, 2]];
        let a_copy_for_each: &[&[u32]] = &[&[2], &[1]];
        for copies in [one_copy, a_copy_for_each] {
            for mut queue in [queue(&[("a/#", 1)]), queue(&[("a/b", 2)])] {
                for identifiers in copies {
                    queue.offer(&message("a/b", "x", identifiers), true);
                }
                assert_eq!(read(&mut queue), [Ok("x".to_owned())]);
            }
        }
    }

    #[test]
    fn messages_of_other_subscriptions_are_left_out() {
        let mut queue = queue(&[("a/#", 1)]);
        queue.offer(&message("a/b", "of another subscription", &[2]), true);
        queue.offer(&message("a/b", "of one without a stream", &[]), true);
        queue.offer(&message("b", "of an earlier page", &[1]), true);
        assert_eq!(read(&mut queue), []);
    }

    #[test]
    fn without_subscription_identifiers_the_filters_decide() {
        let mut queue = queue(&[("a/#", 1), ("$share/group/b", 2)]);
        for topic in ["a/b", "b", "c"] {
            queue.offer(&message(topic, topic, &[]), false);
        }
        assert_eq!(
            read(&mut queue),
            ["a/b", "b"].map(|text| Ok(text.to_owned()))
        );
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_messages_and_is_told_how_many() {
        let mut queue = queue(&[("a", 1)]);
        for payload in ["1", "2", "3", "4", "5"] {
            queue.offer(&message("a", payload, &[1]), true);
        }
        let rest = ["3", "4", "5"].map(|text| Ok(text.to_owned()));
        let told = read(&mut queue);
        assert_eq!(told[0], Err(2));
        assert_eq!(told[1..], rest);
        queue.offer(&message("a", "6", &[1]), true);
        assert_eq!(read(&mut queue), [Ok("6".to_owned())]);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_too() {
        const LARGE: &str = "0123456789012345678901234567890123456789012345678901234567890123";
        let mut queue = queue(&[("a", 1)]);
        for payload in [LARGE, LARGE] {
            queue.offer(&message("a", payload, &[1]), true);
        }
        assert_eq!(read(&mut queue), [Err(1), Ok(LARGE.to_owned())]);
        assert_eq!(queue.n_bytes, 0);
    }
}
