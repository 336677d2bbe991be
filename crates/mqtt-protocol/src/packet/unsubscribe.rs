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
            topic_filters.push(reader.topic_filter(context.version)?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InvalidTopic, MalformedPacket, Property, packet::testing::*};

    // Shows 3.1.1 [MQTT-2.2.2-1], 5.0 [MQTT-2.1.3-1].
    #[test]
    fn valid() {
        let filters = ["a/+", "#"].map(|text| TopicFilter::new(text).unwrap());
        let two = Unsubscribe {
            packet_identifier: identifier(10),
            properties: Properties::new(),
            topic_filters: filters.into(),
        };
        check(
            "3.1.1",
            V3_1_1,
            "A2 0A 00 0A 00 03 'a/+' 00 01 '#'",
            two.clone(),
        );
        check(
            "5.0",
            V5_0,
            "A2 0B 00 0A 00 00 03 'a/+' 00 01 '#'",
            two.clone(),
        );
        let properties = properties([Property::UserProperty("".into(), "v".into())]);
        check(
            "properties",
            V5_0,
            "A2 11 00 0A 06 26 00 00 00 01 'v' 00 03 'a/+' 00 01 '#'",
            Unsubscribe { properties, ..two },
        );
    }

    // Shows 3.1.1 [MQTT-3.10.3-2], 5.0 [MQTT-3.10.3-2].
    #[test]
    fn invalid() {
        for (name, text, fault) in [
            (
                "flags",
                "A0 05 00 0A 00 01 'a'",
                MalformedPacket::FixedHeaderFlags(0),
            ),
            (
                "identifier 0",
                "A2 05 00 00 00 01 'a'",
                MalformedPacket::PacketIdentifierZero,
            ),
            (
                "a/#/b",
                "A2 09 00 0A 00 05 'a/#/b'",
                MalformedPacket::InvalidTopic(InvalidTopic::MisplacedWildcard),
            ),
            (
                "half a filter",
                "A2 04 00 0A 00 01",
                MalformedPacket::UnexpectedEnd,
            ),
        ] {
            check_fault(name, V3_1_1, Server, text, fault);
        }
        check_fault(
            "3.1.1 empty",
            V3_1_1,
            Server,
            "A2 02 00 0A",
            ProtocolError::NoTopicFilter,
        );
        check_fault(
            "empty",
            V5_0,
            Server,
            "A2 03 00 0A 00",
            ProtocolError::NoTopicFilter,
        );
    }
}
