use futures_util::StreamExt as _;
use mqtt_protocol::Packet;
use mqtt_web_client::{
    Client, Events, Limits, Messages, Options, Publication, Status, SubscribeError,
    SubscriptionOptions, TopicFilter, TopicName,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{connected, in_page_server::InPageServer, tick, within_10_s};

async fn connect(server: &InPageServer) -> (Client, Events) {
    let (client, mut events) = Client::connect_over(server.transport(), InPageServer::options());
    connected(&mut events).await;
    (client, events)
}

async fn subscribe(client: &Client, filters: &[&'static str]) -> Messages {
    let filters = filters
        .iter()
        .map(|filter| TopicFilter::new(*filter).unwrap());
    let subscribing = client.subscribe(filters, SubscriptionOptions::default());
    within_10_s(subscribing).await.unwrap()
}

async fn payload(messages: &mut Messages) -> String {
    let message = within_10_s(messages.next()).await.unwrap().unwrap();
    String::from_utf8(message.payload.to_vec()).unwrap()
}

#[wasm_bindgen_test]
async fn a_stream_has_the_messages_of_its_subscription_and_no_others() {
    let server = InPageServer::default();
    let (client, _events) = connect(&server).await;
    let mut messages = subscribe(&client, &["a/#", "b"]).await;
    assert_eq!(messages.reason_codes().len(), 2);
    for topic in ["a/1", "c", "b"] {
        server.publish(topic, topic);
    }
    assert_eq!(payload(&mut messages).await, "a/1");
    assert_eq!(payload(&mut messages).await, "b");
    assert_eq!(messages.try_next(), None);
}

#[wasm_bindgen_test]
async fn overlapping_streams_each_have_a_message_once() {
    let server = InPageServer::default();
    let (client, _events) = connect(&server).await;
    let mut wide = subscribe(&client, &["a/#", "a/+"]).await;
    let mut narrow = subscribe(&client, &["a/1"]).await;
    let mut same = subscribe(&client, &["a/1"]).await;
    server.publish("a/1", "x");
    for messages in [&mut wide, &mut narrow, &mut same] {
        assert_eq!(payload(messages).await, "x");
        assert_eq!(messages.try_next(), None);
    }
}

#[wasm_bindgen_test]
async fn dropping_a_stream_unsubscribes() {
    let server = InPageServer::default();
    let (client, _events) = connect(&server).await;
    let messages = subscribe(&client, &["a"]).await;
    server.take_received();
    drop(messages);
    tick().await;
    let received = server.take_received();
    assert!(matches!(received[..], [Packet::Unsubscribe(_)]));

    let filter = TopicFilter::new("b").unwrap();
    drop(client.subscribe([filter], SubscriptionOptions::default()));
    tick().await;
    let received = server.take_received();
    assert!(
        matches!(received[..], [Packet::Subscribe(_), Packet::Unsubscribe(_)]),
        "{received:?}"
    );
}

#[wasm_bindgen_test]
async fn a_stream_ends_when_it_is_unsubscribed_from_and_with_the_client() {
    let server = InPageServer::default();
    let (client, _events) = connect(&server).await;
    let mut ended = subscribe(&client, &["a"]).await;
    let mut other = subscribe(&client, &["b"]).await;
    drop(client.unsubscribe([TopicFilter::new("a").unwrap()]));
    assert_eq!(within_10_s(ended.next()).await, None);
    server.publish("b", "last");
    assert_eq!(payload(&mut other).await, "last");
    drop(client);
    assert_eq!(within_10_s(other.next()).await, None);
}

#[wasm_bindgen_test]
async fn a_stream_that_is_read_too_slowly_loses_the_oldest_and_says_how_many() {
    let server = InPageServer::default();
    let mut options = InPageServer::options();
    options.limits.stream_len_max = 2;
    let (client, mut events) = Client::connect_over(server.transport(), options);
    connected(&mut events).await;
    let mut messages = subscribe(&client, &["a"]).await;
    for payload in ["1", "2", "3", "4", "5"] {
        server.publish("a", payload);
    }
    tick().await;
    let lagged = messages.next().await.unwrap().unwrap_err();
    assert_eq!(lagged.n_messages, 3);
    assert_eq!(payload(&mut messages).await, "4");
    assert_eq!(payload(&mut messages).await, "5");
}

#[wasm_bindgen_test]
async fn a_stream_goes_on_over_a_reconnection() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server).await;
    let mut messages = subscribe(&client, &["a"]).await;
    server.cut();
    connected(&mut events).await;
    tick().await;
    server.publish("a", "after");
    assert_eq!(payload(&mut messages).await, "after");
}

