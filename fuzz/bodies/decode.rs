//! The bytes of a peer, whole and in pieces, and what is encoded again.

use bytes::Bytes;
use mqtt_protocol::{DecodeError, Decoder, DecoderSettings, Packet, ProtocolVersion, Role};

/// The first byte of `input` chooses how the decoder is set up, the second how the rest is cut.
pub(crate) fn check(receiver: Role, input: &[u8]) {
    let [setup, cuts, stream @ ..] = input else {
        return;
    };
    let settings = DecoderSettings {
        maximum_packet_size: if setup & 0b100 == 0 { u32::MAX } else { 40 },
        version: match setup & 0b11 {
            0 => None,
            1 => Some(ProtocolVersion::V3_1_1),
            _ => Some(ProtocolVersion::V5_0),
        },
        role: receiver,
    };
    let whole = decode(settings, &[stream]);
    assert_eq!(decode(settings, &cut(stream, *cuts)), whole);
    for packet in &whole.packets {
        check_round_trip(packet, whole.version, receiver);
    }
}

/// Everything that came of a stream.
#[derive(Debug, PartialEq)]
struct Decoded {
    packets: Vec<Packet>,
    error: Option<DecodeError>,
    version: Option<ProtocolVersion>,
}

fn decode(settings: DecoderSettings, pieces: &[&[u8]]) -> Decoded {
    let mut decoder = Decoder::new(settings);
    let mut packets = Vec::new();
    let mut error = None;
    for piece in pieces {
        decoder.feed(Bytes::copy_from_slice(piece));
        error = loop {
            match decoder.next_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
    }
    Decoded {
        packets,
        error,
        version: decoder.version(),
    }
}

/// Byte by byte for 0, else in pieces of lengths that depend on `seed`.
fn cut(mut stream: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut state = u32::from(seed);
    let mut pieces = Vec::new();
    while !stream.is_empty() {
        let length = 1 + (state >> 16) as usize % 16;
        let (piece, rest) = stream.split_at(length.min(stream.len()));
        pieces.push(piece);
        stream = rest;
        state = state.wrapping_mul(1_664_525);
    }
    pieces
}

/// What was accepted can be sent, and says the same.
fn check_round_trip(packet: &Packet, version: Option<ProtocolVersion>, receiver: Role) {
    let version = version.expect("a packet has come");
    let mut encoded = Vec::new();
    packet
        .encode(version, &mut encoded)
        .unwrap_or_else(|error| panic!("{error} in {packet:?}"));
    let is_connect = matches!(packet, Packet::Connect(_));
    let settings = DecoderSettings {
        maximum_packet_size: u32::MAX,
        version: (!is_connect).then_some(version),
        role: receiver,
    };
    let again = decode(settings, &[&encoded]);
    assert_eq!(again.error, None, "{packet:?} as {encoded:02x?}");
    assert_eq!(again.packets, std::slice::from_ref(packet));
}
