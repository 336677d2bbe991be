//! A client's life on a virtual clock; the test is the shell, the link and the Server.

mod connecting;
#[cfg(not(target_arch = "wasm32"))]
mod crashes;
mod credentials;
mod elsewhere;
mod lifecycle;
mod persistence;
mod publishing;
mod reconnecting;
mod restarts;
mod streams;
mod subscribing;

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use mqtt_protocol::{
    Decoder, DecoderSettings, Packet, PacketIdentifier, Puback, QoS, RetainHandling, Role, Suback,
    Subscribe, TopicName, WillMessage,
};

use super::*;
use crate::{Limits, QueuePolicy, Receipt, receipt};

const START: Instant = Instant::from_start(Duration::from_secs(1000));

struct Page {
    supervisor: Supervisor,
    now: Instant,
    /// The link that was opened last and not closed.
    link: Option<Generation>,
    /// The attempt that asked for credentials last.
    asked: Option<Generation>,
    n_opened: usize,
    decoder: Decoder,
    sent: Vec<Packet>,
    n_transmits: usize,
    events: Vec<Event>,
    deadline: Option<Instant>,
    version: ProtocolVersion,
}

impl Page {
    fn new(options: Options) -> Self {
        Self::with_seed(options, 42)
    }

    fn with_seed(options: Options, seed: u64) -> Self {
        let version = options.protocol_version;
        let mut page = Self {
            supervisor: Supervisor::new(options, true, seed, START),
            now: START,
            link: None,
            asked: None,
            n_opened: 0,
            decoder: decoder(),
            sent: Vec::new(),
            n_transmits: 0,
            events: Vec::new(),
            deadline: None,
            version,
        };
        page.turn();
        page
    }

    fn connected(options: Options) -> Self {
        let mut page = Self::new(options);
        page.accept(false);
        page
    }

