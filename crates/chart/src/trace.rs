use std::sync::Arc;

use crate::gap::GapLimit;
use crate::series::{Position, Store};
use crate::{Point, Series, Span};

/// A line through the readings of a window, thinned to what its pixels can show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trace {
    /// The corners: milliseconds since the window's start, and the value. A corner that is not a
    /// number ends one line and begins the next.
    pub(crate) corners: Vec<(f64, f32)>,
    /// The lowest and the highest value among them.
    pub(crate) extent: Option<(f32, f32)>,
}

/// Thins the readings of a window to at most four for each of its pixel columns: the first, the
/// lowest, the highest and the last.
///
/// Columns are cut by time, not by count, so a spike is seen wherever it falls. The line breaks in
/// a gap that reaches from one column to another. At the edges of the window it is cut where it
/// crosses them.
pub(crate) fn trace(series: &Series, cuts: &Cuts, limit: Option<GapLimit>) -> Trace {
    let mut corners = Corners {
        start: cuts.window.start,
        trace: Trace::default(),
    };
    cuts.walk(series, limit, &mut corners);
    corners.trace
}

/// What is made of the readings of a window, column by column.
pub(crate) trait Pen {
    /// What follows is not joined to what came before.
    fn lift(&mut self);
    /// A corner of the line: where it crosses an edge of the window.
    fn corner(&mut self, point: Point);
    /// The readings of a column.
    fn column(&mut self, column: &Column);
}

/// What a pixel column must show.
pub(crate) struct Column {
    pub(crate) number: usize,
    pub(crate) first: Point,
    pub(crate) low: f32,
    pub(crate) high: f32,
    pub(crate) last: Point,
}

/// Where the pixel columns of a window are cut: the same for all series that share their times.
pub(crate) struct Cuts {
    store: Arc<Store>,
    window: Span,
    positions: Vec<Position>,
}

impl Cuts {
    pub(crate) fn new(series: &Series, window: Span, n_columns: usize) -> Self {
        let store = Arc::clone(series.store());
        let n_columns = n_columns.max(1);
        let within = series.positions(window);
        let mut position = within.start;
        let mut positions = Vec::with_capacity(n_columns + 1);
        positions.push(position);
        for number in 1..n_columns {
            // Whole numbers: a reading at an edge is in the column that begins there.
            let before = window.duration().saturating_mul(number as i64);
            let time = window.start + (before as u64).div_ceil(n_columns as u64) as i64;
            position = store.position_from(time, position).min(within.end);
            positions.push(position);
        }
        positions.push(within.end);
        Self {
            store,
            window,
            positions,
        }
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.positions.len() - 1
    }

    /// Whether they are those of this series too.
    pub(crate) fn fit(&self, series: &Series) -> bool {
        Arc::ptr_eq(&self.store, series.store())
    }

    /// Leads a pen along the line.
    pub(crate) fn walk(&self, series: &Series, limit: Option<GapLimit>, pen: &mut dyn Pen) {
        let (store, number) = (&*self.store, series.column());
        let is_joined = |before: Point, at: Position, point: Point| {
            let silence = point.time.saturating_sub(before.time);
            limit.is_none_or(|limit| !limit.is_gap(series, at, silence))
        };
        let start = self.positions.first().copied().unwrap_or(store.start());
        let end = self.positions.last().copied().unwrap_or(start);
        let outside = series.last_until(store.start(), start);
        let mut before = outside.map(|point| (point, true));
        for (column, cut) in self.positions.windows(2).enumerate() {
            let &[from, until] = cut else { continue };
            if from == until {
                continue;
            }
            let Some((first, extremes, last)) = store.cut(number, from, until) else {
                continue;
            };
            match before {
                Some((before, is_outside)) if is_joined(before, from, first) => {
                    if is_outside && first.time > self.window.start {
                        pen.corner(crossing(before, first, self.window.start));
                    }
                }
                Some(_) | None => pen.lift(),
            }
            pen.column(&Column {
                number: column,
                first,
                low: extremes.low,
                high: extremes.high,
                last,
            });
            before = Some((last, false));
        }
        let Some((before, is_outside)) = before else {
            return;
        };
        let after = series.first_from(end, store.end());
        if let Some(after) = after.filter(|&after| is_joined(before, end, after))
            && before.time < self.window.end
        {
            if is_outside {
                pen.corner(crossing(before, after, self.window.start));
            }
            pen.corner(crossing(before, after, self.window.end));
        }
    }
}

/// Where the line between two readings is at a moment between them.
fn crossing(before: Point, after: Point, time: i64) -> Point {
    let share = (time - before.time) as f64 / (after.time - before.time) as f64;
    let value = before.value + share as f32 * (after.value - before.value);
    Point { time, value }
}

struct Corners {
    start: i64,
    trace: Trace,
}

impl Corners {
    fn push(&mut self, time: f64, value: f32) {
        self.trace.corners.push((time - self.start as f64, value));
        let (low, high) = self.trace.extent.unwrap_or((value, value));
        self.trace.extent = Some((low.min(value), high.max(value)));
    }
}

impl Pen for Corners {
    fn lift(&mut self) {
        if !self.trace.corners.is_empty() {
            self.trace.corners.push((f64::NAN, f32::NAN));
        }
    }

    fn corner(&mut self, point: Point) {
        self.push(point.time as f64, point.value);
    }

