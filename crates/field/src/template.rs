//! The plain templates that tell where in a payload a value stands.

use crate::json::{Json, TEXT_LEN_MAX, number_in, number_of, text_of};

/// Where in a payload a value stands, as a discovery message's `value_template` says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Template {
    /// `{{ value }}`, or no template: the whole payload.
    #[default]
    Value,
    /// `{{ value_json.a['b'][0] }}`: a place within the payload's JSON.
    Path(Vec<Step>),
    /// Anything else. Guessing would show a wrong number.
    NotSupported(String),
}

/// One step into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To an object's field.
    Key(String),
    /// To an array's element.
    Index(usize),
}

impl Template {
    /// Reads a template.
    #[must_use]
    pub fn parse(template: &str) -> Self {
        let inner = template
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .map(str::trim);
        match inner {
            Some("value") => Self::Value,
            Some(expression) => match expression.strip_prefix("value_json").and_then(steps) {
                Some(path) => Self::Path(path),
                None => Self::not_supported(template),
            },
            None => Self::not_supported(template),
        }
    }

    /// The number that stands there.
    ///
    /// # Errors
    /// If there is none.
    pub fn number(&self, payload: &[u8]) -> Result<f64, TemplateError> {
        match self {
            Self::Value => text_of(payload).ok().and_then(number_in),
            Self::Path(_) => return self.number_in(&Self::json(payload)?),
            Self::NotSupported(template) => return Err(TemplateError::not_supported(template)),
        }
        .ok_or(TemplateError::NotANumber)
    }

    /// The JSON of a payload, for many templates that look into it.
    ///
    /// # Errors
    /// If it is none.
    pub fn json(payload: &[u8]) -> Result<Json, TemplateError> {
        let value = text_of(payload).ok().and_then(Json::parse);
        value.ok_or(TemplateError::NotJson)
    }

    /// The number that stands at a place within JSON.
    ///
    /// # Errors
    /// If there is none, or the template is not about JSON.
    pub fn number_in(&self, json: &Json) -> Result<f64, TemplateError> {
        let Self::Path(path) = self else {
            return Err(TemplateError::Missing);
        };
        number_of(at(path, json)?).ok_or(TemplateError::NotANumber)
    }

    /// The text that stands there, whole numbers and truth values included.
    ///
    /// # Errors
    /// If there is none.
    pub fn text(&self, payload: &[u8]) -> Result<String, TemplateError> {
        match self {
            Self::Value => text_of(payload)
                .map(Into::into)
                .map_err(|_| TemplateError::NotAText),
            Self::Path(path) => match at(path, &Self::json(payload)?)? {
                Json::Text(text) => Ok(text.clone()),
                // As Jinja writes them.
                Json::Bool(true) => Ok("True".into()),
                Json::Bool(false) => Ok("False".into()),
                // Words of availability are whole numbers, if they are numbers:
                // writing any other would cost the page the tables for it.
                Json::Number(number) if (*number as i64) as f64 == *number => {
                    Ok((*number as i64).to_string())
                }
                Json::Null | Json::Number(_) | Json::List(_) | Json::Object(_) => {
                    Err(TemplateError::NotAText)
                }
            },
            Self::NotSupported(template) => Err(TemplateError::not_supported(template)),
        }
    }

    fn not_supported(template: &str) -> Self {
        Self::NotSupported(template.chars().take(TEXT_LEN_MAX).collect())
    }
}

/// Why a template gives nothing for a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template says more than is understood here.
    #[error("template not supported: {template}")]
    NotSupported {
        /// The template.
        template: String,
    },
    /// The template looks into JSON, and the payload is none.
    #[error("payload is not JSON")]
    NotJson,
    /// There is nothing at the place that the template names.
    #[error("payload has nothing at the template's place")]
    Missing,
    /// There is something else than a number.
    #[error("value is not a number")]
    NotANumber,
    /// There is something else than a text, a number or a truth value.
    #[error("value is not a text")]
    NotAText,
}

impl TemplateError {
    fn not_supported(template: &str) -> Self {
        Self::NotSupported {
            template: template.into(),
        }
    }
}

