//! What a client asks of the history.

use field::{
    Timestamp,
    json::{Fields, Json},
};
use history::{Query, SeriesId};
use mqtt_protocol::{TopicFilter, TopicName};

/// A request as it was understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    /// What comes back with every message of the answer.
    pub(super) id: Option<String>,
    /// Where the answer goes, if it is said here.
    pub(super) response: Option<TopicName>,
    pub(super) asked: Result<Asked, Mistake>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Window(Window),
    /// Which series there are.
    List(TopicFilter),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) series: Vec<String>,
    /// In milliseconds since the Unix epoch.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) points: u32,
}

/// What is wrong with a request, in words for whoever wrote the program that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mistake {
    #[error("the request is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the request is not a JSON object")]
    NotAnObject,
    #[error("response is not a topic")]
    NotATopic,
    #[error("id is not a text of up to {ID_LEN_MAX} bytes")]
    NotAnId,
    #[error("list is not a Topic Filter; # is for all series")]
    NotAFilter,
    #[error("series is missing; {{\"list\":\"#\"}} asks which there are")]
    NoSeries,
    #[error("series is not a list of texts")]
    NotSeries,
    #[error("series is an empty list")]
    EmptySeries,
    #[error("more than {limit} series")]
    TooManySeries { limit: usize },
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} is neither milliseconds since 1970 nor a time like 2026-05-04T10:00:00Z")]
    NotATime { field: &'static str },
    #[error("points is not a whole number above 0")]
    NotPoints,
}

impl Question {
    /// Reads a request; `now` is the end of a window that says none.
    pub(super) fn parse(payload: &[u8], limit: usize, now: i64) -> Self {
        let mut question = Self {
            id: None,
            response: None,
            asked: Err(Mistake::TooLong { limit }),
        };
        if payload.len() > limit {
            return question;
        }
        question.asked = Err(Mistake::NotAnObject);
        let json = std::str::from_utf8(payload).ok().and_then(Json::parse);
        if let Some(fields) = json.as_ref().and_then(Json::as_object) {
            question.asked = question.read(fields, now);
        }
        question
    }

    fn read(&mut self, fields: &Fields, now: i64) -> Result<Asked, Mistake> {
        // First where the answer goes, so that whatever else is wrong can be told.
        if let Some(response) = fields.value("response") {
            let topic = response.as_text().map(str::to_owned);
            let topic = topic.and_then(|topic| TopicName::new(topic).ok());
            self.response = Some(topic.ok_or(Mistake::NotATopic)?);
        }
        if let Some(id) = fields.value("id") {
            let id = id.as_text().filter(|id| id.len() <= ID_LEN_MAX);
            self.id = Some(id.ok_or(Mistake::NotAnId)?.to_owned());
        }
        if let Some(list) = fields.value("list") {
            let filter = list.as_text().map(str::to_owned);
            let filter = filter.and_then(|filter| TopicFilter::new(filter).ok());
            let filter = filter.filter(|filter| !filter.is_shared());
            return Ok(Asked::List(filter.ok_or(Mistake::NotAFilter)?));
        }
        let series = fields.value("series").ok_or(Mistake::NoSeries)?;
        let names = series.as_list().ok_or(Mistake::NotSeries)?.iter();
        let names: Option<Vec<String>> =
            names.map(|name| Some(name.as_text()?.to_owned())).collect();
        Ok(Asked::Window(Window {
            series: names.ok_or(Mistake::NotSeries)?,
            from: time(fields, "from")?.ok_or(Mistake::Missing { field: "from" })?,
            to: time(fields, "to")?.unwrap_or(now.saturating_add(1)),
            points: points(fields)?,
        }))
    }
}

impl Window {
    pub(super) fn query(&self, series: Vec<SeriesId>) -> Query {
        Query {
            series,
            from: self.from,
            to: self.to,
            points: self.points,
        }
    }
}

impl Asked {
    /// Whether it names as many series as it may.
    pub(super) fn within(self, n_series_max: usize) -> Result<Self, Mistake> {
        let limit = n_series_max;
        match &self {
            Self::Window(window) if window.series.is_empty() => Err(Mistake::EmptySeries),
            Self::Window(window) if window.series.len() > limit => {
                Err(Mistake::TooManySeries { limit })
            }
            Self::Window(_) | Self::List(_) => Ok(self),
        }
    }
}

