//! A file that can be believed again after a failed fsync.

use std::{
    io,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use redb::StorageBackend;

/// The ranges of a file that no successful sync has covered. Clones are the same ranges, so that
/// they outlive the backend that a store drops after an error.
#[derive(Debug, Clone, Default)]
pub(super) struct Unsynced(Arc<Mutex<Ranges>>);

#[derive(Debug, Default)]
struct Ranges {
    written: Vec<Range<u64>>,
    sync_failed: bool,
}

/// Writes again what a failed sync may have lost, before the next sync counts.
///
/// After a failed fsync the kernel may call pages clean that never reached the disk; the next fsync
/// would then succeed without them. What the file reads like is therefore written once more, so
/// that what a store finds on opening it again is what the next sync makes durable.
#[derive(Debug)]
pub(super) struct RewritingBackend {
    file: Box<dyn StorageBackend>,
    unsynced: Unsynced,
    /// What the file was given.
    n_bytes_written: Arc<AtomicU64>,
}

impl RewritingBackend {
    pub(super) fn new(
        file: Box<dyn StorageBackend>,
        unsynced: Unsynced,
        n_bytes_written: Arc<AtomicU64>,
    ) -> Self {
        Self {
            file,
            unsynced,
            n_bytes_written,
        }
    }

    fn rewrite(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        let mut buffer = Vec::new();
        let len = self.file.len()?;
        for range in ranges {
            // A range may end behind a file that was shortened since.
            let mut at = range.start;
            let end = range.end.min(len);
            while at < end {
                let n = (end - at).min(REWRITE_BYTES_MAX);
                buffer.resize(n as usize, 0);
                self.file.read(at, &mut buffer)?;
                self.file.write(at, &buffer)?;
                self.n_bytes_written.fetch_add(n, Ordering::Relaxed);
                at += n;
            }
        }
        Ok(())
    }
}

impl Unsynced {
    fn lock(&self) -> MutexGuard<'_, Ranges> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for RewritingBackend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut ranges = self.unsynced.lock();
        if ranges.sync_failed {
            self.rewrite(&ranges.written)?;
        }
        ranges.sync_failed = true;
        self.file.sync_data()?;
        *ranges = Ranges::default();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut ranges = self.unsynced.lock();
        let end = offset + data.len() as u64;
        match ranges.written.last_mut() {
            Some(last) if last.end == offset => last.end = end,
            _ => ranges.written.push(offset..end),
        }
        let n = data.len() as u64;
        self.n_bytes_written.fetch_add(n, Ordering::Relaxed);
        // Recorded before it is tried, as a failed write may have written a part.
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

const REWRITE_BYTES_MAX: u64 = 1 << 20;
