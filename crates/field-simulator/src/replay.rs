//! Measurements from a file, played at another speed.

use std::{fs, path::Path, time::Duration};

use field::Timestamp;

use crate::{Error, error::LineProblem, layout::N_PROBES};

/// What a file measured: rows in order of time, a value for each probe.
#[derive(Debug)]
pub struct Replay {
    rows: Vec<Row>,
    step: Duration,
}

#[derive(Debug)]
struct Row {
    since_first: Duration,
    hour: u8,
    values: [Option<f64>; N_PROBES],
}

/// What the file says about one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplayedValue {
    /// In percent.
    pub moisture: f64,
    /// The hour of the file's day, for what else depends on it.
    pub hour: f64,
}

impl Replay {
    /// Reads a file with the columns day, hour and one for each probe. An empty field is a gap.
    ///
    /// # Errors
    /// If the file or one of its lines cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(|problem| Error::Unreadable {
            file: path.into(),
            problem,
        })?;
        Self::read(path, &text)
    }

    pub(crate) fn read(path: &Path, text: &[u8]) -> Result<Self, Error> {
        let broken = |position: Option<&csv::Position>, problem| Error::BrokenLine {
            file: path.into(),
            line: line_at(text, position),
            problem,
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        let mut columns = csv::StringRecord::new();
        let mut record = csv::StringRecord::new();
        let mut rows: Vec<Row> = Vec::new();
        let mut first = None;
        while reader
            .read_record(&mut record)
            // Records are flexible and have no types, so nothing else can be wrong with them.
            .map_err(|error| broken(error.position(), LineProblem::NotUtf8))?
        {
            let position = record.position();
            if record.len() != N_PROBES + 2 {
                return Err(broken(
                    position,
                    LineProblem::FieldCount {
                        expected: N_PROBES + 2,
                        found: record.len(),
                    },
                ));
            }
            if columns.is_empty() {
                if (&record[0], &record[1]) != ("day", "hour") {
                    return Err(broken(position, LineProblem::Header));
                }
                columns = record.clone();
                continue;
            }
            let (time, hour) = time(&record).map_err(|problem| broken(position, problem))?;
            let since_first = time.saturating_duration_since(*first.get_or_insert(time));
            if rows
                .last()
                .is_some_and(|last| since_first <= last.since_first)
            {
                return Err(broken(position, LineProblem::Order));
            }
            rows.push(Row {
                since_first,
                hour,
                values: values(&record, &columns).map_err(|problem| broken(position, problem))?,
            });
        }
        if rows.is_empty() {
            return Err(broken(None, LineProblem::NoRows));
        }
        // The file's own step is the shortest one: longer ones are gaps.
        let step = rows
            .windows(2)
            .map(|pair| pair[1].since_first - pair[0].since_first)
            .min()
            .unwrap_or(HOUR);
        Ok(Self { rows, step })
    }

    /// How far apart the file's measurements are.
    #[must_use]
    pub const fn step(&self) -> Duration {
        self.step
    }

    /// How long the file lasts.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.rows
            .last()
            .map_or(self.step, |last| last.since_first + self.step)
    }

    /// What a probe measured at a time of the file; `None` in a gap and after the end.
    #[must_use]
    pub fn value(&self, probe: usize, since_first: Duration) -> Option<ReplayedValue> {
        let after = self
            .rows
            .partition_point(|row| row.since_first <= since_first);
        let row = &self.rows[after.checked_sub(1)?];
        let age = since_first - row.since_first;
        if age >= self.step {
            return None;
        }
        Some(ReplayedValue {
            moisture: (*row.values.get(probe)?)?,
            hour: f64::from(row.hour) + age.as_secs_f64() / HOUR.as_secs_f64(),
        })
    }
}

