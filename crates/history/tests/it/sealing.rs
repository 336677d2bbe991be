//! From single points to chunks.

use history::{Key, Level, Output, Recorded, Settings};

use crate::fixture::{DAY, HOUR, MINUTE, Probe, START, small};

fn is_head(key: Key) -> bool {
    matches!(key, Key::Head(..))
}

fn is_body_of(level: Level) -> impl Fn(Key) -> bool {
    move |key| matches!(key, Key::Body(chunk) if chunk.level == level)
}

#[test]
fn a_reading_is_stored_as_it_comes_and_sealed_later() {
    let mut probe = Probe::new(Settings::default());
    probe.record(START, 37.2);
    probe.settle();
    assert_eq!(probe.disk.count(is_head), 1);
    assert_eq!(probe.disk.count(is_body_of(Level::Raw)), 0);
    assert_eq!(
        probe.history.poll_output(),
        Output::Timeout(Some(START + DAY / 4))
    );
    probe.wait(DAY / 4);
    assert_eq!(probe.disk.count(is_head), 0);
    assert_eq!(probe.disk.count(is_body_of(Level::Raw)), 1);
    assert_eq!(probe.ask(START, START + 1, 100).mean, [37.2]);
}

#[test]
fn what_is_sealed_before_the_store_heard_of_it_is_written_once() {
    let mut probe = Probe::new(small());
    for index in 0..48 {
        probe.record(START + index * MINUTE, 1.0);
    }
    let task = probe.history.next_task(probe.now).unwrap();
    let sealed = task.run(&mut probe.disk);
    probe.history.finish(sealed, probe.now);
    while let Output::Put { key, .. } | Output::Remove { key } = probe.history.poll_output() {
        assert!(!is_head(key), "{key:?}");
    }
}

#[test]
fn no_rollup_is_finer_than_the_series_itself() {
    for (step, levels) in [
        (MINUTE, [true, true, true]),
        (15 * MINUTE, [false, true, true]),
        (HOUR, [false, false, true]),
        (DAY, [false, false, false]),
    ] {
        let mut probe = Probe::new(small());
        probe.fill(200, step);
        let found = [Level::QuarterHour, Level::Hour, Level::Day]
            .map(|level| probe.disk.count(is_body_of(level)) > 0);
        assert_eq!(found, levels, "a reading every {step} ms");
    }
}

#[test]
fn a_late_reading_finds_its_chunk() {
    let mut probe = Probe::new(small());
    probe.fill(200, 15 * MINUTE);
    probe.record(START + 10 * HOUR + 1, 99.5);
    // Seen at once, and in every level.
    for _ in 0..2 {
        let hours = probe.ask(START, START + 40 * HOUR, 21);
        assert_eq!(hours.step, HOUR);
        assert_eq!((hours.count[10], hours.max[10]), (5, 99.5));
        assert_eq!(hours.count[11], 4);
        probe.wait(DAY);
    }
    assert_eq!(probe.disk.count(is_head), 0);
}

#[test]
fn the_same_point_twice_is_kept_once() {
    let mut probe = Probe::new(small());
    probe.fill(100, MINUTE);
    // The history cannot know it without reading, and finds it when it seals.
    probe.record(START, 0.0);
    probe.record(START + 99 * MINUTE, 99.0);
    assert_eq!(probe.n_points(), 100);
    probe.wait(DAY);
    assert_eq!(probe.n_points(), 100);
    probe.record(START + 200 * MINUTE, 5.0);
    let known = probe.history.counters().known;
    assert_eq!(probe.record(START + 200 * MINUTE, 5.0), Recorded::Known);
    assert_eq!(probe.history.counters().known, known + 1);
}

#[test]
fn sealing_tells_what_was_new() {
    let mut probe = Probe::new(small());
    probe.fill(40, MINUTE);
    probe.wait(DAY);
    for (time, value) in [(MINUTE, 1.0), (2 * MINUTE, 55.0), (MINUTE / 2, 7.0)] {
        probe.record(START + time, value);
    }
    let task = probe.history.next_task(probe.now + DAY).unwrap();
    // One has another value, one another time.
    assert_eq!(task.run(&mut probe.disk).n_new(), 2);
}

#[test]
fn of_two_values_of_one_time_the_later_stays() {
    let mut probe = Probe::new(small());
    probe.fill(100, MINUTE);
    probe.record(START, 55.0);
    probe.wait(DAY);
    probe.restart();
    assert_eq!(probe.ask(START, START + 1, 10).last, [55.0]);
}

