//! A damaged file never stops the start, and what can be read of it is kept.

use std::{fs, path::Path};

use mqtt_broker::store::{ChangeSet, DataDirectory, Opened, Store};

use crate::world::{FORMAT, Model, contents};

const N_ENTRIES: u64 = 2000;

#[test]
fn one_damaged_page_costs_only_its_own_entries() {
    let (file, full) = filled();
    let page = 4096;
    let (mut n_complete, mut n_empty, mut most_lost) = (0, 0, 0);
    let n_pages = file.len() / page;
    for n in (1..n_pages).step_by(n_pages / 40 + 1) {
        let mut damaged = file.clone();
        damaged[n * page + 8..n * page + 600].fill(0xA5);
        let found = open_with(&damaged, &full);
        let n_lost = full.len() - found.len();
        n_complete += usize::from(n_lost == 0);
        // A branch page takes its leaves with it, the root all of them.
        match found.is_empty() {
            true => n_empty += 1,
            false => most_lost = most_lost.max(n_lost),
        }
    }
    assert!(n_complete > 10, "only {n_complete} damages cost nothing");
    assert!(n_empty <= 1, "{n_empty} damages cost everything");
    assert!(most_lost < 60, "{most_lost} entries lost");
}

#[test]
fn a_leaf_in_the_middle_leaves_both_sides() {
    let (file, full) = filled();
    // The bytes of the entry stand in the file as they were written.
    let needle = b"entry 01000 ";
    let at = file
        .windows(needle.len())
        .rposition(|bytes| bytes == needle);
    let mut damaged = file.clone();
    let at = at.unwrap();
    damaged[at..at + 12].fill(0);
    let found = open_with(&damaged, &full);
    assert!(found.len() > full.len() - 60, "only {} left", found.len());
    assert!(found.contains_key(b"entry 00000 ".as_slice()));
    assert!(found.contains_key(b"entry 01999 ".as_slice()));
}

#[test]
fn a_file_cut_off_anywhere_is_set_aside() {
    let (file, full) = filled();
    for n in 0..24 {
        open_with(&file[..file.len() * n / 24], &full);
    }
    for len in [0, 1, 9, 10, 64, 320, 511, 4095, 4096, 4097] {
        open_with(&file[..len], &full);
    }
}

#[test]
fn every_damage_to_the_header_is_survived() {
    let (file, full) = filled();
    // Every byte of what is not checksummed, then some of both states.
    let bytes = (0..32).chain((64..320).step_by(7)).map(|at| at..at + 1);
    let sectors = (0..320).step_by(16).map(|at| at..at + 16);
    for range in bytes.chain(sectors) {
        let mut damaged = file.clone();
        damaged[range.clone()]
            .iter_mut()
            .for_each(|byte| *byte ^= 0x15);
        let found = open_with(&damaged, &full);
        // The last commit but one had this much.
        assert!(
            found.len() >= full.len() * 3 / 4,
            "{range:?}: {} left",
            found.len()
        );
    }
}

#[test]
fn garbage_is_set_aside_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let mut aside = Vec::new();
    for n in 0..3_u8 {
        fs::write(folder.path().join("rootzone.redb"), vec![n; 10_000]).unwrap();
        let opened = DataDirectory::open(folder.path(), FORMAT).unwrap();
        let salvage = opened.salvage.unwrap();
        assert_eq!((salvage.n_kept, salvage.is_complete), (0, false));
        aside.push((salvage.set_aside, vec![n; 10_000]));
    }
    for (file, bytes) in aside {
        assert_eq!(fs::read(file).unwrap(), bytes);
    }
}

/// What the store has after opening this file; everything in it must be what was once written.
fn open_with(file: &[u8], full: &Model) -> Model {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rootzone.redb"), file).unwrap();
    let Opened {
        mut store, salvage, ..
    } = DataDirectory::open(folder.path(), FORMAT).unwrap();
    let found = contents(&mut store);
    for (key, value) in &found {
        assert_eq!(full.get(key), Some(value));
    }
    match salvage {
        Some(salvage) => {
            assert_eq!(salvage.n_kept, found.len() as u64);
            // An older state may be whole too.
            assert_eq!(fs::read(&salvage.set_aside).unwrap(), file);
        }
        None => assert_eq!(&found, full, "a loss that nobody hears of"),
    }
    found
}

fn filled() -> (Vec<u8>, Model) {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = DataDirectory::open(folder.path(), FORMAT).unwrap();
    for part in 0..4 {
        let mut changes = ChangeSet::new();
        for n in (part..N_ENTRIES).step_by(4) {
            let key = format!("entry {n:05} ");
            changes.put(key.as_bytes(), |value| value.extend([n as u8; 120]));
        }
        opened.store.commit(&changes).unwrap();
    }
    let full = contents(&mut opened.store);
    drop(opened);
    (read(folder.path()), full)
}

fn read(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("rootzone.redb")).unwrap()
}
