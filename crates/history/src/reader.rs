//! Where chunks are read from.

use crate::{
    Point,
    body::Damage,
    key::{ChunkId, Key},
    point::decode_points,
    row::{Row, decode_rows},
};

/// Where chunks are read from: one state of the store, which later commits do not change.
pub trait Reader {
    /// Gives the value of a key to `found`, which is not called if there is none.
    ///
    /// # Errors
    /// The disk could not be read; nothing is known about the key.
    fn read(&mut self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<(), Unreadable>;
}

/// A store could not be read for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be read")]
pub struct Unreadable;

/// Why a chunk is missing in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// Its bytes are not those of a chunk.
    #[error("damaged")]
    Damaged,
    /// The store has none of this name. It may have been written anew since the question was planned.
    #[error("missing")]
    Missing,
    /// The store could not be read.
    #[error("unreadable")]
    Unreadable,
}

pub(crate) fn read_points(
    reader: &mut dyn Reader,
    chunk: ChunkId,
) -> Result<Vec<Point>, FaultKind> {
    read(reader, chunk, decode_points)
}

pub(crate) fn read_rows(reader: &mut dyn Reader, chunk: ChunkId) -> Result<Vec<Row>, FaultKind> {
    read(reader, chunk, decode_rows)
}

fn read<T>(
    reader: &mut dyn Reader,
    chunk: ChunkId,
    decode: fn(&[u8]) -> Result<T, Damage>,
) -> Result<T, FaultKind> {
    let mut key = Vec::new();
    Key::Body(chunk).encode(&mut key);
    let mut decoded = None;
    reader
        .read(&key, &mut |body| decoded = Some(decode(body)))
        .map_err(|Unreadable| FaultKind::Unreadable)?;
    let decoded = decoded.ok_or(FaultKind::Missing)?;
    decoded.map_err(|Damage| FaultKind::Damaged)
}
