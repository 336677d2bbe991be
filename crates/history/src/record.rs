//! The small records as bytes: series, points of the head, places of chunks. Numbers are big-endian.

use crate::series::{RawChunk, RawState, RollupChunk};

/// Reads one number after another; `None` when there are no more bytes.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*number)
    }

    fn u8(&mut self) -> Option<u8> {
        self.next().map(u8::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.next().map(u32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.next().map(i64::from_be_bytes)
    }
}

pub(crate) fn encode_series(kept_from: [i64; 3], name: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24 + name.len());
    for time in kept_from {
        bytes.extend_from_slice(&time.to_be_bytes());
    }
    bytes.extend_from_slice(name.as_bytes());
    bytes
}

pub(crate) fn decode_series(bytes: &[u8]) -> Option<([i64; 3], &str)> {
    let mut numbers = Numbers(bytes);
    let kept_from = [numbers.i64()?, numbers.i64()?, numbers.i64()?];
    Some((kept_from, std::str::from_utf8(numbers.0).ok()?))
}

pub(crate) fn encode_value(value: f32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

pub(crate) fn decode_value(bytes: &[u8]) -> Option<f32> {
    let value = f32::from_be_bytes(bytes.try_into().ok()?);
    value.is_finite().then_some(value)
}

pub(crate) fn encode_raw(chunk: &RawChunk) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RAW_LEN);
    put_place(
        &mut bytes,
        chunk.first,
        chunk.last,
        chunk.count,
        chunk.n_bytes,
    );
    bytes.extend_from_slice(&chunk.step.to_be_bytes());
    bytes.push(match chunk.state {
        RawState::Open => 0,
        RawState::Closed => 1,
        RawState::Dropped => 2,
        RawState::Damaged => 3,
    });
    bytes.push(chunk.n_levels);
    bytes
}

pub(crate) fn decode_raw(number: u32, bytes: &[u8]) -> Option<RawChunk> {
    let mut numbers = Numbers(bytes);
    let (first, last, count, n_bytes) = place(&mut numbers)?;
    Some(RawChunk {
        number,
        first,
        last,
        count,
        n_bytes,
        step: numbers.i64()?,
        state: match numbers.u8()? {
            0 => RawState::Open,
            1 => RawState::Closed,
            2 => RawState::Dropped,
            3 => RawState::Damaged,
            _ => return None,
        },
        n_levels: numbers.u8().filter(|levels| *levels <= 3)?,
    })
}

pub(crate) fn encode_rollup(chunk: &RollupChunk) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PLACE_LEN);
    put_place(
        &mut bytes,
        chunk.first,
        chunk.last,
        chunk.count,
        chunk.n_bytes,
    );
    bytes
}

pub(crate) fn decode_rollup(number: u32, bytes: &[u8]) -> Option<RollupChunk> {
    let (first, last, count, n_bytes) = place(&mut Numbers(bytes))?;
    Some(RollupChunk {
        number,
        first,
        last,
        count,
        n_bytes,
    })
}

fn put_place(bytes: &mut Vec<u8>, first: i64, last: i64, count: u32, n_bytes: u32) {
    bytes.extend_from_slice(&first.to_be_bytes());
    bytes.extend_from_slice(&last.to_be_bytes());
    bytes.extend_from_slice(&count.to_be_bytes());
    bytes.extend_from_slice(&n_bytes.to_be_bytes());
}

fn place(numbers: &mut Numbers<'_>) -> Option<(i64, i64, u32, u32)> {
    let (first, last) = (numbers.i64()?, numbers.i64()?);
    let is_in_order = first <= last;
    let place = (first, last, numbers.u32()?, numbers.u32()?);
    is_in_order.then_some(place)
}

const PLACE_LEN: usize = 24;
const RAW_LEN: usize = PLACE_LEN + 10;

// What keys and values take in the store.
pub(crate) const SERIES_LEN: u64 = 5 + 24;
pub(crate) const HEAD_POINT_LEN: u64 = 13 + 4;
pub(crate) const CHUNK_KEY_LEN: u64 = 10;
pub(crate) const RAW_INDEX_LEN: u64 = CHUNK_KEY_LEN + RAW_LEN as u64;
pub(crate) const ROLLUP_INDEX_LEN: u64 = CHUNK_KEY_LEN + PLACE_LEN as u64;
