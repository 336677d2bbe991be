//! What the broker's owner does besides: keeps what messages say, and answers those that are requests.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use mqtt_broker_core::{
    Action, Authenticator, Claimant, ConnectionId, Exchange, Recorder, Refusal, Request, Responded,
    Responder, Response,
};
use mqtt_protocol::{Connect, Packet, Properties, Property, Puback, ReasonCode};

use crate::world::*;

const TOPIC: &str = "service/get";

/// What was recorded or learned, as its topic and payload.
type Book = Arc<Mutex<Vec<String>>>;

/// Keeps what comes below `kept/`.
#[derive(Debug)]
struct Notebook(Book);

impl Recorder for Notebook {
    fn is_interested_in(&self, topic: &str) -> bool {
        topic.starts_with("kept/")
    }

    fn record(&mut self, topic: &str, payload: &[u8]) -> bool {
        let is_kept = self.is_interested_in(topic);
        if is_kept {
            self.write("recorded", topic, payload);
        }
        is_kept
    }

    fn learn(&mut self, topic: &str, payload: &[u8]) {
        self.write("learned", topic, payload);
    }
}

impl Notebook {
    fn write(&self, how: &str, topic: &str, payload: &[u8]) {
        let payload = String::from_utf8_lossy(payload);
        let mut book = self.0.lock().unwrap();
        book.push(format!("{how} {topic} {payload}"));
    }
}

fn recording(world: &mut World) -> Book {
    let book = Book::default();
    world
        .broker
        .set_recorder(Box::new(Notebook(Arc::clone(&book))));
    book
}

fn take(book: &Book) -> Vec<String> {
    mem::take(&mut book.lock().unwrap())
}

#[test]
fn what_is_recorded_is_durable_before_it_is_acknowledged() {
    for version in BOTH {
        for qos in [AtLeastOnce, ExactlyOnce] {
            let mut world = World::new();
            let book = recording(&mut world);
            let probe = world.client(version, "probe");
            world.is_disk_busy = true;
            world.publish(probe, "other/a", "1", qos);
            assert!(world.receive(probe).is_some(), "it is not to be kept");
            let mut second = publish("kept/a", "2", qos);
            second.packet_identifier = Some(packet_identifier(2));
            world.send(probe, Packet::Publish(second));
            assert_eq!(take(&book), ["recorded kept/a 2"]);
            assert_eq!(world.receive(probe), None);
            world.commit();
            assert!(world.receive(probe).is_some());
        }
    }
}

#[test]
fn subscribers_do_not_wait_for_it() {
    let mut world = World::new();
    recording(&mut world);
    let probe = world.client(V5_0, "probe");
    let reader = world.client(V5_0, "reader");
    world.subscribe(reader, "kept/#", AtMostOnce);
    world.is_disk_busy = true;
    world.publish(probe, "kept/a", "2", AtMostOnce);
    assert_eq!(world.payloads(reader), ["2"]);
}

#[test]
fn a_repetition_of_what_is_known_by_its_identifier_is_recorded_once() {
    let mut world = World::new();
    let book = recording(&mut world);
    let probe = world.client(V5_0, "probe");
    let mut reading = publish("kept/a", "2", ExactlyOnce);
    world.send(probe, Packet::Publish(reading.clone()));
    reading.dup = true;
    world.send(probe, Packet::Publish(reading));
    assert_eq!(take(&book).len(), 1);
}

#[test]
fn a_will_is_recorded_when_it_is_published() {
    let mut world = World::new();
    let book = recording(&mut world);
    let mut request = connect(V5_0, "probe");
    request.will = Some(will("kept/a", "2"));
    let (probe, _) = world.connect(request);
    assert!(take(&book).is_empty());
    world.cut(probe);
    assert_eq!(take(&book), ["recorded kept/a 2"]);
}

#[test]
fn what_was_retained_before_is_learned_and_not_recorded() {
    let mut world = World::new();
    let client = world.client(V5_0, "client");
    world.retain(client, "kept/b", "old");
    world.retain(client, "about/b", "a probe");
    let book = recording(&mut world);
    assert_eq!(
        take(&book),
        ["learned about/b a probe", "learned kept/b old"]
    );
    world.retain(client, "kept/b", "new");
    assert_eq!(take(&book), ["recorded kept/b new"]);
}

