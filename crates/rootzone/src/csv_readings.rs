//! Readings in a file of comma-separated values, whatever its columns are called.

use std::io::Read;

use anyhow::{Context, bail};
use field::Timestamp;
use mqtt_protocol::TopicName;

/// How the columns of a file are readings.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Columns {
    /// Column of the time: RFC 3339, or a date and a time without a zone, or seconds or milliseconds since 1970; repeated,
    /// as for a date and an hour, the columns count together
    #[arg(long = "time-column", value_name = "NAME", required = true)]
    pub(crate) time: Vec<String>,

    /// Column of values; may be repeated [default: all that have a name and are not used otherwise]
    #[arg(long = "value-column", value_name = "NAME")]
    pub(crate) value: Vec<String>,

    /// What a series is called: `{column}` is the column of the value, another name in braces what its column holds
    #[arg(
        long,
        value_name = "TOPIC",
        default_value = "rootzone/imported/{column}/moisture"
    )]
    pub(crate) series: String,

    /// Zone of times that have none
    #[arg(
        long,
        value_name = "+HH:MM",
        default_value = "Z",
        allow_hyphen_values = true
    )]
    pub(crate) zone: String,

    /// What stands between two columns: a character, or `tab`
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = separator)]
    pub(crate) separator: u8,
}

/// One reading.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CsvReading {
    pub(crate) series: String,
    pub(crate) time: i64,
    pub(crate) value: f32,
}

/// Gives each line's number and readings, or why it has none. A field without anything in it is no reading.
pub(crate) fn read(
    file: impl Read,
    columns: &Columns,
    each: &mut dyn FnMut(u64, Result<Vec<CsvReading>, String>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(columns.separator)
        .from_reader(file);
    let header = reader.headers().context("the first line cannot be read")?;
    if header.is_empty() {
        bail!("the file is empty: its first line is to name the columns");
    }
    if header.len() == 1 {
        for (separator, name, argument) in [(';', "semicolons", "';'"), ('\t', "tabs", "tab")] {
            if header[0].contains(separator) {
                bail!("the columns are separated by {name}: add --separator {argument}");
            }
        }
    }
    let places = Places::find(header, columns)?;
    for record in reader.records() {
        let line = match &record {
            Ok(record) => record.position().map_or(0, csv::Position::line),
            Err(error) => error.position().map_or(0, csv::Position::line),
        };
        let readings = match record {
            Ok(record) => places.readings(&record),
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(error) => Err(error.to_string()),
        };
        each(line, readings)?;
    }
    Ok(())
}

/// Where in a line what stands.
struct Places {
    n_columns: usize,
    time: Vec<usize>,
    values: Vec<Value>,
    /// What a series is called.
    template: Vec<Part>,
    zone: String,
}

struct Value {
    column: String,
    place: usize,
}

/// A part of a series' name.
enum Part {
    Text(String),
    /// The name of the column of the value.
    Column,
    /// What stands in another column.
    Field(usize),
}

impl Places {
    fn find(header: &csv::StringRecord, columns: &Columns) -> anyhow::Result<Self> {
        let find = |name: &str| {
            let mut places = (0..header.len()).filter(|place| header[*place].trim() == name);
            let place = places.next().with_context(|| {
                let columns: Vec<&str> = header.iter().collect();
                format!(
                    "there is no column {name}; there are {}",
                    columns.join(", ")
                )
            })?;
            match places.next() {
                None => Ok(place),
                Some(_) => bail!("there are two columns {name:?}: give one of them another name"),
            }
        };
        format!("1970-01-01T00:00:00{}", columns.zone)
            .parse::<Timestamp>()
            .ok()
            .with_context(|| format!("{} is not a zone like +02:00 or Z", columns.zone))?;
        let time = columns.time.iter().map(|name| find(name));
        let time: Vec<usize> = time.collect::<anyhow::Result<_>>()?;
        let template = parts(&columns.series, &find)?;
        let named: Vec<usize> = template.iter().filter_map(Part::field).collect();
        let places: Vec<usize> = if columns.value.is_empty() {
            // Spreadsheets end every line with empty columns.
            let is_free = |place: &usize| {
                let is_unnamed = header[*place].trim().is_empty();
                !is_unnamed && !time.contains(place) && !named.contains(place)
            };
            let free = (0..header.len()).filter(is_free);
            let places = free.map(|place| find(header[place].trim()));
            places.collect::<anyhow::Result<_>>()?
        } else {
            let places = columns.value.iter().map(|name| find(name));
            places.collect::<anyhow::Result<_>>()?
        };
        if places.is_empty() {
            bail!("there is no column of values");
        }
        let is_named = template.iter().any(|part| matches!(part, Part::Column));
        if places.len() > 1 && !is_named {
            bail!("several columns of values cannot be one series: put {{column}} into --series");
        }
        let values = places.into_iter().map(|place| Value {
            column: header.get(place).unwrap_or_default().trim().to_owned(),
            place,
        });
        Ok(Self {
            n_columns: header.len(),
            values: values.collect(),
            time,
            template,
            zone: columns.zone.clone(),
        })
    }

    fn readings(&self, record: &csv::StringRecord) -> Result<Vec<CsvReading>, String> {
        let mut more = record.iter().skip(self.n_columns);
        if more.any(|field| !field.trim().is_empty()) {
            return Err(format!(
                "it has {} fields, and there are {} columns; what holds a separator is to be in quotation marks",
                record.len(),
                self.n_columns
            ));
        }
        let fields = self.time.iter().map(|place| record.get(*place));
        let text: Option<Vec<&str>> = fields.map(|field| field.map(str::trim)).collect();
        let text = text.ok_or("it is too short")?;
        if text.contains(&"") {
            return Err("it has no time".to_owned());
        }
        let text = text.join(" ");
        let time = time_in(&text, &self.zone);
        let time = time.ok_or_else(|| format!("{text:?} is no time"))?;
        let mut readings = Vec::new();
        for value in &self.values {
            let text = record.get(value.place).ok_or("it is too short")?.trim();
            if text.is_empty() {
                continue;
            }
            let number = text.parse::<f32>().ok().filter(|number| number.is_finite());
            let number =
                number.ok_or_else(|| format!("{}: {text:?} is no number", value.column))?;
            readings.push(CsvReading {
                series: value.series(&self.template, record)?,
                time,
                value: number,
            });
        }
        Ok(readings)
    }
}

impl Value {
    fn series(&self, template: &[Part], record: &csv::StringRecord) -> Result<String, String> {
        let mut series = String::new();
        for part in template {
            match part {
                Part::Text(text) => series.push_str(text),
                Part::Column => series.push_str(&self.column),
                Part::Field(place) => {
                    let field = record.get(*place).unwrap_or_default().trim();
                    if field.is_empty() {
                        return Err("it has no name of a series".to_owned());
                    }
                    series.push_str(field);
                }
            }
        }
        // It is asked for as a topic.
        match TopicName::new(&*series) {
            Ok(_) if series.len() <= NAME_BYTES_MAX => Ok(series),
            Ok(_) => Err(format!(
                "the name of its series is longer than {NAME_BYTES_MAX} bytes"
            )),
            Err(error) => Err(format!(
                "{series:?} cannot be the name of a series: {error}"
            )),
        }
    }
}

impl Part {
    fn field(&self) -> Option<usize> {
        match self {
            Self::Text(_) | Self::Column => None,
            Self::Field(place) => Some(*place),
        }
    }
}

/// Splits a template.
fn parts(
    template: &str,
    find: &dyn Fn(&str) -> anyhow::Result<usize>,
) -> anyhow::Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else {
            bail!("--series has a {{ without a }}");
        };
        parts.push(Part::Text(text.to_owned()));
        parts.push(match name {
            "column" => Part::Column,
            name => Part::Field(find(name)?),
        });
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" => Ok(b'\t'),
        [character] if character.is_ascii() => Ok(*character),
        _ => Err("it is to be one ASCII character, or `tab`".to_owned()),
    }
}

