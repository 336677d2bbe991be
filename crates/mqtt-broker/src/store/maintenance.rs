//! What a person does to a data directory that no broker uses.

use std::{fmt, fs, path::Path};

use super::{Convert, DataDirectory, Disk, FileDisk, OpenError, Salvage, salvage::Remains};

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

/// Reads every entry and verifies its checksum. The store is not written to.
///
/// # Errors
/// The directory is in use, or has no store that can be opened as a file.
pub fn check(path: &Path) -> Result<Report, OpenError> {
    let file = DataDirectory::lock(path)?.file();
    let failed = |error: std::io::Error| OpenError::of(&file, error.into());
    let n_bytes_on_disk = fs::metadata(&file).map_err(failed)?.len();
    let mut report = Report {
        format: None,
        n_entries: 0,
        n_live_bytes: 0,
        n_bytes_on_disk,
        is_whole: false,
    };
    if let Some(remains) = Remains::find(|| FileDisk::new(&file).open()) {
        let found = remains.read(&mut |key, value| {
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
    let directory = DataDirectory::lock(path)?;
    directory
        .salvage(
            format,
            "it was to be repaired".to_owned(),
            REPAIRED,
            Some(convert),
        )
        .map_err(|error| OpenError::of(&directory.file(), error))
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
