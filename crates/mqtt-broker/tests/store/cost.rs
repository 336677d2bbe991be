//! What commits cost.

use mqtt_broker::store::{
    RedbStore, Store,
    testing::{Counts, PowerCutDisk, entries},
};

use crate::world::FORMAT;

#[test]
fn a_commit_takes_one_sync_and_one_more_if_the_file_grows() {
    let disk = PowerCutDisk::with_empty_store(FORMAT);
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

const ROUNDS: u64 = 50;