    fn column(&mut self, column: &Column) {
        let Column { first, last, .. } = *column;
        self.corner(first);
        // When exactly the extremes came cannot be seen; they stand between what came around them,
        // the one first that is nearer to what came before.
        let middle = f64::midpoint(first.time as f64, last.time as f64);
        let rises = first.value < last.value;
        let order = [
            (column.low, rises),
            (column.high, true),
            (column.low, !rises),
        ];
        for value in order
            .into_iter()
            .filter(|&(_, is_due)| is_due)
            .map(|(value, _)| value)
        {
            if value != first.value && value != last.value {
                self.push(middle, value);
            }
        }
        if last.time != first.time {
            self.corner(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(points: &[(i64, f32)]) -> Series {
        let mut series = Series::new(100_000);
        for &(time, value) in points {
            series.append(time, value);
        }
        series
    }

    fn trace(series: &Series, window: Span, n_columns: usize, expiry: Option<i64>) -> Trace {
        let limit = expiry.and_then(|expiry| GapLimit::of(series, window, Some(expiry)));
        super::trace(series, &Cuts::new(series, window, n_columns), limit)
    }

    #[test]
    fn few_readings_are_all_drawn_where_they_are() {
        let series = series(&[(10, 1.0), (25, 2.0), (40, 3.0)]);
        let trace = trace(&series, Span::new(0, 50), 50, None);
        assert_eq!(trace.corners, [(10.0, 1.0), (25.0, 2.0), (40.0, 3.0)]);
        assert_eq!(trace.extent, Some((1.0, 3.0)));
    }

    #[test]
    fn the_line_is_cut_at_the_edges() {
        let series = series(&[(0, 0.0), (100, 10.0)]);
        let cut = trace(&series, Span::new(40, 60), 10, None);
        assert_eq!(cut.corners, [(0.0, 4.0), (20.0, 6.0)]);
        let whole = trace(&series, Span::new(0, 100), 10, None);
        assert_eq!(whole.corners, [(0.0, 0.0), (100.0, 10.0)]);
    }

    #[test]
    fn the_line_breaks_in_a_gap() {
        let series = series(&[(0, 1.0), (10, 1.0), (90, 2.0), (100, 2.0)]);
        let broken = trace(&series, Span::new(0, 100), 100, Some(30));
        assert_eq!(broken.corners.len(), 5);
        assert!(broken.corners[2].1.is_nan());
        let nothing = trace(&series, Span::new(20, 80), 100, Some(30));
        assert_eq!(nothing, Trace::default());
    }

    #[test]
    fn a_reading_at_the_edge_of_a_column_is_in_the_one_that_begins_there() {
        let series = series(&[(13_126, -62.0), (13_150, 0.0), (13_211, 0.0)]);
        // 13,211 ms are 77 of the 98 columns.
        let trace = trace(&series, Span::new(0, 16_814), 98, None);
        assert_eq!(trace.corners.len(), 3);
    }

    #[test]
    fn a_gap_inside_one_column_is_not_seen() {
        let series = series(&[(0, 1.0), (10, 1.0), (90, 2.0), (100, 2.0), (900, 2.0)]);
        let n_breaks = |n_columns| {
            let trace = trace(&series, Span::new(0, 1_000), n_columns, Some(30));
            trace
                .corners
                .iter()
                .filter(|corner| corner.1.is_nan())
                .count()
        };
        assert_eq!((n_breaks(1), n_breaks(2), n_breaks(20)), (0, 1, 2));
    }

    fn readings() -> impl Strategy<Value = Vec<(i64, f32)>> {
        prop::collection::btree_map(0_i64..20_000, -100_f32..100.0, 1..800)
            .prop_map(|points| points.into_iter().collect())
    }

    proptest! {
        #[test]
        fn each_column_shows_its_lowest_and_highest(
            points in readings(),
            start in 0_i64..15_000,
            duration in 1_i64..20_000,
            n_columns in 1_usize..200,
        ) {
            let window = Span::new(start, start + duration);
            let trace = trace(&series(&points), window, n_columns, None);
            let column = |time: f64| {
                let number = (time * n_columns as f64 / duration as f64) as usize;
                number.min(n_columns - 1)
            };
            let mut naive = vec![None; n_columns];
            for &(time, value) in points.iter().filter(|point| window.contains(point.0)) {
                let (low, high) = naive[column((time - start) as f64)].get_or_insert((value, value));
                *low = value.min(*low);
                *high = value.max(*high);
            }
            for (number, extremes) in naive.into_iter().enumerate() {
                let Some((low, high)) = extremes else { continue };
                let shown: Vec<f32> = trace.corners.iter()
                    .filter(|corner| column(corner.0) == number)
                    .map(|corner| corner.1)
                    .collect();
                prop_assert!(shown.contains(&low) && shown.contains(&high));
                // Two more where the line crosses the window's edges.
                prop_assert!(shown.len() <= 6);
            }
        }

        #[test]
        fn corners_stay_in_the_window_and_in_order(
            points in readings(),
            start in 0_i64..20_000,
            duration in 1_i64..20_000,
            limit in prop::option::of(1_i64..500),
        ) {
            let window = Span::new(start, start + duration);
            let trace = trace(&series(&points), window, 50, limit);
            let (low, high) = trace.extent.unwrap_or_default();
            let mut before = 0.0;
            for &(time, value) in trace.corners.iter().filter(|corner| !corner.1.is_nan()) {
                prop_assert!(before <= time && time <= duration as f64);
                prop_assert!(low <= value && value <= high);
                before = time;
            }
        }
    }
}