fn time(fields: &Fields, field: &'static str) -> Result<Option<i64>, Mistake> {
    let Some(value) = fields.value(field) else {
        return Ok(None);
    };
    let time = match value {
        Json::Number(number) => number.is_finite().then_some(number.round() as i64),
        Json::Text(text) => text.parse().ok().map(Timestamp::millis),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => None,
    };
    time.map(Some).ok_or(Mistake::NotATime { field })
}

fn points(fields: &Fields) -> Result<u32, Mistake> {
    match fields.value("points") {
        None => Ok(POINTS),
        Some(Json::Number(number)) if *number >= 1.0 && number.fract() == 0.0 => Ok(*number as u32),
        Some(_) => Err(Mistake::NotPoints),
    }
}

const ID_LEN_MAX: usize = 256;
/// Where a request does not say it.
const POINTS: u32 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_777_888_800_000;

    fn parse(payload: &str) -> Question {
        Question::parse(payload.as_bytes(), 1_000, NOW)
    }

    #[test]
    fn a_window_is_read() {
        let question = parse(
            r#"{"series":["a","b/c"],"from":1777852800000,"to":"2026-05-04T10:00:00Z","points":1200,"response":"x/y","id":"7","more":1}"#,
        );
        assert_eq!(question.id.as_deref(), Some("7"));
        assert_eq!(question.response.unwrap().as_str(), "x/y");
        assert_eq!(
            question.asked,
            Ok(Asked::Window(Window {
                series: vec!["a".into(), "b/c".into()],
                from: 1_777_852_800_000,
                to: NOW,
                points: 1_200,
            }))
        );
    }

    #[test]
    fn what_is_left_out_is_now_and_600() {
        let Ok(Asked::Window(window)) = parse(r#"{"series":["a"],"from":0}"#).asked else {
            panic!("it is a window");
        };
        assert_eq!((window.to, window.points), (NOW + 1, 600));
    }

    #[test]
    fn a_list_is_read() {
        let filter = TopicFilter::new("rootzone/+/+/moisture").unwrap();
        assert_eq!(
            parse(r#"{"list":"rootzone/+/+/moisture"}"#).asked,
            Ok(Asked::List(filter))
        );
    }

    #[test]
    fn mistakes_are_named_and_told_where_it_was_asked_for() {
        for (payload, mistake) in [
            ("", "the request is not a JSON object"),
            ("[]", "the request is not a JSON object"),
            ("\u{7f}", "the request is not a JSON object"),
            (r#"{"response":"a/+"}"#, "response is not a topic"),
            (r#"{"id":7}"#, "id is not a text of up to 256 bytes"),
            (
                r#"{"list":"a/#/b"}"#,
                "list is not a Topic Filter; # is for all series",
            ),
            (
                r#"{}"#,
                r##"series is missing; {"list":"#"} asks which there are"##,
            ),
            (
                r#"{"series":"a","from":0}"#,
                "series is not a list of texts",
            ),
            (
                r#"{"series":[1],"from":0}"#,
                "series is not a list of texts",
            ),
            (r#"{"series":["a"]}"#, "from is missing"),
            (
                r#"{"series":["a"],"from":"noon"}"#,
                "from is neither milliseconds since 1970 nor a time like 2026-05-04T10:00:00Z",
            ),
            (
                r#"{"series":["a"],"from":0,"points":0.5}"#,
                "points is not a whole number above 0",
            ),
            (
                r#"{"series":["a"],"from":0,"points":-1}"#,
                "points is not a whole number above 0",
            ),
        ] {
            let found = parse(payload).asked.unwrap_err().to_string();
            assert_eq!(found, mistake, "{payload}");
        }
        let long = Question::parse(&[b' '; 11], 10, NOW).asked.unwrap_err();
        assert_eq!(long.to_string(), "the request is longer than 10 bytes");
        let question =
            parse(r#"{"points":"many","series":["a"],"from":1,"id":"x","response":"r"}"#);
        assert!(question.response.is_some() && question.id.is_some() && question.asked.is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut random = 1_u64;
        for _ in 0..2_000 {
            let bytes: Vec<u8> = (0..random % 60)
                .map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    b"{}[]\":,seriesfromlist0123456789.eE+- #\xff"[(random >> 33) as usize % 39]
                })
                .collect();
            random = random.wrapping_add(1);
            let _ = Question::parse(&bytes, 1_000, NOW);
        }
    }
}
