//! What is kept for how long, and how much.

use history::{Key, Level, Point, Recorded, Settings};

use crate::fixture::{DAY, HOUR, MINUTE, Probe, START, small};

fn is_body_of(level: Level) -> impl Fn(Key) -> bool {
    move |key| matches!(key, Key::Body(chunk) if chunk.level == level)
}

fn kept_for_ten_days() -> Settings {
    Settings {
        raw_kept: Some(10 * DAY),
        ..small()
    }
}

#[test]
fn points_go_and_their_rollups_stay() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(96 * 30, 15 * MINUTE);
    probe.tidy_up();
    let n_chunks = probe.disk.count(is_body_of(Level::Raw));
    assert!(
        (20..=21).contains(&n_chunks),
        "{n_chunks} chunks of half a day"
    );
    assert!(probe.history.counters().dropped_chunks >= 39);
    for _ in 0..2 {
        // The day before yesterday in points, the first day in hours.
        let recent = probe.ask(START + 27 * DAY, START + 28 * DAY, 100);
        assert_eq!((recent.step, recent.time.len()), (0, 96));
        let first = probe.ask(START, START + DAY, 100);
        assert_eq!(first.time.len(), 24);
        assert_eq!(first.count.iter().sum::<u32>(), 96);
        assert!(first.gaps.is_empty());
        assert_eq!(probe.n_points(), 96 * 30);
        probe.restart();
    }
}

#[test]
fn a_window_is_as_coarse_as_what_is_left_of_a_part_of_it() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(96 * 30, 15 * MINUTE);
    probe.tidy_up();
    let half_an_hour = HOUR / 2;
    let (from, to) = (START + half_an_hour, START + 30 * DAY - half_an_hour);
    let columns = probe.ask(from, to, 2_000);
    assert_eq!(columns.step, HOUR);
    assert_eq!((columns.from, columns.to), (START, START + 30 * DAY));
    assert_eq!(columns.count, [4; 24 * 30]);
}

#[test]
fn a_reading_of_a_time_without_points_is_too_late() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(96 * 30, 15 * MINUTE);
    probe.tidy_up();
    assert_eq!(probe.record(START + HOUR, 4.0), Recorded::TooOld);
    assert_eq!(probe.history.counters().too_old, 1);
    // Before all that was known it is new for sure.
    assert_eq!(probe.record(START - DAY, 4.0), Recorded::Kept);
    probe.tidy_up();
    assert_eq!(probe.n_points(), 96 * 30 + 1);
}

#[test]
fn a_series_that_ended_gets_its_rollups_before_its_points_go() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(60, 15 * MINUTE);
    probe.wait(30 * DAY);
    probe.tidy_up();
    assert_eq!(probe.disk.count(is_body_of(Level::Raw)), 0);
    assert_eq!(probe.n_points(), 60);
}

#[test]
fn a_series_too_slow_for_rollups_keeps_its_points() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(200, DAY);
    probe.tidy_up();
    assert_eq!(probe.history.counters().dropped_chunks, 0);
    assert_eq!(probe.n_points(), 200);
}

#[test]
fn rollups_go_where_that_is_set_and_leave_coarser_ones() {
    let mut probe = Probe::new(Settings {
        rollups_kept: [Some(10 * DAY), Some(20 * DAY), None],
        ..kept_for_ten_days()
    });
    probe.fill(60 * 24 * 30, MINUTE);
    probe.tidy_up();
    let first_day = probe.ask(START, START + DAY, 100);
    assert_eq!(first_day.count, [24 * 60]);
    let later = probe.ask(START + 15 * DAY, START + 16 * DAY, 100);
    assert_eq!(later.count, [60; 24]);
    assert_eq!(probe.n_points(), 60 * 24 * 30);
}

#[test]
fn what_is_gone_at_every_level_leaves_nothing() {
    let mut probe = Probe::new(Settings {
        rollups_kept: [Some(10 * DAY); 3],
        ..kept_for_ten_days()
    });
    probe.fill(96 * 5, 15 * MINUTE);
    probe.wait(30 * DAY);
    probe.tidy_up();
    assert_eq!(probe.disk.count(|key| !matches!(key, Key::Series(_))), 0);
}

#[test]
fn a_series_begins_where_something_of_it_is_left() {
    let mut probe = Probe::new(Settings {
        rollups_kept: [Some(10 * DAY); 3],
        ..kept_for_ten_days()
    });
    probe.fill(96 * 30, 15 * MINUTE);
    // All but the last chunks are too old for every level, and places of none are forgotten yet.
    probe.now += 4 * DAY;
    let mut n_dropped = 0;
    while n_dropped < probe.history.counters().dropped_chunks || n_dropped == 0 {
        n_dropped = probe.history.counters().dropped_chunks;
        probe.history.handle_timeout(probe.now + HOUR);
        let (from, to) = probe.history.span(probe.id).unwrap();
        let found = probe.ask(from, from + DAY, 10);
        assert!(!found.time.is_empty(), "something is left at {from}");
        assert_eq!(to, START + (96 * 30 - 1) * 15 * MINUTE);
        probe.settle();
    }
    let (from, _) = probe.history.span(probe.id).unwrap();
    assert!(from > START + 10 * DAY);
}

