//! Answers as JSON: columns of differences, which are short and read by a few lines of any language.

use std::fmt::Write as _;

use field::json::ObjectWriter;
use history::Columns;

/// What each message of an answer begins with.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// What the asker sent, as a field of JSON.
    id: String,
    /// The broker's clock.
    now: i64,
}

impl Header {
    pub(super) fn new(id: Option<&str>, now: i64) -> Self {
        let id = id.map(|id| text_field("id", id) + ",").unwrap_or_default();
        Self { id, now }
    }

    /// More than the header takes in any message.
    pub(super) fn len_max(&self) -> usize {
        self.id.len() + HEADER_LEN_MAX
    }

    /// A whole message.
    pub(super) fn message(&self, part: u64, more: bool, body: &str) -> String {
        format!(
            "{{{}\"part\":{part},\"more\":{more},\"now\":{},{body}}}",
            self.id, self.now
        )
    }
}

/// What is wrong, with all or with one series.
pub(super) fn error(series: Option<&str>, reason: &str) -> String {
    let series = series.map(|name| text_field("series", name) + ",");
    series.unwrap_or_default() + &text_field("error", reason)
}

/// The rows of one series, in as many bodies as it takes for none to be longer than `len_max`.
pub(super) fn window(name: &str, columns: &Columns, len_max: usize) -> Vec<String> {
    let mut head = text_field("series", name);
    let _ = write!(
        head,
        ",\"from\":{},\"to\":{},\"step\":{}",
        columns.from, columns.to, columns.step
    );
    if !columns.faults.is_empty() {
        let _ = write!(head, ",\"damaged\":{}", columns.faults.len());
    }
    let n_rows = columns.time.len();
    let mut bodies = Vec::new();
    let (mut from, mut n_at_once) = (0, n_rows);
    loop {
        let to = (from + n_at_once).min(n_rows);
        let body = rows(&head, columns, from, to);
        if body.len() > len_max && to - from > 1 {
            // A little less than would fit if all rows were alike.
            let n_fitting = (to - from) * len_max / body.len() * 9 / 10;
            n_at_once = n_fitting.clamp(1, (to - from) / 2);
            continue;
        }
        bodies.push(match body.len() > len_max {
            true => text_field("error", TOO_SMALL),
            false => body,
        });
        from = to;
        if from >= n_rows {
            return bodies;
        }
    }
}

/// The series there are, in as many bodies as it takes.
pub(super) fn list<'a>(
    series: impl Iterator<Item = (&'a str, (i64, i64))>,
    len_max: usize,
) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut body = String::from(LIST);
    for (name, (from, to)) in series {
        let entry = format!(
            "{{{},\"from\":{from},\"to\":{to}}}",
            text_field("series", name)
        );
        if body.len() > LIST.len() {
            if body.len() + entry.len() + 2 > len_max {
                bodies.push(body + "]");
                body = String::from(LIST);
            } else {
                body.push(',');
            }
        }
        body += &entry;
    }
    bodies.push(body + "]");
    bodies
}

fn rows(head: &str, columns: &Columns, from: usize, to: usize) -> String {
    let times = &columns.time[from..to];
    let start = times.first().copied().unwrap_or(columns.from);
    let unit = unit_of(times);
    let mut body = head.to_owned();
    let _ = write!(body, ",\"start\":{start},\"unit\":{unit}");
    differences(
        &mut body,
        "time",
        times.iter().map(|time| (time - start) / unit),
    );
    let is_points = columns.step == 0;
    let exact = [&columns.min, &columns.max, &columns.last].map(|column| &column[from..to]);
    let decimals = decimals_of(&exact, is_points);
    let scale = 10_f64.powi(decimals);
    match decimals {
        0.. => {
            let _ = write!(body, ",\"scale\":{scale}");
        }
        _ => {
            let _ = write!(body, ",\"scale\":1e{decimals}");
        }
    }
    let means = &columns.mean[from..to];
    let [min, max, last] = exact;
    let all = [("min", min), ("max", max), ("mean", means), ("last", last)];
    for (name, column) in all.into_iter().skip(if is_points { 3 } else { 0 }) {
        let numbers = column.iter();
        let numbers = numbers.map(|value| (f64::from(*value) * scale).round() as i64);
        differences(&mut body, name, numbers);
    }
    let gaps = columns.gaps.iter().map(|gap| *gap as usize);
    let gaps = gaps.filter(|gap| (from..to).contains(gap));
    list_of(&mut body, "gaps", gaps.map(|gap| (gap - from) as i64));
    body
}

fn differences(body: &mut String, name: &str, numbers: impl Iterator<Item = i64>) {
    let mut before = 0;
    let differences = numbers.map(|number| {
        let difference = number - before;
        before = number;
        difference
    });
    list_of(body, name, differences);
}

fn list_of(body: &mut String, name: &str, numbers: impl Iterator<Item = i64>) {
    let _ = write!(body, ",\"{name}\":[");
    for (index, number) in numbers.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(body, "{comma}{number}");
    }
    body.push(']');
}

