//! Damage to packets that were valid.

use std::ops::Range;

use fastrand::Rng;
use mqtt_protocol::ProtocolVersion;

use crate::verdict::{packet_length, variable_byte_integer};

/// Damages the packet in one way, sometimes in two.
pub(crate) fn mutate(bytes: &[u8], version: ProtocolVersion, rng: &mut Rng) -> Vec<u8> {
    let mut mutated = mutate_once(bytes, version, rng);
    if rng.u8(..) < 64 {
        mutated = mutate_once(&mutated, version, rng);
    }
    mutated
}

fn mutate_once(bytes: &[u8], version: ProtocolVersion, rng: &mut Rng) -> Vec<u8> {
    let Some((first_byte, body)) = split(bytes) else {
        return bytes.to_vec();
    };
    let properties = (version == ProtocolVersion::V5_0)
        .then(|| properties_of(first_byte, body))
        .flatten();
    match (rng.u8(..13), properties) {
        (0, Some(range)) => with_properties(first_byte, body, &range, |properties| {
            let property = *rng.choice(PROPERTIES).expect("there are some");
            let at = if rng.bool() { 0 } else { properties.len() };
            properties.splice(at..at, property.iter().copied());
        }),
        (1, Some(range)) => with_properties(first_byte, body, &range, |properties| {
            properties.extend_from_within(..);
        }),
        (2, Some(range)) => with_properties(first_byte, body, &range, |properties| {
            properties.truncate(rng.usize(..=properties.len()));
        }),
        // A Property Length that is not the properties'.
        (3, Some(range)) => {
            let mut body = body.to_vec();
            body[range.start] = body[range.start].wrapping_add(rng.u8(..5)).wrapping_sub(2);
            frame(first_byte, &body)
        }
        // A Property Length in more bytes than needed.
        (4, Some(range)) if body[range.start] < 0x80 => {
            let mut body = body.to_vec();
            body[range.start] |= 0x80;
            body.insert(range.start + 1, 0);
            frame(first_byte, &body)
        }
        (5, _) => {
            let mut bytes = bytes.to_vec();
            bytes[0] ^= 1 << rng.u8(..8);
            bytes
        }
        (6, _) => bytes[..rng.usize(..bytes.len())].to_vec(),
        (7, _) => frame(first_byte, &body[..rng.usize(..=body.len())]),
        (8, _) => {
            let mut body = body.to_vec();
            body.extend((0..rng.usize(1..4)).map(|_| rng.u8(..)));
            frame(first_byte, &body)
        }
        // A Remaining Length that is not the body's, or in more bytes than needed.
        (9, _) => {
            let mut bytes = bytes.to_vec();
            if rng.bool() {
                bytes[1] = bytes[1].wrapping_add(rng.u8(..5)).wrapping_sub(2);
            } else if bytes[1] < 0x80 {
                bytes[1] |= 0x80;
                bytes.insert(2, 0);
            }
            bytes
        }
        (10, _) if !body.is_empty() => {
            let mut body = body.to_vec();
            let text = *rng.choice(TEXTS).expect("there are some");
            let at = rng.usize(..body.len().min(64));
            for (byte, new) in body[at..].iter_mut().zip(text) {
                *byte = *new;
            }
            frame(first_byte, &body)
        }
        (11, _) if !body.is_empty() => {
            let mut body = body.to_vec();
            let at = rng.usize(..body.len().min(64));
            body[at] = *rng
                .choice(&[0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF])
                .expect("there are some");
            frame(first_byte, &body)
        }
        (_, _) => {
            let mut bytes = bytes.to_vec();
            for _ in 0..rng.u8(1..4) {
                let at = rng.usize(..bytes.len().min(80));
                bytes[at] ^= 1 << rng.u8(..8);
            }
            bytes
        }
    }
}

/// The first byte and what follows the Remaining Length, if these are one whole packet.
fn split(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let first_byte = *bytes.first()?;
    let (_, length_of_length) = variable_byte_integer(&bytes[1..])?;
    (packet_length(bytes)? == bytes.len()).then(|| (first_byte, &bytes[1 + length_of_length..]))
}

