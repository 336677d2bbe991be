//! What every browser agrees on: names and target bands, and what plays in a simulated field.

use crate::{
    PayloadError,
    json::{Fields, Json, ObjectWriter, number_of},
};

/// What every browser agrees on about a device or a zone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeviceConfig {
    /// What people call it.
    pub name: Option<String>,
    /// A line below the name, such as what grows there.
    pub about: Option<String>,
    /// Where its moisture should stay. Without one there is no band to draw and nothing to judge.
    pub target: Option<TargetBand>,
}

impl DeviceConfig {
    /// Reads the payload of an [`Address::Config`](crate::Address::Config) topic.
    ///
    /// # Errors
    /// If it is no object, or a field of it is not what it should be.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        let fields = Fields::parse(payload)?;
        let (name, about) = (fields.text("name")?, fields.text("about")?);
        Ok(Self {
            target: fields.value("target").map(TargetBand::parse).transpose()?,
            name: name.map(Into::into),
            about: about.map(Into::into),
        })
    }

    /// The payload.
    #[must_use]
    pub fn to_json(&self) -> String {
        let object = ObjectWriter::new()
            .text_if("name", self.name.as_deref())
            .text_if("about", self.about.as_deref());
        match self.target {
            Some(band) => object.raw("target", &format!("[{},{}]", band.low, band.high)),
            None => object,
        }
        .finish()
    }
}

/// Where a moisture should stay, in percent, both ends included: `low` is finite and not above `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetBand {
    low: f64,
    high: f64,
}

impl TargetBand {
    /// A band between two numbers; `None` unless both are finite and in order.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Option<Self> {
        (low.is_finite() && high.is_finite() && low <= high).then_some(Self { low, high })
    }

    /// The lower end.
    #[must_use]
    pub const fn low(self) -> f64 {
        self.low
    }

    /// The upper end.
    #[must_use]
    pub const fn high(self) -> f64 {
        self.high
    }

    fn parse(value: &Json) -> Result<Self, PayloadError> {
        let field = "target";
        let Some([low, high]) = value.as_list() else {
            return Err(PayloadError::NotANumber { field });
        };
        let (Some(low), Some(high)) = (number_of(low), number_of(high)) else {
            return Err(PayloadError::NotANumber { field });
        };
        Self::new(low, high).ok_or(PayloadError::OutOfRange { field })
    }
}

/// What plays, where the field is a simulated one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// Where the values come from: `replay` or `soil model`.
    pub source: String,
    /// The name of the file that is replayed.
    pub file: Option<String>,
    /// How its time passes, such as `1 h per second`.
    pub speed: String,
}

impl Simulation {
    /// Reads the payload of the [`Address::Simulation`](crate::Address::Simulation) topic.
    ///
    /// # Errors
    /// If it is no object, or a field of it is not what it should be.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        let fields = Fields::parse(payload)?;
        let required = |field| fields.text(field)?.ok_or(PayloadError::Missing { field });
        let (source, speed) = (required("source")?, required("speed")?);
        let file = fields.text("file")?;
        Ok(Self {
            source: source.into(),
            file: file.map(Into::into),
            speed: speed.into(),
        })
    }

    /// The payload.
    #[must_use]
    pub fn to_json(&self) -> String {
        ObjectWriter::new()
            .text("source", &self.source)
            .text_if("file", self.file.as_deref())
            .text("speed", &self.speed)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_device_has_a_name_and_a_band() {
        let config = DeviceConfig::parse(br#"{"name":"Bed 1","target":[14,22]}"#).unwrap();
        assert_eq!(config.name.as_deref(), Some("Bed 1"));
        assert_eq!(config.target, TargetBand::new(14.0, 22.0));
        assert_eq!(config.to_json(), r#"{"name":"Bed 1","target":[14,22]}"#);
    }

    #[test]
    fn bands_that_are_none_are_named() {
        for (target, message) in [
            ("[22,14]", "target is out of range"),
            ("[14]", "target is not a number"),
            ("14", "target is not a number"),
            ("[14,\"wet\"]", "target is not a number"),
        ] {
            let payload = format!("{{\"target\":{target}}}");
            let error = DeviceConfig::parse(payload.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), message, "{target}");
        }
    }

    #[test]
    fn a_simulation_says_what_plays() {
        let simulation = Simulation {
            source: "replay".into(),
            file: Some("sydney.csv".into()),
            speed: "1 h per second".into(),
        };
        assert_eq!(
            simulation.to_json(),
            r#"{"source":"replay","file":"sydney.csv","speed":"1 h per second"}"#
        );
        assert_eq!(
            Simulation::parse(simulation.to_json().as_bytes()),
            Ok(simulation)
        );
        assert_eq!(
            Simulation::parse(b"{\"source\":\"replay\"}")
                .unwrap_err()
                .to_string(),
            "speed is missing"
        );
    }

    proptest! {
        #[test]
        fn any_config_survives_its_payload(
            name in proptest::option::of(".{0,20}"),
            about in proptest::option::of(".{0,20}"),
            target: Option<(u8, u8)>,
        ) {
            let target = target.and_then(|(low, high)| TargetBand::new(low.into(), high.into()));
            let config = DeviceConfig { name, about, target };
            prop_assert_eq!(DeviceConfig::parse(config.to_json().as_bytes()), Ok(config));
        }

        #[test]
        fn any_bytes_are_read_or_refused(payload: Vec<u8>) {
            let _ = DeviceConfig::parse(&payload);
            let _ = Simulation::parse(&payload);
        }
    }
}
