//! Every probe and pump that the page has heard of.

use std::{mem, time::Duration};

use field::{
    Address, Channel, CommandId, DeviceConfig, DeviceId, Entity, PumpState, Reading, Simulation,
    Status, Timestamp,
};

use crate::{
    format::{level_of_name, name_of_level, natural_order, unreadable},
    state::{
        Heard, Probe, ProbeId, Pump, StopAll, Table, Zone, device_of_key,
        foreign::{Foreign, Said},
        key_of_device,
    },
};

/// Every probe and pump that the page has heard of. Topics and payloads go in; what changed comes out.
#[derive(Debug)]
pub struct Fleet {
    /// The probes, by id.
    pub probes: Table<ProbeId, Probe>,
    /// The pumps, by device.
    pub pumps: Table<DeviceId, Pump>,
    /// What plays, where the field is a simulated one.
    pub simulation: Option<Simulation>,
    /// Set while every pump is told to stop.
    pub stop_all: Option<StopAll>,
    /// Whether messages come; without, nothing is known of now.
    pub is_linked: bool,
    config_by_name: Table<String, Config>,
    announced_by_device: Table<DeviceId, Announced>,
    status_by_device: Table<DeviceId, (Status, bool, Timestamp)>,
    foreign: Foreign,
    command_seed: u64,
    n_commands: u64,
    changes: Changes,
    /// Whether there are probes of which the broker was not asked what it kept.
    has_news: bool,
}

/// What has to be shown anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Everything: which probes and pumps there are, their names, their zones, or the link.
    pub layout: bool,
    /// Those that have something new to say.
    pub probes: Vec<ProbeId>,
    /// The same.
    pub pumps: Vec<DeviceId>,
}

impl Changes {
    fn probe(&mut self, id: &ProbeId) {
        if !self.probes.contains(id) {
            self.probes.push(id.clone());
        }
    }

    fn pump(&mut self, device: &DeviceId) {
        if !self.pumps.contains(device) {
            self.pumps.push(device.clone());
        }
    }
}

/// What every browser agrees on about a device or a zone.
#[derive(Debug, Default)]
struct Config {
    said: DeviceConfig,
    /// What was wrong with the newest message, in words, if it could not be read. What was said before still holds.
    fault: Option<String>,
}

/// What discovery says about a device of our own.
#[derive(Debug, Default)]
struct Announced {
    name: Option<String>,
    area: Option<String>,
}

impl Config {
    fn about(&self) -> Option<String> {
        let fault = self.fault.as_ref();
        fault
            .map(|fault| unreadable("Its settings", fault))
            .or_else(|| self.said.about.clone())
    }
}

impl Fleet {
    /// A fleet of which nothing is known. The seed makes the ids of its commands unlike those of other pages.
    #[must_use]
    pub fn new(command_seed: u64) -> Self {
        Self {
            probes: Table::default(),
            pumps: Table::default(),
            simulation: None,
            stop_all: None,
            config_by_name: Table::default(),
            announced_by_device: Table::default(),
            status_by_device: Table::default(),
            foreign: Foreign::default(),
            is_linked: false,
            command_seed,
            n_commands: 0,
            changes: Changes::default(),
            has_news: false,
        }
    }

    /// Takes a message. What cannot be read is kept with the device as a fault, or ignored where there is none.
    pub fn apply(&mut self, topic: &str, payload: &[u8], retained: bool, now: Timestamp) {
        match Address::parse(topic) {
            Some(Address::Device { device, channel }) => {
                self.apply_device(device, channel, payload, retained, now);
            }
            Some(Address::Config { name }) => self.apply_config(name, payload),
            Some(Address::Simulation) => {
                self.simulation = Simulation::parse(payload).ok();
                self.changes.layout = true;
            }
            Some(Address::Discovery(_)) => self.apply_discovery(topic, payload, now),
            None => {}
        }
        for (id, said) in self.foreign.hear(topic, payload) {
            if let Some(probe) = self.probes.get_mut(&id) {
                match said {
                    Said::Reading(reading) => probe.handle_message(reading, retained, now),
                    Said::Status(status) => probe.handle_status(status, retained, now),
                }
                self.changes.probe(&id);
            }
        }
    }

