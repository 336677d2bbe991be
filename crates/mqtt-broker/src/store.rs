//! What survives a power cut: an ordered map of bytes to bytes in one file, which knows nothing of MQTT.
//!
//! [`DataDirectory::open`] gives a [`RedbStore`] for a folder that only this process uses.
//! Whoever has something to keep fills a [`ChangeSet`] and gives it to [`Store::commit`]; when that returns, it is kept.

mod catching;
mod change_set;
mod checksum;
mod copy;
mod data_directory;
mod disk;
mod error;
mod maintenance;
mod reader;
mod redb_store;
mod rewriting;
mod salvage;
#[cfg(feature = "testing")]
pub mod testing;
mod utc;

pub use change_set::ChangeSet;
pub use data_directory::{Convert, DataDirectory, OpenError, Opened, Salvage};
pub use disk::{Disk, FileDisk};
pub use error::{StoreError, StoreErrorKind};
pub use maintenance::{Report, check, check_file, repair};
pub use reader::{StoreReader, View};
pub use redb_store::{RedbStore, Size};

use std::path::Path;

/// Writes a consistent copy into a new file, which appears under its name only when it is whole.
pub type Snapshot = Box<dyn FnOnce(&Path) -> Result<(), StoreError> + Send>;

/// An ordered map of bytes to bytes on something that survives a power cut.
pub trait Store: Send {
    /// Makes all changes durable, or, on an error, none that can be relied upon.
    ///
    /// After an error the next call opens the file anew and tries again by itself; the caller gives it
    /// the failed changes too, as giving a change twice does no harm.
    ///
    /// # Errors
    /// What the disk said; see [`StoreErrorKind`].
    fn commit(&mut self, changes: &ChangeSet) -> Result<(), StoreError>;

    /// Gives every entry, key and value, in order of keys. Meant for the start, before the first commit.
    ///
    /// # Errors
    /// What the disk said, or that an entry is damaged; entries may have been given before.
    fn read_all(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError>;

    /// Holds on to what is stored now, to be copied by another thread while commits go on.
    ///
    /// # Errors
    /// What the disk said.
    fn snapshot(&mut self) -> Result<Snapshot, StoreError>;

    /// Writes a copy of what is stored now, as a [`Snapshot`] does.
    ///
    /// # Errors
    /// The file exists already, or what either disk said.
    fn back_up(&mut self, file: &Path) -> Result<(), StoreError> {
        self.snapshot()?(file)
    }

    /// How many bytes were given to the disk since the store was opened.
    fn n_bytes_written(&self) -> u64;
}
