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
    unfinished: Unfinished,
    store: RedbStore,
    changes: ChangeSet,
    n_entries: u64,
    result: Result<(), StoreError>,
}

/// Goes again unless it gets its name: on a full disk it would be in the way.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After it has got its name there is nothing here; and whoever comes next begins with removing it.
        let _ = fs::remove_file(&self.0);
    }
}

impl Copy {
    /// Begins anew, whatever an earlier copy left unfinished under this name.
    pub(super) fn begin(unfinished: PathBuf, format: u32) -> Result<Self, StoreError> {
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let unfinished = Unfinished(unfinished);
        let store = RedbStore::open(FileDisk::new(&unfinished.0), format)?;
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

    /// Makes durable what was put.
    pub(super) fn finish(mut self) -> Result<Finished, StoreError> {
        std::mem::replace(&mut self.result, Ok(()))?;
        self.commit()?;
        drop(self.store);
        // Closing writes too.
        File::open(&self.unfinished.0)?.sync_all()?;
        Ok(Finished {
            unfinished: self.unfinished,
            n_entries: self.n_entries,
        })
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.n_entries += self.changes.len() as u64;
        self.store.commit(&self.changes)?;
        self.changes.clear();
        Ok(())
    }
}

/// A copy that is whole, and has no name yet.
#[derive(Debug)]
pub(super) struct Finished {
    unfinished: Unfinished,
    pub(super) n_entries: u64,
}

impl Finished {
    /// Gives the file its name, in place of what has it.
    pub(super) fn name(self, name: &Path) -> Result<(), StoreError> {
        fs::rename(&self.unfinished.0, name)?;
        Ok(sync_folder_of(name)?)
    }
}

const COPIED_AT_ONCE_BYTES: usize = 4 << 20;