#[test]
fn what_comes_while_the_store_takes_nothing_is_learned_and_not_recorded() {
    let mut world = World::new();
    let book = recording(&mut world);
    let probe = world.client(V5_0, "probe");
    world.broker.set_store_failing(true);
    world.publish(probe, "kept/a", "1", AtLeastOnce);
    match world.receive(probe) {
        Some(Packet::Puback(puback)) => {
            assert_eq!(puback.reason_code, ReasonCode::QuotaExceeded);
        }
        other => panic!("expected a PUBACK, got {other:?}"),
    }
    world.publish(probe, "kept/a", "2", AtMostOnce);
    world.publish(probe, "other/a", "3", AtLeastOnce);
    assert!(matches!(world.receive(probe), Some(Packet::Puback(_))));
    assert_eq!(take(&book), ["learned kept/a 2", "learned other/a 3"]);
    world.broker.set_store_failing(false);
    world.publish(probe, "kept/a", "4", AtMostOnce);
    assert_eq!(take(&book), ["recorded kept/a 4"]);
}

/// Takes two requests.
#[derive(Debug)]
struct Clerk(Arc<Mutex<Vec<Request>>>);

impl Responder for Clerk {
    fn topic(&self) -> &str {
        TOPIC
    }

    fn accept(&mut self, request: Request) -> Result<(), Refusal> {
        let mut requests = self.0.lock().unwrap();
        if requests.len() == 2 {
            return Err(Refusal {
                reason_code: ReasonCode::QuotaExceeded,
                reason: "two are enough",
            });
        }
        requests.push(request);
        Ok(())
    }
}

fn answering(world: &mut World) -> Arc<Mutex<Vec<Request>>> {
    let requests = Arc::default();
    world
        .broker
        .set_responder(Box::new(Clerk(Arc::clone(&requests))));
    requests
}

/// Asks, and gives the Reason Code of the PUBACK.
fn ask(world: &mut World, client: ClientId, properties: Properties) -> ReasonCode {
    ask_and_hear(world, client, properties).reason_code
}

fn ask_and_hear(world: &mut World, client: ClientId, properties: Properties) -> Puback {
    let mut request = publish(TOPIC, "what?", AtLeastOnce);
    request.properties = properties;
    world.send(client, Packet::Publish(request));
    match world.receive(client) {
        Some(Packet::Puback(puback)) => puback,
        other => panic!("expected a PUBACK, got {other:?}"),
    }
}

fn response_topic(name: &str) -> Properties {
    Properties::from_iter([
        Property::ResponseTopic(topic(name)),
        Property::CorrelationData(Bytes::from_static(b"7")),
    ])
}

fn answer(world: &mut World, connection: ConnectionId, name: &str) -> Responded {
    let response = Response {
        topic_name: topic(name),
        correlation_data: Some(Bytes::from_static(b"7")),
        payload: Bytes::from_static(b"that"),
    };
    let responded = world.broker.respond(connection, response, world.now);
    world.drain();
    responded
}

#[test]
fn a_request_goes_to_the_owner_and_to_nobody_else() {
    let mut world = World::new();
    let requests = answering(&mut world);
    let listener = world.client(V5_0, "listener");
    world.subscribe(listener, "#", AtMostOnce);
    let asker = world.client(V5_0, "asker");
    world.subscribe(asker, "my/+", AtMostOnce);
    let asked = ask(&mut world, asker, response_topic("my/answers"));
    assert_eq!(asked, ReasonCode::Success);
    world.retain(asker, TOPIC, "kept?");
    let late = world.client(V5_0, "late");
    world.subscribe(late, "#", AtMostOnce);
    assert_eq!(world.receive(listener), None);
    assert_eq!(world.receive(late), None);
    let requests = requests.lock().unwrap();
    assert_eq!(requests[0].payload, "what?");
    assert_eq!(requests[0].response_topic, Some(topic("my/answers")));
    assert_eq!(requests[0].correlation_data.as_deref(), Some(&b"7"[..]));
}

#[test]
fn a_will_is_a_request_to_nobody() {
    let mut world = World::new();
    let requests = answering(&mut world);
    let listener = world.client(V5_0, "listener");
    world.subscribe(listener, "#", AtMostOnce);
    let mut request = connect(V5_0, "asker");
    request.will = Some(will(TOPIC, "what?"));
    let (asker, _) = world.connect(request);
    world.cut(asker);
    assert_eq!(world.receive(listener), None);
    assert!(requests.lock().unwrap().is_empty());
}

