//! A PUBLISH encoded once for many receivers.

use super::publish::{DUP, Publish};
use crate::{EncodeError, PacketIdentifier, ProtocolVersion};

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
    /// As `Packet::encode`; then this is empty.
    pub fn encode(
        &mut self,
        publish: &Publish,
        version: ProtocolVersion,
    ) -> Result<(), EncodeError> {
        self.bytes.clear();
        self.packet_identifier_offset = None;
        match publish.encode_whole(version, &mut self.bytes) {
            Ok(offset) => {
                self.packet_identifier_offset = offset;
                Ok(())
            }
            Err(error) => {
                self.bytes.clear();
                Err(error)
            }
        }
    }

    /// Appends a copy, above QoS 0 with this Packet Identifier and DUP flag; on QoS 0 neither applies.
    pub fn append_to(
        &self,
        output: &mut Vec<u8>,
        packet_identifier: Option<PacketIdentifier>,
        dup: bool,
    ) {
        let start = output.len();
        output.extend_from_slice(&self.bytes);
        if let (Some(offset), Some(packet_identifier)) =
            (self.packet_identifier_offset, packet_identifier)
        {
            let at = start + offset;
            output[at..at + 2].copy_from_slice(&packet_identifier.value().to_be_bytes());
            output[start] = output[start] & !DUP | if dup { DUP } else { 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Packet, Properties, QoS, TopicName,
        packet::testing::{V3_1_1, V5_0, identifier},
    };

    fn message(qos: QoS, payload_length: usize) -> Publish {
        Publish {
            dup: false,
            qos,
            retain: true,
            topic_name: Some(TopicName::new("a/b").unwrap()),
            packet_identifier: None,
            properties: Properties::new(),
            payload: vec![b'x'; payload_length].into(),
        }
    }

    #[test]
    fn one_encoding_serves_many_receivers() {
        for length in [2, 200, 20_000, 3_000_000] {
            for version in [V3_1_1, V5_0] {
                let message = message(QoS::AtLeastOnce, length);
                let mut encoded = EncodedPublish::default();
                encoded.encode(&message, version).unwrap();
                for (number, dup) in [(1, false), (0xABCD, true)] {
                    let packet_identifier = Some(identifier(number));
                    let mut copy = vec![0xEE];
                    encoded.append_to(&mut copy, packet_identifier, dup);
                    let mut expected = vec![0xEE];
                    Packet::from(Publish {
                        packet_identifier,
                        dup,
                        ..message.clone()
                    })
                    .encode(version, &mut expected)
                    .unwrap();
                    assert!(copy == expected, "{length} bytes, {version:?}, {number}");
                }
            }
        }
    }

    #[test]
    fn qos_0_has_neither_identifier_nor_dup() {
        let mut encoded = EncodedPublish::default();
        encoded
            .encode(&message(QoS::AtMostOnce, 1), V3_1_1)
            .unwrap();
        let mut copy = Vec::new();
        encoded.append_to(&mut copy, Some(identifier(7)), true);
        assert_eq!(copy, b"\x31\x06\0\x03a/bx");
    }

    #[test]
    fn after_an_error_nothing_is_left_of_the_last_message() {
        let mut encoded = EncodedPublish::default();
        encoded.encode(&message(QoS::AtLeastOnce, 1), V5_0).unwrap();
        let nameless = Publish {
            topic_name: None,
            ..message(QoS::AtLeastOnce, 1)
        };
        assert_eq!(
            encoded.encode(&nameless, V5_0),
            Err(EncodeError::TopicNameMissing)
        );
        assert_eq!(encoded, EncodedPublish::default());
    }
}
