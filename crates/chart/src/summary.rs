use crate::calendar::{DAY, HOUR, MINUTE, SECOND};
use crate::decimal::push_whole;
use crate::gap::{GapLimit, gaps};
use crate::scene::NO_DATA;
use crate::{Line, Point, PumpRuns, Scene, Span, decimal, trend};

impl Scene {
    /// One sentence that says what the chart shows, for those who do not see it: "14:02–14:20:
    /// lowest 15.8 %, highest 25.2 %; North pump ran 1 time, 1 min; 1 gap of 5 min." Of several
    /// lines it says for each where it is and goes: "Bed 3: 31.0 %, falling 0.4 % an hour, below
    /// 35 % since 10:20."
    ///
    /// Where a line that is alone is going is the outlook's to say: over another stretch of time it
    /// may be the opposite.
    pub fn summary(&self) -> String {
        let Some(first) = self.first_in_view() else {
            if self.is_loading {
                return String::from("Fetching the readings.");
            }
            return self.no_readings();
        };
        let end = self.window.end.min(self.now);
        // Two clock times that read the same would tell nothing.
        let exactness = if end - first < 2 * MINUTE {
            SECOND
        } else {
            MINUTE
        };
        let mut text = self.span_label(Span::new(first, end), exactness);
        text.push_str(": ");
        if self.has_several() {
            self.push_lines(&mut text);
        } else if let Some((low, high)) = self
            .leader()
            .and_then(|line| line.series.extent(self.window))
        {
            text.push_str("lowest ");
            text.push_str(&self.with_unit(decimal(low, 1)));
            text.push_str(", highest ");
            text.push_str(&self.with_unit(decimal(high, 1)));
        }
        for pump in &self.pumps {
            self.push_runs(&mut text, pump);
        }
        if !self.has_several() {
            self.push_gaps(&mut text);
        }
        text.push('.');
        text
    }

    /// That there are none in view, as far as is known, which says nothing of those before and after it.
    fn no_readings(&self) -> String {
        let since = self.since;
        if since >= self.window.end {
            return String::from("Nothing was collected in this window.");
        }
        if since > self.window.start {
            return ["No reading since ", &self.time_label(since, MINUTE), "."].concat();
        }
        let mut text = String::from("No reading in this window");
        let lines = self.shown();
        let before = lines.filter_map(|line| line.series.at_or_before(self.window.start));
        if let Some(last) = before.map(|point| point.time).max() {
            text.push_str("; the last before it: ");
            text.push_str(&self.time_label(last, MINUTE));
        }
        text.push('.');
        text
    }

    /// Where each line is and goes.
    fn push_lines(&self, text: &mut String) {
        for (number, line) in self.shown().enumerate() {
            text.push_str(if number > 0 { "; " } else { "" });
            text.push_str(&line.name);
            text.push(' ');
            let Some(last) = line.series.nearest(self.window, self.window.end) else {
                text.push_str(NO_DATA);
                continue;
            };
            text.push_str(&self.value_label(last));
            if let Some(trend) = trend(&line.series, self.window) {
                text.push_str(", ");
                text.push_str(&trend.words(&self.unit));
            }
            // The target is that of the first line alone.
            if self
                .lines
                .first()
                .is_some_and(|first| first.key == line.key)
            {
                self.push_standing(text, line, last);
            }
        }
    }

    /// Since when a line has been out of the band.
    fn push_standing(&self, text: &mut String, line: &Line, last: Point) {
        let Some(band) = self.band else { return };
        let (word, limit) = if last.value < band.low {
            (", below ", band.low)
        } else if last.value > band.high {
            (", above ", band.high)
        } else {
            return;
        };
        let range = band.low..=band.high;
        let within = line.series.last_within(self.window, range);
        let since = match within {
            Some(within) => line.series.after(within.time),
            None => line.series.nearest(self.window, i64::MIN),
        };
        let Some(since) = since else { return };
        text.push_str(word);
        text.push_str(&self.with_unit(decimal(limit, u32::from(limit.fract() != 0.0))));
        text.push_str(" since ");
        text.push_str(&self.time_label(since.time, MINUTE));
    }

