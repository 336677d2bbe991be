//! What a store keeps its file on.

use std::{
    cell::Cell,
    fs::{self, File, Metadata, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use redb::{StorageBackend, backends::FileBackend};

/// Something that a store can open, and open again after it failed.
pub trait Disk: Send + 'static {
    /// Opens the one file of this disk, which is empty if it was never written.
    ///
    /// # Errors
    /// What the operating system said.
    fn open(&self) -> io::Result<Box<dyn StorageBackend>>;

    /// Whether what was opened last is still what would be found.
    ///
    /// # Errors
    /// What the operating system said.
    fn is_in_place(&self) -> io::Result<bool> {
        Ok(true)
    }
}

/// A file of the operating system.
#[derive(Debug, Clone)]
pub struct FileDisk {
    path: PathBuf,
    /// Of the file that was opened last.
    identity: Cell<Option<Identity>>,
}

/// Device and number of a file, whatever its name.
type Identity = (u64, u64);

impl FileDisk {
    /// The file need not be there yet; its folder must.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            identity: Cell::new(None),
        }
    }
}

impl Disk for FileDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        let is_new = !self.path.exists();
        let file = private_file().truncate(false).open(&self.path)?;
        if is_new {
            sync_folder_of(&self.path)?;
        }
        self.identity.set(identity(&file.metadata()?));
        let backend = FileBackend::new(file).map_err(io::Error::other)?;
        Ok(Box::new(backend))
    }

    fn is_in_place(&self) -> io::Result<bool> {
        let opened = self.identity.get();
        match fs::metadata(&self.path) {
            Ok(found) => Ok(opened.is_none() || identity(&found) == opened),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(opened.is_none()),
            Err(error) => Err(error),
        }
    }
}

fn identity(found: &Metadata) -> Option<Identity> {
    #[cfg(unix)]
    return Some((
        std::os::unix::fs::MetadataExt::dev(found),
        std::os::unix::fs::MetadataExt::ino(found),
    ));
    #[cfg(not(unix))]
    None
}

/// A file that is not written to.
pub(super) fn open_to_read(path: &Path) -> io::Result<Box<dyn StorageBackend>> {
    let backend = FileBackend::new(File::open(path)?).map_err(io::Error::other)?;
    Ok(Box::new(backend))
}

/// Reads, writes and creates; what it creates only this user may read.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the name of a file durable: its contents alone do not survive without it.
pub(super) fn sync_folder_of(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
