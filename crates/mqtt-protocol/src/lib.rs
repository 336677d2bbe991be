//! MQTT 3.1.1 and 5.0 without I/O.

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
    ClientConnection, ClientEvent, ClientOutput, ClientSession, ClientSettings, CloseReason,
    OutgoingMessage, PublicationFailure, PublicationToken, UsageError,
};
pub use codec::{Decoder, DecoderSettings, Role};
pub use error::{DecodeError, EncodeError, Fault, MalformedPacket, ProtocolError, Stage};
pub use keep_alive::{PingAction, PingTimer, SilenceTimer};
pub use packet::{
    Auth, Connack, Connect, Disconnect, EncodedPublish, Packet, PacketType, Puback, Pubcomp,
    Publish, Pubrec, Pubrel, RetainHandling, Suback, Subscribe, Subscription, Unsuback,
    Unsubscribe, WillMessage,
};
pub use packet_identifier::PacketIdentifier;
pub use property::{Properties, Property};
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
