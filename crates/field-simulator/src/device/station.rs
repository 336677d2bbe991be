//! The field's own station, which says what everybody should agree on.

use std::{cell::RefCell, rc::Rc};

use field::{Address, DeviceConfig, Timestamp};

use super::{Device, Message, client_identifier};
use crate::{ground::Ground, layout::ZONES};

/// Announces the zones and what plays. Its Will takes the latter back, so that no broker goes on saying so.
#[derive(Debug)]
pub struct Station {
    ground: Rc<RefCell<Ground>>,
}

impl Station {
    /// The station of a ground.
    #[must_use]
    pub fn new(ground: Rc<RefCell<Ground>>) -> Self {
        Self { ground }
    }
}

impl Device for Station {
    fn client_identifier(&self) -> String {
        client_identifier("station")
    }

    fn will(&self) -> Message {
        Message::state(Address::Simulation.to_string(), "")
    }

    fn command_topic(&self) -> Option<String> {
        None
    }

    fn announce(&mut self, _now: Timestamp) -> Vec<Message> {
        let simulation = self.ground.borrow().simulation();
        let mut messages = vec![Message::state(
            Address::Simulation.to_string(),
            simulation.to_json(),
        )];
        messages.extend(ZONES.iter().map(|zone| {
            let config = DeviceConfig {
                name: Some(zone.name.into()),
                about: Some(zone.crop.into()),
                target: None,
            };
            config_message(zone.level, &config)
        }));
        messages
    }

    fn handle_message(&mut self, _payload: &[u8], _retain: bool, _now: Timestamp) -> Vec<Message> {
        Vec::new()
    }

    fn deadline(&self) -> Option<Timestamp> {
        None
    }

    fn handle_timeout(&mut self, _now: Timestamp) -> Vec<Message> {
        Vec::new()
    }

    fn shut_down(&mut self, _now: Timestamp) -> Vec<Message> {
        vec![self.will()]
    }
}

pub(super) fn config_message(name: &str, config: &DeviceConfig) -> Message {
    let address = Address::Config { name: name.into() };
    Message::state(address.to_string(), config.to_json())
}
