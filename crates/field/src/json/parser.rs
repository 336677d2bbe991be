//! Reads JSON. The crate that everybody uses would be a tenth of the page.

use std::str::Chars;

use super::{Fields, Json};

/// Reads a text that is one JSON value and nothing else.
pub(super) fn parse(text: &str) -> Option<Json> {
    let mut parser = Parser {
        rest: text.chars(),
        depth: 0,
    };
    let value = parser.value()?;
    parser.visible().is_none().then_some(value)
}

struct Parser<'a> {
    rest: Chars<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Option<Json> {
        let before = self.rest.clone();
        match self.visible()? {
            'n' => self.word("ull").then_some(Json::Null),
            't' => self.word("rue").then_some(Json::Bool(true)),
            'f' => self.word("alse").then_some(Json::Bool(false)),
            '"' => self.text().map(Json::Text),
            '[' => {
                let mut list = Vec::new();
                self.items(']', &mut |parser| {
                    list.push(parser.value()?);
                    Some(())
                })?;
                Some(Json::List(list))
            }
            '{' => {
                let mut fields = Vec::new();
                self.items('}', &mut |parser| {
                    parser.visible().filter(|&c| c == '"')?;
                    let name = parser.text()?;
                    parser.visible().filter(|&c| c == ':')?;
                    fields.push((name, parser.value()?));
                    Some(())
                })?;
                Some(Json::Object(Fields(fields)))
            }
            _ => {
                self.rest = before;
                self.skip_white_space();
                self.number().map(Json::Number)
            }
        }
    }

    /// What stands between commas, up to the end of a list or an object.
    fn items(&mut self, end: char, item: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        self.skip_white_space();
        if !self.eat(end) {
            loop {
                item(self)?;
                match self.visible()? {
                    ',' => {}
                    c if c == end => break,
                    _ => return None,
                }
            }
        }
        self.depth -= 1;
        Some(())
    }

    /// The text whose first quotation mark was taken already.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            text.push(match self.rest.next()? {
                '"' => return Some(text),
                '\\' => self.escaped()?,
                '\0'..' ' => return None,
                c => c,
            });
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.code_point(),
            c => return Some(c).filter(|c| matches!(c, '"' | '\\' | '/')),
        })
    }

    /// Four digits, or twice four where UTF-16 needs two units.
    fn code_point(&mut self) -> Option<char> {
        let first = self.utf16_unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        let second = self.word("\\u").then(|| self.utf16_unit())??;
        let low = second.checked_sub(0xDC00).filter(|&low| low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + low)
    }

    fn utf16_unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| {
            Some(unit * 16 + self.rest.next()?.to_digit(16)?)
        })
    }

    /// Exact for what a sensor says: up to 15 digits, and not more than 22 places before or behind them.
    fn number(&mut self) -> Option<f64> {
        let is_negative = self.eat('-');
        let begins_with_zero = self.rest.as_str().starts_with('0');
        let (mut number, n_digits) = self.digits(0.0)?;
        if begins_with_zero && n_digits > 1 {
            return None;
        }
        let mut exponent = 0;
        if self.eat('.') {
            let n_decimals;
            (number, n_decimals) = self.digits(number)?;
            exponent = -n_decimals;
        }
        if self.eat('e') || self.eat('E') {
            let is_negative = self.eat('-');
            if !is_negative {
                self.eat('+');
            }
            let size = self.digits(0.0)?.0 as i32;
            exponent = exponent.saturating_add(if is_negative { -size } else { size });
        }
        let mut power = 1.0;
        for _ in 0..exponent.unsigned_abs().min(EXPONENT_MAX) {
            power *= 10.0;
        }
        let size = if exponent < 0 {
            number / power
        } else {
            number * power
        };
        Some(if is_negative { -size } else { size })
    }

    /// Puts at least one digit behind a number; says how many there were.
    fn digits(&mut self, mut number: f64) -> Option<(f64, i32)> {
        let mut n_digits = 0;
        while let Some(digit) = self.rest.clone().next().and_then(|c| c.to_digit(10)) {
            number = number * 10.0 + f64::from(digit);
            n_digits += 1;
            self.rest.next();
        }
        (n_digits > 0).then_some((number, n_digits))
    }

    /// The next character that is no white space.
    fn visible(&mut self) -> Option<char> {
        self.skip_white_space();
        self.rest.next()
    }

    fn skip_white_space(&mut self) {
        while self.eat(' ') || self.eat('\n') || self.eat('\r') || self.eat('\t') {}
    }

    fn eat(&mut self, c: char) -> bool {
        let mut after = self.rest.clone();
        let is_next = after.next() == Some(c);
        if is_next {
            self.rest = after;
        }
        is_next
    }

    fn word(&mut self, word: &str) -> bool {
        word.chars().all(|c| self.eat(c))
    }
}

