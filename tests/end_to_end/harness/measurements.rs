//! Real measurements if they are there, else a generated file of the same shape.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// What 13 probes measured, a row an hour.
pub(crate) struct Measurements {
    path: PathBuf,
    /// A column for each probe.
    pub(crate) columns: Vec<Vec<f64>>,
    _folder: Option<TempDir>,
}

impl Measurements {
    pub(crate) fn open() -> Self {
        let folder = env::var_os("ROOTZONE_DATA").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
            PathBuf::from,
        );
        let path = folder.join(FILE);
        if path.is_file() {
            println!("replaying {FILE}");
            let columns = columns(&fs::read_to_string(&path).unwrap());
            return Self {
                path,
                columns,
                _folder: None,
            };
        }
        println!(
            "no {FILE} in {}: replaying a generated file of the same shape",
            folder.display()
        );
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(FILE);
        let text = generated();
        fs::write(&path, &text).unwrap();
        Self {
            path,
            columns: columns(&text),
            _folder: Some(folder),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The columns after day and hour.
fn columns(text: &str) -> Vec<Vec<f64>> {
    let mut lines = text.lines();
    let n_columns = lines.next().unwrap().split(',').count() - 2;
    let mut columns = vec![Vec::new(); n_columns];
    for line in lines {
        for (column, field) in columns.iter_mut().zip(line.split(',').skip(2)) {
            column.push(field.parse().unwrap());
        }
    }
    columns
}

/// Each probe on a level of its own, rising and falling over the day.
fn generated() -> String {
    let names: Vec<String> = (1..=N_PROBES)
        .map(|number| format!("SENS{number:04}"))
        .collect();
    let mut text = format!("day,hour,{}\n", names.join(","));
    for row in 0..24 * 28 {
        let (day, hour) = (row / 24 + 1, row % 24);
        text += &format!("2023-02-{day:02},{hour}");
        for probe in 0..N_PROBES {
            let level = 10.0 + 2.0 * f64::from(probe);
            let swing = f64::from(row + probe).mul_add(0.26, 0.0).sin();
            text += &format!(",{:.4}", level + 0.9 * swing);
        }
        text.push('\n');
    }
    text
}

const FILE: &str = "simpact_sydney_13sensors_hourly.csv";
const N_PROBES: i32 = 13;
