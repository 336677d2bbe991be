//! Reading while others commit.

use std::sync::PoisonError;

use redb::{ReadOnlyTable, ReadableDatabase};

use super::{
    StoreError, StoreErrorKind,
    catching::catching,
    redb_store::{ENTRIES, SharedDatabase, give},
};

/// Lets any thread read a [`RedbStore`](super::RedbStore) that another one writes to. Clones read the same store.
#[derive(Clone)]
pub struct StoreReader(SharedDatabase);

/// One state of the store, which later commits do not change. The file grows while one is held.
pub struct View(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl StoreReader {
    pub(super) const fn new(database: SharedDatabase) -> Self {
        Self(database)
    }

    /// Holds on to what is stored now.
    ///
    /// # Errors
    /// What the disk said, or that the store has to be opened anew, which its next commit tries.
    pub fn view(&self) -> Result<View, StoreError> {
        let database = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| {
            StoreError::new(StoreErrorKind::Failing, "it is not open after an error")
        })?;
        catching(|| {
            let transaction = database.begin_read().map_err(redb::Error::from)?;
            let table = transaction.open_table(ENTRIES).map_err(redb::Error::from)?;
            Ok(View(table))
        })
    }
}

impl View {
    /// Gives the value of a key to `found`, which is not called if there is none.
    ///
    /// # Errors
    /// What the disk said, or that the entry is damaged.
    pub fn read(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        catching(|| {
            if let Some(stored) = self.0.get(key).map_err(redb::Error::from)? {
                give(key, stored.value(), &mut |_, value| found(value))?;
            }
            Ok(())
        })
    }
}

impl std::fmt::Debug for StoreReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreReader").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}
