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

/// That not even the least about a series fits into a message; and if that does not, not about which.
pub(super) fn too_small(name: &str, len_max: usize) -> String {
    let named = error(Some(name), TOO_SMALL);
    match named.len() > len_max {
        true => error(None, TOO_SMALL),
        false => named,
    }
}

/// The rows of one series, body by body.
#[derive(Debug)]
pub(super) struct Rows {
    name: String,
    /// What each body begins with.
    head: String,
    columns: Columns,
    n_written: usize,
    /// So many are tried next.
    n_at_once: usize,
    is_done: bool,
}

impl Rows {
    pub(super) fn new(name: &str, columns: Columns) -> Self {
        let mut head = text_field("series", name);
        let _ = write!(
            head,
            ",\"from\":{},\"to\":{},\"step\":{}",
            columns.from, columns.to, columns.step
        );
        if !columns.faults.is_empty() {
            let _ = write!(head, ",\"damaged\":{}", columns.faults.len());
        }
        Self {
            name: name.to_owned(),
            head,
            n_written: 0,
            n_at_once: columns.time.len(),
            columns,
            is_done: false,
        }
    }

    /// Whether no body follows.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// As many of the next rows as make no more than `len_max` bytes. If not even one does, that is said, and it is all.
    pub(super) fn next_body(&mut self, len_max: usize) -> String {
        let n_rows = self.columns.time.len();
        loop {
            let to = (self.n_written + self.n_at_once).min(n_rows);
            let n = to - self.n_written;
            let body = rows(&self.head, &self.columns, self.n_written, to);
            if body.len() <= len_max {
                self.n_written = to;
                self.is_done = to == n_rows;
                return body;
            }
            if n <= 1 {
                self.is_done = true;
                return too_small(&self.name, len_max);
            }
            // A little less than would fit if all rows were alike.
            let n_fitting = n * len_max / body.len() * 9 / 10;
            self.n_at_once = n_fitting.clamp(1, n / 2);
        }
    }
}

/// What there is of a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) span: (i64, i64),
    pub(super) usual_step: Option<i64>,
}

/// A list of series, as long as one body may be.
#[derive(Debug)]
pub(super) struct List {
    body: String,
    len_max: usize,
}

impl List {
    pub(super) fn new(len_max: usize) -> Self {
        Self {
            body: String::from(LIST),
            len_max,
        }
    }

    /// Adds a series; if there is no room for it, it is for the next body.
    pub(super) fn add(&mut self, name: &str, kept: &Kept) -> bool {
        let name = text_field("series", name);
        let (from, to) = kept.span;
        let mut entry = format!("{{{name},\"from\":{from},\"to\":{to}");
        if let Some(usual_step) = kept.usual_step {
            let _ = write!(entry, ",\"usual_step\":{usual_step}");
        }
        entry.push('}');
        let comma = if self.is_empty() { "" } else { "," };
        if self.body.len() + comma.len() + entry.len() + "]".len() > self.len_max {
            return false;
        }
        self.body += comma;
        self.body += &entry;
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.body.len() == LIST.len()
    }

    pub(super) fn finish(self) -> String {
        self.body + "]"
    }
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
    let first = columns.gaps.partition_point(|gap| (*gap as usize) < from);
    let gaps = columns.gaps[first..].iter().map(|gap| *gap as usize);
    let gaps = gaps.take_while(|gap| *gap < to);
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
const TOO_SMALL: &str = "the Maximum Packet Size leaves no room for the answer";
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

    fn window(name: &str, columns: &Columns, len_max: usize) -> Vec<String> {
        let mut rows = Rows::new(name, columns.clone());
        let mut bodies = Vec::new();
        while !rows.is_done() {
            bodies.push(rows.next_body(len_max));
        }
        bodies
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
    }

    #[test]
    fn what_has_no_room_for_a_row_is_told_once() {
        let columns = columns(&[(1_000, 1.0), (2_000, 2.0)], 60_000, 600);
        let complaint = error(Some("s"), TOO_SMALL);
        assert_eq!(window("s", &columns, complaint.len()), [complaint]);
        assert_eq!(window("s", &columns, 20), [error(None, TOO_SMALL)]);
    }

    #[test]
    fn a_list_is_as_long_as_a_body_may_be() {
        let mut list = List::new(1_000);
        assert!(list.is_empty());
        let kept = |usual_step| Kept {
            span: (5, 7),
            usual_step,
        };
        assert!(list.add("rootzone/bed/0/moisture", &kept(Some(2))));
        assert!(list.add("rootzone/bed/1/moisture", &kept(None)));
        assert_eq!(
            list.finish(),
            r#""list":[{"series":"rootzone/bed/0/moisture","from":5,"to":7,"usual_step":2},{"series":"rootzone/bed/1/moisture","from":5,"to":7}]"#
        );
        assert_eq!(List::new(0).finish(), r#""list":[]"#);
        for len_max in 1_000..1_100 {
            let mut list = List::new(len_max);
            let n = (0..).take_while(|n| list.add(&format!("a/{n}"), &kept(None)));
            let n = n.count();
            let body = list.finish();
            assert!((len_max - 40..=len_max).contains(&body.len()));
            let list = fields(&body);
            let list = list.value("list").and_then(Json::as_list);
            assert_eq!(list.unwrap().len(), n);
        }
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
