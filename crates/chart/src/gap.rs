use crate::{Point, Series, Span};

/// The longest silence that is not a gap, in milliseconds: the stated expiry of a reading, or else
/// three times the usual interval. `None` while neither is known: then nothing is a gap.
pub fn gap_limit(series: &Series, expiry: Option<i64>) -> Option<i64> {
    expiry.or_else(|| Some(series.usual_interval()?.saturating_mul(3)))
}

/// The silences in a window that are longer than `limit`, cut to the window; the last one may
/// reach to `now`.
///
/// The time before the first reading is no gap: nothing was expected then.
pub fn gaps(series: &Series, window: Span, limit: Option<i64>, now: i64) -> Vec<Span> {
    let Some(limit) = limit else {
        return Vec::new();
    };
    let (store, within) = (series.store(), series.positions(window));
    let mut found = Vec::new();
    let mut add = |start: Point, end: i64| {
        if end.saturating_sub(start.time) > limit {
            found.extend(Span::new(start.time, end).intersection(window));
        }
    };
    store.silences(
        series.column(),
        within.start,
        within.end,
        limit,
        &mut |at| {
            if let (Some(before), Some(time)) =
                (series.last_until(store.start(), at), store.time(at))
            {
                add(before, time);
            }
        },
    );
    if let Some(before) = series.last_until(store.start(), within.end) {
        let after = series.first_from(within.end, store.end());
        add(before, after.map_or(now, |after| after.time));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_ten(times: &[i64]) -> Series {
        let mut series = Series::new(100);
        for &time in times {
            series.append(time, 1.0);
        }
        series
    }

    fn found(times: &[i64], window: (i64, i64), now: i64) -> Vec<(i64, i64)> {
        let series = every_ten(times);
        let limit = gap_limit(&series, None);
        gaps(&series, Span::new(window.0, window.1), limit, now)
            .into_iter()
            .map(|gap| (gap.start, gap.end))
            .collect()
    }

    const TIMES: [i64; 8] = [100, 110, 120, 130, 170, 180, 190, 200];

    #[test]
    fn three_times_the_usual_interval_is_a_gap() {
        assert_eq!(found(&TIMES, (0, 210), 210), [(130, 170)]);
        let none: [(i64, i64); 0] = [];
        assert_eq!(found(&[100, 110, 120, 130, 160, 170], (0, 180), 180), none);
    }

    #[test]
    fn a_gap_is_cut_to_the_window_and_reaches_to_now() {
        assert_eq!(found(&TIMES, (140, 150), 210), [(140, 150)]);
        assert_eq!(found(&TIMES, (190, 300), 260), [(200, 260)]);
        assert_eq!(found(&TIMES, (190, 230), 260), [(200, 230)]);
    }

    #[test]
    fn a_stated_expiry_decides() {
        let series = every_ten(&TIMES);
        let window = Span::new(0, 210);
        assert!(gaps(&series, window, gap_limit(&series, Some(50)), 210).is_empty());
        assert_eq!(
            gaps(&series, window, gap_limit(&series, Some(5)), 201).len(),
            7
        );
    }

    #[test]
    fn too_few_readings_have_no_gap() {
        let none: [(i64, i64); 0] = [];
        assert_eq!(found(&[100, 900], (0, 5_000), 5_000), none);
        assert_eq!(found(&[], (0, 5_000), 5_000), none);
    }
}
