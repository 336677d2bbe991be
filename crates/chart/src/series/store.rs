//! Readings in the order of their time: a list of chunks.

use std::ops::Range;
use std::sync::Arc;

use super::block::Block;
use super::chunk::{BLOCK_LEN, CHUNK_LEN, Chunk};
use crate::Point;

/// The readings of one series, or of several that share their times.
///
/// Invariants: times strictly rise; no chunk is empty; readings before `head` in the first chunk
/// have been dropped.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    chunks: Vec<Arc<Chunk>>,
    head: usize,
    len: usize,
    n_columns: usize,
}

/// A place in a store, or its end: that of the reading at or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    chunk: usize,
    at: usize,
}

impl Store {
    pub(crate) const fn new(n_columns: usize) -> Self {
        Self {
            chunks: Vec::new(),
            head: 0,
            len: 0,
            n_columns,
        }
    }

    /// How many moments there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(crate) fn start(&self) -> Position {
        Position {
            chunk: 0,
            at: self.head,
        }
    }

    pub(crate) fn end(&self) -> Position {
        Position {
            chunk: self.chunks.len(),
            at: if self.chunks.is_empty() { self.head } else { 0 },
        }
    }

    pub(crate) fn time(&self, position: Position) -> Option<i64> {
        let chunk = self.chunks.get(position.chunk)?;
        (position.at < chunk.len()).then(|| chunk.time(position.at))
    }

    pub(crate) fn value(&self, position: Position, column: usize) -> Option<f32> {
        let chunk = self.chunks.get(position.chunk)?;
        chunk.columns[column].values.get(position.at).copied()
    }

    pub(crate) fn next(&self, position: Position) -> Position {
        self.at_or_next(position.chunk, position.at + 1)
    }

    /// The position so many readings on.
    pub(crate) fn skip(&self, position: Position, n: usize) -> Position {
        let Position { mut chunk, mut at } = position;
        at += n;
        while let Some(found) = self.chunks.get(chunk)
            && at >= found.len()
        {
            at -= found.len();
            chunk += 1;
        }
        match self.chunks.get(chunk) {
            Some(_) => Position { chunk, at },
            None => self.end(),
        }
    }

    pub(crate) fn previous(&self, position: Position) -> Option<Position> {
        if position <= self.start() {
            return None;
        }
        if position.at > 0 {
            let at = position.at - 1;
            return Some(Position { at, ..position });
        }
        let chunk = position.chunk - 1;
        let at = self.chunks[chunk].len() - 1;
        Some(Position { chunk, at })
    }

    /// The first reading at or after a moment.
    pub(crate) fn position(&self, time: i64) -> Position {
        let after = self.chunks.partition_point(|chunk| chunk.base <= time);
        let Some(chunk) = after.checked_sub(1) else {
            return self.start();
        };
        let at = self.chunks[chunk].count_before(time);
        self.at_or_next(chunk, at).max(self.start())
    }

    /// As `position`, quick where the answer is a little after `from`.
    pub(crate) fn position_from(&self, time: i64, from: Position) -> Position {
        let mut chunk = from.chunk;
        let mut at = from.at;
        while let Some(next) = self.chunks.get(chunk + 1)
            && next.base < time
        {
            chunk += 1;
            at = 0;
            if self
                .chunks
                .get(chunk + 4)
                .is_some_and(|far| far.base < time)
            {
                return self.position(time);
            }
        }
        let Some(found) = self.chunks.get(chunk) else {
            return from;
        };
        self.at_or_next(chunk, found.count_before_from(time, at))
    }

    /// How many readings come before a position.
    pub(crate) fn rank(&self, position: Position) -> usize {
        let before = self.chunks[..position.chunk].iter();
        let n_before: usize = before.map(|chunk| chunk.len()).sum();
        n_before + position.at - self.head
    }

    /// The reading before which there are so many others.
    pub(crate) fn at_rank(&self, rank: usize) -> Position {
        let mut at = rank + self.head;
        for (number, chunk) in self.chunks.iter().enumerate() {
            if at < chunk.len() {
                return Position { chunk: number, at };
            }
            at -= chunk.len();
        }
        self.end()
    }

    /// What a series has from one position to another: its first reading, its extremes, its last.
    pub(crate) fn cut(
        &self,
        column: usize,
        from: Position,
        until: Position,
    ) -> Option<(Point, Block, Point)> {
        let mut first = None;
        let mut last = None;
        let mut all = Block::EMPTY;
        let mut at = from.at;
        for number in from.chunk..=until.chunk {
            let Some(chunk) = self.chunks.get(number) else {
                break;
            };
            let end = if number == until.chunk {
                until.at
            } else {
                chunk.len()
            };
            let values = &chunk.columns[column];
            if at < end {
                let point = |at: usize| Point {
                    time: chunk.time(at),
                    value: values.values[at],
                };
                let is_there = |at: &usize| !values.values[*at].is_nan();
                if first.is_none() {
                    first = (at..end).find(is_there).map(point);
                }
                last = (at..end).rev().find(is_there).map(point).or(last);
                all.join(values.fold(at, end));
            }
            at = 0;
        }
        Some((first?, all, last?))
    }

    /// The first reading of a series that is not missing, from one position to another.
    pub(crate) fn first(&self, column: usize, from: Position, until: Position) -> Option<Position> {
        let mut position = from;
        while position < until {
            let chunk = self.chunks.get(position.chunk)?;
            let column = &chunk.columns[column];
            if column
                .values
                .get(position.at)
                .is_some_and(|value| !value.is_nan())
            {
                return Some(position);
            }
            position = if position.at == 0 && column.whole.is_empty() {
                self.at_or_next(position.chunk, chunk.len())
            } else {
                self.next(position)
            };
        }
        None
    }

    /// The last reading of a series that is not missing, from one position to another.
    pub(crate) fn last(&self, column: usize, from: Position, until: Position) -> Option<Position> {
        let mut position = until;
        while let Some(before) = self.previous(position)
            && before >= from
        {
            let chunk = &self.chunks[before.chunk];
            let column = &chunk.columns[column];
            if !column.values[before.at].is_nan() {
                return Some(before);
            }
            position = if column.whole.is_empty() {
                Position { at: 0, ..before }
            } else {
                before
            };
        }
        None
    }

    /// The last reading of a series whose value lies between two others, in a range of positions.
    pub(crate) fn last_within(
        &self,
        column: usize,
        range: Range<Position>,
        low: f32,
        high: f32,
    ) -> Option<Position> {
        let mut position = range.end;
        while let Some(before) = self.previous(position)
            && before >= range.start
        {
            let chunk = &self.chunks[before.chunk];
            let values = &chunk.columns[column];
            let at = before.at;
            let may_be = |block: &Block| block.low <= high && block.high >= low;
            let skip_to = if at + 1 == chunk.len() && !may_be(&values.whole) {
                0
            } else if (at + 1).is_multiple_of(BLOCK_LEN) && !may_be(&values.blocks[at / BLOCK_LEN])
            {
                at + 1 - BLOCK_LEN
            } else {
                if values.values[at] >= low && values.values[at] <= high {
                    return Some(before);
                }
                at
            };
            position = Position {
                at: skip_to,
                ..before
            };
        }
        None
    }

    /// Calls back with every stretch of a series, between two readings that follow each other, that
    /// may be longer than `limit` and ends from one position to another.
    pub(crate) fn silences(
        &self,
        column: usize,
        from: Position,
        until: Position,
        limit: i64,
        found: &mut dyn FnMut(Position),
    ) {
        let mut position = from;
        while position < until {
            let Some(chunk) = self.chunks.get(position.chunk) else {
                return;
            };
            let values = &chunk.columns[column];
            let is_quiet = |block: &Block| block.silence < limit as f32;
            let at = position.at;
            let skip = if at == 0 && is_quiet(&values.whole) {
                chunk.len()
            } else if at.is_multiple_of(BLOCK_LEN) && is_quiet(&values.blocks[at / BLOCK_LEN]) {
                at + BLOCK_LEN
            } else {
                if !values.values[at].is_nan() {
                    found(position);
                }
                at + 1
            };
            position = self.at_or_next(position.chunk, skip);
        }
    }

    /// Takes one value for each series. Where there is one of that time it is replaced, unless the
    /// new one is missing.
    pub(crate) fn insert(&mut self, time: i64, values: &[f32]) {
        let after = self.chunks.partition_point(|chunk| chunk.base <= time);
        let Some(number) = after.checked_sub(1) else {
            self.insert_first(time, values);
            return;
        };
        let chunk = &self.chunks[number];
        let at = chunk.count_before(time);
        let Some(offset) = chunk.offset(time) else {
            // Too far from the chunk's base, and before the next one's.
            self.insert_chunk(number + 1, time, values);
            return;
        };
        if chunk.offsets.get(at) == Some(&offset) {
            self.replace(number, at, values);
        } else if !chunk.is_full() {
            let is_newest = after == self.chunks.len() && at == chunk.len();
            let chunk = Arc::make_mut(&mut self.chunks[number]);
            chunk.insert(at, offset, values);
            self.len += 1;
            if is_newest {
                self.extend(number, at, time);
            } else {
                self.renew(number, at);
            }
        } else if at == chunk.len() {
            self.insert_chunk(number + 1, time, values);
        } else {
            self.split(number);
            self.insert(time, values);
        }
    }

    /// Drops the oldest reading.
    pub(crate) fn drop_first(&mut self) {
        self.head += 1;
        self.len -= 1;
        if self
            .chunks
            .first()
            .is_some_and(|chunk| chunk.len() == self.head)
        {
            self.chunks.remove(0);
            self.head = 0;
        }
    }

    /// The bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let mut bytes = self.chunks.capacity() * size_of::<Arc<Chunk>>();
        for chunk in &self.chunks {
            // With the two counts of an `Arc`.
            bytes += size_of::<Chunk>() + 2 * size_of::<usize>() + chunk.offsets.capacity() * 4;
            for column in &chunk.columns {
                bytes += size_of_val(column)
                    + column.values.capacity() * 4
                    + column.blocks.capacity() * size_of::<Block>();
            }
        }
        bytes
    }

    /// A reading before all others.
    fn insert_first(&mut self, time: i64, values: &[f32]) {
        match self.chunks.first_mut() {
            Some(chunk) if !chunk.is_full() => {
                let chunk = Arc::make_mut(chunk);
                if chunk.rebase(time) {
                    chunk.insert(0, 0, values);
                    self.len += 1;
                    self.renew(0, 0);
                } else {
                    self.insert_chunk(0, time, values);
                }
            }
            Some(_) | None => self.insert_chunk(0, time, values),
        }
    }

    fn insert_chunk(&mut self, number: usize, time: i64, values: &[f32]) {
        let mut chunk = Chunk::new(time, self.n_columns);
        chunk.insert(0, 0, values);
        self.chunks.insert(number, Arc::new(chunk));
        self.len += 1;
        self.renew(number, 0);
    }

    fn replace(&mut self, number: usize, at: usize, values: &[f32]) {
        let chunk = Arc::make_mut(&mut self.chunks[number]);
        for (column, &value) in chunk.columns.iter_mut().zip(values) {
            if !value.is_nan() {
                column.values[at] = value;
            }
        }
        self.renew(number, at);
    }

    fn split(&mut self, number: usize) {
        if number == 0 && self.head > 0 {
            // What was dropped makes room enough.
            let chunk = Arc::make_mut(&mut self.chunks[0]);
            let kept = chunk.split_off(self.head);
            *chunk = kept;
            self.head = 0;
            self.renew(0, 0);
            return;
        }
        let chunk = Arc::make_mut(&mut self.chunks[number]);
        let upper = chunk.split_off(CHUNK_LEN / 2);
        self.chunks.insert(number + 1, Arc::new(upper));
        self.renew_chunk(number, CHUNK_LEN / 2);
        self.renew_chunk(number + 1, 0);
    }

    /// Adds the newest reading to what sums it up.
    fn extend(&mut self, number: usize, at: usize, time: i64) {
        for column in 0..self.n_columns {
            let before = self.time_before(column, number, at);
            let chunk = Arc::make_mut(&mut self.chunks[number]);
            let silence = before.map(|before| time - before);
            chunk.columns[column].sum_up_newest(silence);
        }
    }

    /// Sums up again what has changed at a place: its block and all after it in its chunk, and the
    /// silence before the next reading.
    fn renew(&mut self, number: usize, at: usize) {
        self.renew_chunk(number, at);
        let changed = self.at_or_next(number, self.chunks[number].len());
        for column in 0..self.n_columns {
            if let Some(next) = self.first(column, changed, self.end()) {
                self.renew_column(next.chunk, next.at, column);
            }
        }
    }

    fn renew_chunk(&mut self, number: usize, at: usize) {
        for column in 0..self.n_columns {
            self.renew_column(number, at, column);
        }
    }

    fn renew_column(&mut self, number: usize, at: usize, column: usize) {
        let block = at / BLOCK_LEN;
        let from = block * BLOCK_LEN;
        let mut before = self.time_before(column, number, from);
        let Chunk {
            base,
            offsets,
            columns,
        } = Arc::make_mut(&mut self.chunks[number]);
        let is_there: Vec<bool> = columns[column].values[from..]
            .iter()
            .map(|value| !value.is_nan())
            .collect();
        let silences = offsets[from..]
            .iter()
            .zip(is_there)
            .map(|(&offset, is_there)| {
                let time = *base + i64::from(offset);
                let silence = before.map(|before| time - before);
                before = if is_there { Some(time) } else { before };
                silence
            });
        columns[column].sum_up_from(block, silences);
    }

    /// When the last reading before a place came.
    fn time_before(&self, column: usize, chunk: usize, at: usize) -> Option<i64> {
        let start = Position { chunk: 0, at: 0 };
        let before = self.last(column, start, Position { chunk, at })?;
        self.time(before)
    }

    fn at_or_next(&self, chunk: usize, at: usize) -> Position {
        match self.chunks.get(chunk) {
            Some(found) if at >= found.len() => Position {
                chunk: chunk + 1,
                at: 0,
            },
            _ => Position { chunk, at },
        }
    }
}
