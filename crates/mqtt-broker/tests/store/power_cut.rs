//! After a cut the store holds what was committed, and nothing else.

use std::time::{Duration, Instant};

use mqtt_broker::store::{RedbStore, Store, testing::PowerCutDisk};

use crate::world::{FORMAT, Model, apply, changes_of, contents};

/// The budget is for a debug build on a busy machine; `POWER_CUT_SECS` searches longer.
#[test]
fn a_power_cut_at_any_point_loses_no_commit_and_tears_none() {
    let secs = std::env::var("POWER_CUT_SECS").map_or(10, |secs| secs.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(secs);
    let (mut n_cuts, mut seed) = (0, 0);
    while Instant::now() < end {
        n_cuts += cut_at_every_point(seed, end);
        seed += 1;
    }
    println!("{n_cuts} cuts with seeds below {seed}");
    assert!(n_cuts >= N_CUTS_MIN, "only {n_cuts} cuts in {secs} s");
}

fn cut_at_every_point(seed: u64, end: Instant) -> u64 {
    let mut n_cuts = 0;
    for cut_at in 0.. {
        if Instant::now() >= end {
            break;
        }
        let disk = PowerCutDisk::with_empty_store(FORMAT);
        disk.cut_power_at(cut_at);
        let (committed, under_way) = run(&disk, seed);
        if !disk.is_without_power() {
            break;
        }
        for tearing in 0..3 {
            let left = disk.after_power_cut(seed * 1_000_003 + cut_at * 7 + tearing);
            let mut store = RedbStore::open(left, FORMAT)
                .unwrap_or_else(|error| panic!("seed {seed}, cut at {cut_at}: {error}"));
            let found = contents(&mut store);
            assert!(
                found == committed || found == under_way,
                "seed {seed}, cut at {cut_at}, tearing {tearing}"
            );
            n_cuts += 1;
        }
    }
    n_cuts
}

/// What was certainly committed when the power went, and that with the commit under way.
fn run(disk: &PowerCutDisk, seed: u64) -> (Model, Model) {
    let mut committed = Model::new();
    let Ok(mut store) = RedbStore::open(disk.clone(), FORMAT) else {
        return (committed.clone(), committed);
    };
    for step in 0..N_STEPS {
        let changes = changes_of(seed, step);
        let mut under_way = committed.clone();
        apply(&changes, &mut under_way);
        if store.commit(&changes).is_err() {
            return (committed, under_way);
        }
        committed = under_way;
    }
    drop(store);
    (committed.clone(), committed)
}

const N_STEPS: u64 = 12;
const N_CUTS_MIN: u64 = 100;
