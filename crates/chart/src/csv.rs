use crate::calendar::{DAY, Date, SECOND, push_clock};
use crate::decimal::push_whole;
use crate::{Point, Scene, decimal};

impl Scene {
    /// The readings in view as comma-separated values: a row for each moment, a column for each line
    /// that is shown. Moments are UTC.
    pub fn csv(&self) -> String {
        let mut text = String::from("time");
        for line in self.shown() {
            text.push(',');
            push_field(&mut text, &line.name);
        }
        text.push_str("\r\n");
        let mut before = self.window.start.saturating_sub(1);
        loop {
            let next = self.shown().map(|line| line.series.after(before));
            let next: Vec<Option<Point>> = next.collect();
            let times = next.iter().flatten().map(|point| point.time);
            let Some(time) = times.min().filter(|&time| time <= self.window.end) else {
                return text;
            };
            push_moment(&mut text, time);
            for point in next {
                text.push(',');
                if let Some(point) = point.filter(|point| point.time == time) {
                    // A true minus sign is for people.
                    text.push_str(if point.value < 0.0 { "-" } else { "" });
                    text.push_str(&decimal(point.value.abs(), 3));
                }
            }
            text.push_str("\r\n");
            before = time;
        }
    }
}

/// A field, in quotes if it needs them. One that a spreadsheet would calculate becomes a text.
fn push_field(text: &mut String, field: &str) {
    let is_formula = matches!(field.as_bytes(), [b'=' | b'+' | b'-' | b'@', ..]);
    let separates = |byte| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    let is_quoted = is_formula || field.bytes().any(separates);
    let quote = if is_quoted { "\"" } else { "" };
    text.push_str(quote);
    text.push_str(if is_formula { "'" } else { "" });
    for c in field.chars() {
        if c == '"' {
            text.push(c);
        }
        text.push(c);
    }
    text.push_str(quote);
}

/// A moment as ISO 8601 writes it: "2026-05-04T14:00:00.250Z".
fn push_moment(text: &mut String, time: i64) {
    let date = Date::of_day(time.div_euclid(DAY));
    push_whole(text, date.year.unsigned_abs(), 4);
    text.push('-');
    push_whole(text, u64::from(date.month + 1), 2);
    text.push('-');
    push_whole(text, u64::from(date.day), 2);
    text.push('T');
    push_clock(text, time);
    text.push(':');
    push_whole(
        text,
        (time.div_euclid(SECOND)).rem_euclid(60).unsigned_abs(),
        2,
    );
    let thousandths = time.rem_euclid(SECOND).unsigned_abs();
    if thousandths > 0 {
        text.push('.');
        push_whole(text, thousandths, 3);
    }
    text.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Line, Series, Span};

    fn line(name: &str, points: &[(i64, f32)]) -> Line {
        let mut series = Series::new(100);
        for &(time, value) in points {
            series.append(time, value);
        }
        Line {
            name: name.into(),
            ..Line::of(series)
        }
    }

    #[test]
    fn each_moment_is_a_row_and_each_line_a_column() {
        // 2026-05-04T14:00:00Z
        let start = 1_777_903_200_000;
        let one = line(
            "Bed 1",
            &[(start, 31.25), (start + 1_500, -0.5), (start + 9_000, 3.0)],
        );
        let two = line("Bed \"2\", north", &[(start + 1_500, 7.0)]);
        let hidden = Line {
            is_hidden: true,
            ..line("=1+1", &[(start, 1.0)])
        };
        let scene = Scene {
            window: Span::new(start, start + 5_000),
            ..Scene::of_lines(vec![one, two, hidden])
        };
        assert_eq!(
            scene.csv(),
            "time,Bed 1,\"Bed \"\"2\"\", north\"\r\n\
             2026-05-04T14:00:00Z,31.250,\r\n\
             2026-05-04T14:00:01.500Z,-0.500,7.000\r\n"
        );
    }

    #[test]
    fn a_name_is_never_a_formula() {
        let scene = Scene::of_lines(vec![line("=1+1", &[])]);
        assert_eq!(scene.csv(), "time,\"'=1+1\"\r\n");
    }
}
