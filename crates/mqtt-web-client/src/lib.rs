//! MQTT 3.1.1 and 5.0 over WebSocket in the browser.
//!
//! ```no_run
//! use futures_util::StreamExt as _;
//! use mqtt_web_client::{Client, Event, Options, SubscriptionOptions, TopicFilter};
//!
//! # async fn example() {
//! let (client, mut events) = Client::connect(Options::new("ws://127.0.0.1:8080/mqtt"));
//! let topic_filter = TopicFilter::new("rootzone/#").expect("is a valid filter");
//! drop(client.subscribe_events([topic_filter], SubscriptionOptions::default()));
//! while let Some(event) = events.next().await {
//!     if let Event::Message(message) = event {
//!         // …
//!     }
//! }
//! # }
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod backoff;
mod client;
mod credentials;
mod driver;
mod error;
mod event;
mod message;
mod messages;
mod options;
mod queue;
mod receipt;
mod requester;
mod session_store;
mod sink;
mod status;
mod status_watch;
mod supervisor;
mod transport;

pub use backoff::{Backoff, BackoffSettings};
pub use bytes::Bytes;
pub use client::{Client, SubscriptionOptions};
pub use credentials::{Credentials, CredentialsProvider};
pub use driver::SharedStore;
pub use error::{PublishError, SubscribeError};
pub use event::{Event, Events};
pub use message::{Message, Publication, QueuePolicy};
pub use messages::{Lagged, Messages, Subscribing};
pub use mqtt_protocol::{
    Instant, InvalidTopic, Properties, Property, ProtocolVersion, QoS, ReasonCode, RetainHandling,
    TopicFilter, TopicName, WillMessage,
};
pub use options::{Limits, OfflineQueue, Options, Resubscribe};
pub use receipt::Receipt;
pub use requester::{RequestError, Requester};
pub use session_store::{
    IndexedDbStore, MemoryStore, Persistence, SessionStore, StoreError, StoreFuture,
    StoreOperation, TabSession,
};
pub use status::{Failure, Status, StopReason, in_words};
pub use status_watch::StatusWatch;
pub use transport::{Link, LinkHandler, Transport, WebSocketTransport};
