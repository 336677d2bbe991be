//! Readings over time, kept so that any window of them can be drawn at the cost of its pixels.

mod block;
mod chunk;
mod store;

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::Span;
use crate::gap::AROUND;

pub(crate) use self::store::{Position, Store};

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
/// A clone shares the readings with the original and costs nothing; some of them are copied when
/// one of the two appends while the other still lives.
///
/// A reading takes nine bytes, its part of the extremes included.
#[derive(Clone, Debug)]
pub struct Series {
    store: Arc<Store>,
    column: usize,
    capacity: usize,
}

impl Series {
    /// An empty series that keeps the newest `capacity` points (at least one).
    pub fn new(capacity: usize) -> Self {
        Self {
            store: Arc::new(Store::new(1)),
            column: 0,
            capacity: capacity.max(1),
        }
    }

    /// Adds a reading; returns whether it was kept.
    ///
    /// A reading older than the newest is put in its place; one at the time of another replaces
    /// it. A value that is not finite is not kept, nor is one older than everything in a full
    /// series. In a full series the oldest point makes room. A series of a [`Bundle`] takes no
    /// readings of its own.
    pub fn append(&mut self, time: i64, value: f32) -> bool {
        if !value.is_finite() || self.store.n_columns() != 1 {
            return false;
        }
        append(&mut self.store, self.capacity, time, &[value])
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// The oldest point.
    pub fn first(&self) -> Option<Point> {
        self.first_from(self.store.start(), self.store.end())
    }

    /// The newest point.
    pub fn last(&self) -> Option<Point> {
        self.last_until(self.store.start(), self.store.end())
    }

    /// The points of a window, in order.
    pub fn points(&self, window: Span) -> impl Iterator<Item = Point> {
        self.every(1, window)
    }

    /// One point out of `n` of a window, in order.
    pub(crate) fn every(&self, n: usize, window: Span) -> impl Iterator<Item = Point> {
        let Range { start, end } = self.positions(window);
        let mut next = start;
        std::iter::from_fn(move || {
            let position = self.store.first(self.column, next, end)?;
            next = self.store.skip(position, n);
            self.at(position)
        })
    }

    /// How many points a window holds.
    pub fn count(&self, window: Span) -> usize {
        let Range { start, end } = self.positions(window);
        self.store.rank(end) - self.store.rank(start)
    }

    /// The newest point at or before a moment.
    pub fn at_or_before(&self, time: i64) -> Option<Point> {
        let after = self.store.position(time.saturating_add(1));
        self.last_until(self.store.start(), after)
    }

    /// The oldest point after a moment.
    pub fn after(&self, time: i64) -> Option<Point> {
        let after = self.store.position(time.saturating_add(1));
        self.first_from(after, self.store.end())
    }

    /// The point of a window that is nearest to a moment; of two, the earlier.
    pub fn nearest(&self, window: Span, time: i64) -> Option<Point> {
        let within = self.positions(window);
        let middle = self.store.position(time).clamp(within.start, within.end);
        let before = self.last_until(within.start, middle);
        let after = self.first_from(middle, within.end);
        match (before, after) {
            (Some(before), Some(after)) if time - before.time <= after.time - time => Some(before),
            (before, after) => after.or(before),
        }
    }

    /// The point so many steps from a moment's in a window, and no further than the window's ends.
    pub fn step(&self, window: Span, time: i64, steps: i64) -> Option<Point> {
        let within = self.positions(window);
        let (first, last) = (self.store.rank(within.start), self.store.rank(within.end));
        let nearest = self.nearest(window, time)?;
        let rank = self.store.rank(self.store.position(nearest.time)) as i64;
        let newest = last.checked_sub(1)? as i64;
        let moved = rank.saturating_add(steps).min(newest).max(first as i64) as usize;
        let position = self.store.at_rank(moved);
        if steps < 0 {
            let after = self.store.next(position);
            self.last_until(within.start, after)
        } else {
            self.first_from(position, within.end)
        }
        .or(Some(nearest))
    }

    /// The lowest and the highest value in a window.
    pub fn extent(&self, window: Span) -> Option<(f32, f32)> {
        let Range { start, end } = self.positions(window);
        self.store.cut(self.column, start, end)?.1.extent()
    }

    /// The newest point of a window whose value lies in a range.
    pub fn last_within(&self, window: Span, range: RangeInclusive<f32>) -> Option<Point> {
        let within = self.positions(window);
        let (low, high) = (*range.start(), *range.end());
        let found = self.store.last_within(self.column, within, low, high)?;
        self.at(found)
    }

    /// What usually lies between two readings, in milliseconds: the median over a sample that is
    /// spread over the whole series, so that it does not depend on what is in view.
    ///
    /// `None` while there are too few readings to tell.
    pub fn usual_interval(&self) -> Option<i64> {
        let (sample, n) = self.intervals(Span::new(i64::MIN, i64::MAX));
        (n > 0).then(|| sample[n / 2])
    }

    /// The shortest of some intervals in a window, and next to it: few that are as short are longer than usual.
    pub(crate) fn shortest_interval(&self, window: Span) -> Option<i64> {
        let (sample, n) = self.intervals(window);
        (n > 0).then_some(sample[0])
    }

    /// A sample of the intervals in a window and next to it, the shortest first, and how many they are:
    /// none while there are too few readings to tell.
    fn intervals(&self, window: Span) -> ([i64; SAMPLE_MAX], usize) {
        let mut sample = [i64::MAX; SAMPLE_MAX];
        let mut n = 0;
        let (store, within) = (&self.store, self.positions(window));
        let first = store.rank(within.start).saturating_sub(AROUND);
        let last = (store.rank(within.end) + AROUND).min(self.len());
        if self.len() <= SAMPLE_MIN {
            return (sample, n);
        }
        let step = (last - first) / SAMPLE_MAX + 1;
        let mut position = store.at_rank(first);
        while let (Some(time), Some(after)) =
            (store.time(position), store.time(store.next(position)))
            && n < SAMPLE_MAX
            && n * step + first < last
        {
            // Insertion keeps the few numbers sorted; a general sort would weigh more in Wasm.
            let mut hole = n;
            while hole > 0 && sample[hole - 1] > after - time {
                sample[hole] = sample[hole - 1];
                hole -= 1;
            }
            sample[hole] = after - time;
            n += 1;
            position = store.skip(position, step);
        }
        (sample, n)
    }

    /// The bytes that its readings take, shared ones included.
    pub fn heap_bytes(&self) -> usize {
        self.store.heap_bytes()
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn column(&self) -> usize {
        self.column
    }

    pub(crate) fn at(&self, position: Position) -> Option<Point> {
        Some(Point {
            time: self.store.time(position)?,
            value: self.store.value(position, self.column)?,
        })
    }

    pub(crate) fn positions(&self, window: Span) -> Range<Position> {
        let end = window.end.saturating_add(1);
        self.store.position(window.start)..self.store.position(end)
    }

    pub(crate) fn first_from(&self, from: Position, until: Position) -> Option<Point> {
        self.at(self.store.first(self.column, from, until)?)
    }

    pub(crate) fn last_until(&self, from: Position, until: Position) -> Option<Point> {
        self.at(self.store.last(self.column, from, until)?)
    }
}

/// Several series that are measured at the same moments and share the column of their times.
///
/// A reading takes five bytes, and its time four for all series together.
#[derive(Clone, Debug)]
pub struct Bundle {
    store: Arc<Store>,
    capacity: usize,
}

impl Bundle {
    /// So many empty series, of which the newest `capacity` moments are kept.
    pub fn new(n_series: usize, capacity: usize) -> Self {
        Self {
            store: Arc::new(Store::new(n_series)),
            capacity: capacity.max(1),
        }
    }

    /// Adds a reading to each series, in their order; returns whether they were kept.
    ///
    /// A value that is not finite is a reading that is missing. Readings of a moment that is there
    /// already replace what they are not missing in. As many values as there are series are needed.
    pub fn append(&mut self, time: i64, values: &[f32]) -> bool {
        let is_whole = values.len() == self.store.n_columns();
        if !is_whole || !values.iter().any(|value| value.is_finite()) {
            return false;
        }
        if values.iter().any(|value| value.is_infinite()) {
            let finite = |&value: &f32| if value.is_finite() { value } else { f32::NAN };
            let values: Vec<f32> = values.iter().map(finite).collect();
            append(&mut self.store, self.capacity, time, &values)
        } else {
            append(&mut self.store, self.capacity, time, values)
        }
    }

    /// One of the series as it is now.
    pub fn series(&self, number: usize) -> Option<Series> {
        (number < self.store.n_columns()).then(|| Series {
            store: Arc::clone(&self.store),
            column: number,
            capacity: self.capacity,
        })
    }

    /// The bytes that its readings take.
    pub fn heap_bytes(&self) -> usize {
        self.store.heap_bytes()
    }
}

/// Puts the readings of a moment in their place, unless they are too old for what is kept.
fn append(store: &mut Arc<Store>, capacity: usize, time: i64, values: &[f32]) -> bool {
    let is_full = store.len() >= capacity;
    if is_full && store.time(store.start()).is_some_and(|first| time < first) {
        return false;
    }
    let store = Arc::make_mut(store);
    store.insert(time, values);
    if store.len() > capacity {
        store.drop_first();
    }
    true
}

/// Fewer intervals than this do not tell what is usual.
const SAMPLE_MIN: usize = 3;
const SAMPLE_MAX: usize = 33;

#[cfg(test)]
mod tests;
