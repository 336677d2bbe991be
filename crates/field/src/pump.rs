//! What a pump is told, and what it says.

use std::{fmt, time::Duration};

use crate::{
    PayloadError, Timestamp,
    json::{Fields, ObjectWriter, text_of},
};

/// On or off: what a pump is asked for, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch {
    /// Water runs.
    On,
    /// It does not.
    Off,
}

impl Switch {
    /// As it stands in payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "ON",
            Self::Off => "OFF",
        }
    }

    fn parse(text: &str, field: &'static str) -> Result<Self, PayloadError> {
        let is = |switch: &Self| text.eq_ignore_ascii_case(switch.as_str());
        let unknown = PayloadError::UnknownWord {
            field,
            first: "ON",
            second: "OFF",
        };
        [Self::On, Self::Off].into_iter().find(is).ok_or(unknown)
    }

    fn in_fields(fields: &Fields) -> Result<Self, PayloadError> {
        let field = "state";
        let text = fields.text(field)?.ok_or(PayloadError::Missing { field })?;
        Self::parse(text, field)
    }
}

/// By what a command is known again: chosen by whoever asks, 1 to 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(String);

impl CommandId {
    /// An identifier from a text.
    ///
    /// # Errors
    /// If it is empty or longer than 64 bytes.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidCommandId> {
        let text = text.into();
        if text.is_empty() || text.len() > COMMAND_ID_LEN_MAX {
            return Err(InvalidCommandId);
        }
        Ok(Self(text))
    }

    /// An identifier from a random number.
    #[must_use]
    pub fn from_random(number: u64) -> Self {
        let digits = (0..16).map(|place| number >> (4 * place) & 0xF);
        Self(
            digits
                .filter_map(|digit| char::from_digit(digit as u32, 16))
                .collect(),
        )
    }

    /// As it stands in payloads.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn in_fields(fields: &Fields) -> Result<Option<Self>, PayloadError> {
        let field = "id";
        fields
            .text(field)?
            .map(|text| {
                Self::new(text).map_err(|InvalidCommandId| PayloadError::NotAText { field })
            })
            .transpose()
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text cannot be a [`CommandId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a command's id is empty or longer than {COMMAND_ID_LEN_MAX} bytes")]
pub struct InvalidCommandId;

/// What a pump is told. Never retained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PumpCommand {
    /// What it should do.
    pub state: Switch,
    /// For how long water should run; without it the device's own maximum.
    pub run_for: Option<Duration>,
    /// By what the device knows it again.
    pub id: Option<CommandId>,
    /// When it was given, so that the device can tell an old one.
    pub time: Option<Timestamp>,
}

impl PumpCommand {
    /// The age from which an ON is not obeyed, and the Message Expiry Interval it is sent with.
    pub const AGE_MAX: Duration = Duration::from_secs(10);
    /// The longest run that can be asked for.
    pub const RUN_FOR_MAX: Duration = Duration::from_secs(24 * 60 * 60);

    /// Reads the payload of a [`Channel::PumpSet`](crate::Channel::PumpSet) topic: plain ON or OFF, or the long form.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        let text = text_of(payload)?;
        if !text.starts_with('{') {
            return Ok(Self {
                state: Switch::parse(text, "payload")?,
                run_for: None,
                id: None,
                time: None,
            });
        }
        let fields = Fields::parse(payload)?;
        Ok(Self {
            state: Switch::in_fields(&fields)?,
            run_for: fields.number("for")?.map(run_for).transpose()?,
            id: CommandId::in_fields(&fields)?,
            time: fields.time("time")?,
        })
    }

    /// The payload in its long form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let object = ObjectWriter::new().text("state", self.state.as_str());
        match self.run_for {
            Some(run_for) => object.raw("for", &seconds_text(run_for)),
            None => object,
        }
        .text_if("id", self.id.as_ref().map(CommandId::as_str))
        .time_if("time", self.time)
        .finish()
    }

    /// Whether it is an ON that was given too long before `now` to be obeyed.
    #[must_use]
    pub fn is_too_old(&self, now: Timestamp) -> bool {
        self.state == Switch::On
            && self
                .time
                .is_some_and(|time| now.saturating_duration_since(time) > Self::AGE_MAX)
    }
}

/// What a pump really does, in its own words. Retained, and sent again every [`PumpState::REPEAT`] while water runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PumpState {
    /// Whether water runs.
    pub state: Switch,
    /// The command that led to it, if one did.
    pub id: Option<CommandId>,
    /// Who or what led to it: `command`, `timer`, `hand`, `start`, or any other word.
    pub by: Option<String>,
    /// Since when it is so.
    pub since: Option<Timestamp>,
    /// Until when it will be so by itself.
    pub until: Option<Timestamp>,
}

impl PumpState {
    /// How often a running pump says so again.
    pub const REPEAT: Duration = Duration::from_secs(10);

    /// Reads the payload of a [`Channel::PumpState`](crate::Channel::PumpState) topic: plain ON or OFF, or the long form.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        let text = text_of(payload)?;
        if !text.starts_with('{') {
            return Ok(Self::plain(Switch::parse(text, "payload")?));
        }
        let fields = Fields::parse(payload)?;
        let by = fields.text("by")?;
        Ok(Self {
            state: Switch::in_fields(&fields)?,
            since: fields.time("since")?,
            until: fields.time("until")?,
            id: CommandId::in_fields(&fields)?,
            by: by.map(Into::into),
        })
    }

    /// A state about which nothing else is known.
    #[must_use]
    pub const fn plain(state: Switch) -> Self {
        Self {
            state,
            id: None,
            by: None,
            since: None,
            until: None,
        }
    }

    /// The payload in its long form.
    #[must_use]
    pub fn to_json(&self) -> String {
        ObjectWriter::new()
            .text("state", self.state.as_str())
            .text_if("id", self.id.as_ref().map(CommandId::as_str))
            .text_if("by", self.by.as_deref())
            .time_if("since", self.since)
            .time_if("until", self.until)
            .finish()
    }
}

fn run_for(seconds: f64) -> Result<Duration, PayloadError> {
    if seconds > 0.0 && seconds <= PumpCommand::RUN_FOR_MAX.as_secs_f64() {
        // Finer than anyone waters, and what the long form writes.
        let millis = (seconds * 1e3).round().max(1.0);
        Ok(Duration::from_millis(millis as u64))
    } else {
        Err(PayloadError::OutOfRange { field: "for" })
    }
}

fn seconds_text(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => duration.as_secs().to_string(),
        millis => {
            let millis = (1_000 + millis).to_string();
            let millis = millis.strip_prefix('1').unwrap_or_default();
            [&duration.as_secs().to_string(), ".", millis].concat()
        }
    }
}

const COMMAND_ID_LEN_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn command_error(payload: &str) -> String {
        PumpCommand::parse(payload.as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_command_may_be_one_word() {
        let command = PumpCommand::parse(b"ON").unwrap();
        assert_eq!((command.state, command.run_for), (Switch::On, None));
        assert_eq!(PumpCommand::parse(b"OFF\n").unwrap().state, Switch::Off);
    }

    #[test]
    fn a_word_may_be_in_any_case() {
        for (payload, state) in [
            ("on", Switch::On),
            ("Off", Switch::Off),
            ("{\"state\":\"off\"}", Switch::Off),
        ] {
            assert_eq!(PumpCommand::parse(payload.as_bytes()).unwrap().state, state);
            assert_eq!(PumpState::parse(payload.as_bytes()).unwrap().state, state);
        }
    }

    #[test]
    fn the_long_forms_are_those_of_the_documentation() {
        let json = r#"{"state":"ON","for":600,"id":"c0ffee","time":"2026-05-04T10:00:00Z"}"#;
        assert_eq!(PumpCommand::parse(json.as_bytes()).unwrap().to_json(), json);
        let json = r#"{"state":"ON","id":"c0ffee","by":"command","since":"2026-05-04T10:00:00Z","until":"2026-05-04T10:10:00Z"}"#;
        assert_eq!(PumpState::parse(json.as_bytes()).unwrap().to_json(), json);
    }

    #[test]
    fn bad_commands_are_named() {
        assert_eq!(command_error("TOGGLE"), "payload is neither ON nor OFF");
        assert_eq!(
            command_error("{\"state\":\"open\"}"),
            "state is neither ON nor OFF"
        );
        assert_eq!(command_error("{\"for\":1}"), "state is missing");
        assert_eq!(
            command_error("{\"state\":\"ON\",\"for\":0}"),
            "for is out of range"
        );
        assert_eq!(
            command_error("{\"state\":\"ON\",\"for\":-1}"),
            "for is out of range"
        );
        assert_eq!(
            command_error("{\"state\":\"ON\",\"for\":1e99}"),
            "for is out of range"
        );
        assert_eq!(
            command_error("{\"state\":\"ON\",\"id\":7}"),
            "id is not a short text"
        );
        assert_eq!(
            command_error("{\"state\":\"ON\",\"id\":\"\"}"),
            "id is not a short text"
        );
    }

    #[test]
    fn only_an_on_can_be_too_old() {
        let mut command = PumpCommand {
            state: Switch::On,
            run_for: None,
            id: None,
            time: Some(Timestamp::from_millis(0)),
        };
        assert!(!command.is_too_old(Timestamp::from_millis(10_000)));
        assert!(command.is_too_old(Timestamp::from_millis(10_001)));
        command.state = Switch::Off;
        assert!(!command.is_too_old(Timestamp::from_millis(10_001)));
    }

    fn switches() -> impl Strategy<Value = Switch> {
        prop_oneof![Just(Switch::On), Just(Switch::Off)]
    }

    fn ids() -> impl Strategy<Value = Option<CommandId>> {
        proptest::option::of(".{1,16}").prop_map(|id| id.map(|id| CommandId::new(id).unwrap()))
    }

    proptest! {
        #[test]
        fn any_command_survives_its_payload(
            state in switches(),
            millis in proptest::option::of(1..=86_400_000_u64),
            id in ids(),
            time: Option<i64>,
        ) {
            let command = PumpCommand {
                state,
                run_for: millis.map(Duration::from_millis),
                id,
                time: time.map(Timestamp::from_millis),
            };
            prop_assert_eq!(PumpCommand::parse(command.to_json().as_bytes()), Ok(command));
        }

        #[test]
        fn any_state_survives_its_payload(
            state in switches(),
            id in ids(),
            by in proptest::option::of(".{0,16}"),
            since: Option<i64>,
            until: Option<i64>,
        ) {
            let state = PumpState {
                state,
                id,
                by,
                since: since.map(Timestamp::from_millis),
                until: until.map(Timestamp::from_millis),
            };
            prop_assert_eq!(PumpState::parse(state.to_json().as_bytes()), Ok(state));
        }

        #[test]
        fn any_bytes_are_read_or_refused(payload: Vec<u8>) {
            let _ = PumpCommand::parse(&payload);
            let _ = PumpState::parse(&payload);
        }
    }
}
