//! What commits cost.

use mqtt_broker::store::{ChangeSet, RedbStore, Store, testing::Counts};

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

const ROUNDS: u64 = 50;