fn frame(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    push_length(body.len(), &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

fn push_length(mut length: usize, output: &mut Vec<u8>) {
    while length > 0x7F {
        output.push((length & 0x7F) as u8 | 0x80);
        length >>= 7;
    }
    output.push(length as u8);
}

/// Where the Property Length begins and the properties end.
fn properties_of(first_byte: u8, body: &[u8]) -> Option<Range<usize>> {
    let start = match first_byte >> 4 {
        1 => 10,
        3 => {
            let topic = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
            2 + topic + if first_byte & 0b0110 == 0 { 0 } else { 2 }
        }
        4..=7 => 3,
        2 | 8..=11 => 2,
        14 | 15 => 1,
        _ => return None,
    };
    let (length, length_of_length) = variable_byte_integer(body.get(start..)?)?;
    let end = start + length_of_length + length;
    (end <= body.len()).then_some(start..end)
}

/// Changes the properties and makes both lengths fit.
fn with_properties(
    first_byte: u8,
    body: &[u8],
    range: &Range<usize>,
    change: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let length_of_length =
        variable_byte_integer(&body[range.start..]).map_or(1, |(_, length)| length);
    let mut properties = body[range.start + length_of_length..range.end].to_vec();
    change(&mut properties);
    let mut changed = body[..range.start].to_vec();
    push_length(properties.len(), &mut changed);
    changed.extend_from_slice(&properties);
    changed.extend_from_slice(&body[range.end..]);
    frame(first_byte, &changed)
}

/// Every property, some with values at or beyond their borders.
const PROPERTIES: &[&[u8]] = &[
    b"\x01\x00",
    b"\x01\x02",
    b"\x02\x00\x00\x00\x01",
    b"\x03\x00\x01x",
    b"\x08\x00\x01x",
    b"\x08\x00\x00",
    b"\x08\x00\x01+",
    b"\x09\x00\x01x",
    b"\x0B\x01",
    b"\x0B\x00",
    b"\x0B\x81\x00",
    b"\x0B\xFF\xFF\xFF\x7F",
    b"\x0B\xFF\xFF\xFF\xFF\x01",
    b"\x11\xFF\xFF\xFF\xFF",
    b"\x12\x00\x01x",
    b"\x13\x00\x00",
    b"\x15\x00\x01x",
    b"\x16\x00\x01x",
    b"\x17\x01",
    b"\x17\x02",
    b"\x18\x00\x00\x00\x01",
    b"\x19\x00",
    b"\x19\xFF",
    b"\x1A\x00\x01x",
    b"\x1C\x00\x01x",
    b"\x1F\x00\x01x",
    b"\x1F\x00\x01\x00",
    b"\x21\x00\x01",
    b"\x21\x00\x00",
    b"\x22\x00\x00",
    b"\x23\x00\x01",
    b"\x23\x00\x00",
    b"\x24\x00",
    b"\x24\x02",
    b"\x25\x00",
    b"\x25\x02",
    b"\x26\x00\x01x\x00\x01y",
    b"\x26\x00\x00\x00\x00",
    b"\x27\x00\x00\x00\x01",
    b"\x27\x00\x00\x00\x00",
    b"\x28\x00",
    b"\x28\x02",
    b"\x29\x00",
    b"\x29\x02",
    b"\x2A\x00",
    b"\x2A\x02",
    b"\x00\x00",
    b"\x2B\x00",
    b"\x7F\x00",
    b"\x81\x00\x00",
];

/// What strings and lists are most sensitive to.
const TEXTS: &[&[u8]] = &[
    b"\x00",
    b"+",
    b"#",
    b"/#/",
    b"$share/",
    b"$share/g/",
    b"\xED\xA0\x80",
    b"\xC0\x80",
    b"\xEF\xBB\xBF",
    b"\xF4\x90\x80\x80",
    b"\x00\x00",
    b"\x00\x01",
    b"\xFF\xFF",
    b"\x00\x04MQTT\x05",
    b"MQIsdp",
];
