//! Some hundred readings in a row, of one series or of several that share their times.

use super::block::Block;

/// Readings in a row. Times are milliseconds since `base`, so that each takes four bytes.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) base: i64,
    pub(crate) offsets: Vec<u32>,
    pub(crate) columns: Vec<Column>,
}

/// The values of one series in a chunk, and their extremes: of each sixteen, of each 128, and of all.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) values: Vec<f32>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) groups: Vec<Block>,
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

    /// As `count_before`, of what is not before `from`, and quick where readings come regularly: the
    /// search begins where the moment would then be.
    pub(crate) fn count_before_from(&self, time: i64, from: usize) -> usize {
        let Some(offset) = self.offset(time) else {
            return if time < self.base { from } else { self.len() };
        };
        let (Some(&first), Some(&last)) = (self.offsets.get(from), self.offsets.last()) else {
            return self.len();
        };
        if offset <= first {
            return from;
        }
        if offset > last {
            return self.len();
        }
        let share = f64::from(offset - first) / f64::from(last - first);
        let guess = from + (share * (self.len() - 1 - from) as f64) as usize;
        let (mut low, mut high, mut step) = (guess, guess, 1);
        while low > from && self.offsets[low] >= offset {
            low = low.saturating_sub(step).max(from);
            step *= 2;
        }
        while self.offsets[high] < offset {
            high = (high + step).min(self.len() - 1);
            step *= 2;
        }
        low + self.offsets[low..high].partition_point(|&other| other < offset)
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
        groups: Vec::new(),
        whole: Block::EMPTY,
    };

    /// The extremes of the readings from one to another, by the largest sums that fit.
    pub(crate) fn fold(&self, from: usize, until: usize) -> Block {
        if from == 0 && until == self.values.len() {
            return self.whole;
        }
        let mut all = Block::EMPTY;
        // Whole blocks lie between these, whole groups between their own.
        let (first, last) = (from.div_ceil(BLOCK_LEN), until / BLOCK_LEN);
        if first >= last {
            all.add_all(&self.values, from..until);
            return all;
        }
        let (first_group, last_group) = (first.div_ceil(GROUP_LEN), last / GROUP_LEN);
        all.add_all(&self.values, from..first * BLOCK_LEN);
        if first_group < last_group {
            all.join_all(&self.blocks, first..first_group * GROUP_LEN);
            all.join_all(&self.groups, first_group..last_group);
            all.join_all(&self.blocks, last_group * GROUP_LEN..last);
        } else {
            all.join_all(&self.blocks, first..last);
        }
        all.add_all(&self.values, last * BLOCK_LEN..until);
        all
    }

    /// Adds the newest reading to what sums it up; `silence` is the time since the one before.
    pub(crate) fn sum_up_newest(&mut self, silence: Option<i64>) {
        let at = self.values.len() - 1;
        if at.is_multiple_of(BLOCK_LEN) {
            self.blocks.push(Block::EMPTY);
        }
        if at.is_multiple_of(BLOCK_LEN * GROUP_LEN) {
            self.groups.push(Block::EMPTY);
        }
        let value = self.values[at];
        if value.is_nan() {
            return;
        }
        let sums = self
            .blocks
            .last_mut()
            .into_iter()
            .chain(self.groups.last_mut());
        for sum in sums.chain([&mut self.whole]) {
            sum.add(value);
            sum.add_silence(silence.unwrap_or_default());
        }
    }

    /// Sums up again everything from a block on, of which only the blocks are as they were before it.
    pub(crate) fn sum_up_from(
        &mut self,
        block: usize,
        silences: impl Iterator<Item = Option<i64>>,
    ) {
        self.blocks.truncate(block);
        let values = self.values[block * BLOCK_LEN..].iter().zip(silences);
        for (at, (&value, silence)) in values.enumerate() {
            if at.is_multiple_of(BLOCK_LEN) {
                self.blocks.push(Block::EMPTY);
            }
            if let Some(sum) = self.blocks.last_mut().filter(|_| !value.is_nan()) {
                sum.add(value);
                sum.add_silence(silence.unwrap_or_default());
            }
        }
        let group = block / GROUP_LEN;
        self.groups.truncate(group);
        let changed = self.blocks[group * GROUP_LEN..].chunks(GROUP_LEN);
        self.groups.extend(changed.map(join));
        self.whole = join(&self.groups);
    }
}

fn join(blocks: &[Block]) -> Block {
    let mut all = Block::EMPTY;
    all.join_all(blocks, 0..blocks.len());
    all
}

/// How many readings a block sums up: fewer cost memory, more cost time.
pub(crate) const BLOCK_LEN: usize = 16;
/// How many blocks a group sums up.
const GROUP_LEN: usize = 8;
/// How many readings a chunk holds at most: a late one moves half as many.
/// Tests see many chunks with few readings.
pub(crate) const CHUNK_LEN: usize = if cfg!(test) { 256 } else { 2_048 };
