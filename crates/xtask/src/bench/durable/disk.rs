//! What the disk can do by itself.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Overwrites 4 KiB of a file in this folder and waits until the disk has them, as often as it goes.
pub(super) fn measure(folder: &Path, measured: Duration) -> Result<Value> {
    let path = folder.join("fdatasync");
    let outcome = overwrite(&path, measured);
    let removed = fs::remove_file(&path);
    let mut times =
        outcome.with_context(|| format!("cannot write {} again and again", path.display()))?;
    removed.with_context(|| format!("cannot remove {}", path.display()))?;
    times.sort_unstable();
    let milliseconds = |part: f64| {
        let index = (times.len().saturating_sub(1) as f64 * part).round() as usize;
        times.get(index).map(|time| time.as_secs_f64() * 1e3)
    };
    Ok(json!({
        "acked_per_s": times.len() as f64 / measured.as_secs_f64(),
        "acked_per_fsync": 1,
        "p50_ms": milliseconds(0.5),
        "p99_ms": milliseconds(0.99),
        "bytes_per_message": PAGE_LEN,
    }))
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
