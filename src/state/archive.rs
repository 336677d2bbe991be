//! What the page asks the broker's history, and what comes of it.
//!
//! The broker answers on a topic of this page's own. A broker without a history does not answer at all.

use std::{mem, time::Duration};

use chart::{Series, Span};
use field::{
    Address, Channel, Timestamp,
    json::{Fields, Json, ObjectWriter},
};

use crate::{
    format::whole,
    state::{
        ProbeId, device_of_key,
        past::{Kept, Level},
    },
};

/// What was asked, and where the answers come.
#[derive(Debug, Default)]
pub struct Archive {
    topic: String,
    n_asked: u64,
    asked: Vec<Asked>,
    is_silent: bool,
}

/// Why something is asked. Of each there is one question at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Which series there are.
    Listing,
    /// The curves on the cards.
    Cards,
    /// What a chart shows.
    Chart,
}

/// A part of an answer.
#[derive(Debug)]
pub enum Heard {
    /// What there is of a probe.
    Kept(ProbeId, Kept),
    /// A piece of a probe's readings.
    Level(ProbeId, Level),
}

#[derive(Debug)]
struct Asked {
    id: String,
    purpose: Purpose,
    at: Timestamp,
    window: Window,
    probes: Vec<ProbeId>,
    /// The series whose rows come in several messages.
    parts: Vec<(ProbeId, Level)>,
}

/// What part of time is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From when to when.
    pub span: Span,
    /// Whether it ends with the present.
    pub is_live: bool,
    /// How many pixels there are to draw on.
    pub points: i64,
}

impl Window {
    /// The longest time between two rows that is wanted.
    #[must_use]
    pub fn fineness(self) -> i64 {
        self.span.duration() / self.points.max(1)
    }
}

impl Archive {
    /// One that was not asked anything. The number makes its topic unlike those of other pages.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self {
            topic: String::from("rootzone/history/answer/") + &whole(number),
            ..Self::default()
        }
    }

    /// The topic on which answers come.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether something can be asked for that purpose: nothing is under way, and there is somebody who answers.
    #[must_use]
    pub fn is_free(&self, purpose: Purpose) -> bool {
        !self.is_silent && self.asked.iter().all(|asked| asked.purpose != purpose)
    }

    /// A question for which series there are.
    pub fn ask_for_list(&mut self, now: Timestamp) -> String {
        let request = ObjectWriter::new().text("list", "#");
        let window = Window {
            span: Span::default(),
            is_live: false,
            points: 0,
        };
        self.ask(request, Purpose::Listing, window, Vec::new(), now)
    }

    /// A question for the readings of some probes.
    pub fn ask_for_window(
        &mut self,
        purpose: Purpose,
        probes: Vec<ProbeId>,
        window: Window,
        now: Timestamp,
    ) -> String {
        let mut series = String::new();
        for probe in probes.iter().take(SERIES_MAX) {
            series.push(if series.is_empty() { '[' } else { ',' });
            push_text(&mut series, &series_of(probe));
        }
        series.push(']');
        let number = |time: i64| whole(time.max(0).unsigned_abs());
        let mut request = ObjectWriter::new()
            .raw("series", &series)
            .raw("from", &number(window.span.start))
            .raw("points", &number(window.points));
        if !window.is_live {
            request = request.raw("to", &number(window.span.end));
        }
        self.ask(request, purpose, window, probes, now)
    }

    fn ask(
        &mut self,
        request: ObjectWriter,
        purpose: Purpose,
        window: Window,
        mut probes: Vec<ProbeId>,
        now: Timestamp,
    ) -> String {
        self.n_asked += 1;
        let id = whole(self.n_asked);
        probes.truncate(SERIES_MAX);
        let request = request.text("response", &self.topic).text("id", &id);
        self.asked.push(Asked {
            id,
            purpose,
            at: now,
            window,
            probes,
            parts: Vec::new(),
        });
        request.finish()
    }

    /// Takes a message of an answer. What cannot be read, or was not asked, says nothing.
    pub fn hear(&mut self, payload: &[u8], now: Timestamp) -> Vec<Heard> {
        let text = std::str::from_utf8(payload).unwrap_or_default();
        let Some(Json::Object(fields)) = Json::parse(text) else {
            return Vec::new();
        };
        let id = fields.value("id").and_then(Json::as_text);
        let known = self.asked.iter().position(|asked| Some(&*asked.id) == id);
        let Some(known) = known else {
            return Vec::new();
        };
        let asked = &mut self.asked[known];
        asked.at = now;
        asked.take(&fields);
        let mut heard = listed(&fields);
        if !matches!(fields.value("more"), Some(Json::Bool(true))) {
            heard.extend(self.asked.remove(known).finish());
        }
        heard
    }

    /// Gives up what was not answered in time.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let is_late = |asked: &Asked| now.saturating_duration_since(asked.at) > PATIENCE;
        self.is_silent |= self
            .asked
            .iter()
            .any(|asked| is_late(asked) && asked.purpose == Purpose::Listing);
        self.asked.retain(|asked| !is_late(asked));
    }

    /// Forgets what was asked: another connection may lead to another answer.
    pub fn handle_link(&mut self) {
        self.asked.clear();
        self.is_silent = false;
    }
}