#[test]
fn an_answer_goes_to_the_asker_alone() {
    for version in BOTH {
        let mut world = World::new();
        let requests = answering(&mut world);
        let other = world.client(version, "other");
        world.subscribe(other, "my/answers", AtMostOnce);
        let asker = world.client(version, "asker");
        world.subscribe(asker, "my/+", AtLeastOnce);
        let properties = match version == V5_0 {
            true => response_topic("my/answers"),
            false => Properties::new(),
        };
        assert_eq!(ask(&mut world, asker, properties), ReasonCode::Success);
        let connection = requests.lock().unwrap()[0].connection;
        assert_eq!(
            answer(&mut world, connection, "my/answers"),
            Responded::Sent
        );
        let response = world.receive_publish(asker);
        assert_eq!(response.topic_name, Some(topic("my/answers")));
        assert_eq!(response.qos, AtMostOnce);
        let correlation_data = response.properties.correlation_data();
        let of_5_0 = (version == V5_0).then_some(&b"7"[..]);
        assert_eq!(correlation_data.map(|data| &data[..]), of_5_0);
        assert_eq!(world.receive(other), None);

        let (here, elsewhere) = (topic("my/answers"), topic("elsewhere"));
        assert!(world.broker.is_reachable(connection, &here));
        assert!(!world.broker.is_reachable(connection, &elsewhere));
        assert_eq!(
            answer(&mut world, connection, "elsewhere"),
            Responded::Refused
        );
        world.unsubscribe(asker, "my/+");
        world.subscribe(asker, "$share/group/my/+", AtMostOnce);
        assert!(!world.broker.is_reachable(connection, &here));
        assert_eq!(
            answer(&mut world, connection, "my/answers"),
            Responded::Refused,
            "others may take what is shared"
        );
        world.cut(asker);
        assert_eq!(
            answer(&mut world, connection, "my/answers"),
            Responded::Refused
        );
    }
}

#[test]
fn who_does_not_keep_up_is_answered_later() {
    let mut world = World::new();
    let requests = answering(&mut world);
    let asker = world.client(V5_0, "asker");
    world.subscribe(asker, "my/+", AtMostOnce);
    ask(&mut world, asker, response_topic("my/answers"));
    let connection = requests.lock().unwrap()[0].connection;
    world.set_writable(asker, false);
    assert_eq!(
        answer(&mut world, connection, "my/answers"),
        Responded::Later
    );
    world.set_writable(asker, true);
    assert_eq!(
        answer(&mut world, connection, "my/answers"),
        Responded::Sent
    );
    assert_eq!(world.payloads(asker), ["that"]);
}

#[test]
fn who_cannot_get_an_answer_is_told_so() {
    let mut world = World::new();
    let requests = answering(&mut world);
    let asker = world.client(V5_0, "asker");
    for (properties, reason_code, reason) in [
        (
            response_topic("my/answers"),
            ReasonCode::NotAuthorized,
            "you are not subscribed to the Response Topic",
        ),
        (
            Properties::new(),
            ReasonCode::ImplementationSpecificError,
            "set a Response Topic that you are subscribed to",
        ),
    ] {
        let puback = ask_and_hear(&mut world, asker, properties);
        assert_eq!(puback.reason_code, reason_code);
        let explained = puback.properties.reason_string();
        assert_eq!(explained.map(|text| &**text), Some(reason));
    }
    // At QoS 0 nobody can be told; perhaps the payload says it.
    world.publish(asker, TOPIC, "what?", AtMostOnce);
    assert_eq!(mem::take(&mut *requests.lock().unwrap()).len(), 1);
    world.subscribe(asker, "my/answers", AtMostOnce);
    let codes = [(); 3].map(|()| ask(&mut world, asker, response_topic("my/answers")));
    assert_eq!(
        codes,
        [
            ReasonCode::Success,
            ReasonCode::Success,
            ReasonCode::QuotaExceeded
        ]
    );
    assert_eq!(world.broker.counters().requests_refused, 3);
}

/// Lets everybody in, and nobody but `trusted` ask or read what is secret.
#[derive(Debug)]
struct Guard;

impl Authenticator for Guard {
    fn check(&mut self, _: &Connect) -> Result<(), ReasonCode> {
        Ok(())
    }

    fn begin(&mut self, _: &str, _: Claimant<'_>) -> Option<Box<dyn Exchange>> {
        None
    }

    fn authorize(&mut self, client_identifier: &str, action: Action<'_>) -> bool {
        match action {
            Action::Publish(topic) => topic != TOPIC || client_identifier.ends_with("trusted"),
            Action::Receive(topic) => topic != "secret",
        }
    }
}

#[test]
fn requests_pass_the_authorization() {
    let mut world = World::new();
    world.broker.set_authenticator(Box::new(Guard));
    let requests = answering(&mut world);
    for name in ["stranger", "trusted"] {
        let client = world.client(V5_0, name);
        world.subscribe(client, "my/answers", AtMostOnce);
        let code = ask(&mut world, client, response_topic("my/answers"));
        let expected = match name {
            "trusted" => ReasonCode::Success,
            _ => ReasonCode::NotAuthorized,
        };
        assert_eq!(code, expected);
    }
    let connection = requests.lock().unwrap()[0].connection;
    let mut may = |action| world.broker.is_authorized(connection, action);
    assert!(may(Action::Receive("open")));
    assert!(!may(Action::Receive("secret")));
}
