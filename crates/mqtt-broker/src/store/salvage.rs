//! Reads what can still be read out of a damaged file, without writing to it.

use std::{collections::VecDeque, fmt, io, ops::Bound};

use redb::{
    BackendError, Builder, ConcurrencyMode, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase,
    ReadableTableMetadata, StorageBackend,
};

use super::{
    StoreError,
    catching::{calling_back, catching},
    checksum::unseal,
    redb_store::{CACHE_BYTES, ENTRIES, format_of},
};

/// What is left of a damaged file.
pub(super) struct Remains {
    database: ReadOnlyDatabase,
    /// The version of what is in it, if that can be read.
    pub(super) format: Option<u32>,
}

/// How much of a file could be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Yield {
    pub(super) n_kept: u64,
    /// Whether every entry that the file once had is among them.
    pub(super) is_complete: bool,
}

impl Remains {
    /// Opens the file from the better of the two states that redb keeps in it: the last one, or
    /// the one before if that has more left. `None` if neither has anything.
    pub(super) fn find(open: impl Fn() -> io::Result<Box<dyn StorageBackend>>) -> Option<Self> {
        let mut best: Option<(Self, Yield)> = None;
        for state in [State::Last, State::Before] {
            let Ok(remains) = open()
                .map_err(StoreError::from)
                .and_then(|file| Self::open(file, state))
            else {
                continue;
            };
            let found = remains.read(&mut |_, _| ());
            if best
                .as_ref()
                .is_none_or(|(_, best)| found.n_kept > best.n_kept)
            {
                best = Some((remains, found));
            }
            if found.is_complete {
                break;
            }
        }
        best.map(|(remains, _)| remains)
    }

    fn open(file: Box<dyn StorageBackend>, state: State) -> Result<Self, StoreError> {
        let file = ReadOnlyFile::showing(state, file);
        catching(|| {
            // In this mode redb reads pages by their numbers alone, and wants neither a clean end
            // nor the list of free pages.
            let database = Builder::new()
                .set_cache_size(CACHE_BYTES)
                .set_concurrency_mode(ConcurrencyMode::SingleWriter)
                .open_read_only_with_backend(file)
                .map_err(redb::Error::from)?;
            let format = catching(|| Ok(format_of(&database)?)).unwrap_or_default();
            Ok(Self { database, format })
        })
    }

    /// Gives every entry whose checksum is right, in no particular order.
    pub(super) fn read(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Yield {
        let table = catching(|| {
            let transaction = self.database.begin_read().map_err(redb::Error::from)?;
            Ok(transaction.open_table(ENTRIES).map_err(redb::Error::from)?)
        });
        let Ok(table) = table else {
            return Yield::default();
        };
        let mut reader = Reader {
            table: &table,
            each,
            n_kept: 0,
        };
        let is_whole = reader.read_everything();
        let n_kept = reader.n_kept;
        let n_expected = catching(|| Ok(table.len().map_err(redb::Error::from)?)).ok();
        Yield {
            n_kept,
            is_complete: is_whole && n_expected == Some(n_kept),
        }
    }
}

/// A walk over a table that goes around what cannot be read.
struct Reader<'a> {
    table: &'a ReadOnlyTable<&'static [u8], &'static [u8]>,
    each: &'a mut dyn FnMut(&[u8], &[u8]),
    n_kept: u64,
}

impl Reader<'_> {
    /// Whether nothing was in the way.
    ///
    /// A gap is a range of keys that were not read. It is read up from its beginning and down from
    /// its end; where both are stopped by a damaged page, both halves of what is between are gaps.
    /// The widest come first, so that much damage in one place does not hide what is behind it.
    fn read_everything(&mut self) -> bool {
        let mut gaps: VecDeque<(Vec<u8>, Option<Vec<u8>>)> = [(Vec::new(), None)].into();
        let mut is_whole = true;
        for _ in 0..N_GAPS_MAX {
            let Some((low, high)) = gaps.pop_front() else {
                break;
            };
            let (lowest, has_no_gap) = self.run(&low, high.as_deref(), true);
            if has_no_gap {
                continue;
            }
            is_whole = false;
            let low = lowest.unwrap_or(low);
            let (highest, _) = self.run(&low, high.as_deref(), false);
            let high = highest.or(high);
            if let Some(middle) = middle_of(&low, high.as_deref()) {
                gaps.push_back((low, Some(middle.clone())));
                gaps.push_back((middle, high));
            }
        }
        is_whole
    }

    /// Reads in one direction until something cannot be read.
    ///
    /// Gives where what was not read begins (going up) or ends (going down).
    fn run(&mut self, low: &[u8], high: Option<&[u8]>, goes_up: bool) -> (Option<Vec<u8>>, bool) {
        let mut reached = None;
        let high = high.map_or(Bound::Unbounded, Bound::Excluded);
        let result = catching(|| {
            let mut range = self
                .table
                .range::<&[u8]>((Bound::Included(low), high))
                .map_err(redb::Error::from)?;
            while let Some(entry) = if goes_up {
                range.next()
            } else {
                range.next_back()
            } {
                let (key, stored) = entry.map_err(redb::Error::from)?;
                let key = key.value();
                let value =
                    unseal(key, stored.value()).ok_or_else(|| StoreError::damaged("entry"))?;
                // A damaged page may lead to one that was read already.
                let is_expected = low <= key
                    && reached.as_deref().is_none_or(|reached: &[u8]| {
                        if goes_up {
                            key >= reached
                        } else {
                            key < reached
                        }
                    });
                if !is_expected {
                    return Err(StoreError::damaged("the order of keys"));
                }
                calling_back(|| (self.each)(key, value));
                self.n_kept += 1;
                let mut next = key.to_vec();
                if goes_up {
                    next.push(0);
                }
                reached = Some(next);
            }
            Ok(())
        });
        (reached, result.is_ok())
    }
}