    fn push_runs(&self, text: &mut String, pump: &PumpRuns) {
        let runs = pump
            .runs
            .iter()
            .filter_map(|run| run.intersection(self.window));
        let (n_runs, total) = count(runs.map(|run| run.duration()));
        if n_runs == 0 {
            return;
        }
        text.push_str("; ");
        text.push_str(&pump.name);
        text.push_str(" ran ");
        push_whole(text, n_runs, 1);
        text.push_str(if n_runs == 1 { " time, " } else { " times, " });
        text.push_str(&duration_in_words(total));
    }

    fn push_gaps(&self, text: &mut String) {
        let Some(line) = self.leader() else { return };
        let limit = GapLimit::of(&line.series, self.window, line.expiry);
        let gaps = gaps(&line.series, self.window, limit, self.now);
        let (n_gaps, total) = count(gaps.iter().map(|gap| gap.duration()));
        if n_gaps == 0 {
            return;
        }
        text.push_str("; ");
        push_whole(text, n_gaps, 1);
        text.push_str(if n_gaps == 1 {
            " gap of "
        } else {
            " gaps, together "
        });
        text.push_str(&duration_in_words(total));
    }
}

/// How long something took, in one unit, rounded: "45 s", "1 min", "16 h", "3 d".
pub(crate) fn duration_in_words(duration: i64) -> String {
    // Each unit gives way where the next one rounds to a whole one.
    let (unit, name) = if duration < 55 * SECOND {
        (SECOND, " s")
    } else if duration < 90 * MINUTE {
        (MINUTE, " min")
    } else if duration < 47 * HOUR {
        (HOUR, " h")
    } else {
        (DAY, " d")
    };
    let mut text = String::new();
    push_whole(
        &mut text,
        ((duration.max(0) + unit / 2) / unit).unsigned_abs(),
        1,
    );
    text.push_str(name);
    text
}

