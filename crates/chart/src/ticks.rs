use crate::calendar::{
    DAY, Date, HOUR, MINUTE, SECOND, Zone, first_day_of_month, month_name, push_clock, push_date,
};
use crate::decimal::push_whole;
use crate::{Span, decimal};

/// Round numbers for a value axis: whole multiples of 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueTicks {
    first: i64,
    last: i64,
    step: f64,
    decimals: u32,
}

impl ValueTicks {
    /// The finest round ticks of which at most `n_max` (at least one) lie between two values.
    pub fn new(low: f64, high: f64, n_max: usize) -> Self {
        let n_max = n_max.max(2);
        // No finer ones are so few, wherever they begin.
        let least = ((high - low) / (n_max as f64 + 1.0)).max(f64::from(f32::MIN_POSITIVE));
        // A power of ten by multiplication: `log10` and `powf` weigh kilobytes in Wasm.
        let (mut power, mut exponent) = (1.0, 0_i32);
        while power > least {
            power /= 10.0;
            exponent -= 1;
        }
        while power * 10.0 <= least {
            power *= 10.0;
            exponent += 1;
        }
        let mut ticks = Self {
            first: 0,
            last: 0,
            step: 0.0,
            decimals: 0,
        };
        for (factor, exponent) in [
            (1.0, exponent),
            (2.0, exponent),
            (5.0, exponent),
            (10.0, exponent + 1),
            (20.0, exponent + 1),
        ] {
            let step = factor * power;
            ticks = Self {
                first: (low / step - 1e-9).ceil() as i64,
                last: (high / step + 1e-9).floor() as i64,
                step,
                decimals: exponent.min(0).unsigned_abs(),
            };
            if ticks.last - ticks.first < n_max as i64 {
                break;
            }
        }
        ticks
    }

    /// The distance between two ticks.
    pub fn step(self) -> f64 {
        self.step
    }

    /// The ticks, rising.
    pub fn values(self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(move |count| count as f64 * self.step)
    }

    /// What is written beside a tick: as many decimals as tell it from its neighbours.
    pub fn label(self, value: f64) -> String {
        decimal(value as f32, self.decimals)
    }
}

/// A round moment on a time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeTick {
    /// The moment.
    pub time: i64,
    /// What is written below it: "14:02:05", "14:02", "5 Dec", "Mar" or "2026".
    pub label: String,
}

/// The finest round moments of the local clock of which at most `n_max` lie in a window: from
/// single seconds to centuries. Midnight is written as the day, 1 January as the year.
///
/// An hour that the clock shows twice has its ticks twice; one that it leaps over has none.
pub fn time_ticks(window: Span, n_max: usize, zone: Zone) -> Vec<TimeTick> {
    let n_max = n_max.max(1);
    for step in CLOCK_STEPS {
        if window.duration() / step <= n_max as i64
            && let Some(ticks) = clock_ticks(window, step, n_max, zone)
        {
            return ticks;
        }
    }
    let local = Span::new(zone.local(window.start), zone.local(window.end));
    let tick = |local: i64, label: String| TimeTick {
        time: zone.moment(local),
        label,
    };
    let is_within = |tick: &TimeTick| window.contains(tick.time);
    // Weeks say more, where there are several.
    let are_weeks = window.duration() > 14 * DAY;
    let day_steps = DAY_STEPS
        .into_iter()
        .filter(|(step, _)| *step != 3 || !are_weeks);
    for (step, phase) in day_steps {
        if let Some(multiples) = multiples(local, step * DAY, phase * DAY, n_max) {
            return multiples
                .map(|local| tick(local, day_label(local)))
                .filter(is_within)
                .collect();
        }
    }
    // Where no month begins, the end stays before the start.
    let months = Span {
        start: month_from(local.start),
        end: month_until(local.end),
    };
    for step in MONTH_STEPS {
        if let Some(multiples) = multiples(months, step, 0, n_max) {
            return multiples
                .map(|month| tick(first_day_of_month(month) * DAY, month_label(month)))
                .filter(is_within)
                .collect();
        }
    }
    Vec::new()
}