impl Asked {
    fn take(&mut self, fields: &Fields) {
        let Some(series) = fields.value("series").and_then(Json::as_text) else {
            return;
        };
        let id = probe_of(series);
        let Some(answered) = rows(fields, self.window) else {
            return;
        };
        match self.parts.iter_mut().find(|part| part.0 == id) {
            Some((_, level)) => {
                for point in answered.series.points(answered.span) {
                    level.series.append(point.time, point.value);
                }
            }
            None => self.parts.push((id, answered)),
        }
    }

    /// What has come, and of whatever did not come that there is nothing.
    fn finish(&mut self) -> Vec<Heard> {
        let mut parts = mem::take(&mut self.parts);
        for probe in mem::take(&mut self.probes) {
            if parts.iter().all(|part| part.0 != probe) {
                parts.push((probe, self.window.level(0)));
            }
        }
        let heard = parts.into_iter();
        heard.map(|(id, level)| Heard::Level(id, level)).collect()
    }
}

impl Window {
    fn level(self, step: i64) -> Level {
        Level {
            span: self.span,
            fineness: self.fineness(),
            step,
            series: Series::new(ROWS_MAX),
            is_live: self.is_live,
        }
    }
}

/// The rows of a message.
fn rows(fields: &Fields, window: Window) -> Option<Level> {
    let number = |name: &str| number(fields, name);
    let step = number("step")?;
    let (start, unit, scale) = (number("start")?, number("unit")?, number("scale")?);
    let now = number("now").unwrap_or(f64::MAX);
    let times = sums(fields, "time");
    let last = sums(fields, "last");
    let (low, high) = (sums(fields, "min"), sums(fields, "max"));
    let mut level = window.level(step as i64);
    for (at, (time, last)) in times.iter().zip(&last).enumerate() {
        let time = start + unit * time;
        let mut add = |part: f64, value: f64| {
            // A bucket that is not over yet ends now.
            let along = step.min((now - time).max(0.0)) * part;
            let value = (value / scale) as f32;
            level.series.append((time + along) as i64, value);
        };
        match (low.get(at), high.get(at)) {
            (Some(low), Some(high)) if low < high => {
                add(0.25, *low);
                add(0.5, *high);
                add(0.75, *last);
            }
            _ => add(0.5, *last),
        }
    }
    Some(level)
}

fn number(fields: &Fields, name: &str) -> Option<f64> {
    match fields.value(name) {
        Some(Json::Number(number)) => Some(*number),
        _ => None,
    }
}

/// A column: each number is the difference to the one before.
fn sums(fields: &Fields, column: &str) -> Vec<f64> {
    let numbers = fields.value(column).and_then(Json::as_list);
    let mut sum = 0.0;
    let add = |number: &Json| {
        if let Json::Number(number) = number {
            sum += number;
        }
        sum
    };
    numbers.unwrap_or_default().iter().map(add).collect()
}

fn listed(fields: &Fields) -> Vec<Heard> {
    let list = fields.value("list").and_then(Json::as_list);
    let kept = |item: &Json| {
        let item = item.as_object()?;
        let id = probe_of(item.value("series")?.as_text()?);
        let time = |name: &str| Some(number(item, name)? as i64);
        let kept = Kept {
            span: Span::new(time("from")?, time("to")?),
            usual_step: time("usual_step"),
        };
        Some(Heard::Kept(id, kept))
    };
    list.unwrap_or_default().iter().filter_map(kept).collect()
}

/// The probe whose series that is.
fn probe_of(series: &str) -> ProbeId {
    match Address::parse(series) {
        Some(Address::Device { device, .. }) => ProbeId::of_device(&device),
        _ => ProbeId::new(series),
    }
}

/// What the history calls a probe's series: the topic of its readings, or of its discovery.
fn series_of(probe: &ProbeId) -> String {
    match device_of_key(probe.as_str()) {
        Some(device) => device.topic(Channel::Moisture),
        None => probe.as_str().into(),
    }
}

/// Pushes a text as JSON.
fn push_text(json: &mut String, text: &str) {
    let object = ObjectWriter::new().text("", text).finish();
    // `{"":"text"}` without its field.
    let text = object.strip_prefix("{\"\":").unwrap_or_default();
    json.push_str(text.strip_suffix('}').unwrap_or_default());
}

