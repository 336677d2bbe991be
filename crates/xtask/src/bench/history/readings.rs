//! Files of readings: real ones, and made-up ones of a size that nobody has lying around.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::bench::folder;
use crate::workspace;

/// A file, and what is in it.
pub(super) struct Readings {
    pub(super) file: PathBuf,
    /// How the import is told to read it.
    pub(super) columns: &'static [&'static str],
    probes: Vec<String>,
    /// Of the first and the last reading, in milliseconds since the Unix epoch.
    pub(super) from: i64,
    pub(super) to: i64,
}

pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// `None` if there is no such file; smaller where it is to be quick.
    pub(super) write: fn(bool) -> Result<Option<Readings>>,
}

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "sydney",
        write: |_| sydney(),
    },
    Scenario {
        name: "year-1000-probes",
        write: |quick| made_up("year-1000-probes", 1_000, 15 * MINUTE, days(quick)).map(Some),
    },
    Scenario {
        name: "year-100-probes-1min",
        write: |quick| made_up("year-100-probes-1min", 100, MINUTE, days(quick)).map(Some),
    },
];

impl Readings {
    /// Of each probe, as the import calls its series, or below something that is no probe.
    pub(super) fn topics_below(&self, first: &str) -> Vec<String> {
        let probes = self.probes.iter();
        let topics = probes.map(|probe| format!("{first}/imported/{probe}/moisture"));
        topics.collect()
    }
}

fn days(quick: bool) -> i64 {
    if quick { 20 } else { 365 }
}

fn sydney() -> Result<Option<Readings>> {
    let file = workspace::measurements().join("simpact_sydney_13sensors_hourly.csv");
    if !file.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&file)?;
    let header = text.lines().next().unwrap_or_default();
    Ok(Some(Readings {
        file,
        columns: &["--time-column", "day", "--time-column", "hour"],
        probes: header.split(',').skip(2).map(str::to_owned).collect(),
        from: SYDNEY.0,
        to: SYDNEY.1,
    }))
}

/// Soil that dries and is watered, with one decimal and a little noise; up to now.
fn made_up(name: &str, n_probes: usize, step: i64, n_days: i64) -> Result<Readings> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.csv"));
    let mut out = BufWriter::new(
        File::create(&file).with_context(|| format!("cannot write {}", file.display()))?,
    );
    let probes: Vec<String> = (0..n_probes).map(|n| format!("bed-{n}")).collect();
    writeln!(out, "time,{}", probes.join(","))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let to = now - now % step;
    let from = to - n_days * DAY;
    let mut random = Random(1);
    let mut tenths: Vec<i64> = (0..n_probes).map(|_| 250 + random.below(100)).collect();
    let mut time = from;
    while time < to {
        write!(out, "{time}")?;
        for value in &mut tenths {
            let dries = random.below(DAY) < 12 * step;
            *value -= i64::from(dries);
            if *value < 180 {
                *value = 320 + random.below(40);
            }
            let shown = *value + random.below(3) - 1;
            write!(out, ",{}.{}", shown / 10, shown % 10)?;
        }
        writeln!(out)?;
        time += step;
    }
    out.flush()?;
    Ok(Readings {
        file,
        columns: &["--time-column", "time"],
        probes,
        from,
        to,
    })
}

/// The same numbers on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as i64 % end.max(1)
    }
}

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// From 2022-11-15 to 2023-01-17.
const SYDNEY: (i64, i64) = (1_668_470_400_000, 1_673_971_200_000);
