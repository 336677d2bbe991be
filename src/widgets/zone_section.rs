//! A zone: its pumps, then its probes.

use crate::{
    format::{count, element_id, value},
    piece::Piece,
    router::zone_path,
    state::{Zone, key_of_device},
    store::{use_fleet, use_now},
    widgets::{probe_card::probe_card, pump_card::pump_card},
};

/// A zone: its pumps, then its probes.
#[must_use]
pub fn zone_section(key: &str) -> Piece {
    let fleet = use_fleet();
    let now = use_now();
    let key = String::from(key);
    let heading = element_id("zone-", &key);
    Piece::new(include_str!("zone_section.html"), move |places| {
        let now = now.get();
        let fleet = fleet.everything();
        let zone = fleet.zone(&key);
        let average = fleet.average(&zone, now);
        places.attribute("", "aria-labelledby", Some(&heading));
        places.attribute("heading", "id", Some(&heading));
        places.attribute("name", "href", Some(&zone_path(&key)));
        places.text("name", &zone.name);
        places.show("mean", average.is_some());
        places.text("average", &average.map(value).unwrap_or_default());
        let pumps: Vec<String> = zone.pumps.iter().map(key_of_device).collect();
        let probes: Vec<String> = zone.probes.iter().map(|id| id.as_str().into()).collect();
        places.list("pumps", &pumps, &pump_card);
        places.list("probes", &probes, &probe_card);
        places.text("about", &about(zone));
    })
}

/// What is said of the zone, or else what is in it.
fn about(zone: Zone) -> String {
    zone.about.unwrap_or_else(|| {
        let probes = count(zone.probes.len(), "probe");
        let pumps = count(zone.pumps.len(), "pump");
        match (zone.probes.is_empty(), zone.pumps.is_empty()) {
            (false, true) => probes,
            (true, _) => pumps,
            (false, false) => probes + ", " + &pumps,
        }
    })
}
