//! Some hundred readings in a row, of one series or of several that share their times.

use super::block::Block;

/// Readings in a row. Times are milliseconds since `base`, so that each takes four bytes.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) base: i64,
    pub(crate) offsets: Vec<u32>,
    pub(crate) columns: Vec<Column>,
}

/// The values of one series in a chunk, and their extremes, sixteen by sixteen and all together.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) values: Vec<f32>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) whole: Block,
}

impl Chunk {
    pub(crate) fn new(base: i64, n_columns: usize) -> Self {
        Self {
            base,
            offsets: Vec::new(),
            columns: vec![Column::EMPTY; n_columns],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= CHUNK_LEN
    }

    /// A moment as the chunk counts it, if it can.
    pub(crate) fn offset(&self, time: i64) -> Option<u32> {
        u32::try_from(time.checked_sub(self.base)?).ok()
    }

    pub(crate) fn time(&self, at: usize) -> i64 {
        self.base + i64::from(self.offsets[at])
    }

    /// How many readings come before a moment.
    pub(crate) fn count_before(&self, time: i64) -> usize {
        if time <= self.base {
            return 0;
        }
        match self.offset(time) {
            Some(offset) => self.offsets.partition_point(|&other| other < offset),
            None => self.len(),
        }
    }

    /// As `count_before`, quick where the answer is a little more than `from`.
    pub(crate) fn count_before_from(&self, time: i64, from: usize) -> usize {
        let Some(offset) = self.offset(time) else {
            return if time < self.base { from } else { self.len() };
        };
        let (mut low, mut step) = (from, 1);
        while low + step <= self.len() && self.offsets[low + step - 1] < offset {
            low += step;
            step *= 2;
        }
        let until = (low + step).min(self.len());
        low + self.offsets[low..until].partition_point(|&other| other < offset)
    }

    /// Moves the base to an earlier moment; `false` if the chunk would then reach too far.
    pub(crate) fn rebase(&mut self, base: i64) -> bool {
        let Some(by) = self
            .base
            .checked_sub(base)
            .and_then(|by| u32::try_from(by).ok())
        else {
            return false;
        };
        if self
            .offsets
            .last()
            .is_some_and(|last| last.checked_add(by).is_none())
        {
            return false;
        }
        for offset in &mut self.offsets {
            *offset += by;
        }
        self.base = base;
        true
    }

    /// Puts values in their place; `offset` is the time's, and blocks are as they were.
    pub(crate) fn insert(&mut self, at: usize, offset: u32, values: &[f32]) {
        self.offsets.insert(at, offset);
        for (column, &value) in self.columns.iter_mut().zip(values) {
            column.values.insert(at, value);
        }
    }

    /// Takes the readings from `at` on away into a chunk of their own.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let base = self.time(at);
        let by = self.offsets[at];
        let mut offsets = Vec::with_capacity(CHUNK_LEN);
        offsets.extend(self.offsets.drain(at..).map(|offset| offset - by));
        let columns = self.columns.iter_mut();
        let columns = columns.map(|column| Column {
            values: column.values.split_off(at),
            ..Column::EMPTY
        });
        Self {
            base,
            offsets,
            columns: columns.collect(),
        }
    }
}

impl Column {
    const EMPTY: Self = Self {
        values: Vec::new(),
        blocks: Vec::new(),
        whole: Block::EMPTY,
    };

    /// The extremes of the readings from one to another.
    pub(crate) fn fold(&self, from: usize, until: usize) -> Block {
        if from == 0 && until == self.values.len() {
            return self.whole;
        }
        let mut all = Block::EMPTY;
        let (first, last) = (from.div_ceil(BLOCK_LEN), until / BLOCK_LEN);
        if first >= last {
            for &value in &self.values[from..until] {
                all.add(value);
            }
            return all;
        }
        for &value in &self.values[from..first * BLOCK_LEN] {
            all.add(value);
        }
        for &block in &self.blocks[first..last] {
            all.join(block);
        }
        for &value in &self.values[last * BLOCK_LEN..until] {
            all.add(value);
        }
        all
    }
}

/// How many readings a block sums up: fewer cost memory, more cost time.
pub(crate) const BLOCK_LEN: usize = 16;
/// How many readings a chunk holds at most: a late one moves half as many.
pub(crate) const CHUNK_LEN: usize = 512;
