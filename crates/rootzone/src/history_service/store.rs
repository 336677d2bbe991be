//! The broker's store and the history's, in one file and the same commits.

use std::sync::Arc;

use history::{Reader, Unreadable};
use mqtt_broker::{
    FIRST_BYTE_OF_OTHERS,
    store::{ChangeSet, RedbStore, Snapshot, Store, StoreError, StoreErrorKind, View},
};

use super::shared::Shared;

/// Adds what the history has to each commit of the broker.
#[derive(Debug)]
pub(crate) struct HistoryStore {
    store: RedbStore,
    shared: Arc<Shared>,
    /// What is not durable yet, perhaps because an earlier attempt failed.
    changes: ChangeSet,
}

impl HistoryStore {
    pub(super) fn new(store: RedbStore, shared: Arc<Shared>) -> Self {
        Self {
            store,
            shared,
            changes: ChangeSet::new(),
        }
    }
}

impl Store for HistoryStore {
    fn commit(&mut self, changes: &ChangeSet) -> Result<(), StoreError> {
        let sequence = self.shared.write_to(&mut self.changes);
        // The broker's keys come before the history's, as the store likes it.
        self.store.commit_all(&[changes, &self.changes])?;
        self.changes.clear();
        self.shared.handle_stored(sequence);
        Ok(())
    }

    /// Only what is the broker's: the history reads its own, and not the chunks.
    fn read_all(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        self.store.read_range((&[], &[FIRST_BYTE_OF_OTHERS]), each)
    }

    fn snapshot(&mut self) -> Result<Snapshot, StoreError> {
        self.store.snapshot()
    }

    fn n_bytes_written(&self) -> u64 {
        self.store.n_bytes_written()
    }
}

/// Reads chunks from one state of the store.
pub(crate) struct ViewReader(pub(crate) Result<View, StoreError>);

impl Reader for ViewReader {
    fn read(&mut self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<(), Unreadable> {
        let view = self.0.as_ref().map_err(|_| Unreadable)?;
        match view.read(key, found) {
            Ok(()) => Ok(()),
            // An entry that is damaged stays so, and is no chunk; anything else may be better the next time.
            Err(error) if error.kind == StoreErrorKind::Damaged => {
                found(&[]);
                Ok(())
            }
            Err(_) => Err(Unreadable),
        }
    }
}
