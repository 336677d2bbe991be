//! All series, and what the store has to do for them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
};

use crate::{
    Point, Settings,
    key::{ChunkId, Key, Level, SeriesId},
    reader::FaultKind,
    record::{HEAD_POINT_LEN, encode_raw, encode_rollup, encode_series, encode_value},
    series::{HeadPoint, HeadState, RawChunk, RawState, RollupChunk, Series},
    settings::DAY,
    task::{Outcome, Sealed, Task},
};

/// The readings of all series: what came last, and where in the store the rest is.
///
/// Whoever drives it drains [`Self::poll_output`] into the store after every change, and says in
/// [`Self::handle_stored`] what is durable. Between, it runs the [`Task`]s that [`Self::next_task`] gives, outside of
/// any lock. All operations of one [`Self::finish`] go into one commit.
#[derive(Debug)]
pub struct History {
    pub(crate) settings: Settings,
    pub(crate) series: Vec<Series>,
    id_by_name: BTreeMap<Box<str>, SeriesId>,
    operations: VecDeque<Output>,
    /// Points whose record is to be written, unless they are sealed before that.
    unwritten: VecDeque<(SeriesId, i64)>,
    /// How many operations were given out.
    sequence: u64,
    /// Chunks that are valid as soon as so many operations are durable.
    finished: VecDeque<(u64, Finished)>,
    /// When which series is to be sealed.
    due: BTreeSet<(i64, SeriesId)>,
    pub(crate) next_retention: Option<i64>,
    pub(crate) is_clock_doubtful: bool,
    pub(crate) counters: Counters,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The store is to keep a value under this key.
    Put {
        /// The key.
        key: Key,
        /// The value.
        value: Vec<u8>,
    },
    /// The store is to forget this key.
    Remove {
        /// The key.
        key: Key,
    },
    /// Nothing for now: [`History::handle_timeout`] and [`History::next_task`] are worth calling then.
    Timeout(Option<i64>),
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is kept as soon as the store has it.
    Kept,
    /// It is known, and is kept once.
    Known,
    /// Its time is more than a day ahead: it is set aside.
    Ahead,
    /// Only rollups are left of its time, or nothing.
    TooOld,
    /// Its value or its time is none.
    Invalid,
}

/// What there is, and what was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// The bytes of keys and values in the store.
    pub n_bytes: u64,
    /// Points that wait for being sealed.
    pub n_head_points: u64,
    /// Readings that were kept.
    pub kept: u64,
    /// Readings that were known.
    pub known: u64,
    /// Readings that were more than a day ahead.
    pub ahead: u64,
    /// Readings of a time of which no points are left.
    pub too_old: u64,
    /// Readings without a number or a time.
    pub invalid: u64,
    /// Chunks that went because they were too old or too many.
    pub dropped_chunks: u64,
    /// Chunks that cannot be read.
    pub damaged_chunks: u64,
}

/// What is valid when it is durable.
#[derive(Debug)]
struct Finished {
    series: SeriesId,
    old: Option<u32>,
    raw: Vec<RawChunk>,
    removed_rollups: [Vec<u32>; 3],
    rollups: [Vec<RollupChunk>; 3],
}

