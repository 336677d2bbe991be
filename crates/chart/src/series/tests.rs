use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn series(points: &[(i64, f32)]) -> Series {
    let mut series = Series::new(100);
    for &(time, value) in points {
        series.append(time, value);
    }
    series
}

fn points(series: &Series) -> Vec<(i64, f32)> {
    let all = Span::new(i64::MIN, i64::MAX);
    series
        .points(all)
        .map(|point| (point.time, point.value))
        .collect()
}

#[test]
fn late_points_go_to_their_place_and_equal_times_replace() {
    let mut series = series(&[(10, 1.0), (30, 3.0)]);
    assert!(series.append(20, 2.0));
    assert!(series.append(30, 4.0));
    assert_eq!(points(&series), [(10, 1.0), (20, 2.0), (30, 4.0)]);
}

#[test]
fn what_is_not_a_number_is_not_kept() {
    let mut series = series(&[(10, 1.0)]);
    assert!(!series.append(20, f32::NAN));
    assert!(!series.append(20, f32::INFINITY));
    assert_eq!(points(&series), [(10, 1.0)]);
}

#[test]
fn a_clone_keeps_what_it_had() {
    let mut series = series(&[(10, 1.0)]);
    let before = series.clone();
    series.append(20, 2.0);
    assert_eq!(points(&before), [(10, 1.0)]);
    assert_eq!(points(&series), [(10, 1.0), (20, 2.0)]);
}

#[test]
fn nearest_stays_in_the_window() {
    let series = series(&[(10, 1.0), (20, 2.0), (30, 3.0)]);
    let nearest = |start, end, time| {
        let point = series.nearest(Span::new(start, end), time);
        point.map(|point| point.time)
    };
    assert_eq!(nearest(0, 100, 14), Some(10));
    assert_eq!(nearest(0, 100, 15), Some(10));
    assert_eq!(nearest(0, 100, 16), Some(20));
    assert_eq!(nearest(0, 100, 99), Some(30));
    assert_eq!(nearest(15, 25, 99), Some(20));
    assert_eq!(nearest(21, 29, 25), None);
}

#[test]
fn the_usual_interval_ignores_a_gap() {
    let times = [0, 10, 20, 30, 5_000, 5_010, 5_020];
    let series = series(&times.map(|time| (time, 1.0)));
    assert_eq!(series.usual_interval(), Some(10));
    assert_eq!(Series::new(9).usual_interval(), None);
}

#[test]
fn years_between_two_readings_are_no_trouble() {
    let year = 365 * 86_400_000;
    let times = [0, 3 * year, year, -2 * year, 2 * year, 40 * year];
    let series = series(&times.map(|time| (time, 1.0)));
    let found: Vec<i64> = points(&series).iter().map(|point| point.0 / year).collect();
    assert_eq!(found, [-2, 0, 1, 2, 3, 40]);
    assert_eq!(series.at_or_before(30 * year).unwrap().time, 3 * year);
}

#[test]
fn a_bundle_s_series_share_their_times_and_miss_readings_of_their_own() {
    let mut bundle = Bundle::new(2, 100);
    assert!(bundle.append(10, &[1.0, 5.0]));
    assert!(bundle.append(20, &[2.0, f32::NAN]));
    assert!(bundle.append(30, &[f32::INFINITY, 7.0]));
    assert!(bundle.append(20, &[f32::NAN, 6.0]));
    assert!(!bundle.append(40, &[f32::NAN, f32::NAN]));
    assert!(!bundle.append(40, &[1.0]));
    let [one, two] = [0, 1].map(|number| bundle.series(number).unwrap());
    assert_eq!(points(&one), [(10, 1.0), (20, 2.0)]);
    assert_eq!(points(&two), [(10, 5.0), (20, 6.0), (30, 7.0)]);
    assert_eq!(one.last().unwrap().time, 20);
    assert!(bundle.series(2).is_none());
}

#[test]
fn a_reading_takes_few_bytes() {
    let n = 30_000;
    let mut own = Series::new(n);
    let mut shared = Bundle::new(10, n);
    for number in 0..n {
        let time = number as i64 * 60_000;
        own.append(time, number as f32);
        shared.append(time, &[number as f32; 10]);
    }
    let per_point = |bytes: usize, n: usize| bytes as f64 / n as f64;
    assert!(per_point(own.heap_bytes(), n) < 10.0);
    assert!(per_point(shared.heap_bytes(), 10 * n) < 6.0);
}

/// Many readings at random times, some of them late, some missing.
fn readings() -> impl Strategy<Value = Vec<(i64, f32)>> {
    let value = prop_oneof![9 => -50_f32..50.0, 1 => Just(f32::NAN)];
    let often_late = prop::collection::vec((0_i64..5_000, value.clone()), 0..1_500);
    let in_order =
        prop::collection::vec((1_i64..1_000_000_000, value), 0..1_500).prop_map(|steps| {
            let mut time = -1_000_000_000_000;
            let passed = |(step, value)| {
                time += step;
                (time, value)
            };
            steps.into_iter().map(passed).collect()
        });
    prop_oneof![often_late, in_order]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn it_keeps_the_newest_in_order(readings in readings(), capacity in 1_usize..1_200) {
        let mut series = Series::new(capacity);
        let mut model = BTreeMap::new();
        for (time, value) in readings {
            let is_too_old = model.len() == capacity
                && model.first_key_value().is_some_and(|(&first, _)| time < first);
            let is_kept = !value.is_nan() && !is_too_old;
            prop_assert_eq!(series.append(time, value), is_kept);
            if is_kept {
                model.insert(time, value);
                if model.len() > capacity {
                    model.pop_first();
                }
            }
        }
        prop_assert_eq!(series.len(), model.len());
        let model: Vec<(i64, f32)> = model.into_iter().collect();
        prop_assert_eq!(points(&series), model);
    }

    #[test]
    fn a_window_is_what_a_scan_finds(
        readings in readings(), start in -10_i64..5_010, length in 0_i64..3_000,
    ) {
        let mut bundle = Bundle::new(2, usize::MAX);
        let mut model = BTreeMap::new();
        for (time, value) in readings {
            bundle.append(time, &[value, time as f32]);
            let known = model.entry(time).or_insert(value);
            if !value.is_nan() {
                *known = value;
            }
        }
        let series = bundle.series(0).unwrap();
        model.retain(|_, value| !value.is_nan());
        // Windows of ordered readings are found by their own times.
        let from = model.keys().nth(start.unsigned_abs() as usize).copied().unwrap_or(start);
        let window = Span::new(from, from + length * (1 + model.len() as i64 % 7) * 100_000);
        for window in [Span::new(start, start + length), window] {
            let scanned: Vec<(i64, f32)> = model
                .range(window.start..=window.end)
                .map(|(&time, &value)| (time, value))
                .collect();
            let found: Vec<(i64, f32)> =
                series.points(window).map(|point| (point.time, point.value)).collect();
            prop_assert_eq!(&found, &scanned);
            let extent = scanned.iter().fold(None, |extent, &(_, value)| {
                let (low, high) = extent.unwrap_or((value, value));
                Some((value.min(low), value.max(high)))
            });
            prop_assert_eq!(series.extent(window), extent);
            let middle = window.start + window.duration() / 3;
            let before = model.range(..=middle).next_back().map(|(&time, _)| time);
            let after = model.range(middle + 1..).next().map(|(&time, _)| time);
            prop_assert_eq!(series.at_or_before(middle).map(|point| point.time), before);
            prop_assert_eq!(series.after(middle).map(|point| point.time), after);
        }
    }
}
