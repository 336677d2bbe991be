//! What the broker kept of a probe's readings: pieces of it, each as fine as a chart asked for.

use chart::{Point, Series, Span};

/// What the page has of a probe's readings from before it was opened.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// What the broker said when it was asked what there is, if it keeps anything.
    pub kept: Option<Kept>,
    levels: Vec<Level>,
}

/// What the broker keeps of a probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// From its first reading to its last.
    pub span: Span,
    /// What usually lies between two of its newest ones, if there are enough to tell.
    pub usual_step: Option<i64>,
}

/// A piece of what the broker kept.
#[derive(Debug, Clone)]
pub struct Level {
    /// What it holds.
    pub span: Span,
    /// The longest time between two rows that was asked for.
    pub fineness: i64,
    /// For how long a row stands; 0 where each is one reading.
    pub step: i64,
    /// The rows.
    pub series: Series,
    /// Whether it reaches to the present, so that the readings that come continue it.
    pub is_live: bool,
}

impl Past {
    /// When the broker's first reading was, if it keeps any.
    #[must_use]
    pub fn since(&self) -> Option<i64> {
        self.kept.map(|kept| kept.span.start)
    }

    /// Takes a piece. What it makes needless goes.
    pub fn add(&mut self, mut level: Level) {
        self.join(&mut level);
        self.levels
            .retain(|known| !(level.holds(known.span) && level.fineness <= known.fineness));
        if self.levels.len() >= LEVELS_MAX {
            // The coarsest stands while others come and go.
            let coarsest = self.levels.iter().map(|level| level.fineness).max();
            let oldest = self
                .levels
                .iter()
                .position(|level| Some(level.fineness) != coarsest);
            drop(self.levels.remove(oldest.unwrap_or_default()));
        }
        self.levels.push(level);
    }

    /// Lets the line come into a piece from the readings before it, and go on to those after it, as a larger
    /// piece knows them: a window may lie between two readings, or in a long silence.
    fn join(&self, level: &mut Level) {
        let known = self.best(level.span);
        let Some(known) = known.filter(|known| known.holds(level.span)) else {
            return;
        };
        let is_telling = level.series.len() >= N_TELLING;
        let before = |time: i64| known.series.at_or_before(time.saturating_sub(1));
        let after = |time: i64| known.series.after(time);
        let are_rows = level.take(&before, level.span.start, known.step)
            | level.take(&after, level.span.end, known.step);
        if are_rows && !is_telling {
            level.step = known.step;
        }
    }

    /// Continues the pieces that reach to the present.
    pub fn append(&mut self, time: i64, value: f32) {
        for level in self.levels.iter_mut().filter(|level| level.is_live) {
            level.series.append(time, value);
            level.span.end = level.span.end.max(time);
        }
    }

    /// Readings may have been missed: what is there is shown until it has come anew.
    pub fn interrupt(&mut self) {
        for level in &mut self.levels {
            if level.is_live {
                level.fineness = i64::MAX;
            }
        }
    }

    /// Whether a window is there, and as fine as that.
    #[must_use]
    pub fn has(&self, window: Span, fineness: i64) -> bool {
        let mut levels = self.levels.iter();
        levels.any(|level| level.holds(window) && level.fineness <= fineness)
    }

    /// What shows a window best: the finest that holds it, or else the one that holds most of it.
    #[must_use]
    pub fn best(&self, window: Span) -> Option<&Level> {
        self.levels.iter().min_by_key(|level| {
            let shown = level.until_now().intersection(window);
            let missing = window.duration() - shown.map_or(0, Span::duration);
            (missing, level.fineness)
        })
    }
}

impl Level {
    /// Its newest reading, if it is known when that was: the broker said when its newest of all was.
    #[must_use]
    pub fn newest(&self, until: Option<i64>) -> Option<Point> {
        let last = self.series.last()?;
        let is_its_row = |time: &i64| time.abs_diff(last.time) <= self.step.unsigned_abs();
        let time = match self.step {
            0 => last.time,
            _ => until.filter(is_its_row)?,
        };
        // The broker's clock, or the device's, may be ahead of the page's.
        let time = time.min(self.span.end);
        Some(Point { time, ..last })
    }

    /// Takes the readings that lie beyond one of its ends, from that end on. Gives whether they are rows side by
    /// side, of which one is enough: they say no more than that readings come at least as often.
    fn take(&mut self, next: &dyn Fn(i64) -> Option<Point>, end: i64, step: i64) -> bool {
        let mut time = end;
        for number in 0..N_AROUND {
            let Some(point) = next(time) else { break };
            if number > 0 && step > 0 && point.time.abs_diff(time) <= step.unsigned_abs() {
                return true;
            }
            time = point.time;
            self.series.append(time, point.value);
        }
        false
    }

    fn until_now(&self) -> Span {
        let end = if self.is_live {
            i64::MAX
        } else {
            self.span.end
        };
        Span { end, ..self.span }
    }

    fn holds(&self, window: Span) -> bool {
        self.until_now().intersection(window) == Some(window)
    }
}

