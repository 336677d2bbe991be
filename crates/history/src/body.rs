//! What every chunk's bytes begin with: a checksum, so that damage is seen and never drawn.

use crate::coder::Encoder;

/// Bytes are not those of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunk is damaged")]
pub(crate) struct Damage;

pub(crate) fn seal(encoder: Encoder) -> Vec<u8> {
    let content = encoder.finish();
    let mut body = Vec::with_capacity(CHECKSUM_LEN + content.len());
    body.extend_from_slice(&checksum(&content).to_be_bytes());
    body.extend_from_slice(&content);
    body
}

pub(crate) fn open(body: &[u8]) -> Result<&[u8], Damage> {
    let (stored, content) = body.split_first_chunk::<CHECKSUM_LEN>().ok_or(Damage)?;
    let is_whole = u32::from_be_bytes(*stored) == checksum(content);
    is_whole.then_some(content).ok_or(Damage)
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

const CHECKSUM_LEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Point,
        point::{decode_points, encode_points},
        row::{decode_rows, encode_rows, rows_of},
    };

    fn with_checksum(content: &[u8]) -> Vec<u8> {
        let mut body = checksum(content).to_be_bytes().to_vec();
        body.extend_from_slice(content);
        body
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let points = [1, 2, 3].map(|time| Point { time, value: 7.5 });
        let body = encode_points(&points);
        for bit in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_points(&flipped), Err(Damage));
        }
    }

    /// A checksum is no proof: whatever has the right one is decoded or refused, in bounded time and memory.
    #[test]
    fn any_bytes_are_decoded_or_refused() {
        let mut random = fastrand::Rng::with_seed(8);
        let points: Vec<Point> = (0..500_i32)
            .map(|index| Point {
                time: i64::from(index) * 60_000,
                value: (index % 50) as f32 / 10.0,
            })
            .collect();
        let bodies = [
            encode_points(&points),
            encode_rows(&rows_of(&points, 900_000)),
        ];
        for _ in 0..3_000 {
            let len = random.usize(0..200);
            let mut content: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
            let _ = decode_points(&with_checksum(&content));
            let _ = decode_rows(&with_checksum(&content));
            for body in &bodies {
                content.clear();
                content.extend_from_slice(&body[CHECKSUM_LEN..]);
                for _ in 0..random.usize(1..4) {
                    let place = random.usize(0..content.len().min(80));
                    content[place] = random.u8(..);
                }
                let _ = decode_points(&with_checksum(&content));
                let _ = decode_rows(&with_checksum(&content));
            }
        }
    }
}
