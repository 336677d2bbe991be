use mqtt_protocol::Packet;
use mqtt_web_client::{
    Client, Event, Message, Publication, QoS, ReasonCode, SubscriptionOptions, TopicFilter,
    TopicName,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{connected, in_page_server::InPageServer, next, tick, within_10_s};

fn publication(payload: &'static str, qos: QoS) -> Publication {
    Publication {
        qos,
        ..Publication::new(TopicName::new("a/b").unwrap(), payload)
    }
}

fn message(event: Event) -> Option<Message> {
    match event {
        Event::Message(message) => Some(message),
        Event::Status(_)
        | Event::Subscribed { .. }
        | Event::Persistence(_)
        | Event::Published { .. }
        | Event::Dropped { .. } => None,
    }
}

fn connect(server: &InPageServer) -> (Client, mqtt_web_client::Events) {
    Client::connect_over(server.transport(), InPageServer::options())
}

#[wasm_bindgen_test]
async fn a_message_goes_out_and_comes_in() {
    let (client, mut events) = connect(&InPageServer::default());
    connected(&mut events).await;
    let receipt = client.publish(publication("hello", QoS::AtLeastOnce));
    assert_eq!(within_10_s(receipt).await, Ok(ReasonCode::Success));
    let message = next(&mut events, message).await;
    assert_eq!(message.topic_name.as_str(), "a/b");
    assert_eq!(message.payload, "hello");
}

#[wasm_bindgen_test]
async fn a_subscription_is_answered_for_each_filter() {
    let (client, mut events) = connect(&InPageServer::default());
    let filters = ["a/#", "b"].map(|filter| TopicFilter::new(filter).unwrap());
    let receipt = client.subscribe_events(filters, SubscriptionOptions::default());
    assert_eq!(
        within_10_s(receipt).await,
        Ok(vec![ReasonCode::Success, ReasonCode::Success])
    );
    let subscribed = next(&mut events, |event| match event {
        Event::Subscribed { topic_filter, .. } => Some(topic_filter),
        Event::Status(_)
        | Event::Message(_)
        | Event::Persistence(_)
        | Event::Published { .. }
        | Event::Dropped { .. } => None,
    });
    assert_eq!(subscribed.await.as_str(), "a/#");
}

#[wasm_bindgen_test]
async fn every_call_may_be_made_while_an_event_is_handled() {
    let (client, mut events) = connect(&InPageServer::default());
    connected(&mut events).await;
    drop(client.publish(publication("first", QoS::AtMostOnce)));
    for n_messages in 0..50 {
        let message = next(&mut events, message).await;
        assert!(!message.payload.is_empty(), "message {n_messages}");
        let filter = TopicFilter::new("a/b").unwrap();
        drop(client.subscribe_events([filter.clone()], SubscriptionOptions::default()));
        drop(client.unsubscribe([filter]));
        drop(client.publish(publication("again", QoS::AtLeastOnce)));
        client.reconnect_now();
        assert!(client.status().is_connected());
    }
    client.disconnect();
    assert!(!client.status().is_connected());
}

#[wasm_bindgen_test]
async fn packets_of_one_turn_leave_in_one_send() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    server.take_received();
    server.take_n_sends();
    for _ in 0..32 {
        drop(client.publish(publication("x", QoS::AtMostOnce)));
    }
    tick().await;
    assert_eq!(server.take_received().len(), 32);
    assert_eq!(server.take_n_sends(), 1);
}

#[wasm_bindgen_test]
async fn a_cut_is_told_and_repaired() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    let filter = TopicFilter::new("a/b").unwrap();
    let receipt = client.subscribe_events([filter], SubscriptionOptions::default());
    within_10_s(receipt).await.unwrap();
    server.take_received();

    server.cut();
    let waiting = crate::status(&mut events, |status| {
        matches!(status, mqtt_web_client::Status::Waiting { .. })
    });
    waiting.await;
    connected(&mut events).await;
    tick().await;
    let received = server.take_received();
    // The Server said that it has lost the session.
    assert!(
        matches!(received[..], [Packet::Connect(_), Packet::Subscribe(_)]),
        "{received:?}"
    );
    assert_eq!(server.n_links(), 1);
}

#[wasm_bindgen_test]
async fn reconnecting_from_inside_the_event_of_a_close_works() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    for _ in 0..10 {
        server.cut();
        let waiting = crate::status(&mut events, |status| {
            matches!(status, mqtt_web_client::Status::Waiting { .. })
        });
        waiting.await;
        client.reconnect_now();
        client.reconnect_now();
        connected(&mut events).await;
        assert_eq!(server.n_links(), 1);
    }
}
