//! A PUBLISH through the whole core, one of whose many subscriptions matches.
//!
//! All subscriptions are one Client's, so that they differ in nothing but how it is found out which one it is.

use bytes::Bytes;
use mqtt_broker_core::{Broker, ConnectionId, Limits, Output, Settings};
use mqtt_protocol::{
    Connect, Instant, Packet, PacketIdentifier, Properties, ProtocolVersion, Publish, QoS,
    RetainHandling, Subscribe, Subscription, TopicFilter, TopicName,
};

use crate::measure::report;

pub(crate) fn measure_all() {
    for (n_subscriptions, size) in [(1, "1"), (1_000, "1k"), (1_000_000, "1m")] {
        for filters in [Filters::Exact, Filters::Wildcard] {
            let mut world = World::new(n_subscriptions, filters);
            let name = match filters {
                Filters::Exact => format!("micro-match-exact-{size}"),
                Filters::Wildcard => format!("micro-match-wildcard-{size}"),
            };
            let topics = Topics::repeating(n_subscriptions);
            world.measure(&format!("{name}-repeating"), topics);
            // Where few topics match at all, they cannot but repeat.
            if let Some(topics) = Topics::new_each_time(n_subscriptions, filters) {
                world.measure(&format!("{name}-new"), topics);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Filters {
    /// `rootzone/bed-12/probe-34/moisture`
    Exact,
    /// `rootzone/bed-12/probe-34/+`
    Wildcard,
}

impl Filters {
    fn nth(self, n: usize) -> TopicFilter {
        let filter = match self {
            Self::Exact => moisture(n),
            Self::Wildcard => format!("{}/+", probe(n)),
        };
        TopicFilter::new(filter).expect("it is valid")
    }
}

/// One topic after the other, each of which one subscription matches.
struct Topics {
    next: Box<dyn FnMut() -> String>,
}

impl Topics {
    /// Topics that the broker remembers, in turns.
    fn repeating(n_subscriptions: usize) -> Self {
        let n_topics = n_subscriptions.min(1_000);
        let mut n = 0;
        Self {
            next: Box::new(move || {
                n = (n + 1) % n_topics;
                moisture(n * (n_subscriptions / n_topics))
            }),
        }
    }

    /// Topics that the broker has not seen, or not for longer than it remembers.
    fn new_each_time(n_subscriptions: usize, filters: Filters) -> Option<Self> {
        let mut n = 0;
        match filters {
            Filters::Exact if n_subscriptions < 100_000 => None,
            Filters::Exact => Some(Self {
                next: Box::new(move || {
                    n = (n + STRIDE) % n_subscriptions;
                    moisture(n)
                }),
            }),
            Filters::Wildcard => Some(Self {
                next: Box::new(move || {
                    n += STRIDE;
                    format!("{}/reading-{n}", probe(n % n_subscriptions))
                }),
            }),
        }
    }
}

fn moisture(n: usize) -> String {
    format!("{}/moisture", probe(n))
}

fn probe(n: usize) -> String {
    format!("rootzone/bed-{}/probe-{}", n / 100, n % 100)
}

/// A broker with a publisher, and a subscriber with so many subscriptions.
struct World {
    broker: Broker,
    publisher: ConnectionId,
}

impl World {
    fn new(n_subscriptions: usize, filters: Filters) -> Self {
        let settings = Settings {
            limits: Limits {
                subscriptions_per_session: usize::MAX,
                ..Limits::default()
            },
            ..Settings::default()
        };
        let mut broker = Broker::new(settings, 42);
        let publisher = connect(&mut broker, "publisher");
        let subscriber = connect(&mut broker, "subscriber");
        for start in (0..n_subscriptions).step_by(1_000) {
            let numbers = start..n_subscriptions.min(start + 1_000);
            let subscribe = Packet::Subscribe(Subscribe {
                packet_identifier: PacketIdentifier::new(1).expect("not zero"),
                properties: Properties::new(),
                subscriptions: numbers.map(|n| subscription(filters.nth(n))).collect(),
            });
            broker.handle_packets(subscriber, [subscribe], Instant::START);
            drain(&mut broker);
        }
        assert_eq!(broker.counters().subscriptions, n_subscriptions as u64);
        Self { broker, publisher }
    }

    fn measure(&mut self, scenario: &str, mut topics: Topics) {
        let mut packets = || -> Vec<Packet> { (0..N).map(|_| publish((topics.next)())).collect() };
        let before = self.broker.counters().messages_sent;
        let mut n_sent = 0;
        report(scenario, N, &mut packets, |mut packets| {
            // As after a read: a batch goes in, then what came of it is taken out.
            while !packets.is_empty() {
                let batch = packets.drain(..packets.len().min(BATCH));
                self.broker
                    .handle_packets(self.publisher, batch, Instant::START);
                drain(&mut self.broker);
            }
            n_sent += N as u64;
        });
        let after = self.broker.counters().messages_sent;
        assert_eq!(after - before, n_sent, "each matches one subscription");
    }
}

fn connect(broker: &mut Broker, client_identifier: &'static str) -> ConnectionId {
    let connection = broker.open(Instant::START);
    let connect = Packet::Connect(Box::new(Connect {
        protocol_version: ProtocolVersion::V5_0,
        clean_start: true,
        keep_alive: 0,
        properties: Properties::new(),
        client_identifier: client_identifier.into(),
        will: None,
        user_name: None,
        password: None,
    }));
    broker.handle_packets(connection, [connect], Instant::START);
    drain(broker);
    connection
}

fn drain(broker: &mut Broker) {
    loop {
        match broker.poll_output() {
            Output::Transmit { bytes, .. } => broker.recycle(bytes),
            Output::Event(_) => {}
            Output::Close { .. } => unreachable!("nobody breaks a rule"),
            Output::Timeout(_) => break,
        }
    }
}

fn subscription(topic_filter: TopicFilter) -> Subscription {
    Subscription {
        topic_filter,
        maximum_qos: QoS::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::DoNotSend,
    }
}

fn publish(topic: String) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic_name: Some(TopicName::new(topic).expect("it is valid")),
        packet_identifier: None,
        properties: Properties::new(),
        payload: Bytes::from_static(&[b'4'; 37]),
    })
}

/// In a round.
const N: usize = 10_000;
const BATCH: usize = 100;
/// From one topic to a far one: a prime, so that all come before one comes again.
const STRIDE: usize = 104_729;
