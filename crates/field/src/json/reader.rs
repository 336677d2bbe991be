//! JSON as a text, read: RFC 8259 to the letter.

use super::{Fields, Json};

/// The one value that a text holds.
pub(super) fn read(text: &str) -> Option<Json> {
    let mut reader = Reader {
        rest: text.as_bytes(),
    };
    let value = reader.value(DEPTH_MAX)?;
    match reader.token() {
        None => Some(value),
        Some(_) => None,
    }
}

/// The number that a text begins with, and what follows it.
pub(super) fn read_number(text: &str) -> Option<(f64, &str)> {
    let mut reader = Reader {
        rest: text.as_bytes(),
    };
    let first = reader.next()?;
    let number = reader.number(first)?;
    Some((number, std::str::from_utf8(reader.rest).ok()?))
}

/// What of a text has not been read. Nothing is cut at a position: the panic of that would weigh more than all of this.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn next_if(&mut self, wanted: u8) -> bool {
        let is_there = self.rest.first() == Some(&wanted);
        if is_there {
            self.next();
        }
        is_there
    }

    /// The first byte that is no white space.
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.next()? {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                token => return Some(token),
            }
        }
    }

    fn value(&mut self, depth_left: u8) -> Option<Json> {
        let first = self.token()?;
        self.value_after(first, depth_left)
    }

    fn value_after(&mut self, first: u8, depth_left: u8) -> Option<Json> {
        Some(match first {
            b'n' => self.word(b"ull", Json::Null)?,
            b't' => self.word(b"rue", Json::Bool(true))?,
            b'f' => self.word(b"alse", Json::Bool(false))?,
            b'"' => Json::Text(self.text()?),
            b'[' => Json::List(self.list(depth_left.checked_sub(1)?)?),
            b'{' => Json::Object(Fields(self.fields(depth_left.checked_sub(1)?)?)),
            _ => Json::Number(self.number(first)?),
        })
    }

    fn word(&mut self, rest: &[u8], value: Json) -> Option<Json> {
        self.rest = self.rest.strip_prefix(rest)?;
        Some(value)
    }

    fn list(&mut self, depth_left: u8) -> Option<Vec<Json>> {
        let mut items = Vec::new();
        let mut token = self.token()?;
        if token == b']' {
            return Some(items);
        }
        loop {
            items.push(self.value_after(token, depth_left)?);
            match self.token()? {
                b',' => token = self.token()?,
                b']' => return Some(items),
                _ => return None,
            }
        }
    }

    fn fields(&mut self, depth_left: u8) -> Option<Vec<(String, Json)>> {
        let mut fields = Vec::new();
        let mut token = self.token()?;
        if token == b'}' {
            return Some(fields);
        }
        loop {
            if token != b'"' {
                return None;
            }
            let name = self.text()?;
            if self.token()? != b':' {
                return None;
            }
            fields.push((name, self.value(depth_left)?));
            match self.token()? {
                b',' => token = self.token()?,
                b'}' => return Some(fields),
                _ => return None,
            }
        }
    }

    /// A string whose first quotation mark has been read.
    fn text(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        loop {
            let byte = match self.next()? {
                b'"' => return String::from_utf8(bytes).ok(),
                b'\\' => match self.next()? {
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'u' => {
                        let c = self.escaped_char()?;
                        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        continue;
                    }
                    escaped @ (b'"' | b'\\' | b'/') => escaped,
                    _ => return None,
                },
                0..b' ' => return None,
                byte => byte,
            };
            bytes.push(byte);
        }
    }

    /// A character whose `\u` has been read; one beyond the first 65536 stands there as two surrogates.
    fn escaped_char(&mut self) -> Option<char> {
        let mut code = self.hexadecimal()?;
        if code & 0xFC00 == 0xD800 && self.next_if(b'\\') {
            if !self.next_if(b'u') {
                return None;
            }
            let low = self.hexadecimal()?;
            if low & 0xFC00 != 0xDC00 {
                return None;
            }
            code = 0x1_0000 + ((code & 0x3FF) << 10 | low & 0x3FF);
        }
        char::from_u32(code)
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(code)
    }

    /// A number that begins with a byte which has been read.
    fn number(&mut self, first: u8) -> Option<f64> {
        let is_negative = first == b'-';
        let first = if is_negative { self.next()? } else { first };
        let mut significand = u64::from(digit_of(first)?);
        let mut exponent = 0_i32;
        // Nothing follows a zero.
        while significand != 0
            && let Some(digit) = self.digit()
        {
            // More digits than these are more than a number holds.
            if significand < SIGNIFICAND_MAX {
                significand = significand * 10 + u64::from(digit);
            } else {
                exponent += 1;
            }
        }
        if self.next_if(b'.') {
            let mut digit = Some(self.digit()?);
            while let Some(decimal) = digit {
                if significand < SIGNIFICAND_MAX {
                    significand = significand * 10 + u64::from(decimal);
                    exponent -= 1;
                }
                digit = self.digit();
            }
        }
        if self.next_if(b'e') || self.next_if(b'E') {
            let is_negative = self.next_if(b'-');
            if !is_negative {
                self.next_if(b'+');
            }
            let mut power = i32::from(self.digit()?);
            while let Some(digit) = self.digit() {
                power = power.saturating_mul(10).saturating_add(digit.into());
            }
            exponent = exponent.saturating_add(if is_negative { -power } else { power });
        }
        let number = scaled(significand as f64, exponent);
        Some(if is_negative { -number } else { number }).filter(|number| number.is_finite())
    }

    fn digit(&mut self) -> Option<u8> {
        let digit = digit_of(*self.rest.first()?)?;
        self.next();
        Some(digit)
    }
}

