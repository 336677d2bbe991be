//! Which messages are readings of which series.

use std::{cell::OnceCell, collections::HashMap};

use field::{Address, Entity, Reading, Template, TemplateError, Timestamp, payload_time};

use crate::wall_clock;

/// A reading, and the series that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ProbeReading<'a> {
    pub(super) series: &'a str,
    pub(super) value: f32,
    /// When it was measured, if the payload says so.
    pub(super) time: Option<i64>,
}

/// The probes that are known: those of our own by their topics, others as they announced themselves.
#[derive(Debug)]
pub(super) struct Probes {
    /// The most sensors that announce themselves.
    n_sensors_max: usize,
    sensors_by_topic: HashMap<String, Vec<Sensor>>,
    topic_by_series: HashMap<String, String>,
}

#[derive(Debug)]
struct Sensor {
    series: String,
    /// Where in the payload its value stands.
    template: Template,
}

impl Probes {
    pub(super) fn new(n_sensors_max: usize) -> Self {
        Self {
            n_sensors_max,
            sensors_by_topic: HashMap::new(),
            topic_by_series: HashMap::new(),
        }
    }

    /// Whether a message on this topic may hold readings.
    pub(super) fn speak_on(&self, topic: &str) -> bool {
        Address::is_moisture(topic) || self.sensors(topic).is_some()
    }

    /// Takes what an announcement says.
    pub(super) fn learn(&mut self, topic: &str, payload: &[u8]) {
        let Some(series) = topic.strip_suffix("/config") else {
            return;
        };
        let Some(Address::Discovery(_)) = Address::parse(topic) else {
            return;
        };
        // What cannot be read changes nothing.
        if let Ok(entity) = Entity::parse(payload) {
            self.forget(series);
            if let Some(entity) = entity {
                self.add(series, entity);
            }
        }
    }

    /// Gives what a message says; the result is how many readings it should hold and does not.
    pub(super) fn read(
        &self,
        topic: &str,
        payload: &[u8],
        each: &mut dyn FnMut(ProbeReading<'_>),
    ) -> u64 {
        let is_own = Address::is_moisture(topic);
        let may_be_own = is_own && begins_like_a_reading(payload);
        let own = may_be_own.then(|| Reading::parse(payload).ok()).flatten();
        let sensors = self.sensors(topic);
        if own.is_none() && sensors.is_none() {
            return u64::from(is_own);
        }
        let time = payload_time(payload)
            .map(Timestamp::millis)
            .filter(|time| *time >= wall_clock::SET_SINCE);
        if let Some(reading) = own {
            each(ProbeReading {
                series: topic,
                value: reading.moisture as f32,
                time,
            });
        }
        // Read once, for as many as look into it.
        let json = OnceCell::new();
        let mut n_missing = 0;
        for sensor in sensors.into_iter().flatten() {
            let template = &sensor.template;
            let value = match template {
                Template::Path(_) => {
                    let json = json.get_or_init(|| Template::json(payload));
                    let json = json.as_ref().map_err(TemplateError::clone);
                    json.and_then(|json| template.number_in(json))
                }
                Template::Value | Template::NotSupported(_) => template.number(payload),
            };
            match value {
                Ok(value) => each(ProbeReading {
                    series: &sensor.series,
                    value: value as f32,
                    time,
                }),
                // A message may be of some sensors of its topic only.
                Err(TemplateError::Missing) => {}
                Err(
                    TemplateError::NotSupported { .. }
                    | TemplateError::NotJson
                    | TemplateError::NotANumber
                    | TemplateError::NotAText,
                ) => n_missing += 1,
            }
        }
        n_missing
    }

    /// Who speaks on a topic; where nobody was announced, no message costs a search.
    fn sensors(&self, topic: &str) -> Option<&Vec<Sensor>> {
        match self.sensors_by_topic.is_empty() {
            true => None,
            false => self.sensors_by_topic.get(topic),
        }
    }

    fn add(&mut self, series: &str, entity: Entity) {
        let is_soil_sensor = entity.device_class.as_deref() == Some("moisture");
        let Some(topic) = entity.state_topic.clone().filter(|_| is_soil_sensor) else {
            return;
        };
        // Our own are known by their topics already.
        if entity.own_device().is_some() || self.topic_by_series.len() >= self.n_sensors_max {
            return;
        }
        let sensors = self.sensors_by_topic.get(&topic);
        if sensors.is_some_and(|sensors| sensors.len() >= N_SENSORS_OF_TOPIC_MAX) {
            return;
        }
        let sensor = Sensor {
            series: series.to_owned(),
            template: entity.template,
        };
        self.topic_by_series
            .insert(series.to_owned(), topic.clone());
        self.sensors_by_topic.entry(topic).or_default().push(sensor);
    }

    fn forget(&mut self, series: &str) {
        let Some(topic) = self.topic_by_series.remove(series) else {
            return;
        };
        if let Some(sensors) = self.sensors_by_topic.get_mut(&topic) {
            sensors.retain(|sensor| sensor.series != series);
            if sensors.is_empty() {
                self.sensors_by_topic.remove(&topic);
            }
        }
    }
}

/// Whether it is worth reading: so that a flood of something else costs no more than a look at it.
fn begins_like_a_reading(payload: &[u8]) -> bool {
    let first = payload.trim_ascii_start().first();
    first.is_some_and(|first| matches!(first, b'{' | b'+' | b'-' | b'.' | b'0'..=b'9'))
}

/// Each looks through every message on the topic, so that thousands would stop the broker; devices have a few.
const N_SENSORS_OF_TOPIC_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "rootzone/north-beds/bed-1/moisture";