/// `.a['b'][0]`, step by step; `None` if there is anything else.
fn steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        // Every payload pays for each.
        if steps.len() == STEPS_MAX {
            return None;
        }
        let step;
        (step, rest) = if let Some(after) = rest.strip_prefix('.') {
            // Nothing is cut at a position: the panic of that would weigh more than all of this.
            let rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let key = after.strip_suffix(rest)?;
            if key.is_empty() {
                return None;
            }
            (Step::Key(key.into()), rest)
        } else {
            let (inner, rest) = rest.strip_prefix('[')?.split_once(']')?;
            (bracketed(inner.trim())?, rest)
        };
        steps.push(step);
    }
    (!steps.is_empty()).then_some(steps)
}

fn bracketed(inner: &str) -> Option<Step> {
    for quote in ['\'', '"'] {
        if let Some(key) = inner
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return (!key.contains([quote, '\\'])).then(|| Step::Key(key.into()));
        }
    }
    inner.parse().ok().map(Step::Index)
}

/// Far deeper than devices put anything.
const STEPS_MAX: usize = 32;

fn at<'a>(path: &[Step], value: &'a Json) -> Result<&'a Json, TemplateError> {
    let found = path
        .iter()
        .try_fold(value, |value, step| match (step, value) {
            (Step::Key(key), Json::Object(fields)) => fields.value(key),
            (Step::Index(index), Json::List(items)) => items.get(*index),
            _ => None,
        });
    found.ok_or(TemplateError::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_places_are_found() {
        let payload = br#"{"soil":{"m 1":[40.5,"ON"]},"state":"online","on":true,"n":1}"#;
        for (template, number) in [
            ("{{ value_json.soil['m 1'][0] }}", 40.5),
            ("{{value_json[\"soil\"]['m 1'][0]}}", 40.5),
        ] {
            assert_eq!(Template::parse(template).number(payload), Ok(number));
        }
        for (template, text) in [
            ("{{ value_json.state }}", "online"),
            ("{{ value_json.n }}", "1"),
            ("{{ value_json.on }}", "True"),
        ] {
            assert_eq!(Template::parse(template).text(payload).as_deref(), Ok(text));
        }
        assert_eq!(Template::parse("{{ value }}").number(b"12 %"), Ok(12.0));
    }

    #[test]
    fn what_is_not_there_is_no_number() {
        for (template, payload, error) in [
            ("{{ value_json.a }}", "{}", TemplateError::Missing),
            ("{{ value_json.a }}", "12", TemplateError::Missing),
            ("{{ value_json.a }}", "a", TemplateError::NotJson),
            (
                "{{ value_json.a }}",
                "{\"a\":[]}",
                TemplateError::NotANumber,
            ),
            ("{{ value }}", "unknown", TemplateError::NotANumber),
        ] {
            assert_eq!(
                Template::parse(template).number(payload.as_bytes()),
                Err(error),
                "{template} of {payload}"
            );
        }
    }

    #[test]
    fn other_templates_are_named_and_never_guessed() {
        for template in [
            "{{ value | float }}",
            "{{ value_json.a * 2 }}",
            "{{ value_json }}",
            "{{ value_json. }}",
            "{{ value_json['a] }}",
            "{% if value %}1{% endif %}",
            "value",
            "",
        ] {
            let error = Template::parse(template).number(b"1").unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("template not supported: {template}")
            );
        }
    }

    #[test]
    fn a_place_is_not_deeper_than_devices_go() {
        let template =
            |n: usize| Template::parse(&format!("{{{{ value_json{} }}}}", "[0]".repeat(n)));
        let payload = |n: usize| format!("{}7{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(template(32).number(payload(32).as_bytes()), Ok(7.0));
        assert!(matches!(template(33), Template::NotSupported(_)));
    }

    proptest! {
        #[test]
        fn no_template_and_no_payload_panics(
            template in "\\{\\{ ?value(_json)?([.\\[\\]'a0]){0,8} ?\\}\\}|.*",
            payload: String,
        ) {
            let template = Template::parse(&template);
            let _ = template.number(payload.as_bytes());
            let _ = template.text(payload.as_bytes());
        }
    }
}