fn digit_of(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// A number times a power of ten. The powers up to 10²² are exact, so what people and devices write is too.
fn scaled(number: f64, exponent: i32) -> f64 {
    let mut power = 1.0;
    for _ in 0..exponent.unsigned_abs().min(EXPONENT_MAX) {
        power *= 10.0;
    }
    if number == 0.0 {
        0.0
    } else if exponent < 0 {
        number / power
    } else {
        number * power
    }
}

/// How deep lists and objects may stand in each other, for the sake of the stack.
const DEPTH_MAX: u8 = 127;
const SIGNIFICAND_MAX: u64 = 1_000_000_000_000_000_000;
/// A number times more than this is infinite, and divided by more than this nothing.
const EXPONENT_MAX: u32 = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What another reader of JSON reads.
    fn expected(text: &str) -> Option<Json> {
        fn of(value: serde_json::Value) -> Json {
            match value {
                serde_json::Value::Null => Json::Null,
                serde_json::Value::Bool(value) => Json::Bool(value),
                serde_json::Value::Number(number) => Json::Number(number.as_f64().unwrap()),
                serde_json::Value::String(text) => Json::Text(text),
                serde_json::Value::Array(items) => Json::List(items.into_iter().map(of).collect()),
                serde_json::Value::Object(fields) => {
                    let fields = fields.into_iter().map(|(name, value)| (name, of(value)));
                    Json::Object(Fields(fields.collect()))
                }
            }
        }
        serde_json::from_str(text).ok().map(of)
    }

    #[test]
    fn every_kind_of_value_is_read() {
        for text in [
            " null ",
            "true",
            "false\r\n",
            "[]",
            "[ ]",
            "[1 , [2]]",
            "{}",
            "{ }",
            r#"{"a" : {"b":[true,null]}, "c":""}"#,
            r#""\b\f\n\r\t\"\\\/ä\u00e4\ud83c\udf31🌱""#,
            "0",
            "-0",
            "12.5",
            "-1.25e2",
            "1E+3",
            "1e-3",
            "0.1",
            "0e999",
            "21.37",
            "1700000000000",
            "12345678901234567890123",
            "0.12345678901234567890123",
            "1e-999",
        ] {
            assert!(expected(text).is_some(), "{text}");
            assert_eq!(read(text), expected(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_not_read() {
        for text in [
            "",
            " ",
            "nul",
            "nulll",
            "True",
            "[",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "]",
            "{",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            "{a:1}",
            r#"{"a":1 "b":2}"#,
            "1 1",
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "1.e3",
            "1e",
            "1e+",
            "1e999",
            "-1e999",
            "0x10",
            "NaN",
            "\"",
            "\"\n\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\ud83c""#,
            r#""\ud83cx""#,
            r#""\ud83c\n""#,
            r#""\ud83c\u0041""#,
            r#""\udf31""#,
        ] {
            assert_eq!(expected(text), None, "{text}");
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_stands_too_deep_is_not_read() {
        let nested = |depth| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(read(&nested(127)).is_some());
        assert!(read(&nested(128)).is_none());
        assert!(read(&"[".repeat(60_000)).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_by_others(text in r#"[\[\]{},:"\\a-fnrtuls0-9.eE+ -]{0,12}"#) {
            // Of two fields with one name the other reader keeps the last only.
            if !text.contains('{') {
                prop_assert_eq!(read(&text), expected(&text));
            } else {
                prop_assert_eq!(read(&text).is_some(), expected(&text).is_some());
            }
        }

        #[test]
        fn any_number_is_read_as_by_others(significand: i64, places in 0..20_u32) {
            let text = [&significand.to_string(), "e-", &places.to_string()].concat();
            prop_assert_eq!(read(&text), expected(&text));
        }
    }
}
