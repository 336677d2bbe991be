//! A client's life on a virtual clock; the test is the shell, the link and the Server.

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
        let version = options.protocol_version;
        let mut page = Self {
            supervisor: Supervisor::new(options, true, 42, START),
            now: START,
            link: None,
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

mod connecting {
    use super::*;

    #[test]
    fn every_state_on_the_way_is_told() {
        let mut page = Page::connected(options());
        page.cut();
        let told: Vec<bool> = page
            .events
            .iter()
            .map(|event| matches!(event, Event::Status(_)))
            .collect();
        assert_eq!(told, [true, true, true]);
        assert_eq!(
            page.events[..2],
            [
                Event::Status(Status::Connecting { attempt: 1 }),
                Event::Status(Status::Connected {
                    session_present: false
                }),
            ]
        );
        let Event::Status(Status::Waiting {
            failure, attempt, ..
        }) = &page.events[2]
        else {
            panic!("{:?}", page.events)
        };
        assert_eq!(*failure, Failure::ConnectionLost);
        assert_eq!(failure.to_string(), "the connection was lost");
        assert_eq!(*attempt, 2);
    }

    #[test]
    fn offline_at_start_is_only_a_wait() {
        let mut page = Page::new(options());
        page.link(LinkEvent::Closed(Failure::Unreachable));
        page.wait_for_attempt();
        page.accept(false);
        assert!(page.status().is_connected());
    }

    #[test]
    fn a_socket_that_never_opens_is_given_up() {
        let mut page = Page::new(options());
        page.wait(secs(10));
        let failure = Failure::ConnackTimeout;
        assert!(matches!(page.status(), Status::Waiting { failure: told, .. } if *told == failure));
        assert_eq!(page.link, None);
    }

    #[test]
    fn opening_and_connack_share_one_time_limit() {
        let mut page = Page::new(options());
        page.wait(secs(9));
        page.link(LinkEvent::Opened);
        assert_eq!(page.deadline, Some(START + secs(10)));
        page.wait(secs(1));
        assert!(matches!(page.status(), Status::Waiting { .. }));
    }

    #[test]
    fn a_late_callback_of_an_old_socket_does_nothing() {
        let mut page = Page::connected(options());
        let old = page.link.unwrap();
        page.reconnect(false);
        let n_events = page.events.len();
        page.take_sent();
        for event in [
            LinkEvent::Opened,
            LinkEvent::Received(vec![0xFF; 9].into()),
            LinkEvent::Closed(Failure::ConnectionLost),
        ] {
            page.supervisor.handle_link(old, event, page.now);
            page.turn();
        }
        assert!(page.status().is_connected());
        assert_eq!(page.events.len(), n_events);
        assert_eq!(page.take_sent(), []);
    }

    #[test]
    fn only_the_first_connection_begins_anew() {
        let mut page = Page::new(options());
        page.link(LinkEvent::Opened);
        assert!(page.take_connect().clean_start);
        page.answer_connect(false, ReasonCode::Success, Properties::new());
        page.reconnect(true);
        assert!(!page.take_connect().clean_start);
        assert_eq!(
            *page.status(),
            Status::Connected {
                session_present: true
            }
        );
    }

    #[test]
    fn on_3_1_1_every_connection_begins_anew_and_has_no_properties() {
        let mut page = Page::new(Options {
            protocol_version: ProtocolVersion::V3_1_1,
            ..options()
        });
        for _ in 0..2 {
            page.accept(false);
            let connect = page.take_connect();
            assert!(connect.clean_start);
            assert!(connect.properties.is_empty());
            page.cut();
            page.wait_for_attempt();
        }
    }

    #[test]
    fn the_identifier_that_the_server_chose_is_used_again() {
        let mut page = Page::new(options());
        let assigned = Property::AssignedClientIdentifier("auto-7".into());
        page.accept_with(false, Properties::new().with(assigned));
        assert_eq!(page.take_connect().client_identifier, "");
        page.reconnect(true);
        assert_eq!(page.take_connect().client_identifier, "auto-7");
    }

    #[test]
    fn the_will_is_sent_with_every_connect() {
        let will = WillMessage {
            topic_name: TopicName::new("will").unwrap(),
            payload: "gone".into(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Properties::new(),
        };
        let mut page = Page::new(Options {
            will: Some(will.clone()),
            ..options()
        });
        page.accept(false);
        assert_eq!(page.take_connect().will, Some(will.clone()));
        page.reconnect(true);
        assert_eq!(page.take_connect().will, Some(will));
    }

    #[test]
    fn a_refusal_for_good_is_told_and_not_tried_again() {
        let mut page = Page::new(options());
        page.refuse(ReasonCode::BadUserNameOrPassword);
        assert!(matches!(page.status(), Status::Refused { .. }));
        assert_eq!((page.link, page.deadline), (None, None));
        page.supervisor.handle_wake(page.now);
        page.turn();
        assert_eq!(page.n_opened, 1);

        page.supervisor.reconnect_now(page.now);
        page.turn();
        page.accept(false);
        assert!(page.status().is_connected());
    }

    #[test]
    fn a_refusal_for_now_is_tried_again() {
        let mut page = Page::new(options());
        page.refuse(ReasonCode::ServerBusy);
        let Status::Waiting { failure, .. } = page.status() else {
            panic!("{:?}", page.status())
        };
        assert_eq!(failure.to_string(), "the broker refused: server busy");
        page.wait_for_attempt();
    }

    #[test]
    fn options_that_make_no_connect_are_told() {
        let mut page = Page::new(Options {
            user_name: Some("\0".to_owned()),
            ..options()
        });
        page.link(LinkEvent::Opened);
        let reason = StopReason::InvalidOptions;
        assert_eq!(*page.status(), Status::Stopped { reason });
        assert_eq!(page.link, None);
    }
}

mod reconnecting {
    use super::*;

    /// The waits of attempts that all fail.
    fn waits(page: &mut Page, n: usize) -> Vec<Duration> {
        (0..n)
            .map(|_| {
                page.link(LinkEvent::Closed(Failure::Unreachable));
                page.wait_for_attempt()
            })
            .collect()
    }

    #[test]
    fn the_waits_are_random_within_a_bound_that_grows_to_4_s() {
        let mut page = Page::new(options());
        let waits = waits(&mut page, 200);
        for (n_failures, wait) in waits.iter().enumerate() {
            let bound = secs(4).min(Duration::from_millis(250 << n_failures.min(10)));
            assert!(*wait <= bound, "{wait:?} after {n_failures} failures");
        }
        let long_waits = &waits[10..];
        assert!(long_waits.iter().any(|wait| *wait > secs(3)));
        assert!(long_waits.iter().any(|wait| *wait < secs(1)));
    }

    #[test]
    fn a_hidden_page_waits_up_to_30_s() {
        let mut page = Page::new(options());
        page.supervisor.handle_visibility(false, page.now);
        let waits = waits(&mut page, 200);
        assert!(waits.iter().all(|wait| *wait <= secs(30)));
        assert!(waits.iter().any(|wait| *wait > secs(25)));
    }

    #[test]
    fn a_page_that_becomes_visible_reconnects_at_once() {
        let mut page = Page::new(options());
        page.supervisor.handle_visibility(false, page.now);
        waits(&mut page, 20);
        page.link(LinkEvent::Closed(Failure::Unreachable));
        page.supervisor.handle_visibility(true, page.now);
        page.turn();
        assert_eq!(*page.status(), Status::Connecting { attempt: 1 });
    }

    #[test]
    fn a_page_that_wakes_up_finds_a_dead_connection_within_2_s() {
        let mut page = Page::connected(options());
        page.take_sent();
        page.supervisor.handle_visibility(false, page.now);
        page.now += secs(8 * 3600);
        page.supervisor.handle_visibility(true, page.now);
        page.turn();
        assert_eq!(page.take_sent(), [Packet::Pingreq]);
        let woke_at = page.now;
        while page.status().is_connected() {
            let deadline = page.deadline.unwrap();
            page.wait(deadline.saturating_duration_since(page.now));
        }
        page.wait_for_attempt();
        assert!(page.now.saturating_duration_since(woke_at) < secs(2));
    }

    #[test]
    fn a_page_that_wakes_up_keeps_a_connection_that_answers() {
        let mut page = Page::connected(options());
        page.supervisor.handle_wake(page.now);
        page.turn();
        page.now += Duration::from_millis(30);
        page.receive(&Packet::Pingresp);
        page.wait(secs(5));
        assert!(page.status().is_connected());
        let round_trip_time = page.supervisor.round_trip_time();
        assert_eq!(round_trip_time, Some(Duration::from_millis(30)));
    }

    #[test]
    fn the_waits_shrink_only_after_a_stable_connection() {
        let mut page = Page::new(options());
        waits(&mut page, 10);
        page.accept(false);
        page.wait(secs(9));
        page.cut();
        let Status::Waiting { attempt, .. } = *page.status() else {
            panic!("{:?}", page.status())
        };
        assert_eq!(attempt, 12);
        page.wait_for_attempt();
        page.accept(true);
        page.wait(secs(10));
        page.cut();
        let Status::Waiting { attempt, .. } = *page.status() else {
            panic!("{:?}", page.status())
        };
        assert_eq!(attempt, 2);
    }

    #[test]
    fn a_violation_neither_stops_reconnection_nor_loops() {
        let mut page = Page::new(options());
        for n_violations in 1..=20 {
            page.accept(n_violations > 1);
            page.wait(secs(60));
            page.receive(&Packet::Connack(Connack {
                session_present: false,
                reason_code: ReasonCode::Success,
                properties: Properties::new(),
            }));
            let Status::Waiting {
                failure, attempt, ..
            } = page.status()
            else {
                panic!("{:?}", page.status())
            };
            assert!(matches!(failure, Failure::Violation { .. }));
            assert_eq!(*attempt, n_violations + 1);
            page.wait_for_attempt();
        }
    }

    #[test]
    fn a_session_taken_over_is_not_fought_for() {
        let mut page = Page::connected(options());
        page.receive(&Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::SessionTakenOver,
            properties: Properties::new(),
        }));
        let reason = StopReason::SessionTakenOver;
        assert_eq!(*page.status(), Status::Stopped { reason });
        page.wait(secs(3600));
        assert_eq!(page.n_opened, 1);
    }

    #[test]
    fn a_disconnect_by_the_server_is_told_in_words() {
        let mut page = Page::connected(options());
        page.receive(&Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::ServerShuttingDown,
            properties: Properties::new(),
        }));
        let Status::Waiting { failure, .. } = page.status() else {
            panic!("{:?}", page.status())
        };
        let words = "the broker ended the connection: server shutting down";
        assert_eq!(failure.to_string(), words);
    }

    #[test]
    fn disconnecting_during_the_wait_ends_the_wait() {
        let mut page = Page::connected(options());
        page.cut();
        page.supervisor.disconnect(page.now);
        page.wait(secs(3600));
        let reason = StopReason::ByCaller;
        assert_eq!(*page.status(), Status::Stopped { reason });
        assert_eq!((page.n_opened, page.deadline), (1, None));
    }

    #[test]
    fn disconnecting_says_goodbye() {
        let mut page = Page::connected(options());
        page.take_sent();
        page.supervisor.disconnect(page.now);
        page.turn();
        let sent = page.take_sent();
        assert!(matches!(sent[..], [Packet::Disconnect(_)]), "{sent:?}");
        assert_eq!(page.link, None);
    }

    #[test]
    fn reconnecting_from_the_close_event_makes_one_connection() {
        let mut page = Page::connected(options());
        page.cut();
        page.supervisor.reconnect_now(page.now);
        page.supervisor.reconnect_now(page.now);
        page.turn();
        assert_eq!(page.n_opened, 2);
    }
}

