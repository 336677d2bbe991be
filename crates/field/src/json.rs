//! The little JSON that devices speak: objects read through [`serde_json::Value`], and written by hand.
//!
//! Derived (de)serialisers would cost the page more bytes than these few fields are worth.
//! For the same reason no number is read by the standard library, whose tables are larger than this crate.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{PayloadError, Timestamp};

/// The longest payload that is looked at, and the longest text kept from one.
pub(crate) const PAYLOAD_LEN_MAX: usize = 64 * 1024;
pub(crate) const TEXT_LEN_MAX: usize = 256;

/// The fields of a JSON object. A field that is `null` counts as absent.
#[derive(Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        match parse_value(text_of(payload)?) {
            Some(Value::Object(map)) => Ok(Self(map)),
            Some(_) => Err(PayloadError::NotAnObject),
            None => Err(PayloadError::NotJson),
        }
    }

    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn number(&self, field: &'static str) -> Result<Option<f64>, PayloadError> {
        self.value(field)
            .map(|value| number_of(value).ok_or(PayloadError::NotANumber { field }))
            .transpose()
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<Option<&str>, PayloadError> {
        self.value(field)
            .map(|value| {
                value
                    .as_str()
                    .filter(|text| text.len() <= TEXT_LEN_MAX)
                    .ok_or(PayloadError::NotAText { field })
            })
            .transpose()
    }

    pub(crate) fn owned_text(&self, field: &'static str) -> Result<Option<String>, PayloadError> {
        Ok(self.text(field)?.map(Into::into))
    }

    pub(crate) fn time(&self, field: &'static str) -> Result<Option<Timestamp>, PayloadError> {
        self.text(field)?
            .map(|text| {
                text.parse()
                    .map_err(|source| PayloadError::NotATime { field, source })
            })
            .transpose()
    }
}

impl From<Map<String, Value>> for Fields {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

/// The payload as a text without the white space around it.
pub(crate) fn text_of(payload: &[u8]) -> Result<&str, PayloadError> {
    if payload.len() > PAYLOAD_LEN_MAX {
        return Err(PayloadError::TooLong {
            limit: PAYLOAD_LEN_MAX,
        });
    }
    let text = std::str::from_utf8(payload).map_err(|_| PayloadError::NotUtf8)?;
    match text.trim() {
        "" => Err(PayloadError::Empty),
        text => Ok(text),
    }
}

pub(crate) fn parse_value(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// A number, also one that a device wrote as a text, with or without a unit behind it.
pub(crate) fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        Value::String(text) => number_in(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number that a text begins with, if what follows can be its unit.
pub(crate) fn number_in(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+' | 'e' | 'E'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if unit
        .trim_start()
        .starts_with(|c: char| c.is_ascii_digit() || c == ',' || c == ':')
    {
        return None;
    }
    parse_value(number.strip_prefix('+').unwrap_or(number))?
        .as_f64()
        .filter(|number| number.is_finite())
}

/// Writes one JSON object.
pub(crate) struct ObjectWriter(String);

impl ObjectWriter {
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    pub(crate) fn text(mut self, field: &str, text: &str) -> Self {
        self.field(field);
        write_text(&mut self.0, text);
        self
    }

    pub(crate) fn text_if(self, field: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(field, text),
            None => self,
        }
    }

    pub(crate) fn time_if(self, field: &str, time: Option<Timestamp>) -> Self {
        match time {
            Some(time) => self.text(field, &time.to_string()),
            None => self,
        }
    }

    pub(crate) fn number_if(mut self, field: &str, number: Option<f64>) -> Self {
        // JSON has no word for what is not finite, so such a value stays out.
        if let Some(number) = number.filter(|number| number.is_finite()) {
            self.field(field);
            let _ = write!(self.0, "{number}");
        }
        self
    }

    /// Something that is JSON already.
    pub(crate) fn raw(mut self, field: &str, json: &str) -> Self {
        self.field(field);
        self.0.push_str(json);
        self
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn field(&mut self, field: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        write_text(&mut self.0, field);
        self.0.push(':');
    }
}

fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_may_carry_a_unit() {
        for (text, number) in [
            ("37.2", Some(37.2)),
            (" 8 % ", Some(8.0)),
            ("+18.5°C", Some(18.5)),
            ("-3", Some(-3.0)),
            ("1,5", None),
            ("12:30", None),
            ("unavailable", None),
            ("NaN", None),
            ("1e999", None),
            ("", None),
        ] {
            assert_eq!(number_in(text), number, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_being_written(field: String, text: String) {
            let json = ObjectWriter::new().text(&field, &text).finish();
            let value = parse_value(&json).unwrap();
            prop_assert_eq!(value.get(&field).and_then(Value::as_str), Some(text.as_str()));
        }

        #[test]
        fn numbers_in_any_text_never_panic(text: String) {
            let _ = number_in(&text);
        }
    }
}