#[test]
fn above_the_limit_of_size_the_oldest_points_go_first() {
    let settings = Settings {
        n_chunk_points: 480,
        n_chunk_rows: 120,
        ..Settings::default()
    };
    let mut probe = Probe::new(settings.clone());
    probe.fill(96 * 100, 15 * MINUTE);
    let whole = probe.disk.n_bytes();
    let n_hours = probe.disk.count(is_body_of(Level::Hour));
    let mut limited = Probe::new(Settings {
        n_bytes_max: Some(whole * 3 / 4),
        ..settings
    });
    limited.fill(96 * 100, 15 * MINUTE);
    limited.tidy_up();
    let n_bytes = limited.disk.n_bytes();
    assert!(
        (whole / 2..=whole * 3 / 4).contains(&n_bytes),
        "{n_bytes} of {whole}"
    );
    assert_eq!(limited.disk.count(is_body_of(Level::Hour)), n_hours);
    assert_eq!(limited.n_points(), 96 * 100);
    let first_day = limited.ask(START, START + DAY, 100);
    assert_eq!(first_day.count, [4; 24]);
}

#[test]
fn a_limit_that_nothing_fits_into_leaves_room_for_what_comes() {
    let mut probe = Probe::new(Settings {
        n_bytes_max: Some(1),
        ..small()
    });
    probe.fill(96 * 10, 15 * MINUTE);
    probe.tidy_up();
    probe.tidy_up();
    assert_eq!(probe.disk.count(is_body_of(Level::Raw)), 0);
    assert_eq!(probe.disk.count(is_body_of(Level::Hour)), 0);
    assert_eq!(probe.disk.count(is_body_of(Level::Day)), 0);
    assert_eq!(probe.record(probe.now, 1.0), Recorded::Kept);
}

#[test]
fn above_the_limit_open_chunks_go_before_rollups() {
    let mut probe = Probe::new(Settings {
        n_bytes_max: Some(1),
        ..small()
    });
    probe.fill(60, 15 * MINUTE);
    let mut n_hours = probe.disk.count(is_body_of(Level::Hour));
    for _ in 0..10 {
        probe.history.handle_timeout(probe.now);
        probe.settle();
        probe.now += HOUR;
        if probe.disk.count(is_body_of(Level::Raw)) == 0 {
            return;
        }
        let n_before = n_hours;
        n_hours = probe.disk.count(is_body_of(Level::Hour));
        assert!(n_hours >= n_before, "rollups went before points");
    }
    panic!("points are left above the limit");
}

#[test]
fn open_chunks_of_many_series_go_many_at_once() {
    let mut probe = Probe::new(Settings {
        n_bytes_max: Some(1),
        ..small()
    });
    for n in 0..40 {
        let id = probe.history.open(&format!("series {n}")).unwrap();
        for index in 0..30 {
            let time = START + index * 15 * MINUTE;
            let point = Point { time, value: 1.0 };
            probe.history.record(id, point, START);
        }
    }
    probe.settle();
    probe.now += DAY;
    let mut n_steps = 0;
    while probe.disk.count(is_body_of(Level::Raw)) > 0 {
        probe.history.handle_timeout(probe.now);
        probe.settle();
        n_steps += 1;
        assert!(n_steps <= 10, "each takes up to 16");
    }
}

#[test]
fn an_open_chunk_stays_open_until_it_is_its_turn() {
    let mut probe = Probe::new(Settings {
        n_bytes_max: Some(1),
        ..small()
    });
    let mut record = |name, day, n_points| {
        let id = probe.history.open(name).unwrap();
        for index in 0..n_points {
            let time = START + day * DAY + index * 15 * MINUTE;
            let point = Point { time, value: 1.0 };
            probe.history.record(id, point, time);
        }
        id
    };
    let oldest = record("open", 0, 30);
    record("full", 1, 48);
    let newest = record("open too", 2, 30);
    probe.now += 3 * DAY;
    probe.settle();
    probe.history.handle_timeout(probe.now);
    probe.settle();
    let has_rollups = |id| {
        let is_one = |key| matches!(key, Key::Body(chunk) if chunk.series == id && chunk.level == Level::Hour);
        probe.disk.count(is_one) > 0
    };
    assert!(has_rollups(oldest), "it is its turn");
    assert!(!has_rollups(newest), "a full one goes before it");
}

#[test]
fn few_chunks_go_at_once() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(96 * 100, 15 * MINUTE);
    probe.history.handle_timeout(probe.now + HOUR);
    assert_eq!(probe.history.counters().dropped_chunks, 16);
}

#[test]
fn a_clock_that_goes_back_stops_no_retention() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(96 * 100, 15 * MINUTE);
    probe.history.handle_timeout(probe.now + 1_000 * DAY);
    probe.history.handle_timeout(probe.now);
    assert_eq!(probe.history.counters().dropped_chunks, 32);
}

#[test]
fn nothing_is_too_old_by_a_doubtful_clock() {
    let mut probe = Probe::new(kept_for_ten_days());
    probe.fill(96 * 100, 15 * MINUTE);
    probe.history.set_clock_doubtful(true);
    probe.history.handle_timeout(probe.now + HOUR);
    assert_eq!(probe.history.counters().dropped_chunks, 0);
    probe.history.set_clock_doubtful(false);
    probe.history.handle_timeout(probe.now + 2 * HOUR);
    assert_eq!(probe.history.counters().dropped_chunks, 16);
}