/// Reads what people and programs write: with a zone or without, with seconds or without, an hour alone, a number.
fn time_in(text: &str, zone: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<f64>() {
        return Timestamp::from_epoch(number).map(Timestamp::millis);
    }
    let complete = |time: &str| {
        let moment = time.parse::<Timestamp>().ok();
        moment.map(Timestamp::millis)
    };
    complete(text).or_else(|| {
        let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00"));
        let seconds = match time.matches(':').count() {
            0 => format!("{time:0>2}:00:00"),
            1 => format!("{time:0>5}:00"),
            _ => format!("{time:0>8}"),
        };
        complete(&format!("{date}T{seconds}{zone}"))
    })
}

/// As long as the broker lets a topic be.
const NAME_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(time: &[&str], value: &[&str], series: &str) -> Columns {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Columns {
            time: owned(time),
            value: owned(value),
            series: series.to_owned(),
            zone: "Z".to_owned(),
            separator: b',',
        }
    }

    fn all(file: &str, columns: &Columns) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        read(file.as_bytes(), columns, &mut |line, readings| {
            match readings {
                Ok(readings) => found.extend(readings.iter().map(|reading| {
                    let CsvReading {
                        series,
                        time,
                        value,
                    } = reading;
                    format!("{series} {time} {value}")
                })),
                Err(reason) => found.push(format!("line {line}: {reason}")),
            }
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn many_columns_are_many_series() {
        let file = "day,hour,A,B {1}\n1970-01-02,0,1.5,\n1970-01-02,13,2,3\n";
        let columns = columns(&["day", "hour"], &[], "park/{column}/moisture");
        let found = all(file, &columns).unwrap();
        let expected = [
            "park/A/moisture 86400000 1.5",
            "park/A/moisture 133200000 2",
            "park/B {1}/moisture 133200000 3",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_column_can_name_the_series() {
        let file = "Timestamp,Farm,VWC,raw\n1970-01-01 05:30:00,east,14.15,704\n";
        let mut columns = columns(&["Timestamp"], &["VWC"], "rootzone/{Farm}/soil/moisture");
        columns.zone = "+05:30".to_owned();
        let found = all(file, &columns).unwrap();
        assert_eq!(found, ["rootzone/east/soil/moisture 0 14.15"]);
    }

    #[test]
    fn a_bad_line_is_named_and_the_others_count() {
        let file = "t,v\n1970-01-01,1\nnoon,2\n1970-01-02,wet\n1970-01-03\n1970-01-04,4,\n1970-01-05,5,1\n";
        let found = all(file, &columns(&["t"], &["v"], "s")).unwrap();
        let expected = [
            "s 0 1",
            "line 3: \"noon\" is no time",
            "line 4: v: \"wet\" is no number",
            "line 5: it is too short",
            "s 259200000 4",
            "line 7: it has 3 fields, and there are 2 columns; what holds a separator is to be in quotation marks",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_has_no_time_or_no_name_is_a_bad_line() {
        let file = "day,hour,Farm,v\n1970-01-02,,east,1\n1970-01-02,0,,2\n1970-01-02,0,a+b,3\n";
        let columns = columns(&["day", "hour"], &["v"], "{Farm}/moisture");
        let found = all(file, &columns).unwrap();
        assert_eq!(found[0], "line 2: it has no time");
        assert_eq!(found[1], "line 3: it has no name of a series");
        let bad_name = "line 4: \"a+b/moisture\" cannot be the name of a series: ";
        assert!(found[2].starts_with(bad_name), "{found:?}");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, millis) in [
            ("2026-05-04T10:00:00Z", Some(1_777_888_800_000)),
            ("2026-05-04T12:00:00+02:00", Some(1_777_888_800_000)),
            ("2026-05-04 10:00:00", Some(1_777_888_800_000)),
            ("2026-05-04 10:00", Some(1_777_888_800_000)),
            ("2026-05-04 9:00", Some(1_777_885_200_000)),
            ("2026-05-04 10", Some(1_777_888_800_000)),
            ("1777888800", Some(1_777_888_800_000)),
            ("1777888800000", Some(1_777_888_800_000)),
            ("04.05.2026 10:00", None),
            ("", None),
        ] {
            assert_eq!(time_in(text, "Z"), millis, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_said_before_anything_is_read() {
        for (columns, expected) in [
            (
                columns(&["when"], &[], "s"),
                "there is no column when; there are t, v, w",
            ),
            (
                columns(&["t"], &[], "s"),
                "several columns of values cannot be one series: put {column} into --series",
            ),
            (
                columns(&["t"], &["v"], "s/{x}"),
                "there is no column x; there are t, v, w",
            ),
            (
                columns(&["t"], &["v"], "s/{t"),
                "--series has a { without a }",
            ),
        ] {
            assert_eq!(all("t,v,w\n", &columns).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_file_of_another_kind_is_named() {
        let columns = columns(&["t"], &[], "s/{column}");
        for (file, expected) in [
            (
                "",
                "the file is empty: its first line is to name the columns",
            ),
            (
                "t;v\n1970-01-01;1,5\n",
                "the columns are separated by semicolons: add --separator ';'",
            ),
            (
                "t\tv\n1970-01-01\t1.5\n",
                "the columns are separated by tabs: add --separator tab",
            ),
            (
                "t,v,v\n1970-01-01,1,2\n",
                "there are two columns \"v\": give one of them another name",
            ),
            (
                "t,v,t\n1970-01-01,1,2\n",
                "there are two columns \"t\": give one of them another name",
            ),
        ] {
            assert_eq!(all(file, &columns).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn empty_columns_at_the_end_are_left_out() {
        let file = "t,v,w,,\n1970-01-01,1,2,,\n";
        let read = all(file, &columns(&["t"], &[], "s/{column}")).unwrap();
        assert_eq!(read, ["s/v 0 1", "s/w 0 2"]);
    }

    #[test]
    fn columns_that_nobody_wants_may_have_one_name() {
        let file = "t,x,v,x\n1970-01-01,1,2,3\n";
        assert_eq!(all(file, &columns(&["t"], &["v"], "s")).unwrap(), ["s 0 2"]);
    }

    #[test]
    fn other_separators_can_be_said() {
        let mut columns = columns(&["t"], &["v"], "s");
        columns.separator = separator(";").unwrap();
        let found = all("t;v\n1970-01-01;1.5\n", &columns).unwrap();
        assert_eq!(found, ["s 0 1.5"]);
        columns.separator = separator("tab").unwrap();
        let found = all("t\tv\n1970-01-01\t1.5\n", &columns).unwrap();
        assert_eq!(found, ["s 0 1.5"]);
        for text in ["\u{2022}", "", ";;"] {
            assert!(separator(text).is_err(), "{text:?}");
        }
    }
}
