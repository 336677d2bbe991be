//! Questions and answers over MQTT 5.0.

use std::{
    cell::RefCell,
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use gloo_timers::callback::Timeout;
use mqtt_protocol::{Property, ProtocolVersion, QoS, ReasonCode, TopicFilter, TopicName};

use crate::{
    Client, Event, Message, Publication, PublishError, Receipt, SubscribeError,
    SubscriptionOptions,
    driver::{call_after, seed, whole_milliseconds},
    receipt::{self, Answer},
    sink::Sink,
};

/// Asks by publishing, and waits for the answers on a topic of its own: Response Topic and Correlation Data
/// of MQTT 5.0. Made by [`Client::requester`]; dropping it unsubscribes, and nothing is waited for any more.
///
/// ```no_run
/// use std::time::Duration;
/// use mqtt_web_client::{Client, Publication, RequestError, TopicName};
///
/// # async fn example(client: Client) -> Result<(), RequestError> {
/// let topic = |name| TopicName::new(name).expect("has no wildcard");
/// let requester = client.requester(topic("answers/page-1")).await?;
/// let question = Publication::new(topic("rootzone/history/get"), r#"{"points":1200}"#);
/// let answer = requester.request(question, Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
pub struct Requester {
    client: Client,
    response_topic: TopicName,
    sink: Rc<AnswerSink>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// MQTT 3.1.1 has no Response Topic.
    #[error("requests need MQTT 5.0")]
    NotSupported,
    /// The Response Topic could not be subscribed to.
    #[error("no answers can be received: {0}")]
    Subscribe(#[from] SubscribeError),
    /// The question could not be published.
    #[error("the request was not sent: {0}")]
    Publish(#[from] PublishError),
    /// The Server said that nobody subscribes to the question's topic.
    #[error("nobody is there to answer")]
    NoResponder,
    /// No answer came within its time.
    #[error("no answer came in time")]
    Timeout,
    /// The client was dropped, or the Response Topic unsubscribed from.
    #[error("the client has stopped")]
    Stopped,
}

impl Requester {
    pub(crate) async fn new(
        client: Client,
        response_topic: TopicName,
    ) -> Result<Self, RequestError> {
        let driver = client.driver();
        if driver.protocol_version() == ProtocolVersion::V3_1_1 {
            return Err(RequestError::NotSupported);
        }
        let topic_filter = filter(&response_topic)?;
        let options = SubscriptionOptions {
            maximum_qos: QoS::AtLeastOnce,
            ..SubscriptionOptions::default()
        };
        let (identifier, receipt) = driver.subscribe_stream(topic_filter, options);
        if identifier.is_none() {
            receipt.await?;
            return Err(RequestError::Stopped);
        }
        let sink = Rc::new(AnswerSink(RefCell::new(Open {
            response_topic: response_topic.clone(),
            last_number: seed(),
            questions: Vec::new(),
            is_closed: false,
            wakers: Vec::new(),
        })));
        driver.add_sink(Rc::<AnswerSink>::clone(&sink));
        let requester = Self {
            client,
            response_topic,
            sink,
        };
        match receipt.await?.first() {
            Some(refusal) if refusal.is_error() => Err(SubscribeError::Refused(*refusal).into()),
            Some(_) | None => Ok(requester),
        }
    }

    /// Publishes a question and waits for its answer, no longer than `timeout`.
    ///
    /// A question that has no expiry of its own expires with the timeout: nobody answers what nobody waits for.
    ///
    /// # Errors
    ///
    /// Says why there is no answer. It is not known then whether the question had an effect.
    pub async fn request(
        &self,
        mut publication: Publication,
        timeout: Duration,
    ) -> Result<Message, RequestError> {
        let (number, mut answer) = self.ask(timeout);
        let _forget = Forget {
            sink: Rc::downgrade(&self.sink),
            number,
        };
        let properties = &mut publication.properties;
        properties.push(Property::ResponseTopic(self.response_topic.clone()));
        let correlation_data = Bytes::copy_from_slice(&number.to_be_bytes());
        properties.push(Property::CorrelationData(correlation_data));
        publication.expiry = publication.expiry.or(Some(timeout));
        let mut published = Some(self.client.publish(publication));
        poll_fn(|context| {
            if let Poll::Ready(answer) = Pin::new(&mut answer).poll(context) {
                return Poll::Ready(answer);
            }
            let Some(receipt) = &mut published else {
                return Poll::Pending;
            };
            match Pin::new(receipt).poll(context) {
                Poll::Pending => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Ready(Ok(ReasonCode::NoMatchingSubscribers)) => {
                    return Poll::Ready(Err(RequestError::NoResponder));
                }
                Poll::Ready(Ok(_)) => published = None,
            }
            Poll::Pending
        })
        .await
    }

    fn ask(&self, timeout: Duration) -> (u64, Receipt<Result<Message, RequestError>>) {
        let (answer, receipt) = receipt::pair();
        let weak = Rc::downgrade(&self.sink);
        let mut open = self.sink.0.borrow_mut();
        let number = open.last_number.wrapping_add(1);
        open.last_number = number;
        let give_up = move || {
            let waker = weak.upgrade().and_then(|sink| {
                let mut open = sink.0.borrow_mut();
                open.answer(number, Err(RequestError::Timeout))
            });
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        open.questions.push(Question {
            number,
            answer,
            _timeout: call_after(whole_milliseconds(timeout), Box::new(give_up)),
        });
        if open.is_closed {
            open.close();
        }
        (number, receipt)
    }
}

impl Drop for Requester {
    fn drop(&mut self) {
        let driver = self.client.driver();
        let sink: Rc<dyn Sink> = Rc::<AnswerSink>::clone(&self.sink);
        driver.remove_sink(&sink);
        // Whoever unsubscribed has ended this already, and somebody else may have subscribed since.
        if self.sink.0.borrow().is_closed {
            return;
        }
        if let Ok(topic_filter) = filter(&self.response_topic) {
            driver.leave_stream(&topic_filter);
        }
    }
}

impl fmt::Debug for Requester {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Requester")
    }
}

struct AnswerSink(RefCell<Open>);

/// The questions that wait for their answers.
struct Open {
    response_topic: TopicName,
    /// Begins anywhere, so that an answer to an earlier page is not taken for one to this.
    last_number: u64,
    questions: Vec<Question>,
    is_closed: bool,
    /// Of those whose answers are there.
    wakers: Vec<Waker>,
}

struct Question {
    number: u64,
    answer: Answer<Result<Message, RequestError>>,
    /// Kept for its `Drop`.
    _timeout: Timeout,
}

/// Forgets a question when nobody waits for its answer any more.
struct Forget {
    sink: Weak<AnswerSink>,
    number: u64,
}

impl Open {
    /// Answers a question; gives what is to be woken once nothing is borrowed any more.
    fn answer(&mut self, number: u64, answer: Result<Message, RequestError>) -> Option<Waker> {
        let mut questions = self.questions.iter();
        let position = questions.position(|question| question.number == number)?;
        let question = self.questions.swap_remove(position);
        question.answer.put(answer)
    }

    fn close(&mut self) {
        self.is_closed = true;
        while let Some(question) = self.questions.pop() {
            let waker = question.answer.put(Err(RequestError::Stopped));
            self.wakers.extend(waker);
        }
    }
}

impl Sink for AnswerSink {
    fn handle_event(&self, event: &Event, _by_identifier: bool) {
        let mut open = self.0.borrow_mut();
        let Event::Message(message) = event else {
            return;
        };
        if message.topic_name != open.response_topic {
            return;
        }
        let correlation_data = message.properties.correlation_data();
        let Some(Ok(number)) = correlation_data.map(|data| <[u8; 8]>::try_from(&data[..])) else {
            return;
        };
        let waker = open.answer(u64::from_be_bytes(number), Ok(message.clone()));
        open.wakers.extend(waker);
    }

    fn handle_unsubscribe(&self, topic_filters: &[TopicFilter]) {
        let mut open = self.0.borrow_mut();
        let topic_name = open.response_topic.as_str();
        if topic_filters
            .iter()
            .any(|topic_filter| topic_filter.as_str() == topic_name)
        {
            open.close();
        }
    }

    fn close(&self) {
        self.0.borrow_mut().close();
    }

    fn take_waker(&self) -> Option<Waker> {
        self.0.borrow_mut().wakers.pop()
    }
}

impl Drop for Forget {
    fn drop(&mut self) {
        if let Some(sink) = self.sink.upgrade() {
            let mut open = sink.0.borrow_mut();
            open.questions
                .retain(|question| question.number != self.number);
        }
    }
}

/// The filter of this topic only.
fn filter(topic_name: &TopicName) -> Result<TopicFilter, SubscribeError> {
    // Not a topic that reads as a Shared Subscription without a group.
    TopicFilter::new(topic_name.as_byte_string().clone()).map_err(|_| SubscribeError::Invalid)
}