/// The line of a record, counted from 1. The reader's own count is behind where lines end with CRLF.
fn line_at(text: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else {
        return 1;
    };
    let start = position.byte() as usize;
    let is_line_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    // What ends the line before may still stand in front of the record.
    let first = start + text[start..].iter().take_while(is_line_end).count();
    1 + text[..first].iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn time(record: &csv::StringRecord) -> Result<(Timestamp, u8), LineProblem> {
    let invalid = || LineProblem::Time {
        day: record[0].into(),
        hour: record[1].into(),
    };
    let hour: u8 = record[1].parse().map_err(|_| invalid())?;
    let time = format!("{}T{hour:02}:00:00Z", &record[0])
        .parse()
        .map_err(|_| invalid())?;
    Ok((time, hour))
}

fn values(
    record: &csv::StringRecord,
    columns: &csv::StringRecord,
) -> Result<[Option<f64>; N_PROBES], LineProblem> {
    let mut values = [None; N_PROBES];
    for ((value, text), column) in values
        .iter_mut()
        .zip(record.iter().skip(2))
        .zip(columns.iter().skip(2))
    {
        if text.is_empty() {
            continue;
        }
        let number = text
            .parse::<f64>()
            .ok()
            .filter(|number| (0.0..=100.0).contains(number));
        *value = Some(number.ok_or_else(|| LineProblem::Value {
            column: column.into(),
            value: text.into(),
        })?);
    }
    Ok(values)
}

const HOUR: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(rows: &[&str]) -> String {
        let columns: String = (1..=N_PROBES).map(|number| format!(",P{number}")).collect();
        let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
        format!("day,hour{columns}\n{rows}")
    }

    fn row(time: &str, value: &str) -> String {
        format!("{time}{}", format!(",{value}").repeat(N_PROBES))
    }

    fn read(text: &str) -> Result<Replay, Error> {
        Replay::read(Path::new("some.csv"), text.as_bytes())
    }

    fn error(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn each_row_lasts_until_the_next() {
        let text = csv(&[
            &row("2022-11-15,23", "11.5"),
            &row("2022-11-16,0", "12"),
            &row("2022-11-16,3", "13"),
        ]);
        let replay = read(&text).unwrap();
        let moisture = |minutes: u64| {
            replay
                .value(4, Duration::from_secs(minutes * 60))
                .map(|value| value.moisture)
        };
        assert_eq!(moisture(0), Some(11.5));
        assert_eq!(moisture(59), Some(11.5));
        assert_eq!(moisture(60), Some(12.0));
        assert_eq!(moisture(120), None, "a gap in the file is a gap");
        assert_eq!(moisture(240), Some(13.0));
        assert_eq!(moisture(300), None, "after the end");
        assert_eq!(replay.span(), 5 * HOUR);
    }

    #[test]
    fn an_empty_field_is_a_gap() {
        let replay = read(&csv(&[&row("2022-11-15,0", "")])).unwrap();
        assert_eq!(replay.value(0, Duration::ZERO), None);
    }

    #[test]
    fn broken_lines_are_named() {
        let good = row("2022-11-15,0", "11.5");
        for (text, message) in [
            (
                csv(&[&good, &row("2022-11-15,1", "wet")]),
                "some.csv:3: P1 is \"wet\", not a percentage from 0 to 100",
            ),
            (
                csv(&[&row("2022-11-15,0", "101")]),
                "some.csv:2: P1 is \"101\", not a percentage from 0 to 100",
            ),
            (
                csv(&[&good, "2022-11-15,1,3"]),
                "some.csv:3: 15 fields expected (day, hour and one for each probe), 3 found",
            ),
            (
                csv(&[&good, &good]),
                "some.csv:3: not later than the line before",
            ),
            (
                csv(&[&row("2022-02-30,0", "1")]),
                "some.csv:2: \"2022-02-30\",\"0\" is not a day like 2022-11-15 and an hour from 0 to 23",
            ),
            (
                csv(&[&row("2022-02-03,24", "1")]),
                "some.csv:2: \"2022-02-03\",\"24\" is not a day like 2022-11-15 and an hour from 0 to 23",
            ),
            (
                csv(&[&good, "", "", &good]),
                "some.csv:5: not later than the line before",
            ),
            (csv(&[]), "some.csv:1: no measurements"),
            (String::new(), "some.csv:1: no measurements"),
            (
                good.clone(),
                "some.csv:1: the first columns should be day,hour",
            ),
        ] {
            assert_eq!(error(&text), message);
            assert_eq!(error(&text.replace('\n', "\r\n")), message, "with CRLF");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let mut bytes = csv(&[&row("2022-11-15,0", "1")]).into_bytes();
        let len = bytes.len();
        bytes[len - 2] = 0xff;
        let error = Replay::read(Path::new("some.csv"), &bytes).unwrap_err();
        assert_eq!(error.to_string(), "some.csv:2: not UTF-8");
    }
}