/// As many as tell a silence from what is usual around it.
const N_AROUND: usize = 8;
/// As many of its own tell how often readings come.
const N_TELLING: usize = 4;
/// A chart that is zoomed asks for another piece with every few steps.
const LEVELS_MAX: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn level(start: i64, end: i64, fineness: i64) -> Level {
        Level {
            span: Span::new(start, end),
            fineness,
            step: fineness,
            series: Series::new(100),
            is_live: false,
        }
    }

    #[test]
    fn the_coarse_picture_stands_until_a_finer_one_is_there() {
        let mut past = Past::default();
        past.add(level(0, 1_000, 10));
        let window = Span::new(400, 500);
        assert!(past.has(window, 10) && !past.has(window, 1));
        assert_eq!(past.best(window).unwrap().fineness, 10);
        past.add(level(350, 550, 1));
        assert_eq!(past.best(window).unwrap().fineness, 1);
        let beside = Span::new(500, 600);
        assert_eq!(past.best(beside).unwrap().fineness, 10);
    }

    #[test]
    fn the_line_goes_through_a_piece_from_and_to_what_lies_around_it() {
        let mut past = Past::default();
        let mut coarse = level(0, 1_000, 100);
        for time in [50, 450, 850] {
            coarse.series.append(time, 20.0);
        }
        past.add(coarse);
        let times = |past: &Past, start, end| -> Vec<i64> {
            let series = &past.best(Span::new(start, end)).unwrap().series;
            let points = series.points(Span::new(0, 1_000));
            points.map(|point| point.time).collect()
        };
        past.add(level(500, 600, 1));
        assert_eq!(past.best(Span::new(520, 540)).unwrap().fineness, 1);
        assert_eq!(times(&past, 520, 540), [50, 450, 850]);
        let mut fine = level(400, 500, 1);
        fine.series.append(440, 21.0);
        past.add(fine);
        assert_eq!(times(&past, 430, 470), [50, 440, 850]);
    }

    #[test]
    fn a_window_in_a_long_silence_is_a_gap_and_no_line() {
        let mut past = Past::default();
        let mut coarse = level(0, 10_000, 100);
        for time in (0..20).map(|number| number * 50).chain([10_000]) {
            coarse.series.append(time, 20.0);
        }
        past.add(coarse);
        let mut newest = level(9_000, 10_000, 10);
        newest.series.append(10_000, 20.0);
        past.add(newest);
        past.add(level(4_000, 5_000, 10));
        for window in [Span::new(9_200, 9_900), Span::new(4_200, 4_900)] {
            let level = past.best(window).unwrap();
            assert_eq!(level.fineness, 10);
            let line = chart::Line {
                // A row holds for three of its kind.
                expiry: (level.step > 0).then_some(3 * level.step),
                ..chart::Line::of(level.series.clone())
            };
            let scene = chart::Scene {
                window,
                ..chart::Scene::of_lines(vec![line])
            };
            let picture = scene.draw(chart::Size::new(800.0, 300.0));
            let is_gap = picture.commands.iter().any(
                |command| matches!(command, chart::Command::Text { text, .. } if text == "no data"),
            );
            assert!(is_gap, "{window:?}");
        }
    }

    #[test]
    fn rows_do_not_pass_for_readings_that_come_as_seldom() {
        // Every ten seconds, in rows of an hour, and nothing from 10:30 to 11:50.
        let (second, minute, hour) = (1_000, 60_000, 3_600_000);
        let mut past = Past::default();
        let mut rows = level(0, 12 * hour, hour);
        for number in 0..11 {
            rows.series.append(number * hour + hour / 2, 20.0);
        }
        past.add(rows);
        let mut newest = level(11 * hour, 12 * hour, second);
        newest.step = 0;
        for number in 0..60 {
            let time = 11 * hour + 50 * minute + number * 10 * second;
            newest.series.append(time, 20.0);
        }
        past.add(newest);
        let window = Span::new(11 * hour, 12 * hour);
        let scene = chart::Scene {
            window,
            now: window.end,
            ..chart::Scene::of(past.best(window).unwrap().series.clone())
        };
        let summary = scene.summary();
        assert!(summary.contains("1 gap of 50 min"), "{summary}");
    }

    #[test]
    fn a_piece_of_another_time_says_nothing_of_what_lies_around_one() {
        let mut past = Past::default();
        let mut other = level(0, 100, 1);
        other.series.append(50, 20.0);
        past.add(other);
        past.add(level(500, 600, 1));
        let span = Span::new(500, 600);
        assert!(past.best(span).unwrap().series.is_empty());
    }

    #[test]
    fn the_newest_reading_is_never_of_the_future() {
        let mut level = level(0, 1_000, 100);
        level.series.append(1_040, 20.0);
        level.step = 0;
        assert_eq!(level.newest(None).unwrap().time, 1_000);
        level.step = 100;
        assert_eq!(level.newest(None), None);
        assert_eq!(level.newest(Some(980)).unwrap().time, 980);
        assert_eq!(level.newest(Some(1_090)).unwrap().time, 1_000);
        assert_eq!(level.newest(Some(i64::MIN)), None);
    }

    #[test]
    fn pieces_are_bounded_and_the_coarsest_stays() {
        let mut past = Past::default();
        past.add(level(0, 1_000, 10));
        for number in 0..20 {
            past.add(level(number * 10, number * 10 + 5, 1));
        }
        assert_eq!(past.levels.len(), LEVELS_MAX);
        assert!(past.has(Span::new(0, 1_000), 10));
        past.add(level(0, 1_000, 1));
        assert_eq!(past.levels.len(), 1, "a finer one of all replaces them");
    }

    #[test]
    fn what_comes_continues_the_present_and_a_cut_makes_it_be_asked_for_anew() {
        let mut past = Past::default();
        past.add(Level {
            is_live: true,
            ..level(0, 100, 10)
        });
        past.append(150, 20.0);
        let window = Span::new(50, 200);
        assert!(past.has(window, 10));
        assert_eq!(past.best(window).unwrap().series.last().unwrap().time, 150);
        past.interrupt();
        assert!(!past.has(window, 10));
        assert!(past.best(window).is_some());
    }
}
