use crate::series::{Position, Store};
use crate::{Point, Series, Span};

/// Which silences of a series are gaps: those that are longer than a reading holds, if its device
/// says how long that is, or else than three times the interval that was usual around them.
///
/// Where readings used to come more rarely than that, what the device says was not meant for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GapLimit {
    /// No silence up to this is a gap, wherever it is: few are looked at more closely.
    least: i64,
    expiry: i64,
}

impl GapLimit {
    /// That of a series in a window. `None` while too little is known of it: then nothing is a gap.
    pub(crate) fn of(series: &Series, window: Span, expiry: Option<i64>) -> Option<Self> {
        let least = match expiry {
            Some(expiry) => expiry,
            None => series.shortest_interval(window)?.saturating_mul(3),
        };
        let expiry = expiry.unwrap_or_default();
        Some(Self { least, expiry })
    }

    /// Whether nothing came for too long before, or after, the place where a reading is or would be.
    pub(crate) fn is_gap(self, series: &Series, at: Position, silence: i64) -> bool {
        // The shortest interval of which the silence is not more than three, and which the device did not promise.
        let interval = (silence.saturating_add(2) / 3).max(self.expiry.saturating_add(1));
        silence > self.least && !was_usual(series, at, interval)
    }
}

/// Whether an interval so long was usual around a place: half of the few before it are as long, or
/// half of those after it, or all that there are.
fn was_usual(series: &Series, at: Position, interval: i64) -> bool {
    let (store, column) = (series.store(), series.column());
    let before = |at| store.last(column, store.start(), at);
    let after = |at| store.first(column, store.next(at), store.end());
    let (n_before, n_long_before) = count(store, before(at), &before, interval);
    let next = store.first(column, at, store.end());
    let (n_after, n_long_after) = count(store, next, &after, interval);
    let n_long = n_long_before + n_long_after;
    n_long_before.max(n_long_after) >= AROUND / 2
        || (n_long == n_before + n_after && n_long >= TELLING)
}

/// How many intervals lie between the next few readings, and how many of them are so long.
fn count(
    store: &Store,
    mut at: Option<Position>,
    step: &dyn Fn(Position) -> Option<Position>,
    interval: i64,
) -> (usize, usize) {
    let (mut n, mut n_long) = (0, 0);
    while n < AROUND
        && let Some(here) = at
        && let Some(next) = step(here)
        && let (Some(time), Some(next_time)) = (store.time(here), store.time(next))
    {
        n += 1;
        n_long += usize::from((next_time - time).abs() >= interval);
        at = Some(next);
    }
    (n, n_long)
}

/// The silences in a window that are gaps, cut to the window; the last one may reach to `now`.
///
/// The time before the first reading is no gap: nothing was expected then.
pub(crate) fn gaps(series: &Series, window: Span, limit: Option<GapLimit>, now: i64) -> Vec<Span> {
    let Some(limit) = limit else {
        return Vec::new();
    };
    let (store, within) = (series.store(), series.positions(window));
    let mut found = Vec::new();
    let mut add = |start: Point, at: Position, end: i64| {
        if limit.is_gap(series, at, end.saturating_sub(start.time)) {
            found.extend(Span::new(start.time, end).intersection(window));
        }
    };
    store.silences(
        series.column(),
        within.start,
        within.end,
        limit.least,
        &mut |at| {
            if let (Some(before), Some(time)) =
                (series.last_until(store.start(), at), store.time(at))
            {
                add(before, at, time);
            }
        },
    );
    if let Some(before) = series.last_until(store.start(), within.end) {
        let after = series.first_from(within.end, store.end());
        add(before, within.end, after.map_or(now, |after| after.time));
    }
    found
}

