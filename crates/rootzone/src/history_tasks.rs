//! Readings from files into the history, and out of it.

use std::{
    cell::Cell,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use field::Timestamp;
use history::{Counters, History, Point, Recorded, SeriesId, Settings};
use mqtt_broker::{
    STORE_FORMAT,
    store::{ChangeSet, DataDirectory, Opened, RedbStore, Store},
};

use crate::{
    csv_readings::{self, Columns, CsvReading},
    data_directory,
    history_service::{ViewReader, restore, write_to},
    wall_clock::{self, now},
};

/// What is done with the readings of a data directory that no broker uses meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum HistoryTask {
    /// Take the readings of a CSV file; of two of one time the one that came last stays
    Import {
        /// The file; its first line names the columns
        file: PathBuf,
        #[command(flatten)]
        columns: Columns,
        /// Stop at the first line that holds no readings, or one of more than a day ahead, instead of leaving it out
        #[arg(long)]
        strict: bool,
    },
    /// Write all readings, series by series in the order of time
    Export {
        /// What the readings are written as
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        /// Only this series; may be repeated
        #[arg(long, value_name = "TOPIC")]
        series: Vec<String>,
        /// Where to [default: standard output]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// What readings are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line each: series, time, value
    Csv,
    /// As InfluxDB reads it, with the names that Telegraf gives to MQTT messages
    LineProtocol,
}

pub(crate) fn run(task: &HistoryTask, directory: &Path) -> anyhow::Result<()> {
    match task {
        HistoryTask::Import {
            file,
            columns,
            strict,
        } => import(directory, file, columns, *strict),
        HistoryTask::Export {
            format,
            series,
            output,
        } => {
            let export = Export::of(directory, series)?;
            match output {
                None => export.write(*format, &mut io::stdout().lock()),
                Some(path) => write_file(path, &mut |file| export.write(*format, file)),
            }
        }
    }
}

/// Writes a file of that name, which keeps what it has until everything is written.
fn write_file(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // A pipe or a device has nothing to keep, and another file must not take its place.
        let mut file = File::options()
            .write(true)
            .open(path)
            .with_context(cannot)?;
        return write(&mut file);
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let mut file = File::create(&unfinished).with_context(cannot)?;
    let written = write(&mut file);
    if written.is_ok() {
        return fs::rename(&unfinished, path).with_context(cannot);
    }
    // What is wrong is said already.
    let _ = fs::remove_file(&unfinished);
    written
}

fn import(directory: &Path, path: &Path, columns: &Columns, strict: bool) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let metadata = file.metadata().ok();
    if metadata.as_ref().is_some_and(fs::Metadata::is_dir) {
        bail!("{} is a folder: name a file in it", path.display());
    }
    let n_bytes = metadata.map_or(0, |metadata| metadata.len());
    let n_read = Cell::new(0);
    let mut progress = Progress::new(n_bytes);
    let mut import = Import::of(DataDirectory::open(directory, STORE_FORMAT)?, N_AT_ONCE)?;
    let counted = CountedRead {
        file,
        n_read: &n_read,
    };
    csv_readings::read(counted, columns, &mut |line, readings| {
        let stop = |reason: &str| {
            bail!(
                "line {line}: {reason}; what stands before it may be kept already, and is kept once if it comes again"
            )
        };
        match readings {
            Ok(readings) => {
                import.take(readings)?;
                if strict && import.kept.history.counters().ahead > 0 {
                    return stop("its time is more than a day ahead");
                }
            }
            Err(reason) if strict => return stop(&reason),
            Err(reason) => import.skip(line, &reason),
        }
        progress.show(n_read.get(), import.n_readings);
        Ok(())
    })?;
    let n_new = import.finish()?;
    let Import {
        n_readings,
        n_bad_lines,
        ..
    } = import;
    let Counters { ahead, too_old, .. } = import.kept.history.counters();
    // Whether one is known shows where it is sealed; of those of one time only the last one comes so far.
    let known = n_readings.saturating_sub(n_new + ahead + too_old);
    let left_out = format!(
        "left out: {known} that were known or came again, {ahead} more than a day ahead, \
         {too_old} older than what is kept, {n_bad_lines} lines"
    );
    if n_new + known == 0 {
        bail!("no reading of {} was taken; {left_out}", path.display());
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{n_new} readings were taken into {}; {left_out}",
        directory.display()
    )
    .context("cannot write to standard output")
}