/// The moments of a window, no longer than some days, at which the clock shows multiples of `step`,
/// unless there are more than `n_max`.
fn clock_ticks(window: Span, step: i64, n_max: usize, zone: Zone) -> Option<Vec<TimeTick>> {
    let mut ticks = Vec::new();
    let mut start = window.start;
    loop {
        // Between two changes of the clock all its hours are alike. None has two changes in a day.
        let day = Span::new(start, window.end.min(start.saturating_add(DAY)));
        let end = zone.change(day.start, day.end).unwrap_or(match day.end {
            end if end < window.end => end,
            end => end.saturating_add(1),
        });
        let ahead = zone.local(start) - start;
        let local = Span {
            start: start + ahead,
            end: end - 1 + ahead,
        };
        for local in multiples(local, step, 0, n_max - ticks.len().min(n_max))? {
            ticks.push(TimeTick {
                time: local - ahead,
                label: clock_label(local, step),
            });
        }
        if end > window.end {
            return Some(ticks);
        }
        start = end;
    }
}

/// The multiples of `step`, moved by `phase`, in a span, unless there are more than `n_max`.
fn multiples(span: Span, step: i64, phase: i64, n_max: usize) -> Option<impl Iterator<Item = i64>> {
    let first = (span.start - phase + step - 1).div_euclid(step);
    let last = (span.end - phase).div_euclid(step);
    (last - first < n_max as i64).then(|| (first..=last).map(move |count| count * step + phase))
}

/// The first month that begins at or after a local moment.
fn month_from(local: i64) -> i64 {
    month_until(local - 1) + 1
}

/// The last month that begins at or before a local moment.
fn month_until(local: i64) -> i64 {
    Date::of_day(local.div_euclid(DAY)).month_count()
}

fn clock_label(local: i64, step: i64) -> String {
    let mut text = String::new();
    if local.rem_euclid(DAY) == 0 {
        return day_label(local);
    }
    push_clock(&mut text, local);
    if step < MINUTE {
        text.push(':');
        push_whole(
            &mut text,
            (local.rem_euclid(MINUTE) / SECOND).unsigned_abs(),
            2,
        );
    }
    text
}

fn day_label(local: i64) -> String {
    let date = Date::of_day(local.div_euclid(DAY));
    if date.month == 0 && date.day == 1 {
        return month_label(date.month_count());
    }
    let mut text = String::new();
    push_date(&mut text, date);
    text
}

fn month_label(month_count: i64) -> String {
    let month = month_count.rem_euclid(12);
    if month != 0 {
        return String::from(month_name(month as u32));
    }
    let mut text = String::new();
    push_whole(&mut text, month_count.div_euclid(12).unsigned_abs(), 4);
    text
}

