//! CONNECT: the first packet of a Client.

use bytes::Bytes;
use bytestring::ByteString;

use crate::{Properties, ProtocolVersion, QoS, TopicName};

/// Asks for a connection and, perhaps, a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Of everything that follows on this Network Connection.
    pub protocol_version: ProtocolVersion,
    /// Clean Start; Clean Session on 3.1.1.
    pub clean_start: bool,
    /// Seconds of silence that the Client promises not to exceed; 0 for no promise.
    pub keep_alive: u16,
    /// 5.0 only.
    pub properties: Properties,
    /// May be empty: the Server chooses.
    pub client_identifier: ByteString,
    /// What is published if the Client goes without saying so.
    pub will: Option<WillMessage>,
    /// Who the Client says it is.
    pub user_name: Option<ByteString>,
    /// How it proves it.
    pub password: Option<Bytes>,
}

/// The message that the Server publishes when the Client is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WillMessage {
    /// Where.
    pub topic_name: TopicName,
    /// What.
    pub payload: Bytes,
    /// How surely.
    pub qos: QoS,
    /// Whether it is kept.
    pub retain: bool,
    /// 5.0 only.
    pub properties: Properties,
}