/// How many intervals on each side tell what is usual.
pub(crate) const AROUND: usize = 6;
/// Fewer than this tell nothing where there are no others.
const TELLING: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(times: &[i64]) -> Series {
        let mut series = Series::new(100_000);
        for &time in times {
            series.append(time, 1.0);
        }
        series
    }

    fn found(times: &[i64], window: (i64, i64), expiry: Option<i64>, now: i64) -> Vec<(i64, i64)> {
        let (series, window) = (series(times), Span::new(window.0, window.1));
        let limit = GapLimit::of(&series, window, expiry);
        gaps(&series, window, limit, now)
            .into_iter()
            .map(|gap| (gap.start, gap.end))
            .collect()
    }

    const TIMES: [i64; 8] = [100, 110, 120, 130, 170, 180, 190, 200];
    const NONE: [(i64, i64); 0] = [];

    #[test]
    fn three_times_the_usual_interval_is_a_gap() {
        assert_eq!(found(&TIMES, (0, 210), None, 210), [(130, 170)]);
        let short = [100, 110, 120, 130, 160, 170];
        assert_eq!(found(&short, (0, 180), None, 180), NONE);
    }

    #[test]
    fn a_gap_is_cut_to_the_window_and_reaches_to_now() {
        assert_eq!(found(&TIMES, (140, 150), None, 210), [(140, 150)]);
        assert_eq!(found(&TIMES, (190, 300), None, 260), [(200, 260)]);
        assert_eq!(found(&TIMES, (190, 230), None, 260), [(200, 230)]);
    }

    #[test]
    fn a_stated_expiry_decides() {
        assert_eq!(found(&TIMES, (0, 210), Some(50), 210), NONE);
        assert_eq!(
            found(&TIMES, (0, 213), Some(12), 213),
            [(130, 170), (200, 213)]
        );
        assert_eq!(
            found(&[100, 900], (0, 950), Some(30), 950),
            [(100, 900), (900, 950)]
        );
    }

    #[test]
    fn too_few_readings_have_no_gap() {
        assert_eq!(found(&[100, 900], (0, 5_000), None, 5_000), NONE);
        assert_eq!(found(&[], (0, 5_000), None, 5_000), NONE);
    }

    /// A hundred readings every fifteen minutes, silence for an hour, then as many every five seconds,
    /// silence for a minute, and some more; the last of them was at the second time.
    fn rare_then_often() -> (Vec<i64>, i64) {
        let mut times: Vec<i64> = (0..100).map(|number| number * 900).collect();
        let mut add = |after: i64, interval: i64, n: usize| {
            let mut time = times.last().copied().unwrap() + after;
            for _ in 0..n {
                times.push(time);
                time += interval;
            }
        };
        add(3_600, 900, 100);
        add(900, 5, 100);
        add(60, 5, 100);
        let end = times.last().copied().unwrap();
        (times, end)
    }

    #[test]
    fn where_the_interval_changed_each_part_keeps_its_own() {
        let (times, end) = rare_then_often();
        let (hour, minute) = (
            (99 * 900, 99 * 900 + 3_600),
            (end - 99 * 5 - 60, end - 99 * 5),
        );
        assert_eq!(found(&times, (0, end), None, end), [hour, minute]);
        assert_eq!(found(&times, (0, end), Some(20), end), [hour, minute]);
        assert_eq!(found(&times, (end - 600, end), None, end), [minute]);
        assert_eq!(found(&times, (hour.0 + 9, hour.0 + 99), None, end).len(), 1);
        // And the other way round.
        let often_then_rare: Vec<i64> = times.iter().rev().map(|time| end - time).collect();
        assert_eq!(found(&often_then_rare, (0, end), None, end).len(), 2);
    }

    #[test]
    fn a_reading_alone_in_a_long_silence_makes_it_two() {
        let mut times: Vec<i64> = (0..20).map(|number| number * 5).collect();
        times.extend([700, 1_300, 1_305, 1_310, 1_315]);
        let gaps = found(&times, (0, 1_315), None, 1_315);
        assert_eq!(gaps, [(95, 700), (700, 1_300)]);
    }

    /// The same by looking at every silence.
    fn naive(times: &[i64], limit: GapLimit) -> Vec<(i64, i64)> {
        let intervals: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let is_gap = |&number: &usize| {
            let silence = intervals[number];
            let before = &intervals[number.saturating_sub(AROUND)..number];
            let after = &intervals[number + 1..intervals.len().min(number + 1 + AROUND)];
            let is_long = |interval: &&i64| **interval > limit.expiry && **interval * 3 >= silence;
            let n_long = |side: &[i64]| side.iter().filter(is_long).count();
            let all = n_long(before) + n_long(after);
            let is_usual = n_long(before) >= 3
                || n_long(after) >= 3
                || (all >= 2 && all == before.len() + after.len());
            silence > limit.least && !is_usual
        };
        let numbers = (0..intervals.len()).filter(is_gap);
        numbers
            .map(|number| (times[number], times[number + 1]))
            .collect()
    }

    /// Stretches of readings, each with an interval of its own that is kept more or less.
    fn times() -> impl Strategy<Value = Vec<i64>> {
        let stretch = (1_i64..2_000, prop::collection::vec(0_u8..40, 1..400));
        prop::collection::vec(stretch, 1..5).prop_map(|stretches| {
            let mut times = vec![0];
            for (interval, jitters) in stretches {
                for jitter in jitters {
                    let interval = match jitter {
                        0 => interval * 20,
                        1..5 => interval * 3,
                        _ => interval + interval * i64::from(jitter) / 100,
                    };
                    times.push(times.last().copied().unwrap_or_default() + interval);
                }
            }
            times
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn gaps_are_what_a_look_at_every_silence_finds(
            times in times(), expiry in prop::option::of(1_i64..5_000), part in 0_i64..100,
        ) {
            let end = times.last().copied().unwrap_or_default();
            let window = Span::new(end / 100 * part, end);
            let series = series(&times);
            let found: Vec<_> = gaps(&series, window, GapLimit::of(&series, window, expiry), end)
                .iter()
                .map(|gap| (gap.start, gap.end))
                .collect();
            let expected: Option<Vec<_>> = GapLimit::of(&series, window, expiry).map(|limit| {
                let gaps = naive(&times, limit).into_iter();
                let in_window = gaps.filter(|gap| gap.1 >= window.start);
                in_window.map(|gap| (gap.0.max(window.start), gap.1)).collect()
            });
            prop_assert_eq!(found, expected.unwrap_or_default());
        }
    }
}
