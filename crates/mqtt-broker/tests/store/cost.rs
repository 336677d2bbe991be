//! What commits and starts cost. Run with `--release -- --ignored --nocapture cost`.

use std::{path::Path, time::Instant};

use mqtt_broker::store::{ChangeSet, FileDisk, RedbStore, Store, testing::Counts};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::world::{FORMAT, disk_with_empty_store};

#[test]
fn a_commit_takes_one_sync_and_one_more_if_the_file_grows() {
    let disk = disk_with_empty_store();
    let mut store = RedbStore::open(disk.clone(), FORMAT).unwrap();
    for size in [1000, 64, 1] {
        let before = disk.counts();
        for round in 0..ROUNDS {
            store
                .commit(&entries(round * size..(round + 1) * size))
                .unwrap();
        }
        let after = disk.counts();
        println!(
            "{size} changes: {} syncs, {} writes, {} bytes each commit",
            (after.n_syncs - before.n_syncs) as f64 / ROUNDS as f64,
            (after.n_writes - before.n_writes) / ROUNDS,
            (after.n_bytes_written - before.n_bytes_written) / ROUNDS,
        );
        let n_changes_of_length =
            |counts: Counts| counts.n_operations - counts.n_syncs - counts.n_writes;
        let n_growths = n_changes_of_length(after) - n_changes_of_length(before);
        assert!(after.n_syncs - before.n_syncs <= ROUNDS + n_growths);
    }
}

#[test]
#[ignore = "takes minutes and is for people"]
fn cost_of_starting_with_a_million_entries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut store = RedbStore::open(FileDisk::new(&path), FORMAT).unwrap();
    timed("fill", || {
        for part in 0..110 {
            store
                .commit(&entries(part * 10_000..(part + 1) * 10_000))
                .unwrap();
        }
    });
    println!("{} bytes on disk", store.n_bytes_on_disk().unwrap());
    // As after kill -9: nothing is closed.
    std::mem::forget(store);
    let killed = folder.path().join("killed");
    std::fs::copy(&path, &killed).unwrap();
    let mut store = timed("open after kill", || {
        RedbStore::open(FileDisk::new(&path), FORMAT).unwrap()
    });
    timed("read everything", || read(&mut store));
    timed("size", || store.size().unwrap());
    drop(store);
    let mut store = timed("open after close, verified", || {
        RedbStore::open(FileDisk::new(&path), FORMAT).unwrap()
    });
    timed("copy", || {
        store.back_up(&folder.path().join("copy")).unwrap()
    });
    timed("remove nine tenths", || {
        let mut changes = ChangeSet::new();
        for n in (0..1_100_000_u64).filter(|n| n % 10 != 0) {
            changes.remove(&key(n));
        }
        store.commit(&changes).unwrap();
    });
    println!(
        "{:?}, {} on disk",
        store.size().unwrap(),
        store.n_bytes_on_disk().unwrap()
    );
    timed("compact", || store.compact().unwrap());
    println!("{} bytes on disk", store.n_bytes_on_disk().unwrap());

    // What redb alone does with the two choices that were not taken.
    timed("redb opens after kill, not verified", || {
        drop(open(&killed))
    });
    timed("redb opens after close, not verified", || {
        drop(open(&killed))
    });
    for (two_phase, quick_repair) in [(false, false), (true, false), (true, true)] {
        let used = folder
            .path()
            .join(format!("used {two_phase} {quick_repair}"));
        std::fs::copy(&killed, &used).unwrap();
        let database = open(&used);
        let start = Instant::now();
        for n in 0..ROUNDS {
            let mut transaction = database.begin_write().unwrap();
            transaction.set_two_phase_commit(two_phase);
            transaction.set_quick_repair(quick_repair);
            {
                let mut table = transaction.open_table(ENTRIES).unwrap();
                table.insert(&key(n)[..], &[1; 150][..]).unwrap();
            }
            transaction.commit().unwrap();
        }
        let each = start.elapsed() / ROUNDS as u32;
        println!("two-phase {two_phase}, quick repair {quick_repair}: {each:?} a commit");
        // A copy, as redb keeps the lock of what was forgotten.
        std::mem::forget(database);
        let left = folder.path().join("left");
        std::fs::copy(&used, &left).unwrap();
        timed("and opening after kill", || drop(open(&left)));
    }
    let database = open(&killed);
    timed("reading with redb alone", || {
        let table = database.begin_read().unwrap().open_table(ENTRIES).unwrap();
        table.iter().unwrap().count()
    });
}

fn read(store: &mut RedbStore) {
    let mut n = 0;
    store.read_all(&mut |_, _| n += 1).unwrap();
    assert_eq!(n, 1_100_000);
}

fn open(path: &Path) -> Database {
    Builder::new().set_cache_size(32 << 20).open(path).unwrap()
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    println!(
        "{what}: {:?}, {} MB resident",
        start.elapsed(),
        resident_mb()
    );
    result
}

/// 0 where there is no `/proc`.
fn resident_mb() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Option<u64> = statm.split(' ').nth(1).and_then(|n| n.parse().ok());
    (pages.unwrap_or(0) * 4096) >> 20
}

fn entries(range: std::ops::Range<u64>) -> ChangeSet {
    let mut changes = ChangeSet::new();
    for n in range {
        changes.put(&key(n), |value| value.extend([n as u8; 138]));
    }
    changes
}

/// Scattered, as the keys of many sessions are.
fn key(n: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key[8..].copy_from_slice(&(n as u32).to_be_bytes());
    key
}

const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");
const ROUNDS: u64 = 50;
