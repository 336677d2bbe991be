//! A pump or a valve.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use field::{
    Channel, Component, DeviceConfig, DeviceId, EntityAddress, PumpCommand, PumpDevice,
    PumpDeviceOutput, PumpDeviceSettings, Status, Switch, Timestamp,
};
use serde_json::json;
use tracing::debug;

use super::{
    Device, Message, client_identifier,
    probe::{discovery_device, discovery_origin},
    station::config_message,
};
use crate::{
    ground::Ground,
    layout::{self, ZONES},
};

/// Waters its zone: a [`PumpDevice`] behind a valve that takes its time.
#[derive(Debug)]
pub struct Pump {
    zone_index: usize,
    zone: &'static layout::Zone,
    id: DeviceId,
    ground: Rc<RefCell<Ground>>,
    random: fastrand::Rng,
    is_stuck: bool,
    machine: PumpDevice,
    deadline: Option<Timestamp>,
    /// Commands that the valve has not come to, in order.
    waiting: VecDeque<(Timestamp, PumpCommand)>,
}

/// Where the pump is in a field, and how it behaves.
#[derive(Debug)]
pub struct PumpSettings {
    /// Its zone.
    pub zone_index: usize,
    /// The ground it waters.
    pub ground: Rc<RefCell<Ground>>,
    /// Whether it never answers.
    pub is_stuck: bool,
    /// What its luck comes from.
    pub random: fastrand::Rng,
}

impl Pump {
    /// The pump of a zone; `None` if there is no such zone.
    #[must_use]
    pub fn new(settings: PumpSettings, now: Timestamp) -> Option<Self> {
        let PumpSettings {
            zone_index,
            ground,
            is_stuck,
            random,
        } = settings;
        let zone = ZONES.get(zone_index)?;
        Some(Self {
            zone_index,
            zone,
            id: zone.pump_id(),
            ground,
            random,
            is_stuck,
            machine: PumpDevice::new(PumpDeviceSettings::default(), now),
            deadline: None,
            waiting: VecDeque::new(),
        })
    }

    fn drain(&mut self, now: Timestamp) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            match self.machine.poll_output() {
                PumpDeviceOutput::State(state) => messages.push(Message::state(
                    self.id.topic(Channel::PumpState),
                    state.to_json(),
                )),
                PumpDeviceOutput::Timeout(deadline) => {
                    self.deadline = deadline;
                    break;
                }
            }
        }
        self.ground
            .borrow_mut()
            .set_running(self.zone_index, self.machine.is_running(), now);
        messages
    }

    fn discovery(&self) -> Message {
        let level = self.zone.pump_level;
        let address = EntityAddress {
            component: Component::Switch,
            node: Some(level.into()),
            object: "pump".into(),
        };
        let config = json!({
            "~": self.id.to_string(),
            "name": null,
            "uniq_id": format!("rootzone_{level}_pump"),
            "cmd_t": "~/pump/set",
            "stat_t": "~/pump/state",
            "val_tpl": "{{ value_json.state }}",
            "avty_t": "~/status",
            "qos": 1,
            "dev": discovery_device(level, self.zone.pump_name, self.zone.name, "Simulated pump"),
            "o": discovery_origin(),
        });
        Message::state(address.to_string(), config.to_string())
    }
}

impl Device for Pump {
    fn client_identifier(&self) -> String {
        client_identifier(self.zone.pump_level)
    }

    fn will(&self) -> Message {
        Message::status(&self.id, Status::Offline)
    }

    fn command_topic(&self) -> Option<String> {
        Some(self.id.topic(Channel::PumpSet))
    }

    fn announce(&mut self, now: Timestamp) -> Vec<Message> {
        let config = DeviceConfig {
            name: Some(self.zone.pump_name.into()),
            ..DeviceConfig::default()
        };
        let mut messages = vec![
            self.discovery(),
            config_message(self.zone.pump_level, &config),
            Message::status(&self.id, Status::Online),
        ];
        self.machine.announce();
        messages.extend(self.drain(now));
        messages
    }

    fn handle_message(&mut self, payload: &[u8], retain: bool, now: Timestamp) -> Vec<Message> {
        let command = match PumpCommand::parse(payload) {
            Ok(command) => command,
            Err(error) => {
                debug!(pump = self.zone.pump_level, %error, "not a command");
                return Vec::new();
            }
        };
        if retain || self.is_stuck || command.is_too_old(now) || is_from_the_future(&command, now) {
            return Vec::new();
        }
        if self.waiting.len() >= WAITING_LEN_MAX {
            if command.state == Switch::On {
                return Vec::new();
            }
            // An OFF always finds room: it overrules what still waits.
            self.waiting.clear();
        }
        let delay = DELAY_MIN + (DELAY_MAX - DELAY_MIN).mul_f64(self.random.f64());
        let earliest = self.waiting.back().map_or(now, |(due, _)| *due);
        self.waiting
            .push_back(((now + delay).max(earliest), command));
        Vec::new()
    }

