//! An application of Rust that does what the benchmarks let other clients' applications do in JavaScript.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::StreamExt as _;
use mqtt_protocol::{Decoder, DecoderSettings, Packet, ProtocolVersion, Role};
use mqtt_web_client::{
    Bytes, Client, Messages, Options, Publication, SubscriptionOptions, TopicFilter, TopicName,
};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// The decoder alone.
#[wasm_bindgen]
pub struct FrameDecoder(Decoder);

#[wasm_bindgen]
impl FrameDecoder {
    /// One for 5.0.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self(Decoder::new(DecoderSettings {
            maximum_packet_size: 1 << 20,
            version: Some(ProtocolVersion::V5_0),
            role: Role::Client,
        }))
    }

    /// Decodes a frame, and says how many bytes of payload were published in it.
    pub fn decode(&mut self, frame: Vec<u8>) -> usize {
        self.0.feed(frame.into());
        let mut n_bytes = 0;
        while let Ok(Some(packet)) = self.0.next_packet() {
            if let Packet::Publish(publish) = packet {
                n_bytes += publish.payload.len();
            }
        }
        n_bytes
    }
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Subscribes to a filter and counts what comes.
#[wasm_bindgen]
pub struct Reader {
    client: Client,
    counted: Rc<Counted>,
}

#[derive(Default)]
struct Counted {
    n_messages: Cell<usize>,
    n_bytes: Cell<usize>,
}

#[wasm_bindgen]
impl Reader {
    /// Resolves when the Server has acknowledged the subscription.
    pub async fn open(url: String, filter: String) -> Option<Self> {
        let (client, _) = Client::connect(Options::new(url));
        let counted = Rc::new(Counted::default());
        let topic_filter = TopicFilter::new(filter).ok()?;
        let subscribing = client.subscribe([topic_filter], SubscriptionOptions::default());
        spawn_local(count(subscribing.await.ok()?, Rc::clone(&counted)));
        Some(Self { client, counted })
    }

    /// How many messages have come.
    #[must_use]
    pub fn n_messages(&self) -> usize {
        self.counted.n_messages.get()
    }

    /// How long all their payloads are.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.counted.n_bytes.get()
    }

    /// Publishes at QoS 0, some in each turn of the event loop; resolves when all were given to the socket.
    pub async fn publish(&self, topic: String, payload: Vec<u8>, n_turns: usize, n_each: usize) {
        let payload = Bytes::from(payload);
        for _ in 0..n_turns {
            for n in 1..=n_each {
                let Ok(topic_name) = TopicName::new(topic.as_str()) else {
                    return;
                };
                let receipt = self
                    .client
                    .publish(Publication::new(topic_name, payload.clone()));
                if n == n_each {
                    // The benchmark counts what reached the socket.
                    let _ = receipt.await;
                } else {
                    drop(receipt);
                }
            }
        }
    }
}

async fn count(mut messages: Messages, counted: Rc<Counted>) {
    while let Some(item) = messages.next().await {
        if let Ok(message) = item {
            counted.n_messages.set(counted.n_messages.get() + 1);
            counted
                .n_bytes
                .set(counted.n_bytes.get() + message.payload.len());
        }
    }
}
