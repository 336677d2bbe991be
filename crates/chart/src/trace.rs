use crate::{Series, Span};

/// A line through the readings of a window, thinned to what its pixels can show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The corners: milliseconds since the window's start, and the value. A corner that is not a
    /// number ends one line and begins the next.
    pub corners: Vec<(f64, f32)>,
    /// The lowest and the highest value among them.
    pub extent: Option<(f32, f32)>,
}

/// Thins the readings of a window to at most four for each of `n_columns` pixel columns: the
/// first, the lowest, the highest and the last, each at its own time.
///
/// Columns are cut by time, not by count, so a spike is seen wherever it falls. The line breaks
/// where a silence is longer than `limit`. At the edges of the window it is cut where it crosses
/// them.
pub fn trace(series: &Series, window: Span, n_columns: usize, limit: Option<i64>) -> Trace {
    let (times, values) = (series.times(), series.values());
    let range = series.range(window);
    let is_joined = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| times.get(before));
        let (Some(before), Some(time)) = (before, times.get(index)) else {
            return false;
        };
        limit.is_none_or(|limit| time.saturating_sub(*before) <= limit)
    };
    let crossing = |index: usize, time: i64| {
        let (t0, t1) = (times[index - 1] as f64, times[index] as f64);
        let share = ((time as f64 - t0) / (t1 - t0)) as f32;
        values[index - 1] + share * (values[index] - values[index - 1])
    };

    let mut line = Thinned::new(window.start);
    if is_joined(range.start) && times.get(range.start) != Some(&window.start) {
        line.corner(window.start, crossing(range.start, window.start));
    }
    let columns_per_ms = n_columns.max(1) as f64 / window.duration().max(1) as f64;
    let mut column: Option<Column> = None;
    for index in range.clone() {
        let number = ((times[index] - window.start) as f64 * columns_per_ms) as usize;
        let breaks = index > range.start && !is_joined(index);
        match &mut column {
            Some(open) if open.number == number && !breaks => open.add(index, values),
            _ => {
                if let Some(full) = column.replace(Column::new(number, index)) {
                    line.column(&full, series);
                }
                if breaks {
                    line.break_off();
                }
            }
        }
    }
    if let Some(full) = column {
        line.column(&full, series);
    }
    let is_cut = times.get(range.end.wrapping_sub(1)) != Some(&window.end);
    if is_joined(range.end) && is_cut {
        line.corner(window.end, crossing(range.end, window.end));
    }
    line.trace
}

/// The indices of what a pixel column must show.
struct Column {
    number: usize,
    first: usize,
    lowest: usize,
    highest: usize,
    last: usize,
}

impl Column {
    fn new(number: usize, index: usize) -> Self {
        Self {
            number,
            first: index,
            lowest: index,
            highest: index,
            last: index,
        }
    }

    fn add(&mut self, index: usize, values: &[f32]) {
        if values[index] < values[self.lowest] {
            self.lowest = index;
        }
        if values[index] > values[self.highest] {
            self.highest = index;
        }
        self.last = index;
    }
}

struct Thinned {
    start: i64,
    trace: Trace,
}

impl Thinned {
    fn new(start: i64) -> Self {
        Self {
            start,
            trace: Trace::default(),
        }
    }

    fn corner(&mut self, time: i64, value: f32) {
        self.trace.corners.push(((time - self.start) as f64, value));
        let (low, high) = self.trace.extent.unwrap_or((value, value));
        self.trace.extent = Some((low.min(value), high.max(value)));
    }

    fn column(&mut self, column: &Column, series: &Series) {
        let (earlier, later) = (
            column.lowest.min(column.highest),
            column.lowest.max(column.highest),
        );
        let mut before = None;
        for index in [column.first, earlier, later, column.last] {
            if before != Some(index) {
                self.corner(series.times()[index], series.values()[index]);
            }
            before = Some(index);
        }
    }

    fn break_off(&mut self) {
        self.trace.corners.push((f64::NAN, f32::NAN));
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
    fn a_gap_breaks_even_inside_one_column() {
        let series = series(&[(0, 1.0), (10, 1.0), (90, 2.0), (100, 2.0)]);
        let broken = trace(&series, Span::new(0, 1_000), 2, Some(30));
        assert_eq!(
            broken
                .corners
                .iter()
                .filter(|corner| corner.1.is_nan())
                .count(),
            1
        );
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
            let column = |time: f64| (time * (n_columns as f64 / duration as f64)) as usize;
            let mut naive = vec![None; n_columns + 1];
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