impl History {
    /// Knows nothing yet. What a store has comes by way of a [`Restoration`](crate::Restoration).
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            series: Vec::new(),
            id_by_name: BTreeMap::new(),
            operations: VecDeque::new(),
            unwritten: VecDeque::new(),
            sequence: 0,
            finished: VecDeque::new(),
            due: BTreeSet::new(),
            next_retention: None,
            is_clock_doubtful: false,
            counters: Counters::default(),
        }
    }

    /// The series of this name, if there is one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SeriesId> {
        self.id_by_name.get(name).copied()
    }

    /// What a series is called.
    #[must_use]
    pub fn name(&self, series: SeriesId) -> Option<&str> {
        self.series.get(series.index()).map(|series| &*series.name)
    }

    /// When the first and the last reading of a series are, of which something is left.
    #[must_use]
    pub fn span(&self, series: SeriesId) -> Option<(i64, i64)> {
        self.series.get(series.index())?.span()
    }

    /// What usually lies between two of the newest readings of a series, in milliseconds, if there are enough to tell.
    #[must_use]
    pub fn usual_step(&self, series: SeriesId) -> Option<i64> {
        self.series.get(series.index())?.usual_step()
    }

    /// All series, in the order of their names.
    pub fn series(&self) -> impl Iterator<Item = (&str, SeriesId)> {
        self.id_by_name.iter().map(|(name, id)| (&**name, *id))
    }

    /// Those whose names come after this one, in the order of their names.
    pub fn series_after(&self, name: &str) -> impl Iterator<Item = (&str, SeriesId)> {
        let behind = (Bound::Excluded(name), Bound::Unbounded);
        let found = self.id_by_name.range::<str, _>(behind);
        found.map(|(name, id)| (&**name, *id))
    }

    /// How many series there are.
    #[must_use]
    pub fn n_series(&self) -> usize {
        self.series.len()
    }

    /// The series of this name, which is begun if it is new; `None` if there are too many.
    pub fn open(&mut self, name: &str) -> Option<SeriesId> {
        if let Some(id) = self.find(name) {
            return Some(id);
        }
        if self.series.len() >= self.settings.n_series_max {
            return None;
        }
        let id = SeriesId(u32::try_from(self.series.len()).ok()?);
        self.insert_series(id, name);
        self.counters.n_bytes += self.series[id.index()].n_bytes();
        self.put_series(id);
        Some(id)
    }

    pub(crate) fn insert_series(&mut self, id: SeriesId, name: &str) {
        self.series.push(Series::new(name));
        self.id_by_name.insert(name.into(), id);
    }

    pub(crate) fn put_series(&mut self, id: SeriesId) {
        let series = &self.series[id.index()];
        let value = encode_series(series.kept_from, &series.name);
        let key = Key::Series(id);
        self.operations.push_back(Output::Put { key, value });
    }

    /// Takes a reading of the series of this name, which is begun if it is new and the reading one that can be kept;
    /// `None` if there are too many.
    pub fn record_by_name(&mut self, name: &str, point: Point, now: i64) -> Option<Recorded> {
        let id = match self.find(name) {
            Some(id) => id,
            None => match self.reason_to_refuse(point, now) {
                Some(refused) => return Some(self.count(refused)),
                None => self.open(name)?,
            },
        };
        Some(self.record(id, point, now))
    }

    /// Takes a reading. Of two of the same time the later one stays.
    pub fn record(&mut self, id: SeriesId, point: Point, now: i64) -> Recorded {
        let recorded = self.take(id, point, now);
        self.count(recorded)
    }

    fn count(&mut self, recorded: Recorded) -> Recorded {
        let counters = &mut self.counters;
        *match recorded {
            Recorded::Kept => &mut counters.kept,
            Recorded::Known => &mut counters.known,
            Recorded::Ahead => &mut counters.ahead,
            Recorded::TooOld => &mut counters.too_old,
            Recorded::Invalid => &mut counters.invalid,
        } += 1;
        recorded
    }

    /// What is wrong with a reading, whatever series it is of.
    fn reason_to_refuse(&self, Point { time, value }: Point, now: i64) -> Option<Recorded> {
        if !value.is_finite() || !(TIME_MIN..=TIME_MAX).contains(&time) {
            return Some(Recorded::Invalid);
        }
        let is_set = now >= self.settings.clock_set_since;
        (is_set && time > now.saturating_add(DAY)).then_some(Recorded::Ahead)
    }

    fn take(&mut self, id: SeriesId, point: Point, now: i64) -> Recorded {
        if let Some(refused) = self.reason_to_refuse(point, now) {
            return refused;
        }
        let Some(series) = self.series.get_mut(id.index()) else {
            return Recorded::Invalid;
        };
        // No zero with a sign.
        let value = point.value + 0.0;
        let point = Point { value, ..point };
        if series.is_lost(point.time) {
            return Recorded::TooOld;
        }
        let head = &mut series.head;
        let place = head.partition_point(|head| head.point.time < point.time);
        let new = HeadPoint {
            point,
            state: HeadState::New,
            is_stored: false,
        };
        match head.get_mut(place).filter(|h| h.point.time == point.time) {
            Some(known) if known.point == point => return Recorded::Known,
            Some(other) => {
                // The record of a sealed one is being removed.
                let is_stored = other.is_stored && other.state != HeadState::Sealed;
                *other = HeadPoint { is_stored, ..new };
            }
            None => {
                head.insert(place, new);
                self.counters.n_bytes += HEAD_POINT_LEN;
                self.counters.n_head_points += 1;
            }
        }
        self.unwritten.push_back((id, point.time));
        let due = if series.head.len() >= self.settings.n_head_points {
            now
        } else if series.is_late(point.time) {
            now.saturating_add(self.settings.seal_late_after)
        } else {
            now.saturating_add(self.settings.seal_after)
        };
        self.bring_forward(id, due);
        Recorded::Kept
    }

    /// What the store has to do, in this order, and then when there is more to do.
    pub fn poll_output(&mut self) -> Output {
        if let Some(operation) = self.operations.pop_front() {
            self.sequence += 1;
            return operation;
        }
        while let Some((id, time)) = self.unwritten.pop_front() {
            let head = &mut self.series[id.index()].head;
            let Ok(place) = head.binary_search_by_key(&time, |head| head.point.time) else {
                continue;
            };
            let head = &mut head[place];
            if head.state == HeadState::New {
                head.state = HeadState::Stored;
                head.is_stored = true;
                self.sequence += 1;
                let key = Key::Head(id, time);
                let value = encode_value(head.point.value);
                return Output::Put { key, value };
            }
        }
        let due = self.due.first().map(|(due, _)| *due);
        Output::Timeout(due.into_iter().chain(self.next_retention).min())
    }

    /// How many operations [`Self::poll_output`] has given so far.
    #[must_use]
    pub const fn store_sequence(&self) -> u64 {
        self.sequence
    }

    /// How many it will have given when all that is finished and dropped by now was taken.
    #[must_use]
    pub fn store_sequence_wanted(&self) -> u64 {
        self.sequence + self.operations.len() as u64
    }

    /// So many operations are durable.
    pub fn handle_stored(&mut self, sequence: u64, now: i64) {
        while let Some((after, _)) = self.finished.front()
            && *after <= sequence
            && let Some((_, finished)) = self.finished.pop_front()
        {
            let id = finished.series;
            self.apply(finished);
            self.reschedule(id, now);
        }
    }

    /// One chunk that is to be written anew, if there is one.
    pub fn next_task(&mut self, now: i64) -> Option<Task> {
        while let Some((due, id)) = self.next_due(now) {
            self.due.remove(&(due, id));
            let series = &mut self.series[id.index()];
            series.due = None;
            let kept = self.settings.raw_kept;
            let is_old = kept.is_some_and(|kept| {
                let last = series.chunks.last();
                last.is_some_and(|last| last.last < now.saturating_sub(kept))
            });
            let closes_last = std::mem::take(&mut series.closes_last) || is_old;
            if let Some(task) = Task::of(id, series, closes_last, &self.settings) {
                series.is_sealing = true;
                return Some(task);
            }
        }
        None
    }

    /// What is due; so is what is due later than anything can be, as the clock went back since.
    fn next_due(&self, now: i64) -> Option<(i64, SeriesId)> {
        let Settings {
            seal_after,
            seal_late_after,
            ..
        } = self.settings;
        let latest = now.saturating_add(seal_after.max(seal_late_after).max(RETRY_AFTER));
        let first = self.due.first().filter(|(due, _)| *due <= now);
        let last = || self.due.last().filter(|(due, _)| *due > latest);
        first.or_else(last).copied()
    }

    /// Takes back what a task came to. Its chunks count as soon as what comes out is durable.
    pub fn finish(&mut self, sealed: Sealed, now: i64) {
        let id = sealed.series;
        match sealed.outcome {
            Ok(outcome) => self.store(id, sealed.old, &sealed.points, outcome),
            Err(FaultKind::Unreadable) => {
                self.series[id.index()].is_sealing = false;
                self.bring_forward(id, now.saturating_add(RETRY_AFTER));
            }
            Err(FaultKind::Damaged | FaultKind::Missing) => {
                let series = &mut self.series[id.index()];
                series.is_sealing = false;
                let number = sealed.old.map(|old| old.number);
                let mut chunks = series.chunks.iter_mut();
                if let Some(chunk) = chunks.find(|chunk| Some(chunk.number) == number) {
                    if chunk.state == RawState::Open {
                        // What is open has no rollups yet, and gets none any more.
                        chunk.n_levels = 0;
                    }
                    chunk.state = RawState::Damaged;
                    let chunk = *chunk;
                    self.counters.damaged_chunks += 1;
                    self.put_raw_index(id, &chunk);
                }
                self.reschedule(id, now);
            }
        }
    }

    fn store(&mut self, id: SeriesId, old: Option<RawChunk>, points: &[Point], outcome: Outcome) {
        let series = &mut self.series[id.index()];
        series.next_numbers = outcome.next_numbers;
        for point in points {
            let found = series
                .head
                .binary_search_by_key(&point.time, |head| head.point.time);
            // It may have got another value meanwhile, which is still to be sealed.
            if let Ok(place) = found
                && series.head[place].point == *point
            {
                let head = &mut series.head[place];
                head.state = HeadState::Sealed;
                if head.is_stored {
                    let key = Key::Head(id, point.time);
                    self.operations.push_back(Output::Remove { key });
                }
            }
        }
        if let Some(old) = old {
            self.remove_chunk(id, Level::Raw, old.number);
        }
        let mut raw = Vec::new();
        for (chunk, body) in outcome.raw {
            self.put_raw_index(id, &chunk);
            self.put_body(id, Level::Raw, chunk.number, body);
            raw.push(chunk);
        }
        let mut rollups = [const { Vec::new() }; 3];
        for (level, added) in Level::ROLLUPS.into_iter().zip(outcome.rollups) {
            for number in &outcome.removed_rollups[level.index()] {
                self.remove_chunk(id, level, *number);
            }
            for (chunk, body) in added {
                let key = Key::Index(chunk_id(id, level, chunk.number));
                let value = encode_rollup(&chunk);
                self.operations.push_back(Output::Put { key, value });
                self.put_body(id, level, chunk.number, body);
                rollups[level.index()].push(chunk);
            }
        }
        let finished = Finished {
            series: id,
            old: old.map(|old| old.number),
            raw,
            removed_rollups: outcome.removed_rollups,
            rollups,
        };
        let after = self.sequence + self.operations.len() as u64;
        self.finished.push_back((after, finished));
    }

    fn apply(&mut self, finished: Finished) {
        let series = &mut self.series[finished.series.index()];
        let n_bytes_before = series.n_bytes();
        let n_head_before = series.head.len();
        let chunks = &mut series.chunks;
        chunks.retain(|chunk| Some(chunk.number) != finished.old);
        chunks.extend(finished.raw);
        chunks.sort_by_key(|chunk| chunk.first);
        for (index, added) in finished.rollups.into_iter().enumerate() {
            let removed = &finished.removed_rollups[index];
            let rollups = &mut series.rollups[index];
            rollups.retain(|chunk| !removed.contains(&chunk.number));
            rollups.extend(added);
            rollups.sort_by_key(|chunk| chunk.first);
        }
        series.head.retain(|head| head.state != HeadState::Sealed);
        series.is_sealing = false;
        let counters = &mut self.counters;
        counters.n_head_points -= (n_head_before - series.head.len()) as u64;
        counters.n_bytes = counters.n_bytes + series.n_bytes() - n_bytes_before;
    }

    /// Decides anew when a series is to be sealed.
    pub(crate) fn reschedule(&mut self, id: SeriesId, now: i64) {
        let series = &self.series[id.index()];
        let Some(first) = series.head.first() else {
            return;
        };
        let is_pressing =
            series.head.len() >= self.settings.n_head_points || series.is_late(first.point.time);
        let delay = match is_pressing {
            true => 0,
            false => self.settings.seal_after,
        };
        self.bring_forward(id, now.saturating_add(delay));
    }

    pub(crate) fn bring_forward(&mut self, id: SeriesId, due: i64) {
        let series = &mut self.series[id.index()];
        if series.is_sealing || series.due.is_some_and(|earlier| earlier <= due) {
            return;
        }
        if let Some(later) = series.due.replace(due) {
            self.due.remove(&(later, id));
        }
        self.due.insert((due, id));
    }

    pub(crate) fn put_raw_index(&mut self, id: SeriesId, chunk: &RawChunk) {
        let key = Key::Index(chunk_id(id, Level::Raw, chunk.number));
        let value = encode_raw(chunk);
        self.operations.push_back(Output::Put { key, value });
    }

    fn put_body(&mut self, id: SeriesId, level: Level, number: u32, value: Vec<u8>) {
        let key = Key::Body(chunk_id(id, level, number));
        self.operations.push_back(Output::Put { key, value });
    }

    pub(crate) fn remove_chunk(&mut self, id: SeriesId, level: Level, number: u32) {
        let key = Key::Index(chunk_id(id, level, number));
        self.operations.push_back(Output::Remove { key });
        self.remove_body(id, level, number);
    }

    pub(crate) fn remove_body(&mut self, id: SeriesId, level: Level, number: u32) {
        let key = Key::Body(chunk_id(id, level, number));
        self.operations.push_back(Output::Remove { key });
    }

    /// What there is, and what was refused.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }
}

pub(crate) const fn chunk_id(series: SeriesId, level: Level, number: u32) -> ChunkId {
    ChunkId {
        series,
        level,
        number,
    }
}

/// The years 0000 to 9999.
pub(crate) const TIME_MIN: i64 = -62_167_219_200_000;
pub(crate) const TIME_MAX: i64 = 253_402_300_799_999;
/// After the store could not be read.
const RETRY_AFTER: i64 = 60_000;
