//! PUBLISH: an Application Message on its way.

use bytes::Bytes;

use crate::{EncodeError, PacketIdentifier, Properties, ProtocolVersion, QoS, TopicName};

/// An Application Message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Whether this may be a re-delivery.
    pub dup: bool,
    /// Quality of Service.
    pub qos: QoS,
    /// To a Server: keep it. From a Server: it was kept.
    pub retain: bool,
    /// `None` only on 5.0, where a Topic Alias may stand for it.
    pub topic_name: Option<TopicName>,
    /// Present exactly when `qos` is above `AtMostOnce`.
    pub packet_identifier: Option<PacketIdentifier>,
    /// 5.0 only.
    pub properties: Properties,
    /// The application's bytes.
    pub payload: Bytes,
}

/// A PUBLISH in bytes, to be copied to many receivers of one version and QoS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedPublish {
    /// The whole packet; its Packet Identifier, if it has one, is whatever the source said, or 0.
    pub bytes: Vec<u8>,
    /// Where the two bytes of the Packet Identifier are; `None` on QoS 0.
    pub packet_identifier_offset: Option<usize>,
}

impl EncodedPublish {
    /// Encodes into this, reusing its memory. Unlike `Packet::encode` it needs no Packet Identifier above QoS 0.
    ///
    /// # Errors
    ///
    /// As `Packet::encode`.
    pub fn encode(
        &mut self,
        publish: &Publish,
        version: ProtocolVersion,
    ) -> Result<(), EncodeError> {
        let _ = (publish, version);
        Ok(())
    }

    /// Appends a copy with this Packet Identifier (ignored on QoS 0).
    pub fn append_to(
        &self,
        output: &mut Vec<u8>,
        packet_identifier: Option<PacketIdentifier>,
        dup: bool,
    ) {
        let _ = (output, packet_identifier, dup);
    }
}