fn count(durations: impl Iterator<Item = i64>) -> (u64, i64) {
    durations.fold((0, 0), |(n, total), duration| (n + 1, total + duration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Band, Series};

    /// 2026-05-04T14:02:00Z
    const START: i64 = 1_777_903_320_000;

    fn scene(values: &[f32], interval: i64) -> Scene {
        let mut series = Series::new(1_000);
        for (index, &value) in values.iter().enumerate() {
            series.append(START + index as i64 * interval, value);
        }
        let now = START + (values.len() as i64 - 1) * interval;
        Scene {
            unit: String::from("%"),
            window: Span::new(START, now),
            now,
            since: START,
            ..Scene::of(series)
        }
    }

    #[test]
    fn it_says_what_the_chart_shows() {
        let mut scene = scene(&[20.0, 19.9, 19.8, 19.7, 19.6, 19.5, 19.4], 3 * MINUTE);
        assert_eq!(
            scene.summary(),
            "14:02–14:20: lowest 19.4 %, highest 20.0 %."
        );
        scene.pumps.push(PumpRuns {
            name: String::from("North pump"),
            runs: vec![
                Span::new(START - HOUR, START - MINUTE),
                Span::new(START + MINUTE, START + 2 * MINUTE),
            ],
        });
        assert!(scene.summary().ends_with("; North pump ran 1 time, 1 min."));
    }

    #[test]
    fn it_counts_gaps() {
        let mut scene = scene(&[20.0; 6], MINUTE);
        scene.now += 20 * MINUTE;
        scene.window.end = scene.now;
        assert_eq!(
            scene.summary(),
            "14:02–14:27: lowest 20.0 %, highest 20.0 %; 1 gap of 20 min."
        );
    }

    #[test]
    fn a_short_stretch_is_told_to_the_second() {
        let text = scene(&[20.0; 20], 1_000).summary();
        assert!(text.starts_with("14:02:00–14:02:19: lowest"), "{text}");
    }

    #[test]
    fn of_several_lines_it_says_where_each_is_and_goes() {
        let mut falling = scene(&[40.0, 38.0, 36.0, 34.0, 32.0], HOUR / 2);
        falling.band = Some(Band {
            low: 35.0,
            high: 50.0,
        });
        let mut steady = scene(&[41.0; 5], HOUR / 2).lines.remove(0);
        steady.name = String::from("Bed 4");
        falling.lines[0].name = String::from("Bed 3");
        falling.lines.push(steady);
        assert_eq!(
            falling.summary(),
            "14:02–16:02: Bed 3 32.0 %, falling 4.0 % an hour, below 35 % since 15:32; Bed 4 41.0 %, steady."
        );
    }

    #[test]
    fn nothing_yet_is_said_too() {
        let scene = Scene {
            window: Span::new(START, START + MINUTE),
            now: START + MINUTE,
            since: START,
            ..Scene::of(Series::new(9))
        };
        assert_eq!(scene.summary(), "No reading in this window.");
    }

    #[test]
    fn of_a_time_before_anything_was_collected_nothing_is_claimed() {
        let opened = |since| Scene {
            window: Span::new(START - 7 * DAY, START),
            now: START,
            since,
            ..Scene::of(Series::new(9))
        };
        let just_now = opened(START - 2 * MINUTE);
        assert_eq!(just_now.summary(), "No reading since 4 May, 14:00.");
        let after_it = opened(START + MINUTE);
        let expected = "Nothing was collected in this window.";
        assert_eq!(after_it.summary(), expected);
    }

    #[test]
    fn between_two_readings_it_says_when_the_last_one_was() {
        let mut between = scene(&[20.0, 19.0, 18.0], HOUR);
        between.window = Span::new(START + HOUR + MINUTE, START + HOUR + 2 * MINUTE);
        assert_eq!(
            between.summary(),
            "No reading in this window; the last before it: 15:02."
        );
        between.window = Span::new(START - HOUR, START - MINUTE);
        between.since = START - HOUR;
        assert_eq!(between.summary(), "No reading in this window.");
        between.window = Span::new(between.now + 1, between.now + HOUR);
        between.now += 3 * DAY;
        assert_eq!(
            between.summary(),
            "No reading in this window; the last before it: 4 May, 16:02."
        );
    }

    #[test]
    fn the_day_is_told_at_both_ends_once_or_not_at_all() {
        let told = |n_hours: usize, later: i64| {
            let mut scene = scene(&vec![20.0; n_hours + 1], HOUR);
            scene.now += later;
            let text = scene.summary();
            text.split_once(": ").unwrap().0.to_owned()
        };
        assert_eq!(told(9, 0), "14:02–23:02");
        assert_eq!(told(9, DAY), "4 May, 14:02–23:02");
        assert_eq!(told(23, 0), "4 May, 14:02–5 May, 13:02");
        assert_eq!(told(30, 0), "4 May, 14:02–5 May, 20:02");
        assert_eq!(told(700, 0), "4 May, 14:02–2 Jun, 18:02");
    }

    #[test]
    fn a_day_that_is_not_today_is_named_and_a_year_that_is_not_this_one() {
        let mut scene = scene(&[20.0, 19.0], 3 * MINUTE);
        scene.now += 2 * DAY;
        assert_eq!(
            scene.summary(),
            "4 May, 14:02–14:05: lowest 19.0 %, highest 20.0 %."
        );
        scene.now += 365 * DAY;
        assert_eq!(
            scene.summary(),
            "4 May 2026, 14:02–14:05: lowest 19.0 %, highest 20.0 %."
        );
        scene.window.start -= 365 * DAY;
        assert!(scene.summary().starts_with("4 May 2026, 14:02–14:05: "));
        scene.lines[0].series = Series::new(9);
        scene.lines[0].series.append(START - 364 * DAY, 20.0);
        scene.lines[0].series.append(START, 20.0);
        assert!(scene.summary().starts_with("5 May 2025–4 May 2026: "));
    }

    #[test]
    fn durations_round_to_one_unit() {
        let cases = [
            (0, "0 s"),
            (45_000, "45 s"),
            (58_000, "1 min"),
            (52 * MINUTE, "52 min"),
            (16 * HOUR, "16 h"),
            (72 * HOUR, "3 d"),
        ];
        for (duration, words) in cases {
            assert_eq!(duration_in_words(duration), words);
        }
    }
}
