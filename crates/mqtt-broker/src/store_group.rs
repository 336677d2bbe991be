//! Store operations that become durable together.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
};

use mqtt_broker_core::{Key, Record, StoreOperation};

use crate::store::ChangeSet;

/// What is to be written for each key, once. What comes and goes between two commits costs nothing.
#[derive(Debug, Default)]
pub(crate) struct StoreGroup {
    change_by_key: HashMap<Key, Change>,
    /// Whether others have something to write in the same commit.
    has_others: bool,
}

#[derive(Debug)]
enum Change {
    /// Of which nothing is stored yet.
    New(Record),
    Put(Record),
    Remove,
}

impl StoreGroup {
    /// Takes operations in their order.
    pub(crate) fn extend(&mut self, operations: impl IntoIterator<Item = StoreOperation>) {
        for operation in operations {
            match operation {
                StoreOperation::Others => self.has_others = true,
                StoreOperation::Insert(record) => self.put(record, true),
                StoreOperation::Update(record) => self.put(record, false),
                StoreOperation::Remove(key) => match self.change_by_key.entry(key) {
                    Entry::Occupied(entry) if matches!(entry.get(), Change::New(_)) => {
                        entry.remove();
                    }
                    Entry::Occupied(mut entry) => {
                        entry.insert(Change::Remove);
                    }
                    Entry::Vacant(entry) => {
                        entry.insert(Change::Remove);
                    }
                },
            }
        }
    }

    fn put(&mut self, record: Record, is_new: bool) {
        match self.change_by_key.entry(record.key()) {
            Entry::Occupied(mut entry) => {
                let change = match entry.get() {
                    Change::New(_) => Change::New(record),
                    Change::Put(_) | Change::Remove => Change::Put(record),
                };
                entry.insert(change);
            }
            Entry::Vacant(entry) => {
                entry.insert(match is_new {
                    true => Change::New(record),
                    false => Change::Put(record),
                });
            }
        }
    }

    /// An attempt to write it has failed, and still it may be stored: so what was new has to be removed as well.
    #[expect(clippy::iter_over_hash_type, reason = "each is changed on its own")]
    pub(crate) fn may_be_stored(&mut self) {
        for change in self.change_by_key.values_mut() {
            *change = match mem::replace(change, Change::Remove) {
                Change::New(record) | Change::Put(record) => Change::Put(record),
                Change::Remove => Change::Remove,
            };
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.change_by_key.is_empty() && !self.has_others
    }

    pub(crate) fn clear(&mut self) {
        self.has_others = false;
        self.change_by_key.clear();
        if self.change_by_key.capacity() > CAPACITY_KEPT {
            self.change_by_key = HashMap::new();
        }
    }

    /// Writes everything as bytes.
    #[expect(
        clippy::iter_over_hash_type,
        reason = "a set puts its changes in order by itself"
    )]
    pub(crate) fn write_to(&self, changes: &mut ChangeSet) {
        let mut key_bytes = Vec::new();
        for (key, change) in &self.change_by_key {
            key_bytes.clear();
            key.encode(&mut key_bytes);
            match change {
                Change::New(record) | Change::Put(record) => {
                    changes.put(&key_bytes, |bytes| record.encode(bytes));
                }
                Change::Remove => changes.remove(&key_bytes),
            }
        }
    }
}

const CAPACITY_KEPT: usize = 10_000;
