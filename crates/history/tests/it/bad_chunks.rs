//! Bytes that are not what was written.

use history::{Fault, FaultKind, Key, Level, Recorded, Restoration, Settings};

use crate::fixture::{DAY, HOUR, MINUTE, Probe, START, small};

/// Damages the body of the chunk of this level that has this number in the order of keys.
fn damage(probe: &mut Probe, level: Level, place: usize) -> Key {
    let mut bodies = probe.disk.entries.iter_mut().filter_map(|(key, body)| {
        let key = Key::decode(key)?;
        matches!(key, Key::Body(chunk) if chunk.level == level).then_some((key, body))
    });
    let (key, body) = bodies.nth(place).unwrap();
    let middle = body.len() / 2;
    body[middle] ^= 0x10;
    key
}

#[test]
fn a_damaged_chunk_is_named_and_the_rest_is_answered() {
    let mut probe = Probe::new(small());
    probe.fill(480, MINUTE);
    let key = damage(&mut probe, Level::Raw, 3);
    let columns = probe.ask(START, START + 8 * HOUR, 1_000);
    let kind = FaultKind::Damaged;
    assert_eq!(columns.faults, [Fault { key, kind }]);
    assert_eq!(columns.time.len(), 480 - 48);
    assert!(!columns.is_outdated());
    // Its rollups are whole.
    let hours = probe.ask(START, START + 8 * HOUR, 5);
    assert_eq!(hours.count.iter().sum::<u32>(), 480);
}

#[test]
fn a_damaged_rollup_is_named_and_the_rest_is_answered() {
    let mut probe = Probe::new(small());
    probe.fill(60 * 24 * 4, MINUTE);
    let key = damage(&mut probe, Level::Hour, 1);
    let columns = probe.ask(START, START + 4 * DAY, 50);
    assert_eq!(columns.step, HOUR);
    let kind = FaultKind::Damaged;
    assert_eq!(columns.faults, [Fault { key, kind }]);
    assert!((80..96).contains(&columns.time.len()));
}

#[test]
fn readings_go_on_behind_a_damaged_chunk() {
    let mut probe = Probe::new(small());
    probe.fill(60, MINUTE);
    // The one that is still open.
    damage(&mut probe, Level::Raw, 1);
    for index in 60..160 {
        probe.record(START + index * MINUTE, 1.0);
    }
    // It falls into the damaged one before that is known, and stays a single point.
    probe.record(START + 50 * MINUTE + 1, 1.0);
    probe.wait(DAY);
    for _ in 0..2 {
        assert_eq!(probe.history.counters().damaged_chunks, 1);
        let columns = probe.ask(START, START + DAY, 1_000);
        assert_eq!(columns.faults.len(), 1);
        assert_eq!(columns.time.len(), 48 + 100 + 1);
        // It has no rollups, and none can be made.
        let hours = probe.ask(START, START + DAY, 20);
        assert_eq!((hours.step, hours.faults.len()), (HOUR, 1));
        probe.restart();
    }
    assert_eq!(probe.record(START + 50 * MINUTE + 2, 1.0), Recorded::TooOld);
    assert_eq!(probe.disk.count(|key| matches!(key, Key::Head(..))), 1);
}

#[test]
fn a_missing_chunk_asks_for_another_plan() {
    let mut probe = Probe::new(small());
    probe.fill(100, MINUTE);
    let is_body = |key: &[u8]| matches!(Key::decode(key), Some(Key::Body(_)));
    probe.disk.entries.retain(|key, _| !is_body(key));
    let columns = probe.ask(START, START + DAY, 1_000);
    assert!(columns.is_outdated());
}

#[test]
fn records_that_cannot_be_read_are_named_and_the_others_count() {
    let mut probe = Probe::new(small());
    probe.fill(500, MINUTE);
    probe.record(START + 900 * MINUTE, 1.0);
    probe.settle();
    let mut random = fastrand::Rng::with_seed(10);
    for _ in 0..2_000 {
        let mut restoration = Restoration::new(Settings::default());
        let mut n_bad = 0;
        for (key, value) in &probe.disk.entries {
            let (mut key, mut value) = (key.clone(), value.clone());
            if random.u8(0..10) == 0 {
                let bytes = if random.bool() { &mut key } else { &mut value };
                match random.u8(0..3) {
                    0 => bytes.truncate(random.usize(0..=bytes.len())),
                    1 => bytes.push(random.u8(..)),
                    _ if bytes.is_empty() => {}
                    _ => {
                        let place = random.usize(0..bytes.len());
                        bytes[place] = random.u8(..);
                    }
                }
            }
            n_bad += usize::from(restoration.add(&key, &value).is_err());
        }
        let mut history = restoration.finish(probe.now);
        // Whatever is left of it, it works.
        history.handle_timeout(probe.now);
        for _ in 0..5 {
            if let Some(task) = history.next_task(probe.now + DAY) {
                let sealed = task.run(&mut probe.disk);
                history.finish(sealed, probe.now);
                history.handle_stored(u64::MAX, probe.now);
            }
        }
        let ids: Vec<_> = history.series().map(|(_, id)| id).take(50).collect();
        let query = history::Query {
            series: ids,
            from: START - 10 * DAY,
            to: START + 10 * DAY,
            points: random.u32(1..2_000),
        };
        if let Ok(plan) = history.plan(&query) {
            plan.run(&mut probe.disk).for_each(drop);
        }
        assert!(n_bad <= probe.disk.entries.len());
    }
}