/// What all times are multiples of, counted from the first.
fn unit_of(times: &[i64]) -> i64 {
    let pairs = times.windows(2);
    let unit = pairs.fold(0, |unit, pair| {
        greatest_common_divisor(unit, pair[1] - pair[0])
    });
    unit.max(1)
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// As many decimals as the values were written with, and one more for means, which lie between them.
fn decimals_of(columns: &[&[f32]; 3], is_points: bool) -> i32 {
    let values = || columns.iter().flat_map(|column| column.iter().copied());
    let largest = values().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let fits = |decimals: &i32| f64::from(largest) * 10_f64.powi(*decimals) < INTEGER_MAX;
    let is_exact = |decimals: &i32| {
        let scale = 10_f64.powi(*decimals);
        values().all(|value| ((f64::from(value) * scale).round() / scale) as f32 == value)
    };
    let possible = || (-FLOAT_DECIMALS..=DECIMALS_MAX).rev().find(fits);
    let exact = (0..=DECIMALS_MAX).filter(fits).find(is_exact);
    let exact = exact.map(|decimals| decimals + i32::from(!is_points));
    let possible = possible().unwrap_or(-FLOAT_DECIMALS);
    exact.unwrap_or(possible).min(possible)
}

/// A name and a text, as they stand within an object.
fn text_field(name: &str, text: &str) -> String {
    let object = ObjectWriter::new().text(name, text).finish();
    object[1..object.len() - 1].to_owned()
}

const LIST: &str = "\"list\":[";
const TOO_SMALL: &str = "the Maximum Packet Size leaves no room for a row";
/// `{"part":…,"more":false,"now":…,}` with numbers of any length.
const HEADER_LEN_MAX: usize = 96;
const DECIMALS_MAX: i32 = 6;
/// The largest `f32` has 38 digits before its point.
const FLOAT_DECIMALS: i32 = 38;
/// Every language reads whole numbers of this size exactly.
const INTEGER_MAX: f64 = 9e15;

#[cfg(test)]
mod tests {
    use field::json::{Fields, Json};
    use history::{History, Output, Point, Query, Reader, Settings, Unreadable};

    use super::*;

    struct NoChunks;
    impl Reader for NoChunks {
        fn read(&mut self, _: &[u8], _: &mut dyn FnMut(&[u8])) -> Result<(), Unreadable> {
            Ok(())
        }
    }

    /// What a history of these points says of a window.
    fn columns(points: &[(i64, f32)], to: i64, pixels: u32) -> Columns {
        let mut history = History::new(Settings {
            n_head_points: usize::MAX,
            ..Settings::default()
        });
        let id = history.open("s").unwrap();
        for &(time, value) in points {
            history.record(id, Point { time, value }, to);
        }
        while !matches!(history.poll_output(), Output::Timeout(_)) {}
        let query = Query {
            series: vec![id],
            from: 0,
            to,
            points: pixels,
        };
        history
            .plan(&query)
            .unwrap()
            .run(&mut NoChunks)
            .next()
            .unwrap()
    }

    fn fields(body: &str) -> Fields {
        match Json::parse(&format!("{{{body}}}")) {
            Some(Json::Object(fields)) => fields,
            other => panic!("{other:?}: {body}"),
        }
    }

    fn numbers(fields: &Fields, name: &str) -> Vec<f64> {
        let list = fields.value(name).and_then(Json::as_list);
        let number = |json: &Json| {
            let Json::Number(number) = json else {
                panic!("{json:?}");
            };
            *number
        };
        list.unwrap_or_default().iter().map(number).collect()
    }

    fn number(fields: &Fields, name: &str) -> f64 {
        match fields.value(name) {
            Some(Json::Number(number)) => *number,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// As `docs/history.md` says that it is read.
    fn read_column(fields: &Fields, name: &str) -> Vec<f32> {
        let scale = number(fields, "scale");
        let mut sum = 0.0;
        let differences = numbers(fields, name);
        let sums = differences.iter().map(|difference| {
            sum += difference;
            (sum / scale) as f32
        });
        sums.collect()
    }

    fn read_times(fields: &Fields) -> Vec<i64> {
        let (start, unit) = (number(fields, "start"), number(fields, "unit"));
        let mut sum = 0.0;
        let differences = numbers(fields, "time");
        let times = differences.iter().map(|difference| {
            sum += difference;
            (start + unit * sum) as i64
        });
        times.collect()
    }

    #[test]
    fn points_are_as_they_were_recorded() {
        let points = [
            (1_000, 37.2),
            (61_000, 37.25),
            (121_000, 36.0),
            (901_000, 0.5),
        ];
        let columns = columns(&points, 1_000_000, 600);
        let bodies = window("a/\"b\"", &columns, 10_000);
        assert_eq!(
            bodies,
            [
                r#""series":"a/\"b\"","from":0,"to":1000000,"step":0,"start":1000,"unit":60000,"time":[0,1,1,13],"scale":100,"last":[3720,5,-125,-3550],"gaps":[3]"#
            ]
        );
        let fields = fields(&bodies[0]);
        assert_eq!(read_times(&fields), points.map(|(time, _)| time));
        assert_eq!(read_column(&fields, "last"), points.map(|(_, value)| value));
    }

    #[test]
    fn buckets_say_what_they_hold_and_means_have_one_decimal_more() {
        let points: Vec<(i64, f32)> = (0..600_u16)
            .map(|n| (i64::from(n) * 1_000, f32::from(n % 7) / 10.0))
            .collect();
        let columns = columns(&points, 600_000, 30);
        assert!(columns.step > 0);
        let fields = fields(&window("s", &columns, 10_000)[0]);
        assert_eq!(number(&fields, "step"), columns.step as f64);
        assert_eq!(read_times(&fields), columns.time);
        assert_eq!(read_column(&fields, "min"), columns.min);
        assert_eq!(read_column(&fields, "max"), columns.max);
        assert_eq!(read_column(&fields, "last"), columns.last);
        for (read, mean) in read_column(&fields, "mean").iter().zip(&columns.mean) {
            assert!((read - mean).abs() <= 0.006, "{read} {mean}");
        }
    }

    #[test]
    fn a_window_without_anything_is_an_empty_one() {
        let bodies = window("s", &columns(&[], 60_000, 600), 10_000);
        let fields = fields(&bodies[0]);
        assert_eq!(bodies.len(), 1);
        assert_eq!(
            (read_times(&fields), number(&fields, "scale")),
            (vec![], 1.0)
        );
    }

    #[test]
    fn any_value_is_told_as_well_as_a_number_of_json_can() {
        for value in [
            0.0,
            -0.1,
            1.0 / 3.0,
            1e-30,
            123_456.79,
            3e9,
            -1e15,
            f32::MAX,
        ] {
            let columns = columns(&[(0, value), (1_000, -value)], 60_000, 600);
            let fields = fields(&window("s", &columns, 10_000)[0]);
            let last = read_column(&fields, "last");
            let tolerance = (value.abs() * 1e-6).max(1e-6);
            assert!((last[0] - value).abs() <= tolerance, "{value}: {last:?}");
            assert!((last[1] + value).abs() <= tolerance, "{value}: {last:?}");
        }
    }

    #[test]
    fn what_is_long_comes_in_parts_that_continue_each_other() {
        let points: Vec<(i64, f32)> = (0..1_000_u16)
            .map(|n| {
                let silence = if n > 500 { 600_000 } else { 0 };
                (i64::from(n) * 1_000 + silence, f32::from(n * 7 % 100))
            })
            .collect();
        let columns = columns(&points, 2_000_000, 600);
        for len_max in [300, 1_000, 4_000] {
            let bodies = window("s", &columns, len_max);
            assert!(bodies.len() > 1 && bodies.iter().all(|body| body.len() <= len_max));
            let mut read = Vec::new();
            let mut gaps = Vec::new();
            for body in &bodies {
                let fields = fields(body);
                let n_before = read.len();
                let values = read_column(&fields, "last");
                read.extend(read_times(&fields).into_iter().zip(values));
                gaps.extend(
                    numbers(&fields, "gaps")
                        .iter()
                        .map(|gap| n_before + *gap as usize),
                );
            }
            assert_eq!(read, points);
            assert_eq!(gaps, [501]);
        }
        assert_eq!(window("s", &columns, 20)[0], error(None, TOO_SMALL));
    }

    #[test]
    fn a_list_comes_in_parts_too() {
        let names: Vec<String> = (0..100)
            .map(|n| format!("rootzone/bed/{n}/moisture"))
            .collect();
        let series = || names.iter().map(|name| (name.as_str(), (5, 7)));
        assert_eq!(
            list(series().take(1), 1_000),
            [r#""list":[{"series":"rootzone/bed/0/moisture","from":5,"to":7}]"#]
        );
        assert_eq!(list(series().take(0), 1_000), [r#""list":[]"#]);
        let bodies = list(series(), 1_000);
        assert!(bodies.len() > 5 && bodies.iter().all(|body| body.len() <= 1_000));
        let n: usize = bodies
            .iter()
            .map(|body| {
                fields(body)
                    .value("list")
                    .and_then(Json::as_list)
                    .unwrap()
                    .len()
            })
            .sum();
        assert_eq!(n, 100);
    }

    #[test]
    fn every_message_says_which_it_is() {
        let header = Header::new(Some("a\"b"), 7);
        let message = header.message(3, false, &error(Some("s"), "none"));
        assert_eq!(
            message,
            r#"{"id":"a\"b","part":3,"more":false,"now":7,"series":"s","error":"none"}"#
        );
        let longest = Header {
            now: i64::MIN,
            ..header
        };
        assert!(longest.message(u64::MAX, false, "").len() <= longest.len_max());
        assert!(
            Header::new(None, 7)
                .message(0, true, "")
                .starts_with(r#"{"part":0,"#)
        );
    }
}
