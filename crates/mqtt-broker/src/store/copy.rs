//! A new file that appears under its name only when it is whole.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{ChangeSet, FileDisk, RedbStore, Store, StoreError, disk::sync_folder_of};

/// A store that is being filled under another name.
#[derive(Debug)]
pub(super) struct Copy {
    unfinished: PathBuf,
    store: RedbStore,
    changes: ChangeSet,
    n_entries: u64,
    result: Result<(), StoreError>,
}

impl Copy {
    /// Begins anew, whatever an earlier copy left unfinished under this name.
    pub(super) fn begin(unfinished: PathBuf, format: u32) -> Result<Self, StoreError> {
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let store = RedbStore::open(FileDisk::new(&unfinished), format)?;
        Ok(Self {
            unfinished,
            store,
            changes: ChangeSet::new(),
            n_entries: 0,
            result: Ok(()),
        })
    }

    /// Adds what is put. Should that fail, [`Self::finish_as`] says so.
    pub(super) fn fill(&mut self, put: impl FnOnce(&mut ChangeSet)) {
        if self.result.is_err() {
            return;
        }
        put(&mut self.changes);
        if self.changes.n_bytes() >= COPIED_AT_ONCE_BYTES {
            self.result = self.commit();
        }
    }

    /// Gives the file its name, in place of what has it, and says how many entries are in it.
    pub(super) fn finish_as(mut self, name: &Path) -> Result<u64, StoreError> {
        std::mem::replace(&mut self.result, Ok(()))?;
        self.commit()?;
        drop(self.store);
        // Closing writes too.
        File::open(&self.unfinished)?.sync_all()?;
        fs::rename(&self.unfinished, name)?;
        sync_folder_of(name)?;
        Ok(self.n_entries)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.n_entries += self.changes.len() as u64;
        self.store.commit(&self.changes)?;
        self.changes.clear();
        Ok(())
    }
}

const COPIED_AT_ONCE_BYTES: usize = 4 << 20;