/// As many series as the broker answers for at once.
const SERIES_MAX: usize = 100;
/// More would be finer than any screen.
const ROWS_MAX: usize = 40_000;
/// Whoever has a history answers sooner.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const BED: &str = "north-beds/bed-1";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_777_888_800_000 + seconds * 1_000)
    }

    fn ask(archive: &mut Archive, is_live: bool) -> String {
        let window = Window {
            span: Span::new(1_000_000, 2_000_000),
            is_live,
            points: 100,
        };
        let probes = vec![
            ProbeId::new(BED),
            ProbeId::new("homeassistant/sensor/a \"b\""),
        ];
        archive.ask_for_window(Purpose::Chart, probes, window, at(0))
    }

    #[test]
    fn a_question_is_what_the_broker_reads() {
        let mut archive = Archive::new(7);
        assert_eq!(
            ask(&mut archive, false),
            r#"{"series":["rootzone/north-beds/bed-1/moisture","homeassistant/sensor/a \"b\""],"from":1000000,"points":100,"to":2000000,"response":"rootzone/history/answer/7","id":"1"}"#
        );
        assert!(!archive.is_free(Purpose::Chart) && archive.is_free(Purpose::Cards));
        assert_eq!(
            archive.ask_for_list(at(0)),
            r##"{"list":"#","response":"rootzone/history/answer/7","id":"2"}"##
        );
    }

    #[test]
    fn rows_become_readings_and_a_series_that_is_not_known_an_empty_piece() {
        let mut archive = Archive::new(7);
        ask(&mut archive, true);
        let first = r#"{"id":"1","part":0,"more":true,"now":1850000,"series":"rootzone/north-beds/bed-1/moisture","from":1000000,"to":2000000,"step":100000,"start":1000000,"unit":100000,"time":[0,1],"scale":10,"min":[200,5],"max":[200,25],"mean":[200,10],"last":[200,10]}"#;
        assert!(archive.hear(first.as_bytes(), at(1)).is_empty());
        let second = r#"{"id":"1","part":1,"more":true,"now":1850000,"series":"rootzone/north-beds/bed-1/moisture","from":1000000,"to":2000000,"step":100000,"start":1800000,"unit":100000,"time":[0],"scale":10,"min":[300],"max":[300],"mean":[300],"last":[300]}"#;
        assert!(archive.hear(second.as_bytes(), at(1)).is_empty());
        let error = r#"{"id":"1","part":2,"more":false,"series":"homeassistant/sensor/a \"b\"","error":"is not known"}"#;
        let heard = archive.hear(error.as_bytes(), at(1));
        let [Heard::Level(bed, level), Heard::Level(other, nothing)] = &heard[..] else {
            panic!("both were answered: {heard:?}");
        };
        assert_eq!((bed.as_str(), level.step), (BED, 100_000));
        let points = level.series.points(Span::new(0, i64::MAX));
        let points: Vec<(i64, f32)> = points.map(|point| (point.time, point.value)).collect();
        assert_eq!(
            points,
            [
                (1_050_000, 20.0),
                (1_125_000, 20.5),
                (1_150_000, 22.5),
                (1_175_000, 21.0),
                (1_825_000, 30.0),
            ]
        );
        assert!(other.as_str().starts_with("homeassistant") && nothing.series.is_empty());
        assert!(archive.is_free(Purpose::Chart));
    }

    #[test]
    fn a_list_says_from_when_to_when_there_are_readings_and_how_often_they_come() {
        let mut archive = Archive::new(7);
        archive.ask_for_list(at(0));
        let list = r#"{"id":"1","part":0,"more":false,"now":5,"list":[{"series":"rootzone/north-beds/bed-1/moisture","from":1767225600000,"to":1777939195000,"usual_step":900000}]}"#;
        let heard = archive.hear(list.as_bytes(), at(1));
        let [Heard::Kept(id, kept)] = &heard[..] else {
            panic!("one series was listed: {heard:?}");
        };
        let expected = Kept {
            span: Span::new(1_767_225_600_000, 1_777_939_195_000),
            usual_step: Some(900_000),
        };
        assert_eq!((id.as_str(), kept), (BED, &expected));
    }

    #[test]
    fn whoever_does_not_answer_is_not_asked_again_before_another_connection() {
        let mut archive = Archive::new(7);
        archive.ask_for_list(at(0));
        archive.handle_timeout(at(10));
        assert!(archive.is_free(Purpose::Chart));
        archive.handle_timeout(at(11));
        assert!(!archive.is_free(Purpose::Chart));
        archive.handle_link();
        assert!(archive.is_free(Purpose::Listing));
    }

    #[test]
    fn what_was_not_asked_or_is_no_answer_says_nothing() {
        let mut archive = Archive::new(7);
        ask(&mut archive, true);
        for nonsense in [
            "",
            "[]",
            "{",
            r#"{"id":"9","more":false}"#,
            r#"{"id":1}"#,
            r#"{"id":"1","more":true,"series":"x","step":"no","time":[{}]}"#,
        ] {
            assert!(archive.hear(nonsense.as_bytes(), at(1)).is_empty());
        }
        assert!(archive.hear(&[0xff], at(1)).is_empty());
        assert!(!archive.is_free(Purpose::Chart));
    }
}