/// How deep lists and objects may stand in each other.
const DEPTH_MAX: usize = 127;
/// From here on every number is zero or infinite.
const EXPONENT_MAX: u32 = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// What everybody's crate reads.
    fn expected(text: &str) -> Option<Json> {
        fn convert(value: Value) -> Json {
            match value {
                Value::Null => Json::Null,
                Value::Bool(value) => Json::Bool(value),
                Value::Number(number) => Json::Number(number.as_f64().unwrap()),
                Value::String(text) => Json::Text(text),
                Value::Array(items) => Json::List(items.into_iter().map(convert).collect()),
                Value::Object(fields) => {
                    let fields = fields.into_iter();
                    Json::Object(Fields(
                        fields.map(|(name, value)| (name, convert(value))).collect(),
                    ))
                }
            }
        }
        serde_json::from_str(text).ok().map(convert)
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            (any::<i32>(), 0..9)
                .prop_map(|(n, places)| (f64::from(n) / 10_f64.powi(places)).into()),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    #[test]
    fn edges_are_read_as_by_everybody() {
        for text in [
            "",
            " ",
            "null",
            "nul",
            "nullx",
            " true ",
            "false",
            "False",
            "-",
            "-0",
            "0",
            "00",
            "01",
            "1.",
            ".5",
            "1.5",
            "-1.25e2",
            "1E+2",
            "1e-2",
            "1e",
            "1e+",
            "+1",
            "1 2",
            "0.1",
            "3.3000000000000003",
            "1e22",
            "123456789012345",
            "\"\"",
            "\"",
            "\"a\nb\"",
            "\"\u{7f}\"",
            "'a'",
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\x""#,
            r#""A\u00e9""#,
            r#""\u00g0""#,
            r#""\ud83c\udf31""#,
            r#""\ud83c""#,
            r#""\ud83cx""#,
            r#""\ud83c\u0041""#,
            r#""\udf31""#,
            "[]",
            "[ ]",
            "[1]",
            "[1,]",
            "[,1]",
            "[1 , 2]",
            "[1",
            "[1 2]",
            "]",
            "{}",
            "{ }",
            "{\"a\":1}",
            "{\"a\" : [ {} ] }",
            "{\"a\":}",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "{,}",
            "\u{feff}1",
            "\u{a0}1",
            "NaN",
            "Infinity",
        ] {
            assert_eq!(parse(text), expected(text), "{text:?}");
        }
        for depth in [DEPTH_MAX, DEPTH_MAX + 1] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            assert_eq!(parse(&text), expected(&text), "{depth}");
        }
    }

    #[test]
    fn numbers_beyond_all_measure_are_no_trouble() {
        assert_eq!(parse("1e999999999999"), Some(Json::Number(f64::INFINITY)));
        assert_eq!(parse("1e-999999999999"), Some(Json::Number(0.0)));
    }

    proptest! {
        #[test]
        fn any_json_is_read_as_by_everybody(value in any_json(), pretty: bool) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            prop_assert_eq!(parse(&text), expected(&text));
        }

        #[test]
        fn what_looks_like_json_is_read_if_everybody_reads_it(text in r#"[\[\]{}",:0-9.ntrul\\-]{0,12}"#) {
            prop_assert_eq!(parse(&text).is_some(), expected(&text).is_some());
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse(&text);
        }
    }
}