/// A key between the two, if there is one worth trying.
fn middle_of(low: &[u8], high: Option<&[u8]>) -> Option<Vec<u8>> {
    let n_common = high.map_or(0, |high| {
        low.iter()
            .zip(high)
            .take_while(|(low, high)| low == high)
            .count()
    });
    let number_at = |key: &[u8]| {
        let mut bytes = [0; 8];
        let rest = key.get(n_common..).unwrap_or_default();
        let n = rest.len().min(8);
        bytes[..n].copy_from_slice(&rest[..n]);
        u64::from_be_bytes(bytes)
    };
    let low_number = number_at(low);
    let high_number = high.map_or(u64::MAX, number_at);
    let half = high_number.checked_sub(low_number)? / 2;
    if half == 0 {
        return None;
    }
    let mut middle = low[..n_common].to_vec();
    middle.extend_from_slice(&(low_number + half).to_be_bytes());
    Some(middle)
}

/// Which of the two states in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Last,
    Before,
}

/// Shows a damaged file to redb as one that somebody closed.
struct ReadOnlyFile {
    file: Box<dyn StorageBackend>,
    /// In the place of what the file begins with.
    header: [u8; HEADER_BYTES],
}

impl ReadOnlyFile {
    /// With a header that is whole but for the one state: what else is in it is the same in every file.
    fn showing(state: State, file: Box<dyn StorageBackend>) -> Self {
        let mut found = [0; HEADER_BYTES];
        read_as_zero(&*file, 0, &mut found);
        let last = usize::from(found[STATE_BYTE] & PRIMARY);
        let slot = match state {
            State::Last => last,
            State::Before => 1 - last,
        };
        let at = SLOTS[slot];
        let slot = &found[at..at + SLOT_BYTES];
        let mut header = [0; HEADER_BYTES];
        header[..GEOMETRY.len()].copy_from_slice(&GEOMETRY);
        for at in SLOTS {
            header[at..at + SLOT_BYTES].copy_from_slice(slot);
        }
        Self { file, header }
    }
}

/// What is cut off or cannot be read is zero, as redb reads nothing more after an error.
fn read_as_zero(file: &dyn StorageBackend, offset: u64, out: &mut [u8]) {
    out.fill(0);
    let n_left = file.len().unwrap_or(0).saturating_sub(offset);
    let n = n_left.min(out.len() as u64) as usize;
    if file.read(offset, &mut out[..n]).is_err() {
        out.fill(0);
    }
}

impl fmt::Debug for ReadOnlyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadOnlyFile")
    }
}

impl StorageBackend for ReadOnlyFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_as_zero(&*self.file, offset, out);
        if offset < HEADER_BYTES as u64 {
            let header = &self.header[offset as usize..];
            let n = header.len().min(out.len());
            out[..n].copy_from_slice(&header[..n]);
        }
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    // Nobody else has the file, as the data directory is locked.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

// How a file of redb 4 begins; a test compares it with a new one.

/// The mark of its kind, that it was closed, and how it is divided: pages of 4 KiB, 2²⁰ of them in a
/// region. How many there are is not asked in the mode that is used here, but must be some.
const GEOMETRY: [u8; 32] =
    *b"redb\x1A\x0A\xA9\x0D\x0A\0\0\0\0\x10\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\x01\0\0\0";
/// Where redb keeps which state is the last.
const STATE_BYTE: usize = 9;
const PRIMARY: u8 = 1;
/// Where the two states are.
const SLOTS: [usize; 2] = [64, 64 + SLOT_BYTES];
const SLOT_BYTES: usize = 128;
const HEADER_BYTES: usize = SLOTS[1] + SLOT_BYTES;

/// How many gaps are tried: enough for hundreds of damaged pages, and well below a second.
const N_GAPS_MAX: u32 = 4000;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::{FileDisk, RedbStore};

    #[test]
    fn files_begin_as_they_are_expected_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store");
        drop(RedbStore::open(FileDisk::new(&file), 1).unwrap());
        let bytes = fs::read(&file).unwrap();
        let n_pages_at = 24;
        assert_eq!(bytes[..STATE_BYTE], GEOMETRY[..STATE_BYTE]);
        assert_eq!(
            bytes[STATE_BYTE + 1..n_pages_at],
            GEOMETRY[STATE_BYTE + 1..n_pages_at]
        );
    }
}
