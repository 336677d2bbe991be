//! Sealing: points of the head become part of a chunk, and closed chunks get their rollups.

use crate::{
    Point, Settings,
    key::{ChunkId, Level, SeriesId},
    point::{encode_points, merge_points},
    reader::{FaultKind, Reader, read_points, read_rows},
    row::{Row, encode_rows, rows_of},
    series::{RawChunk, RawState, RollupChunk, Series, Target},
    times::usual_step,
};

/// One chunk of points to be written anew, with the points that belong into it.
///
/// It holds all it needs, so that it runs outside of any lock; [`History::finish`](crate::History::finish) takes it back.
#[derive(Debug)]
pub struct Task {
    pub(crate) series: SeriesId,
    /// The chunk as it was, if there is one.
    old: Option<RawChunk>,
    /// Whether more points come behind it, so that it stays open.
    stays_open: bool,
    points: Vec<Point>,
    /// Those that its rows are in, or come behind.
    rollups: [Vec<RollupChunk>; 3],
    next_numbers: [u32; 4],
    n_chunk_points: usize,
    n_chunk_rows: usize,
}

/// What a [`Task`] came to.
#[derive(Debug)]
pub struct Sealed {
    pub(crate) series: SeriesId,
    pub(crate) old: Option<RawChunk>,
    pub(crate) points: Vec<Point>,
    pub(crate) outcome: Result<Outcome, FaultKind>,
}

impl Sealed {
    /// Whether the reader could not read what there is: it is worth trying again later.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        matches!(self.outcome, Err(FaultKind::Unreadable))
    }

    /// How many readings its chunk has now and had not before, or with another value.
    #[must_use]
    pub fn n_new(&self) -> usize {
        self.outcome.as_ref().map_or(0, |outcome| outcome.n_new)
    }
}

/// Chunks instead of others.
#[derive(Debug)]
pub(crate) struct Outcome {
    n_new: usize,
    pub(crate) raw: Vec<(RawChunk, Vec<u8>)>,
    pub(crate) removed_rollups: [Vec<u32>; 3],
    pub(crate) rollups: [Vec<(RollupChunk, Vec<u8>)>; 3],
    pub(crate) next_numbers: [u32; 4],
}

impl Task {
    /// The next thing to do for a series; `closes_last` if its last chunk is to get rollups without being full.
    pub(crate) fn of(
        id: SeriesId,
        series: &Series,
        closes_last: bool,
        settings: &Settings,
    ) -> Option<Self> {
        let (n_chunk_points, n_chunk_rows) = (settings.n_chunk_points(), settings.n_chunk_rows());
        let target_of = |point: &Point| series.target(point.time, n_chunk_points);
        let mut head = series.head.iter().map(|head| head.point);
        let first = head.find(|point| target_of(point) != Target::Nowhere);
        let (target, points) = match first {
            Some(first) => {
                let target = target_of(&first);
                let others = head.take_while(|point| target_of(point) == target);
                let points = std::iter::once(first).chain(others);
                (target, points.take(2 * n_chunk_points).collect())
            }
            None => {
                let last = series.chunks.len().checked_sub(1)?;
                let is_open = series.chunks[last].state == RawState::Open;
                let is_wanted = closes_last && is_open;
                (is_wanted.then_some(Target::Chunk(last))?, Vec::new())
            }
        };
        let n_chunks = series.chunks.len();
        let (old, is_last) = match target {
            Target::Chunk(place) => (Some(series.chunks[place]), place + 1 == n_chunks),
            Target::New(place) => (None, place == n_chunks),
            Target::Nowhere => return None,
        };
        let was_open = old.is_none_or(|old| old.state == RawState::Open);
        let firsts = old.map(|old| old.first).into_iter();
        let lasts = old.map(|old| old.last).into_iter();
        let first = firsts.chain(points.first().map(|p| p.time)).min()?;
        let last = lasts.chain(points.last().map(|p| p.time)).max()?;
        Some(Self {
            series: id,
            old,
            stays_open: is_last && was_open && !points.is_empty(),
            rollups: [0, 1, 2]
                .map(|index| neighbours(&series.rollups[index], first, last, n_chunk_rows)),
            points,
            next_numbers: series.next_numbers,
            n_chunk_points,
            n_chunk_rows,
        })
    }

    /// How many points and rows are to be read or written at most: ten thousand take a few milliseconds.
    #[must_use]
    pub fn work(&self) -> usize {
        let n_old = self.old.map_or(0, |old| old.count) as usize;
        let n_points = n_old + self.points.len();
        let was_closed = self.old.is_some_and(|old| old.state == RawState::Closed);
        // Rows are touched when a chunk is closed or a closed one changes.
        if !was_closed && self.stays_open && n_points < self.n_chunk_points {
            return n_points;
        }
        let rollups = self.rollups.iter().flatten();
        let n_rows: u32 = rollups.map(|rollup| rollup.count).sum();
        n_points + n_rows as usize
    }

    /// Reads, decodes, merges, encodes: up to a few milliseconds.
    pub fn run(self, reader: &mut dyn Reader) -> Sealed {
        let outcome = self.outcome(reader);
        Sealed {
            series: self.series,
            old: self.old,
            points: self.points,
            outcome,
        }
    }

