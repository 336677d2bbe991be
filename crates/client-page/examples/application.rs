//! A small application of everything that most applications use, whose size is the client's.
//!
//! Both versions, a session that outlives the page, a stream, QoS 2, the queue, reconnection and every status.

use futures_util::StreamExt as _;
use js_sys::Math;
use mqtt_web_client::{
    Client, Options, ProtocolVersion, Publication, QoS, QueuePolicy, Status, SubscriptionOptions,
    TabSession, TopicFilter, TopicName,
};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Runs when the page loads.
#[wasm_bindgen(start)]
pub fn start() {
    spawn_local(run());
}

async fn run() {
    let session = TabSession::claim("application-").await;
    // What is not known before it runs cannot be left out.
    let protocol_version = if Math::random() < 0.5 {
        ProtocolVersion::V5_0
    } else {
        ProtocolVersion::V3_1_1
    };
    let options = session.apply_to(Options {
        protocol_version,
        user_name: Some("grower".into()),
        password: Some("soil and water".into()),
        ..Options::new("ws://127.0.0.1:8080/mqtt")
    });
    let (client, _) = Client::connect(options);
    spawn_local(show(client.clone()));
    let (Ok(topic_filter), Ok(topic_name)) = (TopicFilter::new("in/#"), TopicName::new("out"))
    else {
        return;
    };
    let options = SubscriptionOptions {
        maximum_qos: QoS::ExactlyOnce,
        ..SubscriptionOptions::default()
    };
    let Ok(mut messages) = client.subscribe([topic_filter], options).await else {
        return;
    };
    while let Some(item) = messages.next().await {
        let Ok(message) = item else { continue };
        let receipt = client.publish(Publication {
            qos: QoS::ExactlyOnce,
            queue: QueuePolicy::WhileDisconnected,
            ..Publication::new(topic_name.clone(), message.payload)
        });
        if let Err(error) = receipt.await {
            log(&error.to_string());
        }
    }
}

async fn show(client: Client) {
    let mut statuses = client.watch_status();
    while let Some(status) = statuses.next().await {
        match status {
            Status::Connecting { attempt } => log(&format!("attempt {attempt}")),
            Status::Waiting { failure, .. } => log(&failure.to_string()),
            Status::Stopped { reason } => log(&reason.to_string()),
            Status::Connected { .. } | Status::Refused { .. } => log("an answer"),
        }
    }
}

fn log(text: &str) {
    web_sys::console::log_1(&text.into());
}
