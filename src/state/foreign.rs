//! Sensors of other makes that announce themselves by Home Assistant's discovery.

use field::{Entity, Reading, Status};

use crate::state::{ProbeId, Table};

/// The sensors of other makes, found by the topics that they speak on.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    sensor_by_id: Table<ProbeId, Sensor>,
    /// Topics that have to be subscribed to and are not yet.
    wanted: Vec<String>,
    /// Every topic that was asked for since the page was opened.
    heard: Vec<String>,
}

#[derive(Debug)]
struct Sensor {
    entity: Entity,
    /// Whether each of its availability topics says that it is there.
    available: Vec<bool>,
}

/// What a message means for one sensor.
pub(super) enum Said {
    Reading(Result<Reading, String>),
    Status(Status),
}

impl Foreign {
    /// The id of an announced sensor: its discovery topic without the last level.
    pub(super) fn id(topic: &str) -> ProbeId {
        ProbeId::new(topic.strip_suffix("/config").unwrap_or(topic))
    }

    /// Whether it measures soil moisture and says so on a topic.
    pub(super) fn is_soil_sensor(entity: &Entity) -> bool {
        entity.device_class.as_deref() == Some("moisture") && entity.state_topic.is_some()
    }

    pub(super) fn add(&mut self, id: ProbeId, entity: Entity) {
        if self.sensor_by_id.len() >= SENSORS_MAX && !self.sensor_by_id.contains_key(&id) {
            return;
        }
        let availability = entity.availability.iter().take(AVAILABILITY_MAX);
        let topics = availability.map(|availability| &availability.topic);
        for topic in entity.state_topic.iter().chain(topics) {
            self.want(topic);
        }
        let available = vec![true; entity.availability.len().min(AVAILABILITY_MAX)];
        self.sensor_by_id.insert(id, Sensor { entity, available });
    }

    /// Asks for one topic, once. What announces a wildcard would get the whole broker's messages.
    fn want(&mut self, topic: &str) {
        let is_topic = !topic.is_empty() && !topic.contains(['+', '#']);
        if is_topic
            && self.heard.len() < TOPICS_MAX
            && !self.heard.iter().any(|known| known == topic)
        {
            self.heard.push(topic.into());
            self.wanted.push(topic.into());
        }
    }

    pub(super) fn remove(&mut self, id: &ProbeId) {
        self.sensor_by_id.remove(id);
    }

    pub(super) fn take_wanted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wanted)
    }

    /// What a message means for every sensor that speaks on its topic.
    pub(super) fn hear(&mut self, topic: &str, payload: &[u8]) -> Vec<(ProbeId, Said)> {
        let mut heard = Vec::new();
        for (id, sensor) in self.sensor_by_id.iter_mut() {
            if sensor.entity.state_topic.as_deref() == Some(topic) {
                let reading = sensor
                    .entity
                    .number(payload)
                    .map(|moisture| Reading {
                        moisture,
                        ..Reading::default()
                    })
                    .map_err(|error| error.to_string());
                heard.push((id.clone(), Said::Reading(reading)));
            }
            if let Some(status) = sensor.hear_availability(topic, payload) {
                heard.push((id.clone(), Said::Status(status)));
            }
        }
        heard
    }
}

impl Sensor {
    fn hear_availability(&mut self, topic: &str, payload: &[u8]) -> Option<Status> {
        let mut is_heard = false;
        for (availability, available) in self.entity.availability.iter().zip(&mut self.available) {
            if availability.topic != topic {
                continue;
            }
            let Ok(word) = availability.template.text(payload) else {
                continue;
            };
            if word == availability.available {
                (*available, is_heard) = (true, true);
            } else if word == availability.not_available {
                (*available, is_heard) = (false, true);
            }
        }
        is_heard.then(|| match self.available.iter().all(|&available| available) {
            true => Status::Online,
            false => Status::Offline,
        })
    }
}

const SENSORS_MAX: usize = 500;
const TOPICS_MAX: usize = 2_000;
const AVAILABILITY_MAX: usize = 4;