mod subscribing {
    use super::*;

    fn always() -> Options {
        Options {
            resubscribe: Resubscribe::Always,
            ..options()
        }
    }

    #[test]
    fn a_subscription_waits_for_the_connection_and_is_answered() {
        let mut page = Page::new(options());
        let mut answer = page.subscribe(&["a", "b"]);
        assert_eq!(answer.take(), None);
        page.accept(false);
        let subscribes = page.take_subscribes();
        let [(packet_identifier, filters)] = &subscribes[..] else {
            panic!("{subscribes:?}")
        };
        assert_eq!(*filters, ["a", "b"]);
        page.grant(*packet_identifier, 2);
        assert_eq!(answer.take(), Some(Ok(vec![ReasonCode::Success; 2])));
        let subscribed = Event::Subscribed {
            topic_filter: filter_of("b"),
            reason_code: ReasonCode::Success,
        };
        assert_eq!(page.events.last(), Some(&subscribed));
    }

    #[test]
    fn a_kept_session_is_not_subscribed_to_again() {
        let mut page = Page::connected(options());
        page.subscribe(&["a"]);
        let packet_identifier = page.take_subscribes()[0].0;
        page.grant(packet_identifier, 1);
        page.reconnect(true);
        assert_eq!(page.take_subscribes(), []);
        page.reconnect(false);
        assert_eq!(page.subscribed_filters(), [["a"]]);
    }

