//! MQTT 3.1.1 and 5.0 without I/O.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod packet;
mod packet_identifier;
mod property;
mod reason_code;
mod time;
mod topic;
mod version;

pub use packet::{
    Auth, Connack, Connect, Disconnect, Packet, Puback, Pubcomp, Publish, Pubrec, Pubrel,
    RetainHandling, Suback, Subscribe, Subscription, Unsuback, Unsubscribe, WillMessage,
};
pub use packet_identifier::PacketIdentifier;
pub use property::{Properties, Property};
pub use reason_code::ReasonCode;
pub use time::Instant;
pub use topic::{InvalidTopic, TopicFilter, TopicName};
pub use version::{ProtocolVersion, QoS};
