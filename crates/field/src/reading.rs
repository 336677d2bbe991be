//! What a probe measures.

use crate::{
    PayloadError, Timestamp,
    json::{Fields, Json, ObjectWriter, number_in, text_of},
};

/// What a probe measures, as its payload says it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// Volumetric water content in percent.
    pub moisture: f64,
    /// What the converter counted, before calibration.
    pub raw: Option<f64>,
    /// Of the soil, in degrees Celsius.
    pub temperature: Option<f64>,
    /// In percent.
    pub battery: Option<f64>,
    /// When it was measured, if the device knows: RFC 3339, or seconds or milliseconds since the Unix epoch.
    pub time: Option<Timestamp>,
}

impl Reading {
    /// Reads the payload of a [`Channel::Moisture`](crate::Channel::Moisture) topic: a plain number or the long form.
    ///
    /// # Errors
    /// If it holds no moisture, or something that cannot be one.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        let text = text_of(payload)?;
        if let Some(moisture) = number_in(text) {
            return Ok(Self {
                moisture: percent(moisture, "payload")?,
                ..Self::default()
            });
        }
        if !text.starts_with('{') {
            return Err(PayloadError::NotANumber { field: "payload" });
        }
        let fields = Fields::parse(payload)?;
        let moisture = fields
            .number("moisture")?
            .ok_or(PayloadError::Missing { field: "moisture" })?;
        Ok(Self {
            moisture: percent(moisture, "moisture")?,
            raw: fields.number("raw")?,
            temperature: fields.number("temperature")?,
            battery: fields.number("battery")?,
            time: measured_at(&fields)?,
        })
    }

    /// The payload in its long form.
    #[must_use]
    pub fn to_json(&self) -> String {
        ObjectWriter::new()
            .number_if("moisture", Some(self.moisture))
            .number_if("raw", self.raw)
            .number_if("temperature", self.temperature)
            .number_if("battery", self.battery)
            .time_if("time", self.time)
            .finish()
    }
}

/// Unlike a command's, the time of a reading may be a number; one of a clock that was never set counts as none.
fn measured_at(fields: &Fields) -> Result<Option<Timestamp>, PayloadError> {
    if let Some(Json::Number(number)) = fields.value("time") {
        return Ok(Timestamp::from_epoch(*number));
    }
    fields.time("time")
}

/// Above 100 a number is a raw count, below 0 a broken probe: neither is a percentage.
fn percent(number: f64, field: &'static str) -> Result<f64, PayloadError> {
    if (0.0..=100.0).contains(&number) {
        Ok(number)
    } else {
        Err(PayloadError::OutOfRange { field })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(payload: &[u8]) -> String {
        Reading::parse(payload).unwrap_err().to_string()
    }

    #[test]
    fn a_plain_number_is_moisture() {
        assert_eq!(
            Reading::parse(b"37.2"),
            Ok(Reading {
                moisture: 37.2,
                ..Reading::default()
            })
        );
    }

    #[test]
    fn the_long_form_carries_all() {
        let payload = br#"{"moisture":37.2,"raw":2140,"temperature":"18.4","battery":86,"time":"2026-05-04T10:00:00Z","x":1}"#;
        assert_eq!(
            Reading::parse(payload),
            Ok(Reading {
                moisture: 37.2,
                raw: Some(2140.0),
                temperature: Some(18.4),
                battery: Some(86.0),
                time: Some(Timestamp::from_millis(1_777_888_800_000)),
            })
        );
    }

    #[test]
    fn a_time_may_be_a_number() {
        for (time, millis) in [
            ("1777888800", Some(1_777_888_800_000)),
            ("1777888800250", Some(1_777_888_800_250)),
            // The clock was never set: the reading counts, its time does not.
            ("17", None),
        ] {
            let payload = format!("{{\"moisture\":1,\"time\":{time}}}");
            let reading = Reading::parse(payload.as_bytes()).unwrap();
            assert_eq!(reading.time.map(Timestamp::millis), millis);
        }
    }

    #[test]
    fn bad_payloads_are_named() {
        assert_eq!(error(b""), "payload is empty");
        assert_eq!(error(b"\xff"), "payload is not UTF-8");
        assert_eq!(error(b"wet"), "payload is not a number");
        assert_eq!(error(b"2140"), "payload is out of range");
        assert_eq!(error(b"{\"moisture\":"), "payload is not JSON");
        assert_eq!(error(b"{}"), "moisture is missing");
        assert_eq!(error(b"{\"moisture\":null}"), "moisture is missing");
        assert_eq!(error(b"{\"moisture\":-1}"), "moisture is out of range");
        assert_eq!(
            error(b"{\"moisture\":1,\"battery\":\"low\"}"),
            "battery is not a number"
        );
        assert_eq!(
            error(b"{\"moisture\":1,\"time\":\"noon\"}"),
            "time is not a date and time like 2026-05-04T10:00:00Z"
        );
    }

    proptest! {
        #[test]
        fn any_reading_survives_its_payload(
            moisture in 0..=10_000_u16,
            raw: Option<u16>,
            temperature: Option<i8>,
            battery: Option<u8>,
            time: Option<i64>,
        ) {
            let reading = Reading {
                moisture: f64::from(moisture) / 100.0,
                raw: raw.map(f64::from),
                temperature: temperature.map(f64::from),
                battery: battery.map(f64::from),
                time: time.map(Timestamp::from_millis),
            };
            prop_assert_eq!(Reading::parse(reading.to_json().as_bytes()), Ok(reading));
        }

        #[test]
        fn any_bytes_are_read_or_refused(payload: Vec<u8>) {
            let _ = Reading::parse(&payload);
        }
    }
}