#[wasm_bindgen_test]
async fn publishing_and_subscribing_while_a_message_is_read_works() {
    let server = InPageServer::default();
    let (client, _events) = connect(&server).await;
    let mut messages = subscribe(&client, &["a/b"]).await;
    let topic_name = TopicName::new("a/b").unwrap();
    drop(client.publish(Publication::new(topic_name.clone(), "0")));
    let mut others = Vec::new();
    for number in 0..20 {
        assert_eq!(payload(&mut messages).await, number.to_string());
        others.push(subscribe(&client, &["a/b"]).await);
        let next = (number + 1).to_string();
        drop(client.publish(Publication::new(topic_name.clone(), next)));
        others.truncate(3);
    }
}

#[wasm_bindgen_test]
async fn a_subscription_to_nothing_is_an_error() {
    let (client, _events) = connect(&InPageServer::default()).await;
    let subscribing = client.subscribe([], SubscriptionOptions::default());
    let error = within_10_s(subscribing).await.unwrap_err();
    assert_eq!(error, SubscribeError::Empty);
}

#[wasm_bindgen_test]
async fn the_status_is_watched_from_the_present_one_to_the_last() {
    let server = InPageServer::default();
    let (client, _events) = connect(&server).await;
    let mut statuses = client.watch_status();
    let mut late = client.watch_status();
    assert!(statuses.next().await.unwrap().is_connected());
    server.cut();
    let status = within_10_s(statuses.next()).await.unwrap();
    assert!(matches!(status, Status::Waiting { .. }), "{status:?}");
    while !within_10_s(statuses.next()).await.unwrap().is_connected() {}
    client.disconnect();
    tick().await;
    drop(client);
    for statuses in [&mut statuses, &mut late] {
        let status = within_10_s(statuses.next()).await.unwrap();
        assert!(matches!(status, Status::Stopped { .. }), "{status:?}");
        assert_eq!(within_10_s(statuses.next()).await, None);
    }
}

#[wasm_bindgen_test]
async fn credentials_are_asked_for_with_every_attempt() {
    use mqtt_web_client::{Credentials, CredentialsProvider};
    use std::{cell::Cell, rc::Rc};

    let server = InPageServer::default();
    let n_asked = Rc::new(Cell::new(0));
    let asked = Rc::clone(&n_asked);
    let provider = CredentialsProvider::new(move || {
        asked.set(asked.get() + 1);
        let token = format!("token {}", asked.get());
        async move {
            tick().await;
            Ok(Credentials {
                user_name: Some("grower".to_owned()),
                password: Some(token.into()),
            })
        }
    });
    let options = Options {
        credentials_provider: Some(provider),
        ..InPageServer::options()
    };
    let (client, mut events) = Client::connect_over(server.transport(), options);
    for expected in ["token 1", "token 2"] {
        connected(&mut events).await;
        let received = server.take_received();
        let Some(Packet::Connect(connect)) = received.first() else {
            panic!("{received:?}");
        };
        assert_eq!(connect.password.as_deref(), Some(expected.as_bytes()));
        server.cut();
    }
    drop(client);
    let n = n_asked.get();
    tick().await;
    assert_eq!(n_asked.get(), n);
}

#[wasm_bindgen_test]
async fn a_stream_goes_on_when_too_many_requests_wait_to_unsubscribe_from_it() {
    let server = InPageServer::default();
    let options = Options {
        limits: Limits {
            queue_len_max: 1,
            ..Limits::default()
        },
        ..InPageServer::options()
    };
    let (client, _events) = Client::connect_over(server.transport(), options);
    let mut messages = subscribe(&client, &["a"]).await;
    let filters = || [TopicFilter::new("a").unwrap()];
    let _waiting = client.subscribe_events(filters(), SubscriptionOptions::default());
    let refused = within_10_s(client.unsubscribe(filters())).await;
    assert_eq!(refused, Err(SubscribeError::TooManyRequests));
    tick().await;
    server.publish("a", "still");
    assert_eq!(payload(&mut messages).await, "still");
}
