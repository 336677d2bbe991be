//! The client as JavaScript holds it.

use futures_util::StreamExt as _;
use js_sys::{Function, Uint8Array};
use mqtt_web_client::{
    Bytes, Client, Message, Messages, Options, ProtocolVersion, Publication, QoS, QueuePolicy,
    Status, StatusWatch, SubscriptionOptions, TabSession, TopicFilter, TopicName,
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::spawn_local;

/// A client that keeps itself connected until it is freed.
#[wasm_bindgen]
pub struct PageClient {
    client: Client,
    on_message: Function,
}

#[wasm_bindgen]
impl PageClient {
    /// Begins to connect. Empty texts stand for what is left out.
    ///
    /// With a `session_prefix` the session outlives the page: it is the tab's, and its Client Identifier begins so.
    /// Statuses are told by `on_status(text)`, messages by `on_message(topic, payload, qos, retain)`.
    pub async fn open(
        url: String,
        is_5: bool,
        session_prefix: String,
        user_name: String,
        password: String,
        on_status: Function,
        on_message: Function,
    ) -> Self {
        let is_given = |text: &String| !text.is_empty();
        let mut options = Options {
            protocol_version: version(is_5),
            user_name: Some(user_name).filter(is_given),
            password: Some(password).filter(is_given).map(Bytes::from),
            ..Options::new(url)
        };
        if is_given(&session_prefix) {
            let session = TabSession::claim(&session_prefix).await;
            options = session.apply_to(options);
        }
        let (client, _) = Client::connect(options);
        spawn_local(tell_statuses(client.watch_status(), on_status));
        Self { client, on_message }
    }

    /// Resolves when the message is acknowledged as its QoS says.
    pub async fn publish(
        &self,
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        may_wait: bool,
    ) -> Result<(), String> {
        let topic_name = TopicName::new(topic).map_err(in_words)?;
        let receipt = self.client.publish(Publication {
            qos: quality(qos),
            queue: if may_wait {
                QueuePolicy::WhileDisconnected
            } else {
                QueuePolicy::Never
            },
            ..Publication::new(topic_name, payload)
        });
        receipt.await.map(drop).map_err(in_words)
    }

    /// Resolves with the Reason Code. The messages are told from then on, as long as there is the client.
    pub async fn subscribe(&self, filter: String, qos: u8) -> Result<u8, String> {
        let topic_filter = TopicFilter::new(filter).map_err(in_words)?;
        let options = SubscriptionOptions {
            maximum_qos: quality(qos),
            ..SubscriptionOptions::default()
        };
        let subscribing = self.client.subscribe([topic_filter], options);
        let messages = subscribing.await.map_err(in_words)?;
        let reason_code = messages
            .reason_codes()
            .first()
            .map_or(0, |code| *code as u8);
        spawn_local(tell_messages(messages, self.on_message.clone()));
        Ok(reason_code)
    }

    /// Whether messages flow.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.status().is_connected()
    }

    /// Says goodbye to the Server and stops.
    pub fn disconnect(&self) {
        self.client.disconnect();
    }
}

async fn tell_statuses(mut statuses: StatusWatch, on_status: Function) {
    while let Some(status) = statuses.next().await {
        // What a listener throws is its own affair.
        let _ = on_status.call1(&JsValue::NULL, &status_in_words(&status).into());
    }
}

async fn tell_messages(mut messages: Messages, on_message: Function) {
    while let Some(item) = messages.next().await {
        if let Ok(message) = item {
            tell_message(&on_message, &message);
        }
    }
}

fn tell_message(on_message: &Function, message: &Message) {
    // The same.
    let _ = on_message.call4(
        &JsValue::NULL,
        &message.topic_name.as_str().into(),
        &Uint8Array::from(&message.payload[..]),
        &(message.qos as u8).into(),
        &message.retain.into(),
    );
}

fn status_in_words(status: &Status) -> String {
    match status {
        Status::Connecting { .. } => "connecting".into(),
        Status::Connected {
            session_present: false,
        } => "connected".into(),
        Status::Connected {
            session_present: true,
        } => "connected, session present".into(),
        Status::Waiting { failure, .. } => failure.to_string(),
        Status::Refused { reason_code, .. } => mqtt_web_client::in_words(*reason_code).into(),
        Status::Stopped { reason } => reason.to_string(),
    }
}

fn version(is_5: bool) -> ProtocolVersion {
    if is_5 {
        ProtocolVersion::V5_0
    } else {
        ProtocolVersion::V3_1_1
    }
}

fn quality(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
