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
//!
//! # What outlives the page
//!
//! With [`Options::session_store`] the session goes on after a reload, a crash of the page or days offline;
//! [`TabSession`] gives each tab one of its own.
//! [`Client::persistence`] and [`Event::Persistence`] say whether it is kept.
//!
//! | what | over a cut | over a reload |
//! |---|---|---|
//! | publications of QoS 1 and 2 that may wait | go on, in order; QoS 2 exactly once | the same, once they are stored, which is before they are first sent |
//! | those of QoS 0 that wait, with [`OfflineQueue::All`] | go once | the same; perhaps twice, if the page ended as they were sent |
//! | publications that may not wait | never sent again | never; they are not stored, and of QoS 2 only the Packet Identifier is |
//! | messages of QoS 2 from the Server | given once | never given twice; lost if the page ends after the receipt is stored and before the application has read it |
//! | messages of QoS 1 from the Server | given at least once | those that were acknowledged and not read are gone with the page |
//! | subscriptions | renewed as [`Options::resubscribe`] says | the Server keeps them; the new page does not know of them and may make them again |
//! | what [`Client::publish`] returned | resolves | is gone; [`Event::Published`] tells the next page |
//!
//! If the Server has lost the session, QoS 1 goes again as new, and QoS 2 that was sent is told as
//! [`PublishError::Indeterminate`]. If the page ends in the instant between learning that and storing it, the next
//! page takes the Server's new session for the old one.
//! The same becomes of it where [another Server](FollowServerReference) takes over.
//! The Server keeps a session for [`Options::session_expiry_interval_secs`] after the page is gone, so that is to be
//! as long as messages are to survive exactly once.
//!
//! A store that is denied, full, deleted or slow is told by [`Persistence::Lost`]: the client goes on without it,
//! what is unfinished ends with the page, and what was stored is erased, as it is of the past.
//! Where that fails too, the next page may send again what was sent already. What could not even be read stays,
//! and the Server is told to keep no session.
//! On 3.1.1 a kept session begins with two connections: one with Clean Session 1, so that nothing old is left,
//! then one with Clean Session 0.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod backoff;
mod client;
mod clock;
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
pub use supervisor::FollowServerReference;
pub use transport::{Link, LinkHandler, Transport, WebSocketTransport};