struct Import {
    kept: Kept,
    /// So many readings wait to be sealed together.
    n_at_once: u64,
    n_readings: u64,
    /// Of those that were sealed, the ones that the history did not have.
    n_new: u64,
    /// Those that no sealing takes, because the chunk that they belong into cannot be read.
    n_stuck: u64,
    n_stuck_before: u64,
    n_bad_lines: u64,
}

impl Import {
    fn of(opened: Opened, n_at_once: u64) -> anyhow::Result<Self> {
        let mut import = Self {
            kept: Kept::of(opened)?,
            n_at_once,
            n_readings: 0,
            n_new: 0,
            n_stuck: 0,
            n_stuck_before: 0,
            n_bad_lines: 0,
        };
        // What a broker left unsealed is none of what the file brings.
        import.store(SealedUpTo::Everything)?;
        import.n_new = 0;
        import.n_stuck_before = import.n_stuck;
        Ok(import)
    }

    fn take(&mut self, readings: Vec<CsvReading>) -> anyhow::Result<()> {
        for CsvReading {
            series,
            time,
            value,
        } in readings
        {
            self.n_readings += 1;
            let point = Point { time, value };
            let history = &mut self.kept.history;
            let recorded = history.record_by_name(&series, point, now());
            if recorded.context("there are too many series")? == Recorded::Invalid {
                bail!("{series} cannot have {value} at {time}");
            }
        }
        if self.n_waiting() >= self.n_at_once {
            self.store(SealedUpTo::FullChunks)?;
            // Where many series have a few readings each, nearly as many are left.
            if self.n_waiting() >= self.n_at_once / 2 {
                self.store(SealedUpTo::Everything)?;
            }
        }
        Ok(())
    }

    /// Seals what is left; how many readings the history has now and had not before.
    fn finish(&mut self) -> anyhow::Result<u64> {
        self.store(SealedUpTo::Everything)?;
        // What cannot be sealed is kept, and answered, all the same.
        Ok(self.n_new + self.n_stuck.saturating_sub(self.n_stuck_before))
    }

    fn n_waiting(&self) -> u64 {
        let n_head_points = self.kept.history.counters().n_head_points;
        n_head_points.saturating_sub(self.n_stuck)
    }

    fn store(&mut self, up_to: SealedUpTo) -> anyhow::Result<()> {
        self.n_new += self.kept.store(up_to)?;
        if up_to == SealedUpTo::Everything {
            self.n_stuck = self.kept.history.counters().n_head_points;
        }
        Ok(())
    }

    fn skip(&mut self, line: u64, reason: &str) {
        self.n_bad_lines += 1;
        if self.n_bad_lines <= N_NAMED_MAX {
            complain(&format!("left out: line {line}: {reason}"));
        } else if self.n_bad_lines == N_NAMED_MAX + 1 {
            complain("left out: more lines, which are only counted");
        }
    }
}

/// What is to be exported.
struct Export {
    kept: Kept,
    wanted: Vec<(String, SeriesId)>,
}

impl Export {
    /// These series, or all.
    fn of(directory: &Path, names: &[String]) -> anyhow::Result<Self> {
        let kept = Kept::of(DataDirectory::open_whole(directory, STORE_FORMAT)?)?;
        let mut wanted: Vec<(String, SeriesId)> = Vec::new();
        for name in names {
            let id = kept.history.find(name);
            let id = id.with_context(|| format!("there is no series {name}"))?;
            wanted.push((name.clone(), id));
        }
        if names.is_empty() {
            let all = kept.history.series();
            wanted.extend(all.map(|(name, id)| (name.to_owned(), id)));
        }
        Ok(Self { kept, wanted })
    }

