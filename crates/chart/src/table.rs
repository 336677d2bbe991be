use crate::calendar::{HOUR, MINUTE, SECOND};
use crate::series::extent;
use crate::{Scene, Span, decimal};

/// One row of the chart as a table, each cell in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When it begins: "14:05:10".
    pub time: String,
    /// The lowest reading, or "no data".
    pub lowest: String,
    /// The highest reading.
    pub highest: String,
    /// The newest reading.
    pub last: String,
}

impl Scene {
    /// The window as a table of at most `n_rows_max` rows, the newest first: each row covers the
    /// same time, so that a silence is a row too.
    pub fn rows(&self, n_rows_max: usize) -> Vec<Row> {
        let end = self.window.end.min(self.now);
        let Some(first) = self.series.point(self.series.range(self.window).start) else {
            return Vec::new();
        };
        let least = (end - first.time) / n_rows_max.max(1) as i64 + 1;
        let step = STEPS
            .into_iter()
            .find(|&step| step >= least)
            .unwrap_or(least);
        let mut rows = Vec::new();
        // Rows begin at round moments of the local clock.
        let mut local = self.offset.local(end).div_euclid(step) * step;
        while self.offset.moment(local) + step > first.time && rows.len() < n_rows_max {
            let start = self.offset.moment(local);
            local -= step;
            let row = self.row(Span::new(start, start + step - 1));
            // A stretch that has only just begun is not silent yet.
            if !(rows.is_empty() && row.last.is_empty() && end < start + step - 1) {
                rows.push(row);
            }
        }
        rows
    }

    fn row(&self, span: Span) -> Row {
        let range = self.series.range(span);
        let values = &self.series.values()[range];
        let number = |value: f32| self.with_unit(decimal(value, 1));
        let (lowest, highest, last) = match (extent(values), values.last()) {
            (Some((low, high)), Some(&last)) => (number(low), number(high), number(last)),
            (_, _) => (String::from("no data"), String::new(), String::new()),
        };
        Row {
            time: self.time_label(span.start, span.duration() + 1),
            lowest,
            highest,
            last,
        }
    }
}

const STEPS: [i64; 14] = [
    SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Series;

    #[test]
    fn rows_are_few_round_and_newest_first() {
        let mut series = Series::new(1_000);
        for second in (0..30).chain(50..100) {
            series.append(second * SECOND, second as f32);
        }
        let rows = Scene::of(series).rows(12);
        let times: Vec<&str> = rows.iter().map(|row| row.time.as_str()).collect();
        assert_eq!(times[..2], ["00:01:30", "00:01:20"]);
        assert_eq!(times.len(), 10);
        assert_eq!(rows[0].lowest, "90.0");
        assert_eq!(rows[0].last, "99.0");
        assert_eq!(rows[6].lowest, "no data");
    }

    #[test]
    fn nothing_yet_has_no_rows() {
        assert_eq!(Scene::of(Series::new(3)).rows(9), []);
    }
}
