//! What each device of the field says and does: machines of messages and deadlines, without a connection.

pub mod probe;
pub mod pump;
pub mod station;

use std::fmt::Debug;

use field::{Channel, DeviceId, Status, Timestamp};

/// One MQTT client of the field.
///
/// Messages that come while there is no connection are dropped: on the next one the device announces itself anew.
pub trait Device: Debug {
    /// By what the broker knows it.
    fn client_identifier(&self) -> String;

    /// What the broker is to say for it when it is gone without a word.
    fn will(&self) -> Message;

    /// The topic it takes commands on.
    fn command_topic(&self) -> Option<String>;

    /// Says all that is retained, as on every new connection.
    fn announce(&mut self, now: Timestamp) -> Vec<Message>;

    /// Takes a message from its command topic.
    fn handle_message(&mut self, payload: &[u8], retain: bool, now: Timestamp) -> Vec<Message>;

    /// When it wants to be called again.
    fn deadline(&self) -> Option<Timestamp>;

    /// Does what is due.
    fn handle_timeout(&mut self, now: Timestamp) -> Vec<Message>;

    /// Ends in order: pumps stop, and what would be wrong afterwards is taken back.
    fn shut_down(&mut self, now: Timestamp) -> Vec<Message>;
}

/// Something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The Topic Name.
    pub topic: String,
    /// The Payload.
    pub payload: String,
    /// How surely it must arrive.
    pub delivery: Delivery,
}

/// How surely a message must arrive. All that devices say is retained: the last value is better than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// QoS 0: the next one comes in a second.
    Reading,
    /// QoS 1: the next one may not come for days.
    State,
}

impl Message {
    fn state(topic: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            delivery: Delivery::State,
        }
    }

    fn reading(topic: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            delivery: Delivery::Reading,
        }
    }

    fn status(device: &DeviceId, status: Status) -> Self {
        Self::state(device.topic(Channel::Status), status.as_str())
    }
}

fn client_identifier(name: &str) -> String {
    format!("field-simulator-{name}")
}