#[test]
fn what_cannot_be_is_set_aside_and_counted() {
    let mut probe = Probe::new(Settings::default());
    let mut record = |time, value| {
        let point = history::Point { time, value };
        probe.history.record(probe.id, point, START)
    };
    assert_eq!(record(START + DAY, 1.0), Recorded::Kept);
    assert_eq!(record(START + DAY + 1, 1.0), Recorded::Ahead);
    assert_eq!(record(START, f32::NAN), Recorded::Invalid);
    assert_eq!(record(START, f32::INFINITY), Recorded::Invalid);
    assert_eq!(record(i64::MIN, 1.0), Recorded::Invalid);
    let counters = probe.history.counters();
    let counted = (counters.kept, counters.ahead, counters.invalid);
    assert_eq!(counted, (1, 1, 3));
    assert_eq!(counters.n_head_points, 1);
}

#[test]
fn a_clock_that_was_never_set_sets_nothing_aside() {
    let mut probe = Probe::new(Settings {
        clock_set_since: START,
        ..Settings::default()
    });
    let point = history::Point {
        time: START + 2 * DAY,
        value: 1.0,
    };
    let recorded = [START - 1, START].map(|now| {
        let recorded = probe.history.record_by_name("new", point, now);
        (recorded, probe.history.find("new").is_some())
    });
    assert_eq!(
        recorded,
        [(Some(Recorded::Kept), true), (Some(Recorded::Ahead), true)]
    );
}

#[test]
fn what_cannot_be_begins_no_series() {
    let mut probe = Probe::new(Settings::default());
    let point = history::Point {
        time: START + 2 * DAY,
        value: 1.0,
    };
    let recorded = probe.history.record_by_name("new", point, START);
    assert_eq!(recorded, Some(Recorded::Ahead));
    assert_eq!(probe.history.find("new"), None);
    assert_eq!(probe.history.counters().ahead, 1);
}

#[test]
fn a_clock_that_goes_back_stops_no_sealing() {
    let mut probe = Probe::new(small());
    let point = history::Point {
        time: START,
        value: 1.0,
    };
    probe.history.record(probe.id, point, START + 365 * DAY);
    probe.settle();
    assert_eq!(probe.disk.count(is_head), 0);
    assert_eq!(probe.n_points(), 1);
}

#[test]
fn one_step_writes_few_chunks_however_much_is_late() {
    let mut probe = Probe::new(small());
    probe.fill(5_000, MINUTE);
    for index in 0..2_500 {
        probe.record(START + index * 2 * MINUTE + 1, 50.0);
    }
    probe.now += HOUR;
    let mut n_steps = 0;
    loop {
        probe.disk.commit(&mut probe.history, probe.now);
        let Some(task) = probe.history.next_task(probe.now) else {
            break;
        };
        let n_entries = probe.disk.entries.clone();
        let sealed = task.run(&mut probe.disk);
        probe.history.finish(sealed, probe.now);
        probe.disk.commit(&mut probe.history, probe.now);
        let bodies = probe.disk.entries.keys();
        let bodies = bodies.filter(|key| matches!(Key::decode(key), Some(Key::Body(_))));
        let n_new = bodies.filter(|key| !n_entries.contains_key(*key)).count();
        assert!(n_new <= 10, "{n_new} chunks in one step");
        n_steps += 1;
    }
    assert!(n_steps > 100, "{n_steps} steps");
    assert_eq!(probe.n_points(), 7_500);
}

#[test]
fn a_disk_that_cannot_be_read_loses_nothing() {
    let mut probe = Probe::new(small());
    probe.fill(60, MINUTE);
    probe.disk.fails = true;
    for index in 60..90 {
        probe.record(START + index * MINUTE, 1.0);
    }
    probe.settle();
    assert!(probe.disk.count(is_head) >= 30);
    probe.disk.fails = false;
    probe.wait(HOUR);
    assert_eq!(probe.n_points(), 90);
    assert!(probe.disk.count(is_head) < 20);
    assert_eq!(probe.history.counters().damaged_chunks, 0);
}

#[test]
fn there_are_no_more_series_than_allowed() {
    let mut probe = Probe::new(Settings {
        n_series_max: 2,
        ..Settings::default()
    });
    let second = probe.history.open("second");
    assert!(second.is_some());
    assert_eq!(probe.history.open("third"), None);
    assert_eq!(probe.history.open("second"), second);
    probe.settle();
    probe.restart();
    assert_eq!(probe.history.find("second"), second);
    assert_eq!(probe.history.find("third"), None);
}
