//! An in-memory disk whose power goes and which fails when it is told to.

use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redb::StorageBackend;

use super::{ChangeSet, Disk, RedbStore};

/// An in-memory disk with one file. Clones are the same disk.
///
/// It counts every write, sync and change of length as one operation, beginning with 0.
#[derive(Debug, Clone, Default)]
pub struct PowerCutDisk(Arc<Mutex<State>>);

/// How often and how much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Writes, syncs and changes of length together.
    pub n_operations: u64,
    /// Successful syncs.
    pub n_syncs: u64,
    /// Successful writes.
    pub n_writes: u64,
    /// The bytes of the successful writes.
    pub n_bytes_written: u64,
}

/// How a disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Writes and growth fail as there is no space; syncs succeed.
    Full,
    /// Everything but reading fails. A failed sync forgets what it should have made durable, as
    /// Linux does: it can still be read, and a later sync does not write it.
    Broken,
}

/// So many entries of the size of a queued message and its place.
#[must_use]
pub fn entries(range: Range<u64>) -> ChangeSet {
    let mut changes = ChangeSet::new();
    for n in range {
        changes.put(&key(n), |value| value.extend([n as u8; 138]));
    }
    changes
}

/// The key of an entry: scattered, as those of many sessions are.
#[must_use]
pub fn key(n: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key[8..].copy_from_slice(&(n as u32).to_be_bytes());
    key
}

#[derive(Debug, Default)]
struct State {
    /// What a power cut leaves, before `pending`.
    durable: Vec<u8>,
    /// What reading gives.
    current: Vec<u8>,
    /// What came since the last sync, in order.
    pending: Vec<Pending>,
    counts: Counts,
    cut_at: Option<u64>,
    failure: Option<(u64, Failure)>,
}

#[derive(Debug, Clone)]
enum Pending {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

impl PowerCutDisk {
    /// An empty disk that works.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk with this file, all of it durable.
    #[must_use]
    pub fn with_file(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State {
            durable: bytes.clone(),
            current: bytes,
            ..State::default()
        })))
    }

    /// A disk with an empty store that was closed. A new store's file gets its name only when it is
    /// that far, so that no power cut can come before.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "nothing fails yet")]
    pub fn with_empty_store(format: u32) -> Self {
        let disk = Self::new();
        drop(RedbStore::open(disk.clone(), format).expect("the disk works"));
        Self::with_file(disk.file())
    }

    /// Lets the power go in place of this operation, as counted from the disk's beginning.
    pub fn cut_power_at(&self, operation: u64) {
        self.lock().cut_at = Some(operation);
    }

    /// Fails from this operation on, until [`Self::recover`].
    pub fn fail_from(&self, operation: u64, failure: Failure) {
        self.lock().failure = Some((operation, failure));
    }

    /// Works again.
    pub fn recover(&self) {
        self.lock().failure = None;
    }

    /// Whether the power went.
    #[must_use]
    pub fn is_without_power(&self) -> bool {
        self.lock().is_without_power()
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// What reading the file gives now.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        self.lock().current.clone()
    }

    /// The disk as it is found when the power is back, now or after a cut.
    ///
    /// What was synced is there. Whatever came later is, by choice of the seed, kept whole, kept in
    /// some of its sectors, kept up to one of them, or lost, each on its own.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64) -> Self {
        let state = self.lock();
        let mut random = Random(seed);
        let mut file = state.durable.clone();
        for pending in &state.pending {
            match pending {
                Pending::Write { offset, data } => tear(&mut file, *offset, data, &mut random),
                Pending::Length(len) if random.below(2) == 0 => file.resize(*len, 0),
                Pending::Length(_) => {}
            }
        }
        Self::with_file(file)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for PowerCutDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        self.lock().check_power()?;
        Ok(Box::new(self.clone()))
    }
}

impl StorageBackend for PowerCutDisk {
    fn len(&self) -> io::Result<u64> {
        let state = self.lock();
        state.check_power()?;
        Ok(state.current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.lock();
        state.check_power()?;
        let start = offset as usize;
        let found = state.current.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.lock();
        let failure = state.begin_operation()?;
        if failure == Some(Failure::Broken)
            || failure.is_some() && len as usize > state.current.len()
        {
            return Err(error_of(failure));
        }
        state.current.resize(len as usize, 0);
        state.pending.push(Pending::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.lock();
        let failure = state.begin_operation()?;
        if failure == Some(Failure::Broken) {
            state
                .pending
                .retain(|pending| matches!(pending, Pending::Length(_)));
            return Err(error_of(failure));
        }
        for pending in std::mem::take(&mut state.pending) {
            match pending {
                Pending::Write { offset, data } => put(&mut state.durable, offset, &data),
                Pending::Length(len) => state.durable.resize(len, 0),
            }
        }
        state.counts.n_syncs += 1;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        if let Some(failure) = state.begin_operation()? {
            return Err(error_of(Some(failure)));
        }
        let offset = offset as usize;
        put(&mut state.current, offset, data);
        state.pending.push(Pending::Write {
            offset,
            data: data.to_vec(),
        });
        state.counts.n_writes += 1;
        state.counts.n_bytes_written += data.len() as u64;
        Ok(())
    }
}

impl State {
    fn begin_operation(&mut self) -> io::Result<Option<Failure>> {
        self.check_power()?;
        let operation = self.counts.n_operations;
        self.counts.n_operations += 1;
        // The operation at which the power goes is not done; torn, it is what a cut at the next leaves.
        self.check_power()?;
        Ok(self
            .failure
            .filter(|(from, _)| operation >= *from)
            .map(|(_, failure)| failure))
    }

    fn is_without_power(&self) -> bool {
        self.cut_at
            .is_some_and(|cut_at| self.counts.n_operations > cut_at)
    }

    fn check_power(&self) -> io::Result<()> {
        match self.is_without_power() {
            true => Err(io::Error::other("the power is gone")),
            false => Ok(()),
        }
    }
}

fn error_of(failure: Option<Failure>) -> io::Error {
    match failure {
        Some(Failure::Full) => io::ErrorKind::StorageFull.into(),
        Some(Failure::Broken) | None => io::Error::other("the disk is broken"),
    }
}

fn put(file: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(data);
}

fn tear(file: &mut Vec<u8>, offset: usize, data: &[u8], random: &mut Random) {
    let n_sectors = data.len().div_ceil(SECTOR_BYTES) as u64;
    let kind = random.below(4);
    let n_kept = random.below(n_sectors + 1);
    for (n, sector) in data.chunks(SECTOR_BYTES).enumerate() {
        let is_kept = match kind {
            0 => true,
            1 => (n as u64) < n_kept,
            2 => random.below(2) == 0,
            _ => false,
        };
        if is_kept {
            put(file, offset + n * SECTOR_BYTES, sector);
        }
    }
}

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// SplitMix64, so that a seed says everything.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}
