//! The folder that a store has for itself.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use thiserror::Error;

use super::{
    ChangeSet, FileDisk, RedbStore, StoreError, StoreErrorKind,
    copy::Copy,
    disk::{open_to_read, private_file, sync_folder_of},
    salvage::Remains,
    utc::file_name_time,
};

/// A folder that no other process uses as a data directory, for as long as this lives.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    /// Locked; the operating system unlocks it however this process ends.
    _lock: File,
}

/// A store and what had to be done to open it.
#[derive(Debug)]
pub struct Opened {
    /// Keeps others out; to be kept as long as the store.
    pub directory: DataDirectory,
    /// The store of the directory.
    pub store: RedbStore,
    /// Whether there was none before.
    pub is_new: bool,
    /// What happened if the file was damaged. A person has to hear of it.
    pub salvage: Option<Salvage>,
}

/// A damaged file was set aside, and what could be read is in a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvage {
    /// The damaged file.
    pub set_aside: PathBuf,
    /// What is wrong with it.
    pub damage: String,
    /// How many entries are in the new file.
    pub n_kept: u64,
    /// Whether these are all that the damaged file once had.
    pub is_complete: bool,
}

/// A data directory cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is used by {}, which holds {}", directory.display(), process_in_words(*process_id), lock_file.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
        /// The file that the other process has locked.
        lock_file: PathBuf,
        /// Which process that is, if it could write it down.
        process_id: Option<u32>,
    },
    /// Another version of the program wrote it.
    #[error("{} has format {found} and this program understands format {understood}; `rootzone repair --data-dir {}` converts it", file.display(), file.parent().unwrap_or(file).display())]
    OtherFormat {
        /// The store's file.
        file: PathBuf,
        /// The format of what is in it.
        found: u32,
        /// The format that was asked for.
        understood: u32,
    },
    /// There is no store in it.
    #[error("there is no store in {}", directory.display())]
    Empty {
        /// The data directory.
        directory: PathBuf,
    },
    /// The store is damaged, and it was not to be touched.
    #[error("{} is damaged ({damage}); `rootzone repair --data-dir {}` makes a new one of what can be read", file.display(), file.parent().unwrap_or(file).display())]
    Damaged {
        /// The store's file.
        file: PathBuf,
        /// What is wrong with it.
        damage: String,
    },
    /// The store is damaged, and a new one of what can be read could not be made.
    #[error("{} is damaged ({damage}), and a new one of what can be read cannot be made: {error}; \
             make room and start again, or move the file away to begin with nothing", file.display())]
    BeyondRepair {
        /// The store's file.
        file: PathBuf,
        /// What is wrong with it.
        damage: String,
        /// Why there is no new one.
        error: StoreError,
    },
    /// The folder or a file in it cannot be made, read or written.
    #[error("cannot use {}: {error}", path.display())]
    Unusable {
        /// The folder or file.
        path: PathBuf,
        /// What the store or the operating system said.
        error: StoreError,
    },
}

impl OpenError {
    pub(super) fn of(file: &Path, error: StoreError) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "only this has a remedy of its own"
        )]
        match error.kind {
            StoreErrorKind::OtherFormat { found, understood } => Self::OtherFormat {
                file: file.to_owned(),
                found,
                understood,
            },
            _ => unusable(file)(error),
        }
    }
}

