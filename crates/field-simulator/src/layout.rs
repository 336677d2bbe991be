//! What stands in the field: four zones, each with a pump and its probes.

use field::{DeviceId, TargetBand};

use crate::soil_model::{LOAM, LOAMY_SAND, SANDY_LOAM, SILT_LOAM, SILTY_CLAY, Soil};

/// A part of the field that one pump waters.
#[derive(Debug)]
pub struct Zone {
    /// Its level in topics.
    pub level: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What grows there.
    pub crop: &'static str,
    /// Its pump's level in topics.
    pub pump_level: &'static str,
    /// What people call its pump.
    pub pump_name: &'static str,
    /// Whether rain falls on it.
    pub is_open: bool,
    /// Its probes, in the order of the columns of a replayed file.
    pub probes: &'static [Probe],
}

/// A probe in the ground.
#[derive(Debug)]
pub struct Probe {
    /// Its level in topics.
    pub level: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Where its moisture should stay, in percent, so chosen that the Sydney measurements of its column are mostly
    /// within, with one probe wet and one dry for most of the time.
    pub target: (f64, f64),
    /// What it stands in, for the built-in soil model.
    pub soil: Soil,
}

impl Zone {
    /// The pump's address.
    #[must_use]
    pub fn pump_id(&self) -> DeviceId {
        device_id(self.level, self.pump_level)
    }

    /// A probe's address.
    #[must_use]
    pub fn probe_id(&self, probe: &Probe) -> DeviceId {
        device_id(self.level, probe.level)
    }
}

impl Probe {
    /// The band as it is announced.
    #[must_use]
    pub fn target_band(&self) -> Option<TargetBand> {
        TargetBand::new(self.target.0, self.target.1)
    }
}

/// All probes with their zone's index, in the order of the columns of a replayed file.
pub fn probes() -> impl Iterator<Item = (usize, &'static Probe)> {
    ZONES
        .iter()
        .enumerate()
        .flat_map(|(zone, layout)| layout.probes.iter().map(move |probe| (zone, probe)))
}

fn device_id(zone: &str, device: &str) -> DeviceId {
    DeviceId::new(zone, device).expect("the levels below are valid, which a test shows")
}

const fn probe(level: &'static str, name: &'static str, target: (f64, f64), soil: Soil) -> Probe {
    Probe {
        level,
        name,
        target,
        soil,
    }
}

/// How many probes there are.
pub const N_PROBES: usize = 13;

/// The field. Device levels are unique in all of it, because `rootzone/config/<device>` names no zone.
pub static ZONES: [Zone; 4] = [
    Zone {
        level: "orchard",
        name: "Orchard",
        crop: "Apples and pears",
        pump_level: "orchard-pump",
        pump_name: "Orchard pump",
        is_open: true,
        probes: &[
            probe("row-2-shallow", "Row 2, shallow", (8.0, 15.0), LOAMY_SAND),
            probe("row-5", "Row 5", (24.0, 34.0), SILTY_CLAY),
            probe("row-9", "Row 9", (15.0, 29.0), SILT_LOAM),
        ],
    },
    Zone {
        level: "greenhouse",
        name: "Greenhouse",
        crop: "Tomatoes",
        pump_level: "greenhouse-valve",
        pump_name: "Greenhouse valve",
        is_open: false,
        probes: &[
            probe("bench-a", "Bench A", (12.0, 18.0), LOAMY_SAND),
            probe("bench-b", "Bench B", (11.0, 21.0), SANDY_LOAM),
            probe("bench-c", "Bench C", (12.0, 20.0), SANDY_LOAM),
        ],
    },
    Zone {
        level: "north-beds",
        name: "North beds",
        crop: "Brassicas, leeks",
        pump_level: "north-pump",
        pump_name: "North pump",
        is_open: true,
        probes: &[
            probe("bed-1", "Bed 1", (9.0, 17.0), LOAMY_SAND),
            probe("bed-2", "Bed 2", (11.0, 20.0), SANDY_LOAM),
            probe("bed-3", "Bed 3", (14.0, 22.0), SANDY_LOAM),
            probe("bed-4", "Bed 4", (16.0, 29.0), LOAM),
        ],
    },
    Zone {
        level: "berry-rows",
        name: "Berry rows",
        crop: "Raspberries",
        pump_level: "berry-valve",
        pump_name: "Berry valve",
        is_open: true,
        probes: &[
            probe("row-1", "Row 1", (17.0, 26.0), SANDY_LOAM),
            probe("row-2", "Row 2", (18.0, 29.0), LOAM),
            probe("row-3", "Row 3", (12.0, 27.0), SILT_LOAM),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_device_has_a_level_of_its_own() {
        assert_eq!(probes().count(), N_PROBES);
        let mut levels = BTreeSet::new();
        for zone in &ZONES {
            assert!(levels.insert(zone.level));
            assert!(levels.insert(zone.pump_level));
            assert_eq!(zone.pump_id().zone(), zone.level);
            for probe in zone.probes {
                assert!(levels.insert(probe.level), "{}", probe.level);
                assert_eq!(zone.probe_id(probe).name(), probe.level);
                assert!(probe.target_band().is_some());
            }
        }
    }
}
