//! Topics as addresses: which device, and what about it.

use std::fmt;

use crate::EntityAddress;

/// What a topic is about, if it is one that this crate knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// `rootzone/<zone>/<device>/…`: a device of our own.
    Device {
        /// Which device.
        device: DeviceId,
        /// What about it.
        channel: Channel,
    },
    /// `rootzone/config/<name>`: what every browser agrees on, about a device or a zone of this name.
    Config {
        /// The device's or the zone's level, without the rest of its topics.
        name: String,
    },
    /// `rootzone/config/simulation`: what plays, where the field is a simulated one.
    Simulation,
    /// `homeassistant/<component>/[<node>/]<object>/config`: an entity announces itself.
    Discovery(EntityAddress),
}

impl Address {
    /// Whether a topic is a device's [`Channel::Moisture`]: for whoever looks at every message, and keeps none.
    #[must_use]
    pub fn is_moisture(topic: &str) -> bool {
        let own = topic.strip_prefix("rootzone/");
        let device = own.and_then(|own| own.strip_suffix("/moisture"));
        let levels = device.and_then(|device| device.split_once('/'));
        levels.is_some_and(|(zone, name)| check_levels(zone, name).is_ok())
    }

    /// Reads a topic; `None` for one that is about something else.
    #[must_use]
    pub fn parse(topic: &str) -> Option<Self> {
        let Some(own) = topic.strip_prefix("rootzone/") else {
            return EntityAddress::parse(topic).map(Self::Discovery);
        };
        if let Some(name) = own.strip_prefix("config/") {
            return match name {
                "simulation" => Some(Self::Simulation),
                name => is_level(name).then(|| Self::Config { name: name.into() }),
            };
        }
        let (zone, rest) = own.split_once('/')?;
        let (name, channel) = rest.split_once('/')?;
        Some(Self::Device {
            device: DeviceId::new(zone, name).ok()?,
            channel: Channel::parse(channel)?,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { device, channel } => write!(f, "{device}/{}", channel.as_str()),
            Self::Config { name } => write!(f, "rootzone/config/{name}"),
            Self::Simulation => f.write_str("rootzone/config/simulation"),
            Self::Discovery(entity) => entity.fmt(f),
        }
    }
}

/// What a topic below a device's own says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Whether the device is there: a [`Status`](crate::Status).
    Status,
    /// What a probe measures: a [`Reading`](crate::Reading).
    Moisture,
    /// What a pump is told: a [`PumpCommand`](crate::PumpCommand). Never retained.
    PumpSet,
    /// What a pump does: a [`PumpState`](crate::PumpState).
    PumpState,
}

impl Channel {
    /// The levels below the device's own.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Moisture => "moisture",
            Self::PumpSet => "pump/set",
            Self::PumpState => "pump/state",
        }
    }

    fn parse(levels: &str) -> Option<Self> {
        [Self::Status, Self::Moisture, Self::PumpSet, Self::PumpState]
            .into_iter()
            .find(|channel| channel.as_str() == levels)
    }
}

/// A device of our own: its zone's level and its own level, each valid within a Topic Name.
///
/// Displayed as the topic that its channels stand below, `rootzone/<zone>/<device>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    zone: String,
    name: String,
}

impl DeviceId {
    /// A device by its two levels.
    ///
    /// # Errors
    /// If a level is empty or holds what a level may not, or if the zone's name is taken by another kind of topic.
    pub fn new(zone: &str, name: &str) -> Result<Self, InvalidDeviceId> {
        check_levels(zone, name)?;
        Ok(Self {
            zone: zone.into(),
            name: name.into(),
        })
    }

    /// The zone's level.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// The device's level, by which its [`Address::Config`] is found.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The topic of one of this device's channels.
    #[must_use]
    pub fn topic(&self, channel: Channel) -> String {
        [
            "rootzone/",
            &self.zone,
            "/",
            &self.name,
            "/",
            channel.as_str(),
        ]
        .concat()
    }
}

fn check_levels(zone: &str, name: &str) -> Result<(), InvalidDeviceId> {
    if matches!(zone, "config" | "history") {
        return Err(InvalidDeviceId::ReservedZone);
    }
    if !is_level(zone) || !is_level(name) {
        return Err(InvalidDeviceId::NotALevel);
    }
    Ok(())
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rootzone/{}/{}", self.zone, self.name)
    }
}

/// Why two texts do not name a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeviceId {
    /// One of them cannot be a level of a Topic Name.
    #[error("a zone or device name is empty or holds one of / + # or U+0000")]
    NotALevel,
    /// `config` and `history` mean something else in our topics.
    #[error("a zone cannot be named config or history")]
    ReservedZone,
}

/// The Topic Filter of every pump's commands, which a watcher needs because a retained one is a fault to show.
///
/// Subscribed to with Retain As Published, so that one shows the moment it is published.
pub const COMMAND_FILTER: &str = "rootzone/+/+/pump/set";

/// The Topic Filters that together match every other [`Address`] a watcher of the field needs.
pub const FILTERS: [&str; 6] = [
    "rootzone/+/+/status",
    "rootzone/+/+/moisture",
    "rootzone/+/+/pump/state",
    "rootzone/config/+",
    "homeassistant/+/+/config",
    "homeassistant/+/+/+/config",
];

pub(crate) fn is_level(text: &str) -> bool {
    !text.is_empty() && !text.contains(['/', '+', '#', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Component;
    use proptest::prelude::*;

    #[test]
    fn every_kind_of_topic_is_read_and_written() {
        let bed = DeviceId::new("north-beds", "bed-1").unwrap();
        for (topic, address) in [
            (
                "rootzone/north-beds/bed-1/status",
                Address::Device {
                    device: bed.clone(),
                    channel: Channel::Status,
                },
            ),
            (
                "rootzone/north-beds/bed-1/pump/set",
                Address::Device {
                    device: bed,
                    channel: Channel::PumpSet,
                },
            ),
            (
                "rootzone/config/bed-1",
                Address::Config {
                    name: "bed-1".into(),
                },
            ),
            ("rootzone/config/simulation", Address::Simulation),
            (
                "homeassistant/sensor/garden/soil_1/config",
                Address::Discovery(EntityAddress {
                    component: Component::Sensor,
                    node: Some("garden".into()),
                    object: "soil_1".into(),
                }),
            ),
        ] {
            assert_eq!(Address::parse(topic).as_ref(), Some(&address));
            assert_eq!(address.to_string(), topic);
        }
    }

    #[test]
    fn other_topics_are_left_to_others() {
        for topic in [
            "",
            "rootzone",
            "rootzone/",
            "rootzone/a/b",
            "rootzone//b/status",
            "rootzone/a/b/status/x",
            "rootzone/a/b/pump",
            "rootzone/config/",
            "rootzone/config/a/status",
            "rootzone/history/get",
            "zigbee2mqtt/Soil 3",
            "homeassistant/status",
        ] {
            assert_eq!(Address::parse(topic), None, "{topic}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_written_as_it_was_read(topic in "(rootzone|homeassistant)(/([a-z+#]{0,3}|config|sensor|status|moisture|pump/set))*|.*") {
            let is_moisture = matches!(
                Address::parse(&topic),
                Some(Address::Device { channel: Channel::Moisture, .. })
            );
            prop_assert_eq!(Address::is_moisture(&topic), is_moisture);
            if let Some(address) = Address::parse(&topic) {
                prop_assert_eq!(address.to_string(), topic);
            }
        }
    }
}
