//! What the disk can do by itself.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// How long the disk took, each time that it was waited for.
#[derive(Debug, Default)]
pub(super) struct Disk {
    times: Vec<Duration>,
    measured: Duration,
}

impl Disk {
    /// Overwrites 4 KiB of a file in this folder and waits until the disk has them, as often as it goes.
    pub(super) fn measure(&mut self, folder: &Path, measured: Duration) -> Result<()> {
        let path = folder.join("fdatasync");
        let outcome = overwrite(&path, measured);
        let removed = fs::remove_file(&path);
        self.times.extend(
            outcome.with_context(|| format!("cannot write {} again and again", path.display()))?,
        );
        self.measured += measured;
        removed.with_context(|| format!("cannot remove {}", path.display()))
    }

    pub(super) fn report(mut self) -> Value {
        self.times.sort_unstable();
        let milliseconds = |part: f64| {
            let index = (self.times.len().saturating_sub(1) as f64 * part).round() as usize;
            self.times.get(index).map(|time| time.as_secs_f64() * 1e3)
        };
        json!({
            "acked_per_s": self.times.len() as f64 / self.measured.as_secs_f64(),
            "acked_per_fsync": 1,
            "p50_ms": milliseconds(0.5),
            "p99_ms": milliseconds(0.99),
            "bytes_per_message": PAGE_LEN,
        })
    }
}

fn overwrite(path: &Path, measured: Duration) -> Result<Vec<Duration>> {
    let mut file = File::create(path)?;
    let page = [b'.'; PAGE_LEN];
    file.write_all(&page)?;
    file.sync_all()?;
    let mut times = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < measured {
        let before = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(before.elapsed());
    }
    Ok(times)
}

/// As the figures have it.
pub(super) const NAME: &str = "fdatasync";
const PAGE_LEN: usize = 4096;
