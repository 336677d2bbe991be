//! Streams of bytes to packets, and back.

use bytes::Bytes;
use mqtt_protocol::{
    Connect, DecodeError, Decoder, DecoderSettings, Packet, Properties, ProtocolVersion, Publish,
    QoS, Role, TopicName,
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::arbitrary::{as_3_1_1, connect, packet_for};

fn decoder(version: Option<ProtocolVersion>, role: Role) -> Decoder {
    Decoder::new(DecoderSettings {
        maximum_packet_size: u32::MAX,
        version,
        role,
    })
}

fn encode(packet: &Packet, version: ProtocolVersion) -> Vec<u8> {
    let mut output = Vec::new();
    packet.encode(version, &mut output).unwrap();
    output
}

/// All packets of the stream, fed in these pieces.
fn decode_all<'a>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Packet>, DecodeError> {
    let mut packets = Vec::new();
    for piece in pieces {
        decoder.feed(Bytes::copy_from_slice(piece));
        while let Some(packet) = decoder.next_packet()? {
            packets.push(packet);
        }
    }
    Ok(packets)
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop_oneof![Just(ProtocolVersion::V3_1_1), Just(ProtocolVersion::V5_0)]
}

fn receiver_and_packet() -> impl Strategy<Value = (Role, Packet)> {
    role().prop_flat_map(|receiver| (Just(receiver), packet_for(receiver)))
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same((receiver, packet) in receiver_and_packet()) {
        let bytes = encode(&packet, ProtocolVersion::V5_0);
        let decoder = decoder(Some(ProtocolVersion::V5_0), receiver);
        prop_assert_eq!(decode_all(decoder, [&bytes[..]]), Ok(vec![packet]));
    }

    #[test]
    fn what_is_encoded_for_3_1_1_decodes_to_what_3_1_1_can_say(
        (receiver, packet) in receiver_and_packet(),
    ) {
        let version = ProtocolVersion::V3_1_1;
        let Some(expected) = as_3_1_1(packet.clone(), receiver) else { return Ok(()) };
        let bytes = encode(&expected, version);
        prop_assert_eq!(decode_all(decoder(Some(version), receiver), [&bytes[..]]), Ok(vec![expected]));
        let mut output = Vec::new();
        if packet.encode(version, &mut output).is_ok() {
            prop_assert_eq!(output, bytes);
        }
    }

    #[test]
    fn a_connect_decodes_to_the_same(connect in connect()) {
        let old = as_3_1_1(connect.clone().into(), Role::Server).unwrap();
        for packet in [connect.into(), old] {
            let bytes = encode(&packet, ProtocolVersion::V5_0);
            prop_assert_eq!(decode_all(decoder(None, Role::Server), [&bytes[..]]), Ok(vec![packet]));
        }
    }

    #[test]
    fn a_stream_in_any_pieces_gives_the_same_packets(
        packets in vec(packet_for(Role::Server), 1..12),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let version = ProtocolVersion::V5_0;
        let stream: Vec<u8> = packets.iter().flat_map(|packet| encode(packet, version)).collect();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        cuts.push(stream.len());
        let mut start = 0;
        let pieces = cuts.into_iter().map(|end| &stream[std::mem::replace(&mut start, end)..end]);
        prop_assert_eq!(decode_all(decoder(Some(version), Role::Server), pieces), Ok(packets));
    }

    #[test]
    fn random_bytes_never_panic(
        bytes in vec(any::<u8>(), 0..200),
        version in proptest::option::of(version()),
        receiver in role(),
    ) {
        let _ = decode_all(decoder(version, receiver), [&bytes[..]]);
    }

    /// Whatever gets through with some bytes changed is a packet that we would send ourselves.
    #[test]
    fn damaged_packets_never_panic(
        (receiver, packet) in receiver_and_packet(),
        version in version(),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let packet = match version {
            ProtocolVersion::V5_0 => Some(packet),
            ProtocolVersion::V3_1_1 => as_3_1_1(packet, receiver),
        };
        let Some(packet) = packet else { return Ok(()) };
        let mut bytes = encode(&packet, version);
        for (position, value) in damage {
            let position = position.index(bytes.len().min(64));
            bytes[position] = value;
        }
        for packet in decode_all(decoder(Some(version), receiver), [&bytes[..]]).unwrap_or_default() {
            let again = encode(&packet, version);
            let decoder = decoder(Some(version), receiver);
            prop_assert_eq!(decode_all(decoder, [&again[..]]), Ok(vec![packet]));
        }
    }

    #[test]
    fn damaged_connects_never_panic(connect in connect(), position: Index, value: u8) {
        let mut bytes = encode(&connect.into(), ProtocolVersion::V5_0);
        *position.get_mut(&mut bytes) = value;
        let _ = decode_all(decoder(None, Role::Server), [&bytes[..]]);
    }
}

/// A CONNECT and PUBLISHes whose lengths take one, two and three bytes.
fn conversation(version: ProtocolVersion) -> Vec<Packet> {
    let connect = Connect {
        protocol_version: version,
        clean_start: true,
        keep_alive: 60,
        properties: Properties::new(),
        client_identifier: "probe".into(),
        will: None,
        user_name: None,
        password: None,
    };
    let publish = |length| Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic_name: Some(TopicName::new("a/b").unwrap()),
        packet_identifier: None,
        properties: Properties::new(),
        payload: vec![b'x'; length].into(),
    };
    vec![
        connect.into(),
        publish(0).into(),
        Packet::Pingreq,
        publish(200).into(),
        publish(16_400).into(),
        Packet::Pingreq,
    ]
}

#[test]
fn every_split_point_gives_the_same_packets() {
    for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5_0] {
        let packets = conversation(version);
        let stream: Vec<u8> = packets
            .iter()
            .flat_map(|packet| encode(packet, version))
            .collect();
        for split in 0..=stream.len() {
            let (head, tail) = stream.split_at(split);
            let decoded = decode_all(decoder(None, Role::Server), [head, tail]);
            assert!(
                decoded.as_ref() == Ok(&packets),
                "{version:?} split at {split}"
            );
        }
        let decoded = decode_all(decoder(None, Role::Server), stream.chunks(1));
        assert!(decoded == Ok(packets), "{version:?} byte by byte");
    }
}

#[test]
fn what_is_fed_before_the_last_was_read_is_kept() {
    let packets = conversation(ProtocolVersion::V5_0);
    let mut decoder = decoder(None, Role::Server);
    for packet in &packets {
        for piece in encode(packet, ProtocolVersion::V5_0).chunks(7) {
            decoder.feed(Bytes::copy_from_slice(piece));
        }
    }
    let mut decoded = Vec::new();
    while let Some(packet) = decoder.next_packet().unwrap() {
        decoded.push(packet);
    }
    assert!(decoded == packets);
}