    fn outcome(&self, reader: &mut dyn Reader) -> Result<Outcome, FaultKind> {
        let existing = match self.old {
            Some(old) => read_points(reader, self.chunk(Level::Raw, old.number))?,
            None => Vec::new(),
        };
        let is_new = |point: &&Point| {
            let found = existing.binary_search_by_key(&point.time, |known| known.time);
            found.map_or(true, |place| existing[place] != **point)
        };
        let mut outcome = Outcome {
            n_new: self.points.iter().filter(is_new).count(),
            raw: Vec::new(),
            removed_rollups: [const { Vec::new() }; 3],
            rollups: [const { Vec::new() }; 3],
            next_numbers: self.next_numbers,
        };
        let merged = merge_points(existing, &self.points);
        let mut closed = Vec::new();
        for piece in merged.chunks(piece_len(
            merged.len(),
            self.n_chunk_points,
            self.stays_open,
        )) {
            let is_open = self.stays_open && piece.len() < self.n_chunk_points;
            let body = encode_points(piece);
            let number = take_number(&mut outcome.next_numbers, Level::Raw);
            let chunk = describe(piece, number, body.len(), is_open);
            if !is_open {
                closed.push((chunk, piece));
            }
            outcome.raw.push((chunk, body));
        }
        for level in Level::ROLLUPS {
            self.roll_up(level, &closed, reader, &mut outcome)?;
        }
        Ok(outcome)
    }

    fn roll_up(
        &self,
        level: Level,
        closed: &[(RawChunk, &[Point])],
        reader: &mut dyn Reader,
        outcome: &mut Outcome,
    ) -> Result<(), FaultKind> {
        let new: Vec<Row> = closed
            .iter()
            .filter(|(chunk, _)| chunk.has_level(level))
            .flat_map(|(_, points)| rows_of(points, level.width()))
            .collect();
        let replaced = self
            .old
            .filter(|old| old.state == RawState::Closed && old.has_level(level));
        if new.is_empty() && replaced.is_none() {
            return Ok(());
        }
        let mut rows = Vec::new();
        for rollup in &self.rollups[level.index()] {
            match read_rows(reader, self.chunk(level, rollup.number)) {
                Ok(found) => {
                    rows.extend(found);
                    outcome.removed_rollups[level.index()].push(rollup.number);
                }
                Err(FaultKind::Unreadable) => return Err(FaultKind::Unreadable),
                // It stays where it is, and whoever asks for its time is told.
                Err(FaultKind::Damaged | FaultKind::Missing) => {}
            }
        }
        rows.retain(|row| replaced.is_none_or(|old| !old.contains(row.time)));
        let is_behind = match (rows.last(), new.first()) {
            (Some(last), Some(first)) => last.time < first.time,
            _ => true,
        };
        rows.extend(new);
        rows.sort_by_key(|row| row.time);
        for piece in rows.chunks(piece_len(rows.len(), self.n_chunk_rows, is_behind)) {
            let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
                continue;
            };
            let body = encode_rows(piece);
            let chunk = RollupChunk {
                number: take_number(&mut outcome.next_numbers, level),
                first: first.time,
                last: last.time,
                count: piece.len() as u32,
                n_bytes: body.len() as u32,
            };
            outcome.rollups[level.index()].push((chunk, body));
        }
        Ok(())
    }

    fn chunk(&self, level: Level, number: u32) -> ChunkId {
        ChunkId {
            series: self.series,
            level,
            number,
        }
    }
}

/// The chunks that overlap a span; if there is none, the one before it, if rows can be added to it.
fn neighbours(
    rollups: &[RollupChunk],
    first: i64,
    last: i64,
    n_chunk_rows: usize,
) -> Vec<RollupChunk> {
    let is_within = |chunk: &&RollupChunk| chunk.first <= last && chunk.last >= first;
    let within: Vec<RollupChunk> = rollups.iter().filter(is_within).copied().collect();
    if !within.is_empty() {
        return within;
    }
    let before = rollups.iter().rev().find(|chunk| chunk.last < first);
    let has_room = |chunk: &&RollupChunk| (chunk.count as usize) < n_chunk_rows;
    before.filter(has_room).copied().into_iter().collect()
}

fn describe(points: &[Point], number: u32, n_bytes: usize, is_open: bool) -> RawChunk {
    let times: Vec<i64> = points.iter().map(|point| point.time).collect();
    let step = usual_step(&times);
    let is_worthwhile = |level: &&Level| step > 0 && level.width() >= step.saturating_mul(2);
    let n_levels = Level::ROLLUPS.iter().filter(is_worthwhile).count();
    RawChunk {
        number,
        first: times.first().copied().unwrap_or_default(),
        last: times.last().copied().unwrap_or_default(),
        count: points.len() as u32,
        n_bytes: n_bytes as u32,
        step,
        state: match is_open {
            true => RawState::Open,
            false => RawState::Closed,
        },
        n_levels: n_levels as u8,
    }
}

/// Where more comes behind, full chunks and a rest; in between, even ones that have room for more.
fn piece_len(len: usize, max: usize, more_comes_behind: bool) -> usize {
    match more_comes_behind {
        true => max,
        false => len.div_ceil(len.div_ceil(max).max(1)).max(1),
    }
}

fn take_number(next_numbers: &mut [u32; 4], level: Level) -> u32 {
    let next = &mut next_numbers[level as usize];
    let number = *next;
    *next = next.wrapping_add(1);
    number
}
