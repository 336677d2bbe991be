//! Random operations against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use mqtt_protocol::{Packet, QoS, TopicFilter};
use proptest::{
    collection::vec,
    prelude::{Strategy, prop_oneof},
};

use crate::{
    random::check,
    world::{AtLeastOnce, AtMostOnce, BOTH, ClientId, World, publish, subscription, topic},
};

#[derive(Debug, Clone)]
enum Operation {
    Connect(usize),
    Cut(usize),
    Subscribe(usize, String, bool),
    Unsubscribe(usize, String),
    Publish(usize, String, bool),
    Clear(usize, String),
}

/// Few levels and few names, so that filters and topics meet often.
fn a_topic() -> impl Strategy<Value = String> {
    vec(prop_oneof!["a", "b", ""], 1..4)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("a topic has a character", |topic| !topic.is_empty())
}

fn a_filter() -> impl Strategy<Value = String> {
    (
        vec(prop_oneof!["a", "b", "", "[+]"], 1..4),
        proptest::bool::ANY,
    )
        .prop_map(|(mut levels, open)| {
            if open {
                levels.push("#".to_owned());
            }
            levels.join("/")
        })
        .prop_filter("a filter has a character", |filter| !filter.is_empty())
}

fn an_operation() -> impl Strategy<Value = Operation> {
    let client = 0..N_CLIENTS;
    prop_oneof![
        1 => client.clone().prop_map(Operation::Connect),
        1 => client.clone().prop_map(Operation::Cut),
        4 => (client.clone(), a_filter(), proptest::bool::ANY)
            .prop_map(|(client, filter, high)| Operation::Subscribe(client, filter, high)),
        2 => (client.clone(), a_filter()).prop_map(|(client, filter)| Operation::Unsubscribe(client, filter)),
        6 => (client.clone(), a_topic(), proptest::bool::ANY)
            .prop_map(|(client, topic, retain)| Operation::Publish(client, topic, retain)),
        1 => (client, a_topic()).prop_map(|(client, topic)| Operation::Clear(client, topic)),
    ]
}

const N_CLIENTS: usize = 4;

/// What the broker should know.
#[derive(Default)]
struct Model {
    /// For each Client that is connected, the granted QoS of each of its filters.
    subscriptions: BTreeMap<usize, BTreeMap<String, QoS>>,
    retained: BTreeMap<String, String>,
}

impl Model {
    fn granted(&self, client: usize, topic_name: &str) -> Option<QoS> {
        self.subscriptions[&client]
            .iter()
            .filter(|(filter, _)| matches(filter, topic_name))
            .map(|(_, qos)| *qos)
            .max()
    }
}

fn matches(filter: &str, topic_name: &str) -> bool {
    TopicFilter::new(filter.to_owned())
        .unwrap()
        .matches(&topic(topic_name))
}

struct Run {
    world: World,
    model: Model,
    clients: BTreeMap<usize, ClientId>,
    n_published: usize,
}

impl Run {
    fn apply(&mut self, operation: Operation) {
        let Self {
            world,
            model,
            clients,
            n_published,
        } = self;
        match operation {
            Operation::Connect(number) => {
                clients.entry(number).or_insert_with(|| {
                    model.subscriptions.insert(number, BTreeMap::new());
                    world.client(BOTH[number % 2], &format!("client-{number}"))
                });
            }
            Operation::Cut(number) => {
                if let Some(client) = clients.remove(&number) {
                    world.cut(client);
                    model.subscriptions.remove(&number);
                }
            }
            Operation::Subscribe(number, filter, high) => {
                let Some(&client) = clients.get(&number) else {
                    return;
                };
                let qos = if high { AtLeastOnce } else { AtMostOnce };
                world.subscribe_with(client, subscription(&filter, qos), None);
                let expected: Vec<_> = model
                    .retained
                    .iter()
                    .filter(|(topic_name, _)| matches(&filter, topic_name))
                    .map(|(_, payload)| payload.clone())
                    .collect();
                let mut received = world.payloads(client);
                received.sort();
                let mut expected_sorted = expected;
                expected_sorted.sort();
                assert_eq!(received, expected_sorted, "retained messages for {filter}");
                model
                    .subscriptions
                    .get_mut(&number)
                    .unwrap()
                    .insert(filter, qos);
            }
            Operation::Unsubscribe(number, filter) => {
                let Some(&client) = clients.get(&number) else {
                    return;
                };
                world.unsubscribe(client, &filter);
                model
                    .subscriptions
                    .get_mut(&number)
                    .unwrap()
                    .remove(&filter);
            }
            Operation::Publish(number, topic_name, retain) => {
                *n_published += 1;
                let payload = n_published.to_string();
                self.publish(number, &topic_name, &payload, retain);
            }
            Operation::Clear(number, topic_name) => self.publish(number, &topic_name, "", true),
        }
    }

    fn publish(&mut self, number: usize, topic_name: &str, payload: &str, retain: bool) {
        let Some(&client) = self.clients.get(&number) else {
            return;
        };
        let mut message = publish(topic_name, payload, AtLeastOnce);
        message.retain = retain;
        self.world.send(client, Packet::Publish(message));
        if retain && payload.is_empty() {
            self.model.retained.remove(topic_name);
        } else if retain {
            self.model
                .retained
                .insert(topic_name.to_owned(), payload.to_owned());
        }
        for (&number, &client) in &self.clients {
            let received: Vec<_> = self
                .world
                .receive_all(client)
                .into_iter()
                .filter_map(|packet| match packet {
                    Packet::Publish(publish) => Some(publish),
                    Packet::Puback(_) => None,
                    other => panic!("{other:?}"),
                })
                .collect();
            for publish in &received {
                if let Some(identifier) = publish.packet_identifier {
                    self.world.puback(client, identifier);
                }
            }
            let granted: Vec<_> = received.iter().map(|publish| publish.qos).collect();
            let expected: Vec<_> = self.model.granted(number, topic_name).into_iter().collect();
            assert_eq!(granted, expected, "client {number} and {topic_name}");
        }
    }
}

#[test]
fn every_message_reaches_exactly_those_who_asked() {
    check(300, &vec(an_operation(), 1..120), |operations| {
        let mut run = Run {
            world: World::new(),
            model: Model::default(),
            clients: BTreeMap::new(),
            n_published: 0,
        };
        for number in 0..N_CLIENTS {
            run.apply(Operation::Connect(number));
        }
        for operation in operations {
            run.apply(operation);
        }
        let counters = run.world.broker.counters();
        assert_eq!(counters.retained_messages, run.model.retained.len() as u64);
        let n_subscriptions: usize = run.model.subscriptions.values().map(BTreeMap::len).sum();
        assert_eq!(counters.subscriptions, n_subscriptions as u64);
    });
}
