//! A disk that fails for a while costs no commit that was promised.

use mqtt_broker::store::{
    RedbStore, Store, StoreErrorKind,
    testing::{Failure, PowerCutDisk},
};

use crate::world::{FORMAT, Model, apply, changes_of, contents};

#[test]
fn commits_go_on_after_a_full_disk_has_space_again() {
    fail_at_every_point(Failure::Full, StoreErrorKind::Full);
}

/// A failed sync forgets what was written, and the next one would succeed without it.
#[test]
fn commits_go_on_after_a_broken_disk_works_again() {
    fail_at_every_point(Failure::Broken, StoreErrorKind::Failing);
}

fn fail_at_every_point(failure: Failure, kind: StoreErrorKind) {
    let mut n_failures = 0;
    for fail_at in 0.. {
        let disk = PowerCutDisk::with_empty_store(FORMAT);
        let mut store = RedbStore::open(disk.clone(), FORMAT).unwrap();
        let begun = disk.counts().n_operations;
        disk.fail_from(begun + fail_at, failure);
        let mut committed = Model::new();
        let mut has_failed = false;
        for step in 0..6 {
            let changes = changes_of(3, step);
            apply(&changes, &mut committed);
            while let Err(error) = store.commit(&changes) {
                assert_eq!(error.kind, kind, "{error}");
                has_failed = true;
                // It keeps failing as long as the disk does.
                assert_eq!(store.commit(&changes).unwrap_err().kind, kind);
                disk.recover();
            }
            if has_failed {
                let left = disk.after_power_cut(fail_at + step);
                let mut after = RedbStore::open(left, FORMAT).unwrap();
                assert_eq!(contents(&mut after), committed, "failed at {fail_at}");
            }
        }
        assert_eq!(contents(&mut store), committed);
        if !has_failed {
            break;
        }
        n_failures += 1;
    }
    println!("failed at {n_failures} points");
    assert!(n_failures > 10);
}

/// The first thing after a failure is to open the file again, and that already relies on what is on the disk.
#[test]
fn the_power_may_go_while_a_broken_disk_is_tried_again() {
    let mut n_cuts = 0;
    'failures: for fail_at in 0.. {
        for cut_after in 0.. {
            let disk = PowerCutDisk::with_empty_store(FORMAT);
            let mut store = RedbStore::open(disk.clone(), FORMAT).unwrap();
            let mut committed = Model::new();
            for step in 0..3 {
                store.commit(&changes_of(3, step)).unwrap();
                apply(&changes_of(3, step), &mut committed);
            }
            let changes = changes_of(3, 3);
            let mut under_way = committed.clone();
            apply(&changes, &mut under_way);
            disk.fail_from(disk.counts().n_operations + fail_at, Failure::Broken);
            if store.commit(&changes).is_ok() {
                break 'failures;
            }
            disk.recover();
            disk.cut_power_at(disk.counts().n_operations + cut_after);
            let is_committed = store.commit(&changes).is_ok();
            let left = disk.after_power_cut(fail_at * 100 + cut_after);
            let mut after = RedbStore::open(left, FORMAT)
                .unwrap_or_else(|error| panic!("failed at {fail_at}, cut {cut_after}: {error}"));
            let found = contents(&mut after);
            assert!(found == under_way || !is_committed && found == committed);
            n_cuts += 1;
            if !disk.is_without_power() {
                break;
            }
        }
    }
    println!("{n_cuts} cuts after failures");
    assert!(n_cuts > 20);
}
