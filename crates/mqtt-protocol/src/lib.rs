//! MQTT 3.1.1 and 5.0 without I/O.
//!
//! Bytes go in, packets come out, and what a subscriber asked for is found by its filter:
//!
//! ```
//! use mqtt_protocol::{Decoder, DecoderSettings, Packet, ProtocolVersion, Role, TopicFilter};
//!
//! let mut decoder = Decoder::new(DecoderSettings {
//!     maximum_packet_size: 1 << 20,
//!     version: Some(ProtocolVersion::V3_1_1),
//!     role: Role::Client,
//! });
//! // As it comes from the network: in pieces that know nothing of packets.
//! decoder.feed(b"\x30\x0d\0\x09soil/p"[..].into());
//! assert_eq!(decoder.next_packet()?, None);
//! decoder.feed(b"1/m42"[..].into());
//!
//! let Some(Packet::Publish(publish)) = decoder.next_packet()? else { panic!("a PUBLISH came") };
//! let topic_name = publish.topic_name.expect("3.1.1 has no Topic Aliases");
//! assert_eq!(topic_name.as_str(), "soil/p1/m");
//! assert_eq!(publish.payload, "42");
//!
//! assert!(TopicFilter::new("soil/+/m")?.matches(&topic_name));
//! assert!(!TopicFilter::new("pump/#")?.matches(&topic_name));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod client;
mod codec;
mod data_type;
mod error;
mod keep_alive;
mod packet;
mod packet_identifier;
mod property;
mod reason_code;
mod server;
mod session;
mod time;
mod topic;
mod version;

pub use client::{
    ClientConnection, ClientEvent, ClientOutput, ClientSession, ClientSettings, CloseReason, Held,
    Lane, OutgoingMessage, PublicationFailure, PublicationToken, SessionChange, SessionIdentity,
    SessionJournal, SessionKeeper, StoreOperation, StoredSession, UsageError,
};
pub use codec::{Decoder, DecoderSettings, Role};
pub use error::{DecodeError, EncodeError, Fault, MalformedPacket, ProtocolError, Stage};
pub use keep_alive::{PingAction, PingTimer, SilenceTimer};
pub use packet::{
    Auth, Connack, Connect, Disconnect, EncodedPublish, Packet, PacketType, Puback, Pubcomp,
    Publish, PublishParts, Pubrec, Pubrel, RetainHandling, Suback, Subscribe, Subscription,
    Unsuback, Unsubscribe, WillMessage,
};
pub use packet_identifier::PacketIdentifier;
pub use property::{Properties, Property, Secret};
pub use reason_code::ReasonCode;
pub use server::{
    Acceptance, ClientCapabilities, Closing, Request, ServerConnection, ServerOutput,
    ServerSettings,
};
pub use session::{
    AcknowledgedQoS, AcknowledgementOutcome, InFlightState, Incoming, Outgoing, OutgoingLimits,
    PubrecOutcome, PubrelOutcome, QueueFull, ReceivedPublish, Session, Transmission,
};
pub use time::Instant;
pub use topic::{InvalidTopic, TopicFilter, TopicName};
pub use version::{ProtocolVersion, QoS};