impl DataDirectory {
    /// Opens the store in a folder, which is made if it is not there; sets a damaged file aside.
    ///
    /// `format` is the version of what the caller writes.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path, format: u32) -> Result<Opened, OpenError> {
        make_private_folder(path).map_err(unusable(path))?;
        let directory = Self::lock(path)?;
        let is_new = directory.begin_if_empty(format)?;
        let (store, salvage) = directory.open_store(format)?;
        Ok(Opened {
            directory,
            store,
            is_new,
            salvage,
        })
    }

    /// Opens the store that is in a folder as it is: makes none, and repairs nothing.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_whole(path: &Path, format: u32) -> Result<Opened, OpenError> {
        let directory = Self::lock_existing(path)?;
        let file = directory.file();
        let store = open_file(&file, format).map_err(|error| {
            if error.kind == StoreErrorKind::Damaged {
                OpenError::Damaged {
                    file: file.clone(),
                    damage: error.to_string(),
                }
            } else {
                OpenError::of(&file, error)
            }
        })?;
        Ok(Opened {
            directory,
            store,
            is_new: false,
            salvage: None,
        })
    }

    /// Keeps other processes out of a folder that has a store.
    pub(super) fn lock_existing(path: &Path) -> Result<Self, OpenError> {
        // Looking leaves nothing behind where a path was mistyped.
        if !path.join(STORE_FILE).try_exists().map_err(unusable(path))? {
            return Err(OpenError::Empty {
                directory: path.to_owned(),
            });
        }
        Self::lock(path)
    }

    /// Keeps other processes out.
    fn lock(path: &Path) -> Result<Self, OpenError> {
        let lock_file = path.join(LOCK_FILE);
        let mut lock = private_file()
            .truncate(false)
            .open(&lock_file)
            .map_err(unusable(&lock_file))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The refusal is as good without the number.
                let _ = lock.read_to_string(&mut text);
                return Err(OpenError::InUse {
                    directory: path.to_owned(),
                    lock_file,
                    process_id: text.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(&lock_file)(error)),
        }
        write_process_id(&mut lock).map_err(unusable(&lock_file))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.path.join(STORE_FILE)
    }

    /// Makes a store, if there is none; says whether it did.
    fn begin_if_empty(&self, format: u32) -> Result<bool, OpenError> {
        let file = self.file();
        if file.try_exists().map_err(unusable(&file))? {
            return Ok(false);
        }
        Copy::begin(self.path.join(NEW_FILE), format)
            .and_then(Copy::finish)
            .and_then(|copy| copy.name(&file))
            .map_err(|error| OpenError::of(&file, error))?;
        Ok(true)
    }

    fn open_store(&self, format: u32) -> Result<(RedbStore, Option<Salvage>), OpenError> {
        let file = self.file();
        let failed = |error| OpenError::of(&file, error);
        match open_file(&file, format) {
            Ok(mut store) => {
                store.compact_if_worthwhile().map_err(failed)?;
                Ok((store, None))
            }
            Err(error) if error.kind == StoreErrorKind::Damaged => {
                let damage = error.to_string();
                let salvage = self.salvage(format, damage, DAMAGED, None)?;
                let store = open_file(&file, format).map_err(failed)?;
                Ok((store, Some(salvage)))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Puts what can be read of the file into a new one, and keeps the old one under another name.
    pub(super) fn salvage(
        &self,
        format: u32,
        damage: String,
        label: &str,
        convert: Option<&mut Convert<'_>>,
    ) -> Result<Salvage, OpenError> {
        let file = self.file();
        let result = self.copy_what_can_be_read(format, label, convert);
        match result {
            Ok((set_aside, n_kept, is_complete)) => Ok(Salvage {
                set_aside,
                damage,
                n_kept,
                is_complete,
            }),
            Err(error) if matches!(error.kind, StoreErrorKind::OtherFormat { .. }) => {
                Err(OpenError::of(&file, error))
            }
            Err(error) => Err(OpenError::BeyondRepair {
                file,
                damage,
                error,
            }),
        }
    }

    fn copy_what_can_be_read(
        &self,
        format: u32,
        label: &str,
        mut convert: Option<&mut Convert<'_>>,
    ) -> Result<(PathBuf, u64, bool), StoreError> {
        let file = self.file();
        let remains = Remains::find(|| open_to_read(&file));
        let found = remains.as_ref().and_then(|remains| remains.format);
        let other = found.filter(|found| *found != format);
        if let Some(found) = other
            && convert.is_none()
        {
            return Err(StoreError::other_format(found, format));
        }
        let mut copy = Copy::begin(self.path.join(NEW_FILE), format)?;
        let mut is_converted = true;
        let is_complete = remains.is_some_and(|remains| {
            let found = remains.read(&mut |key, value| {
                copy.fill(|changes| match (other, &mut convert) {
                    (Some(found), Some(convert)) => {
                        is_converted &= convert(found, key, value, changes);
                    }
                    _ => changes.put(key, |copied| copied.extend_from_slice(value)),
                });
            });
            found.is_complete
        });
        if let Some(found) = other
            && !is_converted
        {
            return Err(StoreError::other_format(found, format));
        }
        let copy = copy.finish()?;
        let n_kept = copy.n_entries;
        let set_aside = keep_as(&file, label)?;
        copy.name(&file)?;
        Ok((set_aside, n_kept, is_complete))
    }
}

fn open_file(file: &Path, format: u32) -> Result<RedbStore, StoreError> {
    match fs::metadata(file)?.len() {
        // A file gets its name only when something is in it.
        0 => Err(StoreError::damaged("the file is empty")),
        _ => RedbStore::open(FileDisk::new(file), format),
    }
}

/// Writes an entry of another format, which is given first, as entries of today's.
/// `false` if it cannot be done.
pub type Convert<'a> = dyn FnMut(u32, &[u8], &[u8], &mut ChangeSet) -> bool + 'a;

/// Gives the file a second name that was not taken, so that its first may be given away.
fn keep_as(file: &Path, label: &str) -> io::Result<PathBuf> {
    let name = format!("{STORE_FILE}.{label}-{}", file_name_time(SystemTime::now()));
    for n in 1.. {
        let name = if n == 1 {
            name.clone()
        } else {
            format!("{name}-{n}")
        };
        let kept = file.with_file_name(name);
        match fs::hard_link(file, &kept) {
            Ok(()) => return Ok(kept),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // Not every file system has second names. Should the power go right now, the next start
            // finds no file and begins anew; the old one is kept all the same.
            Err(_) if !kept.try_exists()? => {
                fs::rename(file, &kept)?;
                return Ok(kept);
            }
            Err(error) => return Err(error),
        }
    }
    unreachable!("one of all numbers is free")
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            io::ErrorKind::NotADirectory.into()
        } else {
            error
        }
    })?;
    sync_folder_of(path)
}

fn write_process_id(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

fn unusable<E: Into<StoreError>>(path: &Path) -> impl FnOnce(E) -> OpenError + use<E> {
    let path = path.to_owned();
    move |error| OpenError::Unusable {
        path,
        error: error.into(),
    }
}

fn process_in_words(id: Option<u32>) -> String {
    id.map_or_else(
        || "another process".to_owned(),
        |id| format!("process {id}"),
    )
}

/// The store.
pub(super) const STORE_FILE: &str = "rootzone.redb";
/// What is to become the store, and is worth nothing until then.
const NEW_FILE: &str = "rootzone.redb.new";
const LOCK_FILE: &str = "rootzone.lock";
const DAMAGED: &str = "damaged";
