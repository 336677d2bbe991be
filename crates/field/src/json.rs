//! The little JSON that devices speak: read by `serde_json` into [`Json`], and written by hand.
//!
//! Derived (de)serialisers would cost the page more bytes than these few fields are worth.
//! For the same reason no number is read by the standard library, whose tables are larger than this crate.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::{PayloadError, Timestamp};

/// The longest payload that is looked at, and the longest text kept from one.
pub(crate) const PAYLOAD_LEN_MAX: usize = 64 * 1024;
pub(crate) const TEXT_LEN_MAX: usize = 256;

/// Any JSON. An object is a list: it is small, and a map would cost the page more than the search in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(Fields),
}

/// The fields of a JSON object. A field that is `null` counts as absent; of two with one name the last counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields(Vec<(String, Json)>);

impl Fields {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        match Json::parse(text_of(payload)?) {
            Some(Json::Object(fields)) => Ok(fields),
            Some(_) => Err(PayloadError::NotAnObject),
            None => Err(PayloadError::NotJson),
        }
    }

    /// What a field holds.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Json> {
        let mut named = self.0.iter().rev().filter(|(name, _)| name == field);
        named
            .next()
            .map(|(_, value)| value)
            .filter(|value| !matches!(value, Json::Null))
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
                    .as_text()
                    .filter(|text| text.len() <= TEXT_LEN_MAX)
                    .ok_or(PayloadError::NotAText { field })
            })
            .transpose()
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

impl Json {
    /// Reads a text; `None` if it is not JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// What stands in the array, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    /// The fields of the object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Fields> {
        match self {
            Self::Object(fields) => Some(fields),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Json::Object(Fields(fields)))
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

/// A number, also one that a device wrote as a text, with or without a unit behind it.
pub(crate) fn number_of(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => Some(*number).filter(|number| number.is_finite()),
        Json::Text(text) => number_in(text),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => None,
    }
}

/// The number that a text begins with, if what follows can be its unit.
pub(crate) fn number_in(text: &str) -> Option<f64> {
    let text = text.trim();
    // Nothing is cut at a position: the panic of that would weigh more than all of this.
    let unit =
        text.trim_start_matches(|c: char| matches!(c, '0'..='9' | '.' | '-' | '+' | 'e' | 'E'));
    let number = text.strip_suffix(unit)?;
    if unit
        .trim_start()
        .starts_with(|c: char| c.is_ascii_digit() || c == ',' || c == ':')
    {
        return None;
    }
    match Json::parse(number.strip_prefix('+').unwrap_or(number))? {
        Json::Number(number) => Some(number).filter(|number| number.is_finite()),
        Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => None,
    }
}

/// Writes one JSON object.
pub struct ObjectWriter(String);

impl ObjectWriter {
    /// An object without fields yet.
    #[must_use]
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    /// A field that holds a string.
    #[must_use]
    pub fn text(mut self, field: &str, text: &str) -> Self {
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

    /// A field that holds something that is JSON already.
    #[must_use]
    pub fn raw(mut self, field: &str, json: &str) -> Self {
        self.field(field);
        self.0.push_str(json);
        self
    }

    /// The object as a text.
    #[must_use]
    pub fn finish(mut self) -> String {
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

impl Default for ObjectWriter {
    fn default() -> Self {
        Self::new()
    }
}

fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => {
                json.push_str(if c < '\u{10}' { "\\u000" } else { "\\u001" });
                json.extend(char::from_digit(u32::from(c) % 16, 16));
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

    #[test]
    fn of_two_fields_with_one_name_the_last_counts() {
        let fields = Fields::parse(br#"{"a":1,"b":null,"a":2}"#).unwrap();
        assert_eq!(fields.number("a"), Ok(Some(2.0)));
        assert_eq!(fields.number("b"), Ok(None));
    }

    proptest! {
        #[test]
        fn any_text_survives_being_written(field: String, text: String) {
            let json = ObjectWriter::new().text(&field, &text).finish();
            let fields = Fields::parse(json.as_bytes()).unwrap();
            prop_assert_eq!(fields.value(&field).and_then(Json::as_text), Some(text.as_str()));
        }

        #[test]
        fn numbers_in_any_text_never_panic(text: String) {
            let _ = number_in(&text);
        }
    }
}
