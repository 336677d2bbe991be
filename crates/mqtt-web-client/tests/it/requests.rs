use std::time::Duration;

use futures_util::{
    FutureExt as _,
    future::{join, join3},
};
use mqtt_protocol::Packet;
use mqtt_web_client::{
    Client, Event, Events, Message, Options, Properties, Property, ProtocolVersion, Publication,
    RequestError, Requester, TopicFilter, TopicName,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{connected, in_page_server::InPageServer, lifecycle::Timers, next, tick, within_10_s};

const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(9);

fn topic(name: &'static str) -> TopicName {
    TopicName::new(name).unwrap()
}

async fn requester(server: &InPageServer) -> (Client, Events, Requester) {
    let (client, mut events) = Client::connect_over(server.transport(), InPageServer::options());
    connected(&mut events).await;
    let requester = within_10_s(client.requester(topic("answers"))).await;
    (client, events, requester.unwrap())
}

/// The next question that comes back from the Server.
async fn question(events: &mut Events) -> Message {
    next(events, |event| match event {
        Event::Message(message) if message.topic_name == topic("question") => Some(message),
        Event::Message(_)
        | Event::Status(_)
        | Event::Subscribed { .. }
        | Event::Persistence(_)
        | Event::Published { .. }
        | Event::Dropped { .. } => None,
    })
    .await
}

fn answer(client: &Client, question: &Message) {
    let response_topic = question.properties.response_topic().unwrap();
    let correlation_data = question.properties.correlation_data().unwrap();
    drop(client.publish(Publication {
        properties: Properties::new().with(Property::CorrelationData(correlation_data.clone())),
        ..Publication::new(response_topic.clone(), question.payload.clone())
    }));
}

#[wasm_bindgen_test]
async fn every_question_gets_its_own_answer_in_whatever_order() {
    let (client, mut events, requester) = requester(&InPageServer::default()).await;
    let first = requester.request(Publication::new(topic("question"), "1"), LATE);
    let second = requester.request(Publication::new(topic("question"), "2"), LATE);
    let answered = async {
        let questions = [question(&mut events).await, question(&mut events).await];
        for question in questions.iter().rev() {
            answer(&client, question);
            // A second answer is nobody's.
            answer(&client, question);
        }
    };
    let (first, second, ()) = within_10_s(join3(first, second, answered)).await;
    assert_eq!(first.unwrap().payload, "1");
    assert_eq!(second.unwrap().payload, "2");
}

#[wasm_bindgen_test]
async fn an_answer_that_does_not_come_is_given_up() {
    let (client, mut events, requester) = requester(&InPageServer::default()).await;
    let request = requester.request(Publication::new(topic("question"), "1"), SOON);
    let error = within_10_s(request).await.unwrap_err();
    assert_eq!(error, RequestError::Timeout);
    assert_eq!(error.to_string(), "no answer came in time");
    // It comes after all.
    answer(&client, &question(&mut events).await);
    tick().await;
    // A request that nobody waits for any more leaves nothing behind.
    let timers = Timers::watch();
    let n_before = timers.n();
    let mut request = requester
        .request(Publication::new(topic("question"), "2"), LATE)
        .boxed_local();
    assert!((&mut request).now_or_never().is_none());
    assert_eq!(timers.n(), n_before + 1);
    drop(request);
    assert_eq!(timers.n(), n_before);
    answer(&client, &question(&mut events).await);
    tick().await;
}

#[wasm_bindgen_test]
async fn without_a_connection_a_question_fails_at_once() {
    let server = InPageServer::default();
    let (client, _events, requester) = requester(&server).await;
    client.disconnect();
    let request = requester.request(Publication::new(topic("question"), "1"), LATE);
    let error = within_10_s(request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request was not sent: the client has stopped"
    );
}

#[wasm_bindgen_test]
async fn dropping_the_requester_unsubscribes() {
    let server = InPageServer::default();
    let (_client, _events, requester) = requester(&server).await;
    server.take_received();
    drop(requester);
    tick().await;
    let received = server.take_received();
    assert!(matches!(received[..], [Packet::Unsubscribe(_)]));
}

#[wasm_bindgen_test]
async fn dropping_a_requester_that_has_ended_leaves_the_next_one_alone() {
    let server = InPageServer::default();
    let (client, mut events, ended) = requester(&server).await;
    let unsubscribed = client.unsubscribe([TopicFilter::new("answers").unwrap()]);
    within_10_s(unsubscribed).await.unwrap();
    let next = within_10_s(client.requester(topic("answers"))).await;
    let next = next.unwrap();
    drop(ended);
    let request = next.request(Publication::new(topic("question"), "1"), LATE);
    let answered = async {
        let question = question(&mut events).await;
        answer(&client, &question);
    };
    let (answer, ()) = within_10_s(join(request, answered)).await;
    assert_eq!(answer.unwrap().payload, "1");
}

#[wasm_bindgen_test]
async fn on_3_1_1_requests_are_refused_in_words() {
    let options = Options {
        protocol_version: ProtocolVersion::V3_1_1,
        ..InPageServer::options()
    };
    let server = InPageServer::default();
    let (client, _events) = Client::connect_over(server.transport(), options);
    let error = within_10_s(client.requester(topic("answers")))
        .await
        .unwrap_err();
    assert_eq!(error, RequestError::NotSupported);
    assert_eq!(error.to_string(), "requests need MQTT 5.0");
}