    /// One turn of the event loop.
    fn turn(&mut self) {
        self.supervisor.handle_timeout(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.supervisor.poll_output() {
                Output::AskForCredentials(generation) => self.asked = Some(generation),
                Output::Open(generation) => {
                    self.link = Some(generation);
                    self.n_opened += 1;
                    self.decoder = decoder();
                }
                Output::Transmit(bytes) => {
                    assert!(self.link.is_some(), "sent without a link");
                    self.n_transmits += 1;
                    self.decoder.feed(bytes.into());
                    while let Some(packet) = self.decoder.next_packet().unwrap() {
                        self.sent.push(packet);
                    }
                }
                Output::Close => self.link = None,
                Output::Event(event) => self.events.push(event),
                Output::Published(answer, result) => answer.give(result),
                Output::Subscribed(answer, result) => answer.give(result),
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    break;
                }
            }
        }
    }

    fn link(&mut self, event: LinkEvent) {
        let generation = self.link.expect("a link was opened");
        self.supervisor.handle_link(generation, event, self.now);
        self.turn();
    }

    fn accept(&mut self, session_present: bool) {
        self.accept_with(session_present, Properties::new());
    }

    fn accept_with(&mut self, session_present: bool, properties: Properties) {
        self.link(LinkEvent::Opened);
        self.answer_connect(session_present, ReasonCode::Success, properties);
    }

    /// Answers the last question for credentials.
    fn give_credentials(&mut self, result: Result<Credentials, String>) {
        let generation = self.asked.take().expect("credentials were asked for");
        self.supervisor
            .handle_credentials(generation, result, self.now);
        self.turn();
    }

    fn buffered_amount(&mut self, amount: usize) {
        self.supervisor.handle_buffered_amount(amount, self.now);
        self.turn();
    }

    fn page_event(&mut self, is_visible: bool) {
        self.supervisor.handle_page_event(is_visible, self.now);
        self.turn();
    }

    fn failure(&self) -> &Failure {
        let Status::Waiting { failure, .. } = self.status() else {
            panic!("{:?}", self.status());
        };
        failure
    }

    fn refuse(&mut self, reason_code: ReasonCode) {
        self.link(LinkEvent::Opened);
        self.answer_connect(false, reason_code, Properties::new());
    }

    fn answer_connect(
        &mut self,
        session_present: bool,
        reason_code: ReasonCode,
        properties: Properties,
    ) {
        self.receive(&Packet::Connack(Connack {
            session_present,
            reason_code,
            properties,
        }));
    }

    fn receive(&mut self, packet: &Packet) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.link(LinkEvent::Received(bytes.into()));
    }

    fn cut(&mut self) {
        self.link(LinkEvent::Closed(Failure::ConnectionLost));
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.turn();
    }

    /// Waits until the next attempt; says how long that was.
    fn wait_for_attempt(&mut self) -> Duration {
        let Status::Waiting { retry_at, .. } = *self.status() else {
            panic!("{:?}", self.status());
        };
        let wait = retry_at.saturating_duration_since(self.now);
        assert_eq!(self.deadline, Some(retry_at));
        self.wait(wait);
        assert!(matches!(self.status(), Status::Connecting { .. }));
        wait
    }

    /// Cuts the link, waits, and lets the Server accept the next one.
    fn reconnect(&mut self, session_present: bool) {
        self.cut();
        self.wait_for_attempt();
        self.accept(session_present);
    }

    fn status(&self) -> &Status {
        self.supervisor.status()
    }

    fn publish(&mut self, publication: Publication) -> Published {
        let (answer, receipt) = receipt::pair();
        self.supervisor.publish(publication, answer, self.now);
        Given(receipt)
    }

    fn subscribe(&mut self, filters: &[&str]) -> Subscribed {
        let (answer, receipt) = receipt::pair();
        let filters = filters.iter().map(|filter| filter_of(filter)).collect();
        let options = SubscriptionOptions::default();
        self.supervisor.subscribe(filters, options, answer);
        self.turn();
        Given(receipt)
    }

    fn subscribe_stream(&mut self, filter: &str) -> (u32, Subscribed) {
        let (answer, receipt) = receipt::pair();
        let options = SubscriptionOptions::default();
        let identifier = self
            .supervisor
            .subscribe_stream(filter_of(filter), options, answer);
        self.turn();
        (identifier.map_or(0, NonZeroU32::get), Given(receipt))
    }

    fn leave_stream(&mut self, filter: &str) {
        self.supervisor.leave_stream(&filter_of(filter));
        self.turn();
    }

    fn unsubscribe(&mut self, filters: &[&str]) -> Subscribed {
        let (answer, receipt) = receipt::pair();
        let filters = filters.iter().map(|filter| filter_of(filter)).collect();
        self.supervisor.unsubscribe(filters, answer);
        self.turn();
        Given(receipt)
    }

    fn take_sent(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.sent)
    }

    fn take_connect(&mut self) -> Connect {
        let sent = self.take_sent();
        let Some(Packet::Connect(connect)) = sent.into_iter().next() else {
            panic!("no CONNECT was sent")
        };
        *connect
    }

    fn take_payloads(&mut self) -> Vec<String> {
        let sent = self.take_sent().into_iter();
        sent.filter_map(|packet| {
            let Packet::Publish(publish) = packet else {
                return None;
            };
            Some(String::from_utf8(publish.payload.to_vec()).unwrap())
        })
        .collect()
    }

    /// The SUBSCRIBE packets that were sent: their identifiers and filters.
    fn take_subscribes(&mut self) -> Vec<(PacketIdentifier, Vec<String>)> {
        let sent = self.take_sent().into_iter();
        sent.filter_map(|packet| {
            let Packet::Subscribe(Subscribe {
                packet_identifier,
                subscriptions,
                ..
            }) = packet
            else {
                return None;
            };
            let filters = subscriptions
                .iter()
                .map(|subscription| subscription.topic_filter.as_str().to_owned());
            Some((packet_identifier, filters.collect()))
        })
        .collect()
    }

    fn subscribed_filters(&mut self) -> Vec<Vec<String>> {
        let subscribes = self.take_subscribes();
        subscribes.into_iter().map(|(_, filters)| filters).collect()
    }

    fn grant(&mut self, packet_identifier: PacketIdentifier, n_filters: usize) {
        self.receive(&Packet::Suback(Suback {
            packet_identifier,
            properties: Properties::new(),
            reason_codes: vec![ReasonCode::Success; n_filters],
        }));
    }

    fn acknowledge(&mut self, number: u16) {
        self.receive(&Packet::Puback(Puback {
            packet_identifier: PacketIdentifier::new(number).unwrap(),
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }));
    }
}

/// A receipt that is looked at without an executor.
struct Given<T>(Receipt<T>);
type Published = Given<Result<ReasonCode, PublishError>>;
type Subscribed = Given<Result<Vec<ReasonCode>, SubscribeError>>;

impl<T> Given<T> {
    fn take(&mut self) -> Option<T> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.0).poll(&mut context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }
}

fn decoder() -> Decoder {
    Decoder::new(DecoderSettings {
        maximum_packet_size: u32::MAX,
        version: None,
        role: Role::Server,
    })
}

fn options() -> Options {
    Options::new("ws://127.0.0.1/mqtt")
}

/// Options with a provider of credentials; the test answers in its place.
fn asking() -> Options {
    Options {
        credentials_provider: Some(CredentialsProvider::new(|| async {
            Err("the supervisor asks nobody itself".to_owned())
        })),
        ..options()
    }
}

fn filter_of(filter: &str) -> TopicFilter {
    TopicFilter::new(filter.to_owned()).unwrap()
}

fn publication(payload: &'static str, qos: QoS, queue: QueuePolicy) -> Publication {
    Publication {
        qos,
        queue,
        ..Publication::new(TopicName::new("a/b").unwrap(), payload)
    }
}

fn waiting(payload: &'static str) -> Publication {
    publication(payload, QoS::AtLeastOnce, QueuePolicy::WhileDisconnected)
}

fn pump_on(qos: QoS) -> Publication {
    publication("ON", qos, QueuePolicy::Never)
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn will() -> WillMessage {
    WillMessage {
        topic_name: TopicName::new("will").unwrap(),
        payload: "gone".into(),
        qos: QoS::AtMostOnce,
        retain: false,
        properties: Properties::new(),
    }
}