const CLOCK_STEPS: [i64; 15] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
];
/// Days and where to begin: 1 January 1970 was a Thursday, and weeks begin on Monday.
const DAY_STEPS: [(i64, i64); 5] = [(1, 0), (2, 0), (3, 0), (7, 4), (14, 4)];
const MONTH_STEPS: [i64; 9] = [1, 3, 6, 12, 24, 60, 120, 600, 1_200];

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::calendar::{AUTUMN, BERLIN, SPRING};
    use proptest::prelude::*;

    thread_local! {
        static AHEAD: Cell<i32> = const { Cell::new(0) };
    }

    /// A clock that is never changed.
    fn ahead_by(minutes: i32) -> Zone {
        AHEAD.set(minutes);
        Zone(|_| AHEAD.get())
    }

    fn labels(start: i64, duration: i64, n_max: usize, minutes: i32) -> Vec<String> {
        time_ticks(Span::new(start, start + duration), n_max, ahead_by(minutes))
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    /// 2026-05-04T14:02:03Z
    const AFTERNOON: i64 = 1_777_903_323_000;

    #[test]
    fn labels_follow_the_step() {
        assert_eq!(
            labels(AFTERNOON, 20 * SECOND, 5, 0),
            ["14:02:05", "14:02:10", "14:02:15", "14:02:20"]
        );
        assert_eq!(
            labels(AFTERNOON, 18 * MINUTE, 4, 0),
            ["14:05", "14:10", "14:15", "14:20"]
        );
        assert_eq!(
            labels(AFTERNOON, 16 * HOUR, 3, 0),
            ["18:00", "5 May", "06:00"]
        );
        assert_eq!(
            labels(AFTERNOON, 21 * DAY, 4, 0),
            ["11 May", "18 May", "25 May"]
        );
        assert_eq!(
            labels(AFTERNOON, 365 * DAY, 4, 0),
            ["Jul", "Oct", "2027", "Apr"]
        );
        assert_eq!(
            labels(AFTERNOON, 3653 * DAY, 6, 0),
            ["2028", "2030", "2032", "2034", "2036"]
        );
    }

    #[test]
    fn where_no_month_begins_there_is_no_tick_outside() {
        let after_the_first = 780_970_620_001;
        assert!(labels(after_the_first, 29 * DAY, 1, 0).is_empty());
    }

    #[test]
    fn ticks_are_round_on_the_local_clock() {
        // Half an hour off the hour, as in Adelaide.
        assert_eq!(
            labels(AFTERNOON, 3 * HOUR, 4, 570),
            ["5 May", "01:00", "02:00"]
        );
    }

    #[test]
    fn leap_days_are_counted() {
        // 2024-02-27T00:00Z
        let start = 19_780 * DAY;
        assert_eq!(
            labels(start, 4 * DAY, 5, 0),
            ["27 Feb", "28 Feb", "29 Feb", "1 Mar", "2 Mar"]
        );
    }

    #[test]
    fn each_century_has_its_leap_days() {
        let days = |start: i64| labels(start * DAY, 2 * DAY, 3, 0);
        // 28 February of 2000, a leap year, and of 2100, none.
        assert_eq!(days(11_015), ["28 Feb", "29 Feb", "1 Mar"]);
        assert_eq!(days(47_540), ["28 Feb", "1 Mar", "2 Mar"]);
    }

    fn in_berlin(start: i64, duration: i64, n_max: usize) -> Vec<(i64, String)> {
        let window = Span::new(start, start + duration);
        let ticks = time_ticks(window, n_max, BERLIN);
        let from = |tick: TimeTick| ((tick.time - start) / MINUTE, tick.label);
        ticks.into_iter().map(from).collect()
    }

    fn ticks(expected: &[(i64, &str)]) -> Vec<(i64, String)> {
        let owned = |&(minute, label): &(i64, &str)| (minute, String::from(label));
        expected.iter().map(owned).collect()
    }

    #[test]
    fn an_hour_that_comes_twice_is_marked_twice() {
        assert_eq!(
            in_berlin(AUTUMN - 2 * HOUR, 4 * HOUR, 5),
            ticks(&[
                (0, "01:00"),
                (60, "02:00"),
                (120, "02:00"),
                (180, "03:00"),
                (240, "04:00")
            ])
        );
        assert_eq!(
            in_berlin(AUTUMN - 30 * MINUTE, HOUR, 3),
            ticks(&[(0, "02:30"), (30, "02:00"), (60, "02:30")])
        );
    }

    #[test]
    fn an_hour_that_never_comes_is_not_marked() {
        assert_eq!(
            in_berlin(SPRING - HOUR, 2 * HOUR, 3),
            ticks(&[(0, "01:00"), (60, "03:00"), (120, "04:00")])
        );
        assert_eq!(
            in_berlin(SPRING - HOUR, 9 * HOUR, 4),
            ticks(&[(60, "03:00"), (240, "06:00"), (420, "09:00")])
        );
    }

    #[test]
    fn days_begin_at_midnight_whatever_their_length() {
        let hours = |ticks: Vec<(i64, String)>| -> Vec<i64> {
            ticks
                .windows(2)
                .map(|pair| (pair[1].0 - pair[0].0) / 60)
                .collect()
        };
        assert_eq!(hours(in_berlin(AUTUMN - 2 * DAY, 4 * DAY, 4)), [24, 25, 24]);
        assert_eq!(hours(in_berlin(SPRING - 2 * DAY, 4 * DAY, 4)), [24, 23, 24]);
        let months = in_berlin(SPRING - 60 * DAY, 90 * DAY, 4);
        let labels: Vec<&str> = months.iter().map(|tick| tick.1.as_str()).collect();
        assert_eq!(labels, ["Feb", "Mar", "Apr"]);
        let local = |tick: &(i64, String)| BERLIN.local(SPRING - 60 * DAY + tick.0 * MINUTE);
        assert!(months.iter().all(|tick| local(tick).rem_euclid(DAY) == 0));
    }

    #[test]
    fn decimals_follow_the_step() {
        let labels = |low, high, n_max| -> Vec<String> {
            let ticks = ValueTicks::new(low, high, n_max);
            ticks.values().map(|value| ticks.label(value)).collect()
        };
        assert_eq!(labels(8.0, 28.0, 5), ["10", "15", "20", "25"]);
        assert_eq!(
            labels(13.1, 13.5, 5),
            ["13.1", "13.2", "13.3", "13.4", "13.5"]
        );
        assert_eq!(labels(-0.3, 0.3, 3), ["−0.2", "0.0", "0.2"]);
        assert_eq!(labels(10.8, 28.2, 4), ["15", "20", "25"]);
        assert_eq!(labels(0.0, 2_400.0, 4), ["0", "1000", "2000"]);
    }

    #[test]
    fn a_week_has_several_ticks_on_a_phone_too() {
        for day in 0..21 {
            let start = day * DAY + 19 * HOUR;
            let ticks = time_ticks(Span::new(start, start + 7 * DAY), 3, ahead_by(0));
            assert!((2..=3).contains(&ticks.len()), "{ticks:?}");
        }
    }

    proptest! {
        #[test]
        fn value_ticks_are_round_within_and_few(
            low in -1e5_f64..1e5, length in 1e-3_f64..1e5, n_max in 2_usize..12,
        ) {
            let ticks = ValueTicks::new(low, low + length, n_max);
            let values: Vec<f64> = ticks.values().collect();
            prop_assert!(values.len() <= n_max);
            // Finer steps of the kind 1, 2, 5 would be too many.
            prop_assert!((values.len() as f64 + 1.0) * ticks.step() * 2.5 >= length);
            for value in values {
                prop_assert!(value >= low - ticks.step() * 1e-6);
                prop_assert!(value <= low + length + ticks.step() * 1e-6);
                let mut digits = ticks.step();
                while digits < 1.0 - 1e-9 { digits *= 10.0; }
                while digits >= 10.0 - 1e-9 { digits /= 10.0; }
                prop_assert!([1.0, 2.0, 5.0].iter().any(|round| (digits - round).abs() < 1e-6));
            }
        }

        #[test]
        fn ticks_are_round_over_the_changes_of_a_clock(
            start in SPRING - 10 * DAY..AUTUMN + 10 * DAY,
            exponent in 0.0_f64..8.5,
            n_max in 2_usize..14,
        ) {
            // From a second to ten years.
            let window = Span::new(start, start + (1_000.0 * 10_f64.powf(exponent)) as i64);
            let ticks = time_ticks(window, n_max, BERLIN);
            prop_assert!(ticks.len() <= n_max);
            prop_assert!(ticks.windows(2).all(|pair| pair[0].time < pair[1].time));
            for tick in &ticks {
                prop_assert!(window.contains(tick.time));
                let local = BERLIN.local(tick.time);
                let is_round = match tick.label.split(':').count() {
                    1 => local % DAY == 0,
                    2 => local % MINUTE == 0,
                    _ => local % SECOND == 0,
                };
                prop_assert!(is_round, "{}", tick.label);
            }
        }

        #[test]
        fn time_ticks_are_within_rising_and_few(
            start in -1_000_000_000_000_i64..4_000_000_000_000,
            seconds in 1_i64..330_000_000,
            n_max in 2_usize..14,
            minutes in -720_i32..840,
        ) {
            let window = Span::new(start, start + seconds * SECOND);
            let ticks = time_ticks(window, n_max, ahead_by(minutes));
            prop_assert!(ticks.len() <= n_max);
            prop_assert!(ticks.windows(2).all(|pair| pair[0].time < pair[1].time));
            for tick in &ticks {
                prop_assert!(window.contains(tick.time));
                let local = tick.time + i64::from(minutes) * MINUTE;
                prop_assert_eq!(local % SECOND, 0);
                prop_assert!(!tick.label.is_empty());
            }
        }
    }
}