    fn write(&self, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut out = BufWriter::new(out);
        let mut n_faults = 0;
        let mut result = match format {
            Format::Csv => writeln!(out, "series,time,value"),
            Format::LineProtocol => Ok(()),
        };
        for (name, id) in &self.wanted {
            if result.is_err() {
                break;
            }
            let name = match format {
                Format::Csv => csv_field(name),
                Format::LineProtocol => tag_value(name),
            };
            let Kept { history, store, .. } = &self.kept;
            let mut view = ViewReader(store.reader().view());
            history.points(*id, &mut view, |points| match points {
                Ok(points) if result.is_ok() => {
                    result = points
                        .iter()
                        .try_for_each(|Point { time, value }| match format {
                            Format::Csv => {
                                writeln!(out, "{name},{},{value}", Timestamp::from_millis(*time))
                            }
                            Format::LineProtocol => {
                                writeln!(
                                    out,
                                    "mqtt_consumer,topic={name} value={value} {time}000000"
                                )
                            }
                        });
                }
                Ok(_) => {}
                Err(fault) => {
                    n_faults += 1;
                    complain(&format!("left out: {fault}"));
                }
            });
        }
        match result.and_then(|()| out.flush()) {
            // Who reads no more has what they wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.context("cannot write")?,
        }
        if n_faults > 0 {
            bail!("{n_faults} chunks cannot be read; the rest was written");
        }
        Ok(())
    }
}

/// A history and the store that it is in.
struct Kept {
    history: History,
    store: RedbStore,
    changes: ChangeSet,
    _directory: DataDirectory,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SealedUpTo {
    FullChunks,
    Everything,
}

impl Kept {
    fn of(opened: Opened) -> anyhow::Result<Self> {
        let Opened {
            directory,
            mut store,
            salvage,
            ..
        } = opened;
        if let Some(salvage) = &salvage {
            data_directory::report(salvage);
        }
        let settings = Settings {
            clock_set_since: wall_clock::SET_SINCE,
            ..Settings::default()
        };
        let (history, corrupt) = restore(&mut store, settings, now())?;
        if let Some(first) = corrupt.first() {
            complain(&first.to_string());
        }
        Ok(Self {
            history,
            store,
            changes: ChangeSet::new(),
            _directory: directory,
        })
    }

    /// Seals and writes, until nothing is due; how many readings no chunk had before.
    fn store(&mut self, up_to: SealedUpTo) -> anyhow::Result<u64> {
        let now = now();
        let due = match up_to {
            SealedUpTo::FullChunks => now,
            SealedUpTo::Everything => i64::MAX,
        };
        let mut n_new = 0;
        loop {
            let mut n_tasks = 0;
            let mut view = ViewReader(self.store.reader().view());
            while let Some(task) = self.history.next_task(due) {
                let sealed = task.run(&mut view);
                if sealed.is_unreadable() {
                    bail!(
                        "the disk does not give back what is on it; what was stored so far stays"
                    );
                }
                n_new += sealed.n_new() as u64;
                self.history.finish(sealed, now);
                n_tasks += 1;
            }
            drop(view);
            self.commit(now)?;
            if n_tasks == 0 {
                return Ok(n_new);
            }
        }
    }

    fn commit(&mut self, now: i64) -> anyhow::Result<()> {
        self.changes.clear();
        write_to(&mut self.history, &mut self.changes);
        if !self.changes.is_empty() {
            self.store.commit(&self.changes)?;
        }
        let sequence = self.history.store_sequence();
        self.history.handle_stored(sequence, now);
        Ok(())
    }
}

/// Tells how many bytes of a file were read.
struct CountedRead<'a> {
    file: File,
    n_read: &'a Cell<u64>,
}

