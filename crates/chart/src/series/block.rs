//! What is known of a stretch of readings without looking at each of them.

use std::ops::Range;

/// The extremes of some readings of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) low: f32,
    pub(crate) high: f32,
    /// The longest time in milliseconds from a reading before, wherever that is, to one of these.
    pub(crate) silence: f32,
}

impl Block {
    /// Of no reading at all.
    pub(crate) const EMPTY: Self = Self {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        silence: 0.0,
    };

    /// Takes a value; one that is not a number stands for a reading that is missing.
    pub(crate) fn add(&mut self, value: f32) {
        // Comparisons, as the methods `min` and `max` are several instructions in Wasm.
        if value < self.low {
            self.low = value;
        }
        if value > self.high {
            self.high = value;
        }
    }

    /// Takes a range of values.
    pub(crate) fn add_all(&mut self, values: &[f32], range: Range<usize>) {
        for &value in values.get(range).unwrap_or_default() {
            self.add(value);
        }
    }

    /// Takes a range of other blocks.
    pub(crate) fn join_all(&mut self, blocks: &[Self], range: Range<usize>) {
        for &block in blocks.get(range).unwrap_or_default() {
            self.join(block);
        }
    }

    pub(crate) fn add_silence(&mut self, silence: i64) {
        let silence = silence as f32;
        if silence > self.silence {
            self.silence = silence;
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        if other.low < self.low {
            self.low = other.low;
        }
        if other.high > self.high {
            self.high = other.high;
        }
        if other.silence > self.silence {
            self.silence = other.silence;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.low > self.high
    }

    pub(crate) fn extent(&self) -> Option<(f32, f32)> {
        (!self.is_empty()).then_some((self.low, self.high))
    }
}
