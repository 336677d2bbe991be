//! What a client may send, told by named cases; the property holds for every way to cut the bytes.

use proptest::prelude::*;

use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const LIMIT: u64 = 100_000;

/// A client's frame; `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame_header::append(Opcode::Binary, payload.len() as u64, &mut bytes);
    bytes[0] = first;
    bytes[1] |= 0x80;
    bytes.extend_from_slice(&MASK);
    bytes.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

fn binary(payload: &[u8]) -> Vec<u8> {
    frame(0x82, payload)
}

fn ping(payload: &[u8]) -> Vec<u8> {
    frame(0x89, payload)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    payload: Vec<u8>,
    replies: Vec<u8>,
    ended: bool,
}

/// Feeds the bytes in pieces that end at `cuts`.
fn decode_cut(bytes: &[u8], cuts: &[usize]) -> Seen {
    let mut reader = FrameReader::new(LIMIT);
    let mut seen = Seen::default();
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let mut piece = bytes[start..end].to_vec();
        start = end;
        let decoded = reader.decode(&mut piece, &mut seen.replies);
        seen.payload.extend_from_slice(&piece[..decoded.payload]);
        seen.ended = decoded.ended;
    }
    seen
}

fn decode(bytes: &[u8]) -> Seen {
    decode_cut(bytes, &[])
}

#[track_caller]
fn check_closed(bytes: &[u8], code: u16) {
    let mut replies = vec![0x88, 2];
    replies.extend_from_slice(&code.to_be_bytes());
    let seen = decode(bytes);
    assert_eq!((seen.replies, seen.ended), (replies, true));
}

#[test]
fn payloads_are_unmasked_and_joined() {
    let bytes = [binary(b"one packet "), binary(b""), binary(b"and another")].concat();
    assert_eq!(
        decode(&bytes),
        Seen {
            payload: b"one packet and another".to_vec(),
            ..Seen::default()
        }
    );
}

#[test]
fn every_form_of_length_is_read() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 99_999] {
        let payload: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        assert!(
            decode(&binary(&payload)).payload == payload,
            "length {length}"
        );
    }
}

// Shows 3.1.1 [MQTT-6.0.0-2], 5.0 [MQTT-6.0.0-2].
#[test]
fn a_fragmented_message_is_joined_around_a_ping() {
    let bytes = [
        frame(0x02, b"soil "),
        ping(b"?"),
        frame(0x00, b"moist"),
        frame(0x80, b"ure"),
    ];
    let seen = decode(&bytes.concat());
    assert_eq!(seen.payload, b"soil moisture");
    assert_eq!(seen.replies, [0x8A, 1, b'?']);
    assert!(!seen.ended);
}

#[test]
fn pong_is_ignored() {
    assert_eq!(decode(&frame(0x8A, b"unasked")), Seen::default());
}

#[test]
fn close_is_answered_with_its_code() {
    check_closed(&frame(0x88, &[0x03, 0xE8]), 1000);
    check_closed(&frame(0x88, b"\x0F\xA0any words"), 4000);
}

#[test]
fn close_without_a_code_is_answered_without_one() {
    let seen = decode(&frame(0x88, b""));
    assert_eq!((&*seen.replies, seen.ended), (&[0x88, 0][..], true));
}

#[test]
fn what_came_before_close_counts_and_what_follows_does_not() {
    let bytes = [
        binary(b"before"),
        frame(0x88, &[0x03, 0xE8]),
        binary(b"after"),
        ping(b""),
    ];
    let seen = decode(&bytes.concat());
    assert_eq!(seen.payload, b"before");
    assert_eq!(seen.replies, [0x88, 2, 0x03, 0xE8]);
}

// Shows 3.1.1 [MQTT-6.0.0-1], 5.0 [MQTT-6.0.0-1].
#[test]
fn a_text_frame_closes_with_1003() {
    check_closed(&frame(0x81, b"hello"), 1003);
}

#[test]
fn broken_frames_close_with_1002() {
    let cases: &[(&str, Vec<u8>)] = &[
        ("not masked", vec![0x82, 0x01, 0x00]),
        ("reserved bit", frame(0xC2, b"")),
        ("reserved opcode", frame(0x83, b"")),
        ("reserved control opcode", frame(0x8B, b"")),
        ("continuation of nothing", frame(0x80, b"")),
        (
            "new message inside another",
            [frame(0x02, b""), binary(b"")].concat(),
        ),
        ("fragmented ping", frame(0x09, b"")),
        ("ping over 125 bytes", ping(&[0; 126])),
        ("close with half a code", frame(0x88, b"\x03")),
        (
            "close with a code that is never sent",
            frame(0x88, &1005_u16.to_be_bytes()),
        ),
        ("125 in two bytes", vec![0x82, 0xFE, 0, 125]),
        (
            "65535 in eight bytes",
            vec![0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
        ),
        (
            "length with the highest bit",
            vec![0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ),
    ];
    for (name, bytes) in cases {
        let seen = decode(bytes);
        assert_eq!(
            (&*seen.replies, seen.ended),
            (&[0x88, 2, 0x03, 0xEA][..], true),
            "{name}"
        );
    }
}

#[test]
fn a_reason_that_is_not_utf_8_closes_with_1007() {
    check_closed(&frame(0x88, b"\x03\xE8\xFF"), 1007);
}

#[test]
fn a_message_over_the_limit_closes_with_1009() {
    let limit = usize::try_from(LIMIT).unwrap();
    assert!(!decode(&binary(&vec![0; limit])).ended);
    check_closed(&binary(&vec![0; limit + 1]), 1009);
    check_closed(
        &[frame(0x02, &vec![0; limit]), frame(0x00, b"1")].concat(),
        1009,
    );
}

// Shows 3.1.1 [MQTT-6.0.0-1], 5.0 [MQTT-6.0.0-1].
#[test]
fn frames_to_the_client_are_not_masked() {
    let mut output = Vec::new();
    append_binary(b"\xD0\x00", &mut output);
    assert_eq!(output, [0x82, 2, 0xD0, 0x00]);

    for (length, header) in [
        (125, &[0x82, 125][..]),
        (126, &[0x82, 126, 0, 126]),
        (65_535, &[0x82, 126, 0xFF, 0xFF]),
        (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        output.clear();
        append_binary(&vec![7; length], &mut output);
        assert_eq!(&output[..header.len()], header);
        assert_eq!(output.len(), header.len() + length);
    }
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        8 => payload.clone().prop_map(|payload| binary(&payload)),
        2 => (payload.clone(), payload.clone()).prop_map(|(a, b)| [frame(0x02, &a), ping(b"in"), frame(0x80, &b)].concat()),
        2 => prop::collection::vec(any::<u8>(), 0..126).prop_map(|payload| ping(&payload)),
        1 => (any::<u8>(), payload).prop_map(|(first, payload)| frame(first, &payload)),
    ]
}

proptest! {
    #[test]
    fn cutting_the_bytes_anywhere_changes_nothing(
        frames in prop::collection::vec(any_frame(), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = frames.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(decode_cut(&bytes, &cuts), decode(&bytes));
        let every_byte: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(decode_cut(&bytes, &every_byte), decode(&bytes));
    }
}
