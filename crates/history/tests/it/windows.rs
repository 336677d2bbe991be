//! Windows and their limits.

use history::{History, Query, QueryError, Settings};

use crate::fixture::{DAY, HOUR, MINUTE, Probe, START, small};

#[test]
fn a_window_has_at_most_two_rows_for_each_pixel() {
    let mut probe = Probe::new(small());
    probe.fill(60 * 24 * 7, MINUTE);
    for (span, points, step) in [
        (HOUR, 30, 0),
        (HOUR, 29, 2 * MINUTE),
        (DAY, 100, 15 * MINUTE),
        (7 * DAY, 100, HOUR),
        (7 * DAY, 3, 2 * DAY),
    ] {
        let columns = probe.ask(START, START + span, points);
        assert_eq!(columns.step, step, "{span} ms on {points} pixels");
        assert!(columns.time.len() <= points as usize * 2);
        let n_points: u32 = columns.count.iter().sum();
        let whole = (columns.to.min(START + 7 * DAY) - columns.from.max(START)) / MINUTE;
        assert_eq!(i64::from(n_points), whole);
    }
}

#[test]
fn silence_is_marked() {
    let mut probe = Probe::new(small());
    probe.fill(20, 15 * MINUTE);
    // Two readings are missing, then three.
    for index in [22, 26, 27] {
        probe.record(START + index * 15 * MINUTE, 1.0);
    }
    let columns = probe.ask(START, START + DAY, 100);
    assert_eq!(columns.gaps, [21]);
    // With rows of an hour it is the hour without a reading.
    probe.record(START + 32 * 15 * MINUTE, 1.0);
    let columns = probe.ask(START, START + DAY, 10);
    assert!(columns.step >= HOUR);
    assert_eq!(columns.gaps.len(), usize::from(columns.step == HOUR));
}

#[test]
fn a_bad_query_is_told_what_is_wrong() {
    let probe = Probe::new(Settings::default());
    let good = Query {
        series: vec![probe.id],
        from: START,
        to: START + DAY,
        points: 1_200,
    };
    let error = |query| probe.history.plan(&query).unwrap_err();
    let turned = Query {
        to: START,
        ..good.clone()
    };
    assert_eq!(error(turned), QueryError::EmptyWindow);
    let nothing = Query {
        points: 0,
        ..good.clone()
    };
    assert_eq!(error(nothing), QueryError::NoPoints);
    let wide = Query {
        points: 10_001,
        ..good.clone()
    };
    assert_eq!(error(wide), QueryError::TooManyPoints { limit: 10_000 });
    let many = Query {
        series: vec![probe.id; 101],
        ..good.clone()
    };
    assert_eq!(error(many), QueryError::TooManySeries { limit: 100 });
    let empty = History::new(Settings::default());
    assert_eq!(empty.plan(&good).unwrap_err(), QueryError::UnknownSeries);
}

#[test]
fn all_of_time_can_be_asked_for() {
    let mut probe = Probe::new(small());
    probe.fill(500, MINUTE);
    let columns = probe.ask(i64::MIN, i64::MAX, 1);
    assert_eq!(columns.count, [500]);
    assert!(probe.ask(i64::MIN, START, 10_000).time.is_empty());
}

#[test]
fn all_points_come_one_after_the_other() {
    let mut probe = Probe::new(small());
    probe.fill(200, MINUTE);
    probe.record(START + MINUTE / 2, 7.0);
    probe.record(START + 900 * MINUTE, 7.0);
    let mut times = Vec::new();
    probe.history.points(probe.id, &mut probe.disk, |points| {
        times.extend(points.unwrap().iter().map(|point| point.time));
    });
    assert_eq!(times.len(), 202);
    assert!(times.is_sorted_by(|a, b| a < b));
}

#[test]
fn too_much_work_is_done_in_a_coarser_way_or_refused() {
    let n_points = 60 * 24 * 7;
    let ask = |query_work_max| {
        let mut probe = Probe::new(Settings {
            query_work_max,
            ..small()
        });
        probe.fill(n_points, MINUTE);
        let query = Query {
            series: vec![probe.id],
            from: START,
            to: START + 7 * DAY,
            points: 10_000,
        };
        let plan = probe.history.plan(&query);
        plan.map(|plan| {
            assert!(plan.work() <= query_work_max);
            plan.run(&mut probe.disk).next().unwrap().step
        })
    };
    assert_eq!(ask(20_000).unwrap(), 0);
    assert_eq!(ask(2_000).unwrap(), 15 * MINUTE);
    assert_eq!(ask(500).unwrap(), HOUR);
    assert_eq!(ask(10).unwrap_err(), QueryError::TooMuchWork);
}

#[test]
fn what_is_usual_is_what_lies_between_the_newest() {
    let mut probe = Probe::new(small());
    assert_eq!(probe.history.usual_step(probe.id), None);
    probe.record(START - HOUR, 20.0);
    assert_eq!(
        probe.history.usual_step(probe.id),
        None,
        "one tells nothing"
    );
    probe.fill(96, 15 * MINUTE);
    assert_eq!(probe.history.usual_step(probe.id), Some(15 * MINUTE));
    probe.restart();
    assert_eq!(probe.history.usual_step(probe.id), Some(15 * MINUTE));
    for minute in 1..=8 {
        probe.record(START + minute * MINUTE, 20.0);
    }
    let late = "those that come late are not the newest";
    assert_eq!(
        probe.history.usual_step(probe.id),
        Some(15 * MINUTE),
        "{late}"
    );
    let last = probe.now;
    for minute in 1..=8 {
        probe.record(last + minute * MINUTE, 20.0);
    }
    assert_eq!(probe.history.usual_step(probe.id), Some(MINUTE));
}
