//! When a payload says that it was measured, whoever made the device.

use crate::{
    Timestamp,
    json::{Fields, number_of},
};

/// The time that a JSON payload carries under one of the names that devices use, if it can be told.
///
/// A time without a zone tells nothing, nor does a clock that was never set.
#[must_use]
pub fn payload_time(payload: &[u8]) -> Option<Timestamp> {
    let fields = Fields::parse(payload).ok()?;
    NAMES.iter().find_map(|name| {
        let value = fields.value(name)?;
        // A date is no number, whatever it begins with.
        match value.as_text().filter(|text| text.contains(['-', ':'])) {
            Some(text) => text.parse().ok(),
            None => Timestamp::from_epoch(number_of(value)?),
        }
    })
}

const NAMES: [&str; 5] = ["time", "Time", "timestamp", "ts", "last_seen"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_many_devices_are_read() {
        for (payload, millis) in [
            (
                r#"{"time":"2026-05-04T10:00:00Z"}"#,
                Some(1_777_888_800_000),
            ),
            (
                r#"{"last_seen":"2026-05-04T12:00:00+02:00"}"#,
                Some(1_777_888_800_000),
            ),
            (r#"{"last_seen":1777888800000}"#, Some(1_777_888_800_000)),
            (r#"{"ts":"1777888800"}"#, Some(1_777_888_800_000)),
            (
                r#"{"Time":"2026-05-04T10:00:00","timestamp":1777888800}"#,
                Some(1_777_888_800_000),
            ),
            // Without a zone, a clock that was never set, none at all.
            (r#"{"Time":"2019-01-14T19:36:51"}"#, None),
            (r#"{"time":12}"#, None),
            (r#"{"time":null,"moisture":1}"#, None),
            ("37.2", None),
            ("", None),
        ] {
            let found = payload_time(payload.as_bytes()).map(Timestamp::millis);
            assert_eq!(found, millis, "{payload}");
        }
    }
}
