//! A soil probe.

use std::{cell::RefCell, rc::Rc, time::Duration};

use field::{
    Channel, Component, DeviceConfig, DeviceId, EntityAddress, Reading, Status, Timestamp,
};
use serde_json::{Value, json};

use super::{Device, Message, client_identifier, station::config_message};
use crate::{
    ground::Ground,
    layout::{self, N_PROBES, ZONES},
    options::Share,
};

/// Reads the ground at its place, again and again.
#[derive(Debug)]
pub struct Probe {
    index: usize,
    zone: &'static layout::Zone,
    layout: &'static layout::Probe,
    id: DeviceId,
    ground: Rc<RefCell<Ground>>,
    loss: Share,
    random: fastrand::Rng,
    battery: Battery,
    interval: Duration,
    next_reading: Timestamp,
}

/// Where the probe is in a field, and how it behaves.
#[derive(Debug)]
pub struct ProbeSettings {
    /// Its column.
    pub index: usize,
    /// The ground it stands in.
    pub ground: Rc<RefCell<Ground>>,
    /// The share of its readings that is lost.
    pub loss: Share,
    /// What its luck comes from.
    pub random: fastrand::Rng,
}

#[derive(Debug)]
struct Battery {
    at_start: f64,
    started: Timestamp,
}

impl Probe {
    /// The probe of a column; `None` if there is no such column.
    #[must_use]
    pub fn new(settings: ProbeSettings, now: Timestamp) -> Option<Self> {
        let ProbeSettings {
            index,
            ground,
            loss,
            mut random,
        } = settings;
        let (zone, layout) = layout::probes().nth(index)?;
        let zone = ZONES.get(zone)?;
        let interval = ground.borrow().reading_interval();
        // Spread over the interval, as devices that know nothing of each other are.
        let phase = interval.mul_f64((index as f64 + 0.5) / N_PROBES as f64);
        Some(Self {
            index,
            zone,
            layout,
            id: zone.probe_id(layout),
            ground,
            loss,
            battery: Battery {
                at_start: 55.0 + (random.f64() * 44.0).round(),
                started: now,
            },
            random,
            interval,
            next_reading: now + phase,
        })
    }

    /// The level that its configuration goes by.
    #[must_use]
    pub const fn level(&self) -> &'static str {
        self.layout.level
    }

    fn reading(&mut self, now: Timestamp) -> Option<Message> {
        let sample = self.ground.borrow_mut().sample(self.index, now)?;
        let reading = Reading {
            moisture: rounded(sample.moisture, 100.0),
            raw: Some((RAW_AT_ZERO - RAW_PER_POINT * sample.moisture).round()),
            temperature: Some(rounded(sample.temperature, 10.0)),
            battery: Some(self.battery.level(now)),
            // The moment of a replayed or modelled value is not one of ours: its arrival is.
            time: None,
        };
        Some(Message::reading(
            self.id.topic(Channel::Moisture),
            reading.to_json(),
        ))
    }

    /// For other tools: three sensors of one device.
    fn discovery(&self) -> Vec<Message> {
        [
            ("moisture", Value::Null, "moisture", "%"),
            ("temperature", json!("Soil temperature"), "temperature", "°C"),
            ("battery", json!("Battery"), "battery", "%"),
        ]
        .map(|(object, name, device_class, unit)| {
            let level = self.layout.level;
            let address = EntityAddress {
                component: Component::Sensor,
                node: Some(level.into()),
                object: object.into(),
            };
            let config = json!({
                "~": self.id.to_string(),
                "name": name,
                "uniq_id": format!("rootzone_{level}_{object}"),
                "dev_cla": device_class,
                "stat_cla": "measurement",
                "unit_of_meas": unit,
                "stat_t": "~/moisture",
                "val_tpl": format!("{{{{ value_json.{object} }}}}"),
                "avty_t": "~/status",
                "dev": discovery_device(level, self.layout.name, self.zone.name, "Simulated soil probe"),
                "o": discovery_origin(),
            });
            Message::state(address.to_string(), config.to_string())
        })
        .into()
    }
}

impl Device for Probe {
    fn client_identifier(&self) -> String {
        client_identifier(self.layout.level)
    }

    fn will(&self) -> Message {
        Message::status(&self.id, Status::Offline)
    }

    fn command_topic(&self) -> Option<String> {
        None
    }

    fn announce(&mut self, now: Timestamp) -> Vec<Message> {
        let config = DeviceConfig {
            name: Some(self.layout.name.into()),
            about: None,
            target: self.layout.target_band(),
        };
        let mut messages = self.discovery();
        messages.push(config_message(self.layout.level, &config));
        messages.push(Message::status(&self.id, Status::Online));
        messages.extend(self.reading(now));
        messages
    }

    fn handle_message(&mut self, _payload: &[u8], _retain: bool, _now: Timestamp) -> Vec<Message> {
        Vec::new()
    }

    fn deadline(&self) -> Option<Timestamp> {
        Some(self.next_reading)
    }

    fn handle_timeout(&mut self, now: Timestamp) -> Vec<Message> {
        if now < self.next_reading {
            return Vec::new();
        }
        self.next_reading = self.next_reading + self.interval;
        if self.next_reading <= now {
            // Too late for more than one: the others are not made up for.
            self.next_reading = now + self.interval;
        }
        if self.random.f64() < self.loss.as_f64() {
            return Vec::new();
        }
        self.reading(now).into_iter().collect()
    }

    fn shut_down(&mut self, _now: Timestamp) -> Vec<Message> {
        vec![self.will()]
    }
}

impl Battery {
    /// In percent; a point is used up every hour.
    fn level(&self, now: Timestamp) -> f64 {
        let hours = now.saturating_duration_since(self.started).as_secs() / 3_600;
        (self.at_start - hours as f64).max(3.0)
    }
}

pub(super) fn discovery_device(level: &str, name: &str, zone: &str, model: &str) -> Value {
    json!({
        "ids": [format!("rootzone_{level}")],
        "name": name,
        "mf": "Rootzone",
        "mdl": model,
        "sa": zone,
    })
}

pub(super) fn discovery_origin() -> Value {
    json!({ "name": "field-simulator" })
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// A capacitive probe on a 12-bit converter counts less when it is wetter.
const RAW_AT_ZERO: f64 = 3_628.0;
const RAW_PER_POINT: f64 = 40.0;
