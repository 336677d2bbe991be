//! Named cases of packets: bytes on one side, value or fault on the other.

use bytes::Bytes;

use crate::{
    DecodeError, Decoder, DecoderSettings, EncodeError, Fault, Packet, PacketIdentifier,
    PacketType, Properties, Property, ProtocolVersion, Role,
};

pub(crate) use crate::ProtocolVersion::{V3_1_1, V5_0};
pub(crate) use crate::Role::{Client, Server};

/// Checks that `text` decodes to `packet` and `packet` encodes to `text`.
#[track_caller]
pub(crate) fn check(name: &str, version: ProtocolVersion, text: &str, packet: impl Into<Packet>) {
    let packet = packet.into();
    let receiver = usual_receiver(packet.packet_type());
    check_decoded(name, version, receiver, text, packet.clone());
    let mut output = vec![0xEE];
    assert_eq!(
        packet.encode(version, &mut output),
        Ok(()),
        "{name}: encode"
    );
    assert_eq!(output[1..], bytes(text), "{name}: encode");
}

/// Checks that `text`, which is not in the form that we write, decodes to `packet`.
#[track_caller]
pub(crate) fn check_decoded(
    name: &str,
    version: ProtocolVersion,
    receiver: Role,
    text: &str,
    packet: impl Into<Packet>,
) {
    assert_eq!(
        decode(version, receiver, text),
        Ok(Some(packet.into())),
        "{name}: decode"
    );
}

/// Checks that `receiver` refuses `text`.
#[track_caller]
pub(crate) fn check_fault(
    name: &str,
    version: ProtocolVersion,
    receiver: Role,
    text: &str,
    fault: impl Into<Fault>,
) {
    let result = decode(version, receiver, text).map_err(|error| error.fault);
    assert_eq!(result, Err(fault.into()), "{name}");
}

/// Checks that `packet` cannot be encoded and leaves nothing behind.
#[track_caller]
pub(crate) fn check_unencodable(
    name: &str,
    version: ProtocolVersion,
    packet: impl Into<Packet>,
    error: EncodeError,
) {
    let mut output = vec![0xEE];
    assert_eq!(
        packet.into().encode(version, &mut output),
        Err(error),
        "{name}"
    );
    assert_eq!(output, [0xEE], "{name}");
}

pub(crate) fn decode(
    version: ProtocolVersion,
    receiver: Role,
    text: &str,
) -> Result<Option<Packet>, DecodeError> {
    let bytes = bytes(text);
    let is_connect = bytes[0] >> 4 == PacketType::Connect as u8;
    let mut decoder = Decoder::new(DecoderSettings {
        maximum_packet_size: u32::MAX,
        version: (!is_connect).then_some(version),
        role: receiver,
    });
    decoder.feed(Bytes::from(bytes));
    decoder.next_packet()
}

/// Reads `10 2F 'text'`: hexadecimal bytes and quoted ASCII, separated by spaces.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for token in text.split_whitespace() {
        match token.strip_prefix('\'') {
            Some(ascii) => bytes.extend(ascii.strip_suffix('\'').unwrap().bytes()),
            None => bytes.push(u8::from_str_radix(token, 16).unwrap()),
        }
    }
    bytes
}

pub(crate) fn identifier(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).unwrap()
}

pub(crate) fn properties(properties: impl IntoIterator<Item = Property>) -> Properties {
    properties.into_iter().collect()
}

pub(crate) fn reason_string(text: &'static str) -> Properties {
    properties([Property::ReasonString(text.into())])
}

fn usual_receiver(packet_type: PacketType) -> Role {
    match packet_type {
        PacketType::Connack | PacketType::Suback | PacketType::Unsuback | PacketType::Pingresp => {
            Client
        }
        PacketType::Connect
        | PacketType::Publish
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubrel
        | PacketType::Pubcomp
        | PacketType::Subscribe
        | PacketType::Unsubscribe
        | PacketType::Pingreq
        | PacketType::Disconnect
        | PacketType::Auth => Server,
    }
}
