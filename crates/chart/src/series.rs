use std::ops::Range;
use std::sync::Arc;

use crate::Span;

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When, in milliseconds since the Unix epoch.
    pub time: i64,
    /// What, in the series' own unit; always finite.
    pub value: f32,
}

/// Readings in the order of their time, at most as many as its capacity.
///
/// A clone shares the readings with the original and costs nothing; they are copied only when one
/// of the two appends while the other still lives.
///
/// Invariants: times strictly rise; values are finite; no more than `capacity` points.
#[derive(Clone, Debug)]
pub struct Series {
    columns: Arc<Columns>,
    capacity: usize,
    revision: u64,
}

#[derive(Clone, Debug, Default)]
struct Columns {
    /// Points before it have been dropped; their room is freed once they are as many as the rest.
    head: usize,
    times: Vec<i64>,
    values: Vec<f32>,
}

impl Series {
    /// An empty series that keeps the newest `capacity` points (at least one).
    pub fn new(capacity: usize) -> Self {
        Self {
            columns: Arc::default(),
            capacity: capacity.max(1),
            revision: 0,
        }
    }

    /// Adds a reading; returns whether it was kept.
    ///
    /// A reading older than the newest is put in its place; one at the time of another replaces
    /// it. A value that is not finite is not kept, nor is one older than everything in a full
    /// series. In a full series the oldest point makes room.
    pub fn append(&mut self, time: i64, value: f32) -> bool {
        if !value.is_finite() {
            return false;
        }
        let is_full = self.len() >= self.capacity;
        if is_full && self.first().is_some_and(|first| time < first.time) {
            return false;
        }
        let columns = Arc::make_mut(&mut self.columns);
        match columns.times[columns.head..].binary_search(&time) {
            Ok(index) => {
                let index = columns.head + index;
                columns.values[index] = value;
            }
            Err(index) => {
                let index = columns.head + index;
                columns.times.insert(index, time);
                columns.values.insert(index, value);
                if is_full {
                    columns.drop_first();
                }
            }
        }
        self.revision += 1;
        true
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.times().len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.times().is_empty()
    }

    /// A number that changes with every reading kept, to tell whether to draw again.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All times, rising.
    pub fn times(&self) -> &[i64] {
        &self.columns.times[self.columns.head..]
    }

    /// All values, in the order of `times`.
    pub fn values(&self) -> &[f32] {
        &self.columns.values[self.columns.head..]
    }

    /// The point at an index.
    pub fn point(&self, index: usize) -> Option<Point> {
        let time = *self.times().get(index)?;
        let value = *self.values().get(index)?;
        Some(Point { time, value })
    }

    /// The oldest point.
    pub fn first(&self) -> Option<Point> {
        self.point(0)
    }

    /// The newest point.
    pub fn last(&self) -> Option<Point> {
        self.point(self.len().wrapping_sub(1))
    }

    /// The indices of the points in a window.
    pub fn range(&self, window: Span) -> Range<usize> {
        let times = self.times();
        let start = times.partition_point(|&time| time < window.start);
        let end = times.partition_point(|&time| time <= window.end);
        start..end
    }

    /// The newest point at or before a moment.
    pub fn at_or_before(&self, time: i64) -> Option<Point> {
        let after = self.times().partition_point(|&other| other <= time);
        self.point(after.checked_sub(1)?)
    }

    /// The index of the point in a window that is nearest to a moment.
    pub fn nearest(&self, window: Span, time: i64) -> Option<usize> {
        let range = self.range(window);
        let times = &self.times()[range.clone()];
        let after = times.partition_point(|&other| other < time);
        let index = match (after.checked_sub(1), times.get(after)) {
            (None, None) => return None,
            (None, Some(_)) => after,
            (Some(before), None) => before,
            (Some(before), Some(next)) if time - times[before] <= next - time => before,
            (Some(_), Some(_)) => after,
        };
        Some(range.start + index)
    }

    /// The lowest and the highest value in a window.
    pub fn extent(&self, window: Span) -> Option<(f32, f32)> {
        extent(&self.values()[self.range(window)])
    }

