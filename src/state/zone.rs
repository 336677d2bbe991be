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
