//! What is known of one series without reading its chunks.

use crate::{
    Point,
    key::Level,
    record::{CHUNK_KEY_LEN, HEAD_POINT_LEN, RAW_INDEX_LEN, ROLLUP_INDEX_LEN, SERIES_LEN},
    times::usual_step,
};

/// A series: points that are in no chunk yet, and where its chunks are.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: Box<str>,
    /// In the order of time, which is that of coming for most.
    pub(crate) head: Vec<HeadPoint>,
    /// In the order of time. They do not overlap, unless something was damaged.
    pub(crate) chunks: Vec<RawChunk>,
    pub(crate) rollups: [Vec<RollupChunk>; 3],
    /// Rows of a level before this are gone.
    pub(crate) kept_from: [i64; 3],
    /// Of the chunks that are made next.
    pub(crate) next_numbers: [u32; 4],
    /// Whether a chunk of it is being written anew: then nothing else changes its chunks.
    pub(crate) is_sealing: bool,
    /// Whether its last chunk is to get its rollups although it is not full, as its points are to go.
    pub(crate) closes_last: bool,
    /// When its head is to be sealed.
    pub(crate) due: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeadPoint {
    pub(crate) point: Point,
    pub(crate) state: HeadState,
    /// Whether the store has a record of its time, perhaps with another value.
    pub(crate) is_stored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadState {
    /// The store is to be told of it.
    New,
    Stored,
    /// It is in a chunk that the store was told of. Until that is durable, it is read from here.
    Sealed,
}

/// Where a chunk of points is, or was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RawChunk {
    pub(crate) number: u32,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) count: u32,
    pub(crate) n_bytes: u32,
    /// The usual time between its points.
    pub(crate) step: i64,
    pub(crate) state: RawState,
    /// How many rollups it has, from the coarsest; none is finer than its step.
    pub(crate) n_levels: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawState {
    /// More points come behind it; it has no rollups yet.
    Open,
    Closed,
    /// Too old: only its rollups are left.
    Dropped,
    /// It cannot be read.
    Damaged,
}

/// Where a chunk of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RollupChunk {
    pub(crate) number: u32,
    /// Of the first row.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) count: u32,
    pub(crate) n_bytes: u32,
}

/// Where a point of the head belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// In the chunk at this place.
    Chunk(usize),
    /// In one that is to be made at this place.
    New(usize),
    /// Nowhere: its chunk cannot be read any more.
    Nowhere,
}

impl RawChunk {
    pub(crate) fn is_readable(&self) -> bool {
        matches!(self.state, RawState::Open | RawState::Closed)
    }

    pub(crate) fn contains(&self, time: i64) -> bool {
        (self.first..=self.last).contains(&time)
    }

    pub(crate) fn has_level(&self, level: Level) -> bool {
        level as u8 + self.n_levels >= 4
    }
}

impl Series {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            head: Vec::new(),
            chunks: Vec::new(),
            rollups: [const { Vec::new() }; 3],
            kept_from: [i64::MIN; 3],
            next_numbers: [0; 4],
            is_sealing: false,
            closes_last: false,
            due: None,
        }
    }

    /// The place of the chunk that has this time between its first and its last point.
    pub(crate) fn chunk_around(&self, time: i64) -> Option<usize> {
        let place = self.chunks.partition_point(|chunk| chunk.first <= time);
        let before = place.checked_sub(1)?;
        self.chunks[before].contains(time).then_some(before)
    }

    /// Whether it cannot be told any more if a point of this time is known.
    pub(crate) fn is_lost(&self, time: i64) -> bool {
        let place = self.chunk_around(time);
        place.is_some_and(|place| !self.chunks[place].is_readable())
    }

    pub(crate) fn target(&self, time: i64, n_chunk_points: usize) -> Target {
        let place = self.chunks.partition_point(|chunk| chunk.first <= time);
        let takes = |place: usize| {
            let chunk = &self.chunks[place];
            let has_room = (chunk.count as usize) < n_chunk_points;
            chunk.is_readable() && (has_room || chunk.contains(time))
        };
        if let Some(before) = place.checked_sub(1) {
            if takes(before) {
                let is_behind = time > self.chunks[before].last && place == self.chunks.len();
                // A chunk that was closed as the last one stays as it is.
                if !is_behind || self.chunks[before].state == RawState::Open {
                    return Target::Chunk(before);
                }
            }
            if self.chunks[before].contains(time) {
                return Target::Nowhere;
            }
        }
        match place < self.chunks.len() && takes(place) {
            true => Target::Chunk(place),
            false => Target::New(place),
        }
    }

    /// Whether points of the head are within this span.
    pub(crate) fn has_head_within(&self, first: i64, last: i64) -> bool {
        let from = self.head.partition_point(|head| head.point.time < first);
        let next = self.head.get(from);
        next.is_some_and(|head| head.point.time <= last)
    }

    /// Whether all rows of a chunk are there at this level.
    pub(crate) fn has_rows(&self, chunk: &RawChunk, level: Level) -> bool {
        let is_kept = chunk.first >= self.kept_from[level.index()];
        chunk.has_level(level) && is_kept && chunk.state != RawState::Open
    }

    /// From the first to the last reading of which something is left.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let mut left = self.chunks.iter().filter(|chunk| {
            let has_rows = |level: &Level| self.has_rows(chunk, *level);
            chunk.is_readable() || Level::ROLLUPS.iter().any(has_rows)
        });
        let first = left.next();
        let chunks = (first, left.next_back().or(first));
        let head = (self.head.first(), self.head.last());
        let firsts = [chunks.0.map(|c| c.first), head.0.map(|h| h.point.time)];
        let lasts = [chunks.1.map(|c| c.last), head.1.map(|h| h.point.time)];
        let first = firsts.into_iter().flatten().min()?;
        Some((first, lasts.into_iter().flatten().max()?))
    }

    /// What usually lies between two of its newest points, if there are enough to tell.
    pub(crate) fn usual_step(&self) -> Option<i64> {
        let times = self.head.iter().map(|head| head.point.time);
        let times: Vec<i64> = times.filter(|time| !self.is_late(*time)).collect();
        if times.len() >= TELLING {
            return Some(usual_step(&times));
        }
        let mut steps = self.chunks.iter().rev().map(|chunk| chunk.step);
        steps.find(|step| *step > 0)
    }

    /// Whether a time is before the end of what is sealed.
    pub(crate) fn is_late(&self, time: i64) -> bool {
        self.chunks.last().is_some_and(|last| time <= last.last)
    }

    /// The bytes of keys and values that the store has of it.
    pub(crate) fn n_bytes(&self) -> u64 {
        let raw = self.chunks.iter().map(|chunk| match chunk.state {
            RawState::Dropped => RAW_INDEX_LEN,
            RawState::Open | RawState::Closed | RawState::Damaged => {
                RAW_INDEX_LEN + CHUNK_KEY_LEN + u64::from(chunk.n_bytes)
            }
        });
        let rollups = self.rollups.iter().flatten();
        let rollups =
            rollups.map(|chunk| ROLLUP_INDEX_LEN + CHUNK_KEY_LEN + u64::from(chunk.n_bytes));
        let head = self.head.len() as u64 * HEAD_POINT_LEN;
        let own = SERIES_LEN + self.name.len() as u64;
        raw.chain(rollups).sum::<u64>() + head + own
    }
}

/// Fewer points may have come by chance as they did.
const TELLING: usize = 4;