    #[test]
    fn always_means_on_every_connection_with_retained_messages() {
        let mut page = Page::connected(always());
        page.subscribe(&["a"]);
        let packet_identifier = page.take_subscribes()[0].0;
        page.grant(packet_identifier, 1);
        page.reconnect(true);
        let sent = page.take_sent();
        let Some(Packet::Subscribe(subscribe)) = sent.last() else {
            panic!("{sent:?}")
        };
        let retain_handling = subscribe.subscriptions[0].retain_handling;
        assert_eq!(retain_handling, RetainHandling::Send);
    }

    #[test]
    fn a_flapping_link_duplicates_no_subscribe() {
        for options in [options(), always()] {
            let mut page = Page::connected(options);
            let mut answer = page.subscribe(&["a"]);
            page.take_sent();
            for session_present in [true, false, true, true, false] {
                page.reconnect(session_present);
                assert_eq!(page.subscribed_filters(), [["a"]]);
            }
            assert_eq!(answer.take(), None);
            page.reconnect(true);
            let packet_identifier = page.take_subscribes()[0].0;
            page.grant(packet_identifier, 1);
            assert_eq!(answer.take(), Some(Ok(vec![ReasonCode::Success])));
        }
    }

    #[test]
    fn a_renewal_that_was_cut_is_made_again() {
        let mut page = Page::connected(options());
        page.subscribe(&["a"]);
        let packet_identifier = page.take_subscribes()[0].0;
        page.grant(packet_identifier, 1);
        page.reconnect(false);
        assert_eq!(page.subscribed_filters(), [["a"]]);
        // The Server has kept the session, but may not have seen the renewal.
        page.reconnect(true);
        assert_eq!(page.subscribed_filters(), [["a"]]);
    }