    /// The link to the broker came up or was lost.
    pub fn handle_link(&mut self, up: bool, now: Timestamp) {
        self.is_linked = up;
        for (_, pump) in self.pumps.iter_mut() {
            pump.switch.handle_link(up, now);
        }
        for (_, probe) in self.probes.iter_mut() {
            probe.handle_link(up, now);
        }
        self.changes.layout = true;
        self.has_news = up;
    }

    /// Lets every pump's switch notice what is overdue.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for (device, pump) in self.pumps.iter_mut() {
            let before = pump.switch.state();
            pump.switch.handle_timeout(now);
            if pump.switch.state() != before {
                self.changes.pump(device);
            }
        }
    }

    /// Takes what the broker kept of a probe. One that is not known by then has said nothing yet.
    pub fn handle_past(&mut self, heard: Heard) {
        let (Heard::Kept(id, _) | Heard::Level(id, _)) = &heard;
        if let Some(probe) = self.probes.get_mut(id) {
            match heard {
                Heard::Kept(_, kept) => probe.past.kept = Some(kept),
                Heard::Level(_, level) => probe.add_level(level),
            }
            // Whoever asks for what is lacking asks about many.
            self.changes.layout = true;
        }
    }

    /// Asks a pump for water, or keeps the reason why that cannot be.
    pub fn switch_on(&mut self, device: &DeviceId, run_for: Duration, now: Timestamp) {
        let id = self.next_command_id();
        if let Some(pump) = self.pumps.get_mut(device) {
            pump.refusal = pump.switch.request_on(Some(run_for), id, now).err();
            self.changes.pump(device);
        }
    }

    /// Asks a pump to stop.
    pub fn switch_off(&mut self, device: &DeviceId, now: Timestamp) {
        let id = self.next_command_id();
        if let Some(pump) = self.pumps.get_mut(device) {
            pump.refusal = None;
            pump.switch.request_off(id, now);
            self.changes.pump(device);
        }
    }

    /// A command to a pump cannot have reached it.
    pub fn handle_command_lost(&mut self, device: &DeviceId, id: &CommandId, now: Timestamp) {
        if let Some(pump) = self.pumps.get_mut(device) {
            pump.switch.handle_publish_failed(id, now);
            self.changes.pump(device);
        }
    }

    /// The retained message on a pump's command topic is gone.
    pub fn handle_command_cleared(&mut self, device: &DeviceId) {
        if let Some(pump) = self.pumps.get_mut(device) {
            pump.stray_command = None;
            self.changes.pump(device);
        }
    }

    /// Asks every pump to stop, also those that show up within the next minute.
    pub fn stop_all(&mut self, now: Timestamp) {
        self.stop_all = Some(StopAll { since: now });
        self.changes.layout = true;
        let devices: Vec<DeviceId> = self.pumps.keys().cloned().collect();
        for device in devices {
            self.switch_off(&device, now);
        }
    }

    /// Does without the answers to "Stop all pumps".
    pub fn forget_stop_all(&mut self) {
        self.stop_all = None;
        self.changes.layout = true;
    }

    /// Topics of other makes' sensors that have to be subscribed to.
    pub fn take_wanted_topics(&mut self) -> Vec<String> {
        self.foreign.take_wanted()
    }

    /// Whether probes came since the last call, or the link did.
    pub fn take_news(&mut self) -> bool {
        mem::take(&mut self.has_news)
    }

    /// What has to be shown anew since the last call.
    pub fn take_changes(&mut self) -> Changes {
        mem::take(&mut self.changes)
    }

    /// The zones in the order of their names.
    #[must_use]
    pub fn zones(&self) -> Vec<Zone> {
        let mut zones: Vec<Zone> = Vec::new();
        for probe in self.probes.values() {
            let probes = &mut self.zone_among(&mut zones, &probe.zone).probes;
            let at = probes.partition_point(|id| {
                self.probes
                    .get(id)
                    .is_some_and(|other| natural_order(&other.name, &probe.name).is_le())
            });
            probes.insert(at, probe.id.clone());
        }
        for pump in self.pumps.values() {
            let pumps = &mut self.zone_among(&mut zones, pump.device.zone()).pumps;
            let at = pumps.partition_point(|device| {
                self.pumps
                    .get(device)
                    .is_some_and(|other| natural_order(&other.name, &pump.name).is_le())
            });
            pumps.insert(at, pump.device.clone());
        }
        zones
    }

    /// One zone; an empty one if nothing stands there.
    #[must_use]
    pub fn zone(&self, key: &str) -> Zone {
        self.zones()
            .into_iter()
            .find(|zone| zone.key == key)
            .unwrap_or_default()
    }

    /// The mean of what a zone's probes say, as far as it is recent enough.
    #[must_use]
    pub fn average(&self, zone: &Zone, now: Timestamp) -> Option<f64> {
        let values = zone.probes.iter().filter_map(|id| {
            let probe = self.probes.get(id)?;
            probe.known(now).filter(|_| probe.unit.starts_with('%'))
        });
        let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        (n > 0.0).then(|| sum / n)
    }

    /// Every pump as a key for a list: by zone, then in the order of their names.
    #[must_use]
    pub fn pump_keys(&self) -> Vec<String> {
        let zones = self.zones();
        let pumps = zones.iter().flat_map(|zone| &zone.pumps);
        pumps.map(key_of_device).collect()
    }

    /// The pumps of a zone.
    pub fn pumps_of_zone<'a>(&'a self, zone: &'a str) -> impl Iterator<Item = &'a Pump> {
        self.pumps
            .values()
            .filter(move |pump| pump.device.zone() == zone)
    }

    /// Since when there are readings of a zone.
    #[must_use]
    pub fn since_of_zone(&self, key: &str) -> Option<i64> {
        let probes = self.probes.values().filter(|probe| probe.zone == key);
        probes.map(Probe::since).min()
    }

    /// What people call a probe, or else the end of its key as a name.
    #[must_use]
    pub fn probe_name(&self, id: &ProbeId) -> String {
        match self.probes.get(id) {
            Some(probe) => probe.name.clone(),
            None => name_of_level(id.as_str().split('/').fold("", |_, level| level)),
        }
    }

    /// What people call a probe's zone, or else the beginning of the probe's key as a name.
    #[must_use]
    pub fn zone_name_of(&self, id: &ProbeId) -> String {
        self.zone_name(match self.probes.get(id) {
            Some(probe) => &probe.zone,
            None => id.as_str().split('/').next().unwrap_or_default(),
        })
    }

    /// What people call a zone.
    #[must_use]
    pub fn zone_name(&self, key: &str) -> String {
        let config = self.config_by_name.get(key);
        config
            .and_then(|config| config.said.name.clone())
            .or_else(|| {
                let announced = self.announced_by_device.iter();
                announced
                    .filter(|(device, _)| device.zone() == key)
                    .find_map(|(_, announced)| announced.area.clone())
            })
            .unwrap_or_else(|| name_of_level(key))
    }

    /// The zone of a key, put among the others by its name if it is not there yet.
    fn zone_among<'a>(&self, zones: &'a mut Vec<Zone>, key: &str) -> &'a mut Zone {
        let found = zones.iter().position(|zone| zone.key == key);
        let at = found.unwrap_or_else(|| {
            let name = self.zone_name(key);
            let config = self.config_by_name.get(key);
            let at = zones.partition_point(|zone| natural_order(&zone.name, &name).is_le());
            let zone = Zone {
                key: key.into(),
                name,
                about: config.and_then(Config::about),
                ..Zone::default()
            };
            zones.insert(at, zone);
            at
        });
        &mut zones[at]
    }

    fn apply_device(
        &mut self,
        device: DeviceId,
        channel: Channel,
        payload: &[u8],
        retained: bool,
        now: Timestamp,
    ) {
        match channel {
            Channel::Status => {
                if let Ok(status) = Status::parse(payload) {
                    self.apply_status(device, status, retained, now);
                }
            }
            Channel::Moisture if payload.is_empty() => {}
            Channel::Moisture => {
                let reading = Reading::parse(payload).map_err(|error| error.to_string());
                if let Some(probe) = self.probe_of(&device, now) {
                    probe.handle_message(reading, retained, now);
                    let id = probe.id.clone();
                    self.changes.probe(&id);
                }
            }
            Channel::PumpState if payload.is_empty() => {}
            Channel::PumpState => {
                if let Some(pump) = self.pump_of(&device, now) {
                    pump.handle_state(PumpState::parse(payload), retained, now);
                    self.changes.pump(&device);
                }
            }
            Channel::PumpSet => self.apply_command(device, payload, retained, now),
        }
    }

    /// Commands pass by unseen, save for a retained one: that is a fault until it is cleared.
    fn apply_command(&mut self, device: DeviceId, payload: &[u8], retained: bool, now: Timestamp) {
        let stray = (retained && !payload.is_empty()).then(|| {
            let text = std::str::from_utf8(payload).unwrap_or("something that is no text");
            text.chars().take(STRAY_COMMAND_LEN_MAX).collect()
        });
        if stray.is_none() {
            if payload.is_empty() {
                self.handle_command_cleared(&device);
            }
            return;
        }
        if let Some(pump) = self.pump_of(&device, now) {
            pump.stray_command = stray;
            self.changes.pump(&device);
            self.changes.layout = true;
        }
    }

    fn apply_status(&mut self, device: DeviceId, status: Status, retained: bool, now: Timestamp) {
        let id = ProbeId::of_device(&device);
        if let Some(probe) = self.probes.get_mut(&id) {
            probe.handle_status(status, retained, now);
            self.changes.probe(&id);
        }
        if let Some(pump) = self.pumps.get_mut(&device) {
            pump.switch.handle_status(status, now);
            self.changes.pump(&device);
        }
        if !is_full(&self.status_by_device, &device) {
            self.status_by_device
                .insert(device, (status, retained, now));
        }
    }

    fn apply_config(&mut self, name: String, payload: &[u8]) {
        if payload.is_empty() {
            self.config_by_name.remove(&name);
        } else {
            if is_full(&self.config_by_name, &name) {
                return;
            }
            let known = self.config_by_name.entry(&name, Config::default);
            match DeviceConfig::parse(payload) {
                Ok(config) => (known.said, known.fault) = (config, None),
                Err(error) => known.fault = Some(error.to_string()),
            }
        }
        self.rename();
    }

    fn apply_discovery(&mut self, topic: &str, payload: &[u8], now: Timestamp) {
        let id = Foreign::id(topic);
        let Ok(Some(entity)) = Entity::parse(payload) else {
            self.foreign.remove(&id);
            self.changes.layout |= self.probes.remove(&id).is_some();
            return;
        };
        if let Some(device) = entity.own_device() {
            self.apply_own_entity(device, entity, now);
        } else if Foreign::is_soil_sensor(&entity) {
            self.apply_foreign_entity(id, entity, now);
        }
    }

    fn apply_own_entity(&mut self, device: DeviceId, entity: Entity, now: Timestamp) {
        if is_full(&self.announced_by_device, &device) {
            return;
        }
        let announced = self.announced_by_device.entry(&device, Announced::default);
        announced.area = entity.suggested_area.or(announced.area.take());
        // An entity's own name says what it measures; the device's says where it stands.
        announced.name = entity.device_name.or(announced.name.take()).or(entity.name);
        match entity.state_topic.as_deref().and_then(Address::parse) {
            Some(Address::Device {
                channel: Channel::Moisture,
                ..
            }) => {
                self.probe_of(&device, now);
            }
            Some(Address::Device {
                channel: Channel::PumpState,
                ..
            }) => {
                self.pump_of(&device, now);
            }
            _ => {}
        }
        self.rename();
    }

    fn apply_foreign_entity(&mut self, id: ProbeId, entity: Entity, now: Timestamp) {
        if is_full(&self.probes, &id) {
            return;
        }
        let zone = entity
            .suggested_area
            .as_deref()
            .or(entity.device_name.as_deref());
        let zone = level_of_name(zone.unwrap_or("elsewhere"));
        let name = foreign_name(&entity, &zone).unwrap_or_else(|| name_of_level(id.as_str()));
        let topic = entity.state_topic.clone().unwrap_or_default();
        let probe = self.probes.entry(&id, || {
            Probe::new(id.clone(), String::new(), String::new(), topic, now)
        });
        (probe.zone, probe.name) = (zone, name);
        probe.unit = entity.unit.clone().unwrap_or_default();
        probe.expires_after = entity
            .expire_after
            .map(|seconds| Duration::from_secs(seconds.into()));
        self.foreign.add(id, entity);
        self.changes.layout = true;
        self.has_news = true;
    }

    fn probe_of(&mut self, device: &DeviceId, now: Timestamp) -> Option<&mut Probe> {
        let id = ProbeId::of_device(device);
        if !self.probes.contains_key(&id) {
            if self.probes.len() >= DEVICES_MAX {
                return None;
            }
            let topic = device.topic(Channel::Moisture);
            let name = self.name_of(device);
            let mut probe = Probe::new(id.clone(), device.zone().into(), name, topic, now);
            self.configure(&mut probe, device);
            if let Some(&(status, retained, heard)) = self.status_by_device.get(device) {
                probe.handle_status(status, retained, heard);
            }
            self.probes.insert(id.clone(), probe);
            self.changes.layout = true;
            self.has_news = true;
        }
        self.probes.get_mut(&id)
    }

    fn pump_of(&mut self, device: &DeviceId, now: Timestamp) -> Option<&mut Pump> {
        if !self.pumps.contains_key(device) {
            if self.pumps.len() >= DEVICES_MAX {
                return None;
            }
            let mut pump = Pump::new(device.clone(), self.name_of(device));
            pump.switch.handle_link(self.is_linked, now);
            if let Some(&(status, _, _)) = self.status_by_device.get(device) {
                pump.switch.handle_status(status, now);
            }
            let is_stopping = self
                .stop_all
                .is_some_and(|stop| now.saturating_duration_since(stop.since) < STOP_ALL_REACH);
            if is_stopping {
                pump.switch.request_off(self.next_command_id(), now);
            }
            self.pumps.insert(device.clone(), pump);
            self.changes.layout = true;
        }
        self.pumps.get_mut(device)
    }

    fn name_of(&self, device: &DeviceId) -> String {
        let config = self.config_by_name.get(device.name());
        let announced = self.announced_by_device.get(device);
        config
            .and_then(|config| config.said.name.clone())
            .or_else(|| announced.and_then(|announced| announced.name.clone()))
            .unwrap_or_else(|| name_of_level(device.name()))
    }

    fn configure(&self, probe: &mut Probe, device: &DeviceId) {
        let config = self.config_by_name.get(device.name());
        probe.target = config.and_then(|config| config.said.target);
        probe.config_fault = config.and_then(|config| config.fault.clone());
    }

    /// Gives every device the name and target that it has by all that is known.
    fn rename(&mut self) {
        let mut probes = mem::take(&mut self.probes);
        for (id, probe) in probes.iter_mut() {
            // Those of other makes have an id of more levels.
            if let Some(device) = device_of_key(id.as_str()) {
                probe.name = self.name_of(&device);
                self.configure(probe, &device);
            }
        }
        self.probes = probes;
        let mut pumps = mem::take(&mut self.pumps);
        for (device, pump) in pumps.iter_mut() {
            pump.name = self.name_of(device);
        }
        self.pumps = pumps;
        self.changes.layout = true;
    }

    fn next_command_id(&mut self) -> CommandId {
        self.n_commands += 1;
        CommandId::from_random(self.command_seed.wrapping_add(self.n_commands))
    }
}

/// The device's name and its entity's: many a device calls its sensor "Soil moisture".
/// What the zone's name or the entity's says already is not said twice.
fn foreign_name(entity: &Entity, zone: &str) -> Option<String> {
    let name = entity.display_name()?;
    let device = entity.device_name.as_deref();
    let device = device.filter(|device| !name.starts_with(device) && level_of_name(device) != zone);
    Some(match device {
        Some(device) => [device, " ", name].concat(),
        None => name.into(),
    })
}

/// Whether there is no room for a key that is not known yet.
fn is_full<K: Ord, V>(table: &Table<K, V>, key: &K) -> bool {
    table.len() >= DEVICES_MAX && !table.contains_key(key)
}

/// How many devices of each kind the page keeps.
const DEVICES_MAX: usize = 2_000;
const STRAY_COMMAND_LEN_MAX: usize = 120;
/// For how long a pump that is heard of for the first time is told to stop as well.
const STOP_ALL_REACH: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
