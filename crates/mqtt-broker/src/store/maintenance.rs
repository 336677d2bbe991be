//! What a person does to a data directory that no broker uses.

use std::{fmt, fs::File, io, path::Path};

use super::{Convert, DataDirectory, OpenError, Salvage, disk::open_to_read, salvage::Remains};

/// What is in a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The version of the entries, if it can be read.
    pub format: Option<u32>,
    /// How many entries are as they were written.
    pub n_entries: u64,
    /// The bytes of their keys and values.
    pub n_live_bytes: u64,
    /// The bytes of the file.
    pub n_bytes_on_disk: u64,
    /// Whether no entry is damaged or missing.
    pub is_whole: bool,
}

/// Gives every entry whose checksum is right. The store is not written to.
///
/// # Errors
/// The directory is in use, or has no store that can be opened as a file.
pub fn check(path: &Path, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<Report, OpenError> {
    let directory = DataDirectory::lock_existing(path)?;
    check_file(&directory.file(), each)
}

/// The same for a file that no store uses, such as a copy.
///
/// # Errors
/// It cannot be opened as a file.
pub fn check_file(file: &Path, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<Report, OpenError> {
    let failed = |error: io::Error| OpenError::of(file, error.into());
    let found = File::open(file).and_then(|file| file.metadata());
    let found = found.map_err(failed)?;
    if found.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let n_bytes_on_disk = found.len();
    let mut report = Report {
        format: None,
        n_entries: 0,
        n_live_bytes: 0,
        n_bytes_on_disk,
        is_whole: false,
    };
    if let Some(remains) = Remains::find(|| open_to_read(file)) {
        let found = remains.read(&mut |key, value| {
            each(key, value);
            report.n_live_bytes += (key.len() + value.len()) as u64;
        });
        report.format = remains.format;
        report.n_entries = found.n_kept;
        report.is_whole = found.is_complete;
    }
    Ok(report)
}

/// Writes what can be read into a new, small file; keeps the old one beside it.
///
/// Entries of another format go through `convert`.
///
/// # Errors
/// The directory is in use, it cannot be written, or an entry cannot be converted.
pub fn repair(path: &Path, format: u32, convert: &mut Convert<'_>) -> Result<Salvage, OpenError> {
    DataDirectory::lock_existing(path)?.salvage(
        format,
        "it was to be repaired".to_owned(),
        REPAIRED,
        Some(convert),
    )
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format {
            Some(format) => writeln!(f, "format    {format}")?,
            None => writeln!(f, "format    cannot be read")?,
        }
        writeln!(
            f,
            "entries   {} of {} bytes",
            self.n_entries, self.n_live_bytes
        )?;
        writeln!(f, "file      {} bytes", self.n_bytes_on_disk)?;
        f.write_str(match self.is_whole {
            true => "integrity whole",
            false => "integrity damaged: something cannot be read",
        })
    }
}

const REPAIRED: &str = "before-repair";