    fn deadline(&self) -> Option<Timestamp> {
        match (self.deadline, self.waiting.front()) {
            (Some(deadline), Some((due, _))) => Some(deadline.min(*due)),
            (deadline, waiting) => deadline.or(waiting.map(|(due, _)| *due)),
        }
    }

    fn handle_timeout(&mut self, now: Timestamp) -> Vec<Message> {
        self.machine.handle_timeout(now);
        let mut messages = self.drain(now);
        while self.waiting.front().is_some_and(|(due, _)| *due <= now)
            && let Some((_, command)) = self.waiting.pop_front()
        {
            self.machine.handle_command(&command, false, now);
            messages.extend(self.drain(now));
        }
        messages
    }

    fn shut_down(&mut self, now: Timestamp) -> Vec<Message> {
        self.waiting.clear();
        self.machine.switch_off("shutdown", now);
        let mut messages = self.drain(now);
        messages.push(self.will());
        messages
    }
}

/// Whether it is an ON of a clock that is so far ahead that its age cannot be told.
fn is_from_the_future(command: &PumpCommand, now: Timestamp) -> bool {
    command.state == Switch::On
        && command
            .time
            .is_some_and(|time| time > now + PumpCommand::AGE_MAX)
}

/// How long a valve takes to move, and its controller to say so.
const DELAY_MIN: Duration = Duration::from_millis(300);
const DELAY_MAX: Duration = Duration::from_millis(1_200);
/// More than a person presses while a valve moves.
const WAITING_LEN_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ground::Source, soil_model::SoilModel};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn pump(is_stuck: bool) -> Pump {
        let source = Source::SoilModel(SoilModel::new(1));
        let ground = Ground::new(source, "1h".parse().unwrap(), at(0));
        let settings = PumpSettings {
            zone_index: 0,
            ground: Rc::new(RefCell::new(ground)),
            is_stuck,
            random: fastrand::Rng::with_seed(1),
        };
        Pump::new(settings, at(0)).unwrap()
    }

    #[test]
    fn it_obeys_after_a_believable_delay() {
        let mut pump = pump(false);
        pump.announce(at(0));
        assert_eq!(pump.handle_message(b"ON", false, at(0)), []);
        let due = pump.deadline().unwrap();
        assert!((300..=1_200).contains(&due.millis()), "{due}");
        let messages = pump.handle_timeout(due);
        assert_eq!(messages.len(), 1);
        assert_eq!(
            messages[0].topic,
            "rootzone/orchard/orchard-pump/pump/state"
        );
        assert!(messages[0].payload.starts_with(r#"{"state":"ON""#));
    }

    #[test]
    fn commands_keep_their_order() {
        let mut pump = pump(false);
        for _ in 0..5 {
            pump.handle_message(b"ON", false, at(0));
            pump.handle_message(b"OFF", false, at(1));
        }
        let messages = pump.handle_timeout(at(5_000));
        assert_eq!(messages.len(), 10);
        assert!(messages[9].payload.starts_with(r#"{"state":"OFF""#));
    }

    #[test]
    fn off_finds_room_among_any_number_of_commands() {
        let mut pump = pump(false);
        for _ in 0..2 * WAITING_LEN_MAX {
            pump.handle_message(b"ON", false, at(0));
        }
        pump.handle_message(b"OFF", false, at(1));
        let messages = pump.handle_timeout(at(5_000));
        assert!(
            messages
                .last()
                .unwrap()
                .payload
                .starts_with(r#"{"state":"OFF""#)
        );
    }

    #[test]
    fn retained_and_broken_commands_are_ignored() {
        let mut pump = pump(false);
        pump.handle_message(b"ON", true, at(0));
        pump.handle_message(b"TOGGLE", false, at(0));
        assert_eq!(pump.deadline(), None);
    }

    #[test]
    fn an_on_from_the_future_is_refused_and_an_off_is_not() {
        let mut pump = pump(false);
        let mut is_taken = |payload: &str| {
            pump.handle_message(payload.as_bytes(), false, at(0));
            !std::mem::take(&mut pump.waiting).is_empty()
        };
        assert!(!is_taken(
            r#"{"state":"ON","time":"1970-01-01T00:00:10.001Z"}"#
        ));
        assert!(is_taken(r#"{"state":"ON","time":"1970-01-01T00:00:10Z"}"#));
        assert!(is_taken(r#"{"state":"OFF","time":"1970-01-02T00:00:00Z"}"#));
    }

    #[test]
    fn a_stuck_pump_is_silent() {
        let mut pump = pump(true);
        assert!(!pump.announce(at(0)).is_empty());
        pump.handle_message(b"ON", false, at(0));
        assert_eq!(pump.deadline(), None);
    }

    #[test]
    fn it_is_off_when_the_field_shuts_down() {
        let mut pump = pump(false);
        pump.handle_message(b"ON", false, at(0));
        pump.handle_timeout(at(2_000));
        let payloads: Vec<_> = pump
            .shut_down(at(3_000))
            .into_iter()
            .map(|message| message.payload)
            .collect();
        assert_eq!(
            payloads,
            [
                r#"{"state":"OFF","by":"shutdown","since":"1970-01-01T00:00:03Z"}"#,
                "offline"
            ]
        );
    }
}
