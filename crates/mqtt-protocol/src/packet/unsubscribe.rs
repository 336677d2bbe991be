//! UNSUBSCRIBE: ends subscriptions.

use crate::{
    EncodeError, Fault, PacketIdentifier, PacketType, Properties, ProtocolError, ProtocolVersion,
    TopicFilter,
    data_type::{Reader, encode_string, encode_u16},
    packet::Context,
    property::PropertyOwner,
};

/// Ends subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Answered with the same in UNSUBACK.
    pub packet_identifier: PacketIdentifier,
    /// 5.0 only.
    pub properties: Properties,
    /// At least one.
    pub topic_filters: Vec<TopicFilter>,
}

impl Unsubscribe {
    pub(super) fn decode(reader: &mut Reader<'_>, context: Context) -> Result<Self, Fault> {
        let packet_identifier = reader.packet_identifier()?;
        let properties = Properties::decode(reader, OWNER, context.version)?;
        let mut topic_filters = Vec::new();
        while !reader.is_empty() {
            topic_filters.push(reader.topic_filter()?);
        }
        if topic_filters.is_empty() {
            return Err(ProtocolError::NoTopicFilter.into());
        }
        Ok(Self {
            packet_identifier,
            properties,
            topic_filters,
        })
    }

    pub(super) fn encode(
        &self,
        version: ProtocolVersion,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if self.topic_filters.is_empty() {
            return Err(EncodeError::NoTopicFilter);
        }
        encode_u16(self.packet_identifier.value(), output);
        self.properties.encode(OWNER, version, output)?;
        for topic_filter in &self.topic_filters {
            encode_string(topic_filter.as_str(), output)?;
        }
        Ok(())
    }
}

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Unsubscribe);
