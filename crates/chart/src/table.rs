use crate::calendar::{DAY, HOUR, MINUTE, SECOND};
use crate::scene::NO_DATA;
use crate::summary::duration_in_words;
use crate::{Line, Scene, Span, decimal};

/// A chart's window as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What time a row covers, to be read after "each": "2 d".
    pub step: String,
    /// The newest first.
    pub rows: Vec<Row>,
}

/// One row of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When it begins: "14:05:10".
    pub time: String,
    /// What stands under each heading, in words.
    pub cells: Vec<String>,
}

impl Scene {
    /// What the table's columns show, after the time: of one line its lowest, highest and newest
    /// reading, of several lines each one's newest.
    pub fn headings(&self) -> Vec<&str> {
        if self.has_several() {
            self.shown().map(|line| line.name.as_str()).collect()
        } else {
            vec!["Lowest", "Highest", "Last"]
        }
    }

    /// The window as a table of at most `n_rows_max` rows: each covers the same time, so that a silence
    /// is a row too, but none is shorter than what usually lies between two readings. `None` while no
    /// reading is in view.
    pub fn table(&self, n_rows_max: usize) -> Option<Table> {
        let end = self.window.end.min(self.now);
        let first = self.first_in_view()?;
        // Hardly any interval is exactly what it was meant to be.
        let usual = self.usual_interval();
        let least = ((end - first) / n_rows_max.max(1) as i64 + 1).max(usual - usual / 8);
        let step = STEPS
            .into_iter()
            .find(|&step| step >= least)
            .unwrap_or(least.div_euclid(DAY) * DAY + DAY);
        let mut rows = Vec::new();
        // Rows begin at round moments of the local clock.
        let mut local = self.zone.local(end).div_euclid(step) * step;
        while rows.len() < n_rows_max {
            let start = self.zone.moment(local);
            let next = self.zone.moment(local + step);
            if next <= first {
                break;
            }
            local -= step;
            // A stretch that a change of the clock leaps over is none.
            if next == start {
                continue;
            }
            let span = Span::new(start, next - 1);
            let is_silent = self.shown().all(|line| line.series.extent(span).is_none());
            // A stretch that has only just begun is not silent yet.
            if !(rows.is_empty() && is_silent && end < next - 1) {
                rows.push(self.row(span));
            }
        }
        let step = duration_in_words(step);
        Some(Table { step, rows })
    }

    fn row(&self, span: Span) -> Row {
        let number = |value: f32| self.with_unit(decimal(value, 1));
        let last = |line: &Line| {
            let last = line.series.at_or_before(span.end);
            let last = last.filter(|last| span.contains(last.time));
            last.map(|last| number(last.value))
        };
        let no_data = || String::from(NO_DATA);
        let cells = match self.leader() {
            Some(line) if !self.has_several() => match (line.series.extent(span), last(line)) {
                (Some((low, high)), Some(last)) => vec![number(low), number(high), last],
                (_, _) => vec![no_data(), String::new(), String::new()],
            },
            _ => {
                let cells = self.shown().map(last);
                cells.map(|cell| cell.unwrap_or_else(no_data)).collect()
            }
        };
        Row {
            time: self.time_label(span.start, span.duration() + 1),
            cells,
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
        let Table { step, rows } = Scene::of(series).table(12).unwrap();
        assert_eq!(step, "10 s");
        let times: Vec<&str> = rows.iter().map(|row| row.time.as_str()).collect();
        assert_eq!(times[..2], ["00:01:30", "00:01:20"]);
        assert_eq!(times.len(), 10);
        assert_eq!(rows[0].cells, ["90.0", "99.0", "99.0"]);
        assert_eq!(rows[6].cells[0], "no data");
    }

    #[test]
    fn nothing_yet_has_no_rows() {
        assert_eq!(Scene::of(Series::new(3)).table(9), None);
    }

    #[test]
    fn no_row_is_shorter_than_what_usually_lies_between_two_readings() {
        let mut series = Series::new(1_000);
        for hour in 0..100 {
            // A little late, each time.
            series.append(hour * (HOUR + SECOND), 20.0);
        }
        let scene = Scene {
            window: Span::new(50 * HOUR, 54 * HOUR),
            ..Scene::of(series)
        };
        let Table { step, rows } = scene.table(24).unwrap();
        assert_eq!(step, "60 min");
        assert_eq!(rows.len(), 5);
        assert!(rows.iter().all(|row| row.cells[0] == "20.0"), "{rows:?}");
    }
}
