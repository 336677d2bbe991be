//! Probes and pumps that stand together.

use field::DeviceId;

use crate::state::ProbeId;

/// Probes and pumps that stand together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    /// Its level in topics, or what a foreign device's area comes to when written like one.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// A line below the name, such as what grows there.
    pub about: Option<String>,
    /// In the order of their names.
    pub probes: Vec<ProbeId>,
    /// In the order of their names.
    pub pumps: Vec<DeviceId>,
}

/// A device as a key for a list: its zone and its name.
#[must_use]
pub fn key_of_device(device: &DeviceId) -> String {
    [device.zone(), "/", device.name()].concat()
}

/// The device that a key stands for.
#[must_use]
pub fn device_of_key(key: &str) -> Option<DeviceId> {
    let (zone, name) = key.split_once('/')?;
    DeviceId::new(zone, name).ok()
}