    fn read(probes: &Probes, topic: &str, payload: &str) -> Vec<(String, f32, Option<i64>)> {
        let mut found = Vec::new();
        probes.read(topic, payload.as_bytes(), &mut |reading| {
            found.push((reading.series.to_owned(), reading.value, reading.time));
        });
        found
    }

    #[test]
    fn our_own_probes_are_known_by_their_topics() {
        let probes = Probes::new(2);
        for (topic, payload, expected) in [
            (OWN, "37.2", Some((37.2, None))),
            (
                OWN,
                r#"{"moisture":37.2,"time":"2026-05-04T10:00:00Z"}"#,
                Some((37.2, Some(1_777_888_800_000))),
            ),
            (
                OWN,
                r#"{"moisture":37.2,"ts":1777888800}"#,
                Some((37.2, Some(1_777_888_800_000))),
            ),
            // A clock that was never set.
            (
                OWN,
                r#"{"moisture":37.2,"time":"2019-12-31T10:00:00Z"}"#,
                Some((37.2, None)),
            ),
            (OWN, "wet", None),
            (OWN, "2140", None),
            ("rootzone/north-beds/bed-1/status", "37.2", None),
            ("rootzone/config/x/moisture", "37.2", None),
            ("garden/soil/moisture", "37.2", None),
        ] {
            let expected = expected.map(|(value, time)| (topic.to_owned(), value, time));
            assert_eq!(read(&probes, topic, payload), Vec::from_iter(expected));
        }
        assert!(probes.speak_on(OWN));
        assert!(!probes.speak_on("rootzone/north-beds/bed-1/status"));
    }

    #[test]
    fn others_are_known_as_they_announce_themselves() {
        let mut probes = Probes::new(2);
        let announce = |probes: &mut Probes, object: &str, payload: &str| {
            let topic = format!("homeassistant/sensor/{object}/config");
            probes.learn(&topic, payload.as_bytes());
        };
        let payload = r#"{"soil_1":40,"soil_2":"50 %","last_seen":1777888800000}"#;
        for n in [1, 2] {
            announce(
                &mut probes,
                &format!("soil_{n}"),
                &format!(
                    r#"{{"dev_cla":"moisture","stat_t":"zigbee2mqtt/Soil","val_tpl":"{{{{ value_json.soil_{n} }}}}"}}"#
                ),
            );
        }
        // Not of the soil; of no topic; one of our own, which is known already.
        announce(
            &mut probes,
            "t",
            r#"{"dev_cla":"temperature","stat_t":"zigbee2mqtt/Soil"}"#,
        );
        announce(&mut probes, "n", r#"{"dev_cla":"moisture"}"#);
        announce(
            &mut probes,
            "own",
            &format!(r#"{{"dev_cla":"moisture","stat_t":"{OWN}"}}"#),
        );
        let time = Some(1_777_888_800_000);
        let (one, two) = ("homeassistant/sensor/soil_1", "homeassistant/sensor/soil_2");
        assert_eq!(
            read(&probes, "zigbee2mqtt/Soil", payload),
            [(one.to_owned(), 40.0, time), (two.to_owned(), 50.0, time)]
        );
        assert_eq!(read(&probes, OWN, "37.2").len(), 1);

        announce(&mut probes, "soil_1", "not to be read");
        announce(&mut probes, "soil_2", "");
        assert_eq!(
            read(&probes, "zigbee2mqtt/Soil", payload),
            [(one.to_owned(), 40.0, time)]
        );
        announce(
            &mut probes,
            "soil_1",
            r#"{"dev_cla":"moisture","stat_t":"other"}"#,
        );
        assert!(!probes.speak_on("zigbee2mqtt/Soil"));
        for object in ["2", "3"] {
            announce(
                &mut probes,
                object,
                &format!(r#"{{"dev_cla":"moisture","stat_t":"{object}"}}"#),
            );
        }
        assert!(probes.speak_on("2"));
        assert!(!probes.speak_on("3"), "there are two already");
        assert!(probes.speak_on("other"));
    }

    #[test]
    fn no_topic_has_more_sensors_than_a_message_can_serve() {
        let mut probes = Probes::new(1_000);
        for n in 0..N_SENSORS_OF_TOPIC_MAX + 1 {
            let topic = format!("homeassistant/sensor/{n}/config");
            probes.learn(&topic, br#"{"dev_cla":"moisture","stat_t":"one"}"#);
        }
        assert_eq!(read(&probes, "one", "37.2").len(), N_SENSORS_OF_TOPIC_MAX);
        // Who says the same again keeps the place.
        probes.learn(
            "homeassistant/sensor/0/config",
            br#"{"dev_cla":"moisture","stat_t":"one"}"#,
        );
        assert_eq!(read(&probes, "one", "37.2").len(), N_SENSORS_OF_TOPIC_MAX);
    }
}