impl Read for CountedRead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.n_read.set(self.n_read.get() + n as u64);
        Ok(n)
    }
}

/// Says now and then how far it is.
struct Progress {
    n_bytes: u64,
    start: Instant,
    shown: Instant,
}

impl Progress {
    fn new(n_bytes: u64) -> Self {
        let now = Instant::now();
        Self {
            n_bytes,
            start: now,
            shown: now,
        }
    }

    fn show(&mut self, n_read: u64, n_readings: u64) {
        if self.shown.elapsed() < PROGRESS_EVERY {
            return;
        }
        self.shown = Instant::now();
        let percent = n_read * 100 / self.n_bytes.max(1);
        let rate = n_readings as f64 / self.start.elapsed().as_secs_f64();
        complain(&format!(
            "{percent} %, {n_readings} readings, {rate:.0} a second"
        ));
    }
}

fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

fn csv_field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// A topic may hold what separates the parts of a line; a line break cannot be written at all.
fn tag_value(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ',' | '=' | ' ' | '\\' => escaped.extend(['\\', c]),
            '\n' | '\r' => escaped.push_str("\\ "),
            c => escaped.push(c),
        }
    }
    escaped
}

/// So many readings are in memory before they are sealed.
const N_AT_ONCE: u64 = 500_000;
/// Bad lines that are named; a file with more is another kind of file.
const N_NAMED_MAX: u64 = 100;
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use history::{ChunkId, Key, Level};
    use tempfile::TempDir;

    use super::*;

    fn import_into(folder: &TempDir, n_at_once: u64) -> Import {
        let opened = DataDirectory::open(folder.path(), STORE_FORMAT).unwrap();
        Import::of(opened, n_at_once).unwrap()
    }

    fn reading(series: &str, time: i64) -> CsvReading {
        CsvReading {
            series: series.to_owned(),
            time: 1_777_852_800_000 + time,
            value: 37.0,
        }
    }

    #[test]
    fn few_readings_each_of_many_series_do_not_pile_up() {
        let folder = TempDir::new().unwrap();
        let mut import = import_into(&folder, 100);
        for n in 0..300 {
            let series = format!("series {}", n % 60);
            import.take(vec![reading(&series, n)]).unwrap();
            assert!(import.n_waiting() < 100, "after {n}");
        }
        assert_eq!(import.finish().unwrap(), 300);
    }

    #[test]
    fn what_a_damaged_chunk_had_is_new_again() {
        let folder = TempDir::new().unwrap();
        let readings: Vec<CsvReading> = (0..3).map(|time| reading("bed", time)).collect();
        let mut import = import_into(&folder, N_AT_ONCE);
        import.take(readings.clone()).unwrap();
        assert_eq!(import.finish().unwrap(), 3);

        let Kept {
            history,
            store,
            changes,
            ..
        } = &mut import.kept;
        changes.clear();
        for number in 0..9 {
            let series = history.find("bed").unwrap();
            let level = Level::Raw;
            let body = Key::Body(ChunkId {
                series,
                level,
                number,
            });
            let mut key = Vec::new();
            body.encode(&mut key);
            changes.put(&key, |bytes| bytes.push(0));
        }
        store.commit(changes).unwrap();
        drop(import);

        let mut import = import_into(&folder, N_AT_ONCE);
        import.take(readings).unwrap();
        assert_eq!(import.finish().unwrap(), 3);
    }

    #[test]
    fn names_are_written_so_that_they_can_be_read() {
        assert_eq!(csv_field("zigbee2mqtt/Soil 3"), "zigbee2mqtt/Soil 3");
        assert_eq!(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(tag_value("zigbee2mqtt/Soil 3"), "zigbee2mqtt/Soil\\ 3");
        assert_eq!(tag_value("a=b,c"), "a\\=b\\,c");
    }
}