    /// What usually lies between two readings, in milliseconds: the median over a sample that is
    /// spread over the whole series, so that it does not depend on what is in view.
    ///
    /// `None` while there are too few readings to tell.
    pub fn usual_interval(&self) -> Option<i64> {
        let times = self.times();
        let n_intervals = times.len().saturating_sub(1);
        if n_intervals < SAMPLE_MIN {
            return None;
        }
        let n_sample = n_intervals.min(SAMPLE_MAX);
        let mut sample = [i64::MAX; SAMPLE_MAX];
        for (filled, slot) in (0..n_sample).enumerate() {
            let index = slot * n_intervals / n_sample;
            let interval = times[index + 1] - times[index];
            // Insertion keeps the few numbers sorted; a general sort would weigh more in Wasm.
            let mut hole = filled;
            while hole > 0 && sample[hole - 1] > interval {
                sample[hole] = sample[hole - 1];
                hole -= 1;
            }
            sample[hole] = interval;
        }
        Some(sample[n_sample / 2])
    }
}

impl Columns {
    fn drop_first(&mut self) {
        self.head += 1;
        if self.head * 2 > self.times.len() {
            self.times.drain(..self.head);
            self.values.drain(..self.head);
            self.head = 0;
        }
    }
}

pub(crate) fn extent(values: &[f32]) -> Option<(f32, f32)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(low, high), &value| {
        (low.min(value), high.max(value))
    }))
}

/// Fewer intervals than this do not tell what is usual.
const SAMPLE_MIN: usize = 3;
const SAMPLE_MAX: usize = 33;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn series(points: &[(i64, f32)]) -> Series {
        let mut series = Series::new(100);
        for &(time, value) in points {
            series.append(time, value);
        }
        series
    }

    #[test]
    fn late_points_go_to_their_place_and_equal_times_replace() {
        let mut series = series(&[(10, 1.0), (30, 3.0)]);
        assert!(series.append(20, 2.0));
        assert!(series.append(30, 4.0));
        assert_eq!(series.times(), [10, 20, 30]);
        assert_eq!(series.values(), [1.0, 2.0, 4.0]);
    }

    #[test]
    fn what_is_not_a_number_is_not_kept() {
        let mut series = series(&[(10, 1.0)]);
        let revision = series.revision();
        assert!(!series.append(20, f32::NAN));
        assert!(!series.append(20, f32::INFINITY));
        assert_eq!((series.len(), series.revision()), (1, revision));
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut series = series(&[(10, 1.0)]);
        let before = series.clone();
        series.append(20, 2.0);
        assert_eq!(before.times(), [10]);
        assert_eq!(series.times(), [10, 20]);
    }

    #[test]
    fn nearest_stays_in_the_window() {
        let series = series(&[(10, 1.0), (20, 2.0), (30, 3.0)]);
        let nearest = |start, end, time| series.nearest(Span::new(start, end), time);
        assert_eq!(nearest(0, 100, 14), Some(0));
        assert_eq!(nearest(0, 100, 16), Some(1));
        assert_eq!(nearest(0, 100, 99), Some(2));
        assert_eq!(nearest(15, 25, 99), Some(1));
        assert_eq!(nearest(21, 29, 25), None);
    }

    #[test]
    fn the_usual_interval_ignores_a_gap() {
        let times = [0, 10, 20, 30, 5_000, 5_010, 5_020];
        let series = series(&times.map(|time| (time, 1.0)));
        assert_eq!(series.usual_interval(), Some(10));
        assert_eq!(Series::new(9).usual_interval(), None);
    }

    proptest! {
        #[test]
        fn it_keeps_the_newest_in_order(
            points in prop::collection::vec((0_i64..200, -50_f32..50.0), 0..300),
            capacity in 1_usize..60,
        ) {
            let mut series = Series::new(capacity);
            let mut model = BTreeMap::new();
            for (time, value) in points {
                let is_too_old = model.len() == capacity
                    && model.first_key_value().is_some_and(|(&first, _)| time < first);
                prop_assert_eq!(series.append(time, value), !is_too_old);
                if !is_too_old {
                    model.insert(time, value);
                    if model.len() > capacity {
                        model.pop_first();
                    }
                }
            }
            prop_assert!(series.times().iter().eq(model.keys()));
            prop_assert!(series.values().iter().eq(model.values()));
            prop_assert!(series.columns.times.len() <= 2 * capacity + 1);
        }

        #[test]
        fn a_range_is_what_a_scan_finds(
            times in prop::collection::btree_set(0_i64..500, 0..80),
            start in -10_i64..510,
            length in 0_i64..300,
        ) {
            let mut series = Series::new(100);
            for &time in &times {
                series.append(time, 0.0);
            }
            let window = Span::new(start, start + length);
            let found = &series.times()[series.range(window)];
            let scanned: Vec<i64> = times.into_iter().filter(|&time| window.contains(time)).collect();
            prop_assert_eq!(found, scanned);
        }
    }
}
