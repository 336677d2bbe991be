//! What starts, copies and the ways to commit cost a store with a million entries: `cargo xtask bench store`.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no figure")]

use std::{path::Path, time::Instant};

use mqtt_broker::store::{
    ChangeSet, FileDisk, RedbStore, Store,
    testing::{entries, key},
};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};

fn main() {
    // A real disk, where the folder for temporary files may be none.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("store");
    let mut store = RedbStore::open(FileDisk::new(&path), FORMAT).unwrap();
    timed("fill", || {
        for part in 0..110 {
            store
                .commit(&entries(part * 10_000..(part + 1) * 10_000))
                .unwrap();
        }
    });
    print_figure("file", store.n_bytes_on_disk().unwrap() as f64, "bytes");
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
    timed("compact", || store.compact().unwrap());
    print_figure(
        "file, compacted",
        store.n_bytes_on_disk().unwrap() as f64,
        "bytes",
    );

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
        let name = format!("redb alone, two-phase {two_phase}, quick repair {quick_repair}: ");
        print_figure(
            &(name.clone() + "a commit"),
            each.as_secs_f64() * 1000.0,
            "ms",
        );
        // A copy, as redb keeps the lock of what was forgotten.
        std::mem::forget(database);
        let left = folder.path().join("left");
        std::fs::copy(&used, &left).unwrap();
        timed(&(name + "opening after a kill"), || drop(open(&left)));
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
    print_figure(what, start.elapsed().as_secs_f64() * 1000.0, "ms");
    result
}

/// A name, a value and a unit, as `cargo xtask bench` reads them.
fn print_figure(name: &str, value: f64, unit: &str) {
    println!("{name}\t{value}\t{unit}");
}

const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");
const ROUNDS: u64 = 50;
const FORMAT: u32 = 1;