    #[test]
    fn what_was_unsubscribed_is_not_renewed() {
        let mut page = Page::connected(always());
        page.subscribe(&["a"]);
        page.subscribe(&["b"]);
        page.unsubscribe(&["a"]);
        for (packet_identifier, filters) in page.take_subscribes() {
            page.grant(packet_identifier, filters.len());
        }
        page.reconnect(false);
        assert_eq!(page.subscribed_filters(), [["b"]]);
    }

    #[test]
    fn subscribing_again_replaces_the_options() {
        let mut page = Page::connected(always());
        for _ in 0..3 {
            page.subscribe(&["a"]);
            for (packet_identifier, filters) in page.take_subscribes() {
                page.grant(packet_identifier, filters.len());
            }
        }
        page.reconnect(false);
        assert_eq!(page.subscribed_filters(), [["a"]]);
    }

    #[test]
    fn requests_are_bounded() {
        let mut page = Page::new(Options {
            limits: Limits {
                queue_len_max: 2,
                ..Limits::default()
            },
            ..options()
        });
        page.subscribe(&["a"]);
        page.subscribe(&["b"]);
        let mut answer = page.subscribe(&["c"]);
        assert_eq!(answer.take(), Some(Err(SubscribeError::TooManyRequests)));
        let mut answer = page.subscribe(&[]);
        assert_eq!(answer.take(), Some(Err(SubscribeError::Empty)));
    }
}

