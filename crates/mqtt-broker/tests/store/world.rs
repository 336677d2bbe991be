//! What the store should hold, and a sequence of changes to it.

use std::collections::BTreeMap;

use mqtt_broker::store::{ChangeSet, RedbStore, Store};

pub(crate) type Model = BTreeMap<Vec<u8>, Vec<u8>>;

pub(crate) const FORMAT: u32 = 1;

/// The changes of a step: some new keys, some overwritten, some removed, a few large.
pub(crate) fn changes_of(seed: u64, step: u64) -> ChangeSet {
    let mut changes = ChangeSet::new();
    for n in 0..1 + (seed + step) % 12 {
        let choice = (seed * 31 + step * 17 + n * 7) % 40;
        let key = format!("key {choice}");
        if (step + n) % 4 == 3 {
            changes.remove(key.as_bytes());
        } else {
            let len = if choice == 0 {
                9000
            } else {
                20 + choice as usize * 5
            };
            changes.put(key.as_bytes(), |value| {
                value.extend_from_slice(&step.to_be_bytes());
                value.extend(std::iter::repeat_n(choice as u8, len));
            });
        }
    }
    changes
}

pub(crate) fn apply(changes: &ChangeSet, model: &mut Model) {
    for (key, value) in changes.iter() {
        match value {
            Some(value) => drop(model.insert(key.to_vec(), value.to_vec())),
            None => drop(model.remove(key)),
        }
    }
}

pub(crate) fn contents(store: &mut RedbStore) -> Model {
    let mut found = Model::new();
    store
        .read_all(&mut |key, value| drop(found.insert(key.to_vec(), value.to_vec())))
        .unwrap();
    found
}