mod publishing {
    use super::*;

    #[test]
    fn packets_of_one_turn_leave_in_one_piece() {
        let mut page = Page::connected(options());
        page.take_sent();
        page.n_transmits = 0;
        for _ in 0..32 {
            page.publish(pump_on(QoS::AtMostOnce));
        }
        page.turn();
        assert_eq!(page.take_payloads().len(), 32);
        assert_eq!(page.n_transmits, 1);
    }

    #[test]
    fn the_receipt_comes_with_the_acknowledgement() {
        let mut page = Page::connected(options());
        let mut at_most_once = page.publish(pump_on(QoS::AtMostOnce));
        let mut at_least_once = page.publish(pump_on(QoS::AtLeastOnce));
        page.turn();
        assert_eq!(at_most_once.take(), Some(Ok(ReasonCode::Success)));
        assert_eq!(at_least_once.take(), None);
        page.acknowledge(1);
        assert_eq!(at_least_once.take(), Some(Ok(ReasonCode::Success)));
    }

    #[test]
    fn what_may_never_wait_is_refused_without_a_connection() {
        let mut page = Page::new(options());
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let mut receipt = page.publish(pump_on(qos));
            page.turn();
            assert_eq!(receipt.take(), Some(Err(PublishError::NotConnected)));
        }
        page.accept(false);
        assert_eq!(page.take_payloads(), <[String; 0]>::default());
    }

    #[test]
    fn no_pump_command_is_ever_sent_late() {
        let mut page = Page::connected(options());
        let mut receipt = page.publish(pump_on(QoS::AtLeastOnce));
        page.turn();
        assert_eq!(page.take_payloads(), ["ON"]);
        page.cut();
        assert_eq!(receipt.take(), Some(Err(PublishError::Indeterminate)));
        for session_present in [true, false] {
            page.wait_for_attempt();
            page.accept(session_present);
            page.wait(secs(1));
            assert_eq!(page.take_payloads(), <[String; 0]>::default());
            page.cut();
        }
    }

    #[test]
    fn what_may_wait_keeps_its_order_across_the_cut() {
        let mut page = Page::connected(options());
        page.publish(waiting("1"));
        page.turn();
        page.take_sent();
        page.cut();
        let mut receipts = [
            page.publish(waiting("2")),
            page.publish(publication(
                "3",
                QoS::AtMostOnce,
                QueuePolicy::WhileDisconnected,
            )),
            page.publish(waiting("4")),
        ];
        page.turn();
        page.wait_for_attempt();
        page.accept(true);
        assert_eq!(page.take_payloads(), ["1", "2", "3", "4"]);
        let answers = receipts.each_mut().map(Given::take);
        assert_eq!(answers, [None, Some(Ok(ReasonCode::Success)), None]);
    }

    #[test]
    fn a_flapping_link_duplicates_no_publish() {
        let mut page = Page::new(options());
        page.publish(waiting("1"));
        page.accept(false);
        assert_eq!(page.take_payloads(), ["1"]);
        page.acknowledge(1);
        for session_present in [true, false, true] {
            page.reconnect(session_present);
            assert_eq!(page.take_payloads(), <[String; 0]>::default());
        }
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut page = Page::new(Options {
            limits: Limits {
                queue_len_max: 1,
                ..Limits::default()
            },
            ..options()
        });
        page.publish(waiting("1"));
        let mut receipt = page.publish(waiting("2"));
        page.turn();
        assert_eq!(receipt.take(), Some(Err(PublishError::QueueFull)));
        page.accept(false);
        assert_eq!(page.take_payloads(), ["1"]);
    }

    #[test]
    fn what_expires_in_the_queue_is_told_in_time_and_not_sent() {
        let mut page = Page::new(options());
        let mut receipt = page.publish(Publication {
            expiry: Some(secs(3)),
            ..waiting("OFF")
        });
        page.turn();
        assert_eq!(page.deadline, Some(START + secs(3)));
        page.wait(secs(3));
        assert_eq!(receipt.take(), Some(Err(PublishError::Expired)));
        page.accept(false);
        assert_eq!(page.take_payloads(), <[String; 0]>::default());
    }

    #[test]
    fn the_time_in_the_queue_is_taken_off_the_expiry() {
        let mut page = Page::new(options());
        page.publish(Publication {
            expiry: Some(secs(9)),
            ..waiting("OFF")
        });
        page.wait(secs(4));
        page.accept(false);
        let sent = page.take_sent();
        let Some(Packet::Publish(publish)) = sent.last() else {
            panic!("{sent:?}")
        };
        assert_eq!(publish.properties.message_expiry_interval(), Some(5));
    }

    #[test]
    fn the_servers_quota_holds_back_what_may_wait_and_refuses_the_rest() {
        let mut page = Page::new(options());
        let receive_maximum = Property::ReceiveMaximum(1.try_into().unwrap());
        page.accept_with(false, Properties::new().with(receive_maximum));
        page.publish(waiting("1"));
        page.publish(waiting("2"));
        let mut refused = page.publish(pump_on(QoS::AtLeastOnce));
        page.turn();
        assert_eq!(page.take_payloads(), ["1"]);
        assert_eq!(refused.take(), Some(Err(PublishError::Busy)));
        page.acknowledge(1);
        assert_eq!(page.take_payloads(), ["2"]);
    }

    #[test]
    fn disconnecting_answers_everybody() {
        let mut page = Page::connected(options());
        let mut in_flight = page.publish(waiting("1"));
        page.turn();
        let mut subscription = page.subscribe(&["a"]);
        page.cut();
        let mut queued = page.publish(waiting("2"));
        page.supervisor.disconnect(page.now);
        page.turn();
        assert_eq!(in_flight.take(), Some(Err(PublishError::Indeterminate)));
        assert_eq!(queued.take(), Some(Err(PublishError::Stopped)));
        assert_eq!(subscription.take(), Some(Err(SubscribeError::Stopped)));
        let mut late = page.publish(waiting("3"));
        page.turn();
        assert_eq!(late.take(), Some(Err(PublishError::Stopped)));
    }

    #[test]
    fn a_full_socket_refuses_or_holds_back() {
        let mut page = Page::connected(options());
        let full = page.supervisor.options.limits.buffered_amount_max + 1;
        page.supervisor.handle_buffered_amount(full, page.now);
        page.publish(waiting("1"));
        let mut refused = page.publish(pump_on(QoS::AtMostOnce));
        page.turn();
        assert_eq!(refused.take(), Some(Err(PublishError::Busy)));
        assert_eq!(page.take_payloads(), <[String; 0]>::default());
        page.supervisor.handle_buffered_amount(0, page.now);
        page.turn();
        assert_eq!(page.take_payloads(), ["1"]);
    }

    #[test]
    fn a_stalled_socket_is_closed_a_slow_one_is_not() {
        let mut page = Page::connected(Options {
            keep_alive_secs: 0,
            ..options()
        });
        let full = page.supervisor.options.limits.buffered_amount_max + 1000;
        for second in 0..60 {
            page.supervisor
                .handle_buffered_amount(full - second, page.now);
            page.wait(secs(1));
        }
        assert!(page.status().is_connected());
        for _ in 0..21 {
            page.supervisor.handle_buffered_amount(full, page.now);
            page.wait(secs(1));
        }
        let failure = Failure::Stalled;
        let events = page.events.iter();
        let mut statuses = events.filter(|event| {
            matches!(event, Event::Status(Status::Waiting { failure: told, .. }) if *told == failure)
        });
        assert!(statuses.next().is_some());
    }
}
