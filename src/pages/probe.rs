//! One probe: a large live chart and what the probe says about itself.

use chart::{View, clock, decimal};
use field::Timestamp;

use crate::{
    format::{moment, value},
    piece::{Piece, Places},
    router::{link_to, zone_path},
    state::{Fleet, Freshness, Probe, ProbeId, key_of_device},
    store::{ZONE, use_connection, use_fleet, use_now},
    widgets::{
        probe_card::show_standing,
        pump_card::pump_card,
        reading_chart::{reading_chart, scene_of},
    },
    words,
};

/// The page at `/probe/<zone>/<device>`.
#[must_use]
pub fn probe_page(id: &ProbeId) -> Piece {
    let fleet = use_fleet();
    let connection = use_connection();
    let now = use_now();
    let id = id.clone();
    Piece::new(include_str!("probe.html"), move |places| {
        let now = now.get();
        let probe = fleet.probe(&id);
        let is_known = probe.is_some();
        places.attribute("field", "href", Some(&link_to("/")));
        for place in ["slash", "reading", "more"] {
            places.show(place, is_known);
        }
        let fleet = fleet.everything();
        let zone = probe.as_ref().map_or("", |probe| &probe.zone);
        let pumps = fleet.pumps_of_zone(zone);
        let pumps: Vec<String> = pumps.map(|pump| key_of_device(&pump.device)).collect();
        places.text("zone", &fleet.zone_name(zone));
        places.attribute("zone", "href", Some(&zone_path(zone)));
        places.show("zone", is_known);
        places.part("chart", is_known.then_some(""), &|_| reading_chart(&id));
        places.show("waters", !pumps.is_empty());
        places.list("pumps", &pumps, &pump_card);
        match &probe {
            Some(probe) => show(places, probe, last_run(&fleet, zone), now),
            None => {
                let name = fleet.probe_name(&id);
                show_unknown(places, &name, connection.read().is_connected());
            }
        }
    })
}

/// Name, value, age, where it is going, and what the probe says about itself.
fn show(places: &mut Places, probe: &Probe, watered: Option<Timestamp>, now: Timestamp) {
    let freshness = probe.freshness(now);
    let (word, age) = words::freshness(freshness, now, ZONE);
    places.attribute("head", "data-status", Some(freshness.as_str()));
    places.text("name", &probe.name);
    show_standing(places, probe.standing(now));
    places.text("value", &probe.moisture().map_or_else(|| "–".into(), value));
    places.text("unit", &probe.unit);
    places.text("word", word);
    places.text("age", &age);
    places.text("outlook", &outlook(probe, watered, now));
    let complaint = probe.complaint();
    places.show("fault", complaint.is_some());
    places.text("wrong", &complaint.unwrap_or_default());

    let reading = probe.reading.unwrap_or_default();
    let whole = |number: f64| decimal(number as f32, 0);
    let battery = reading.battery.map(|percent| whole(percent) + " %");
    let soil = reading.temperature.map(|celsius| value(celsius) + " °C");
    show_fact(places, "battery-row", "battery", battery);
    show_fact(places, "soil-row", "soil", soil);
    show_fact(places, "raw-row", "raw", reading.raw.map(whole));
    places.text("topic", &probe.topic);
}

/// Only what it did say.
fn show_fact(places: &mut Places, row: &str, place: &str, fact: Option<String>) {
    places.show(row, fact.is_some());
    places.text(place, &fact.unwrap_or_default());
}

/// No such probe has been heard of, or not yet.
fn show_unknown(places: &mut Places, name: &str, is_connected: bool) {
    places.text("name", name);
    show_standing(places, None);
    places.show("fault", false);
    let lead = if is_connected {
        "Nothing has been heard of this probe yet. It shows here with its first message."
    } else {
        "Waiting for the broker."
    };
    places.text("outlook", lead);
}

/// When the last watering of a zone ended.
fn last_run(fleet: &Fleet, zone: &str) -> Option<Timestamp> {
    fleet
        .pumps_of_zone(zone)
        .filter_map(|pump| pump.last_run()?.end)
        .max()
}

/// Where the value is going since the last watering, or since it is collected.
fn outlook(probe: &Probe, last_run: Option<Timestamp>, now: Timestamp) -> String {
    // What is further back says little of where it is going.
    let scene = scene_of(probe, View::Latest(OUTLOOK), now);
    let since = scene.since.max(scene.window.start);
    let since_text = clock(since, scene.zone);
    match (probe.freshness(now), probe.reading_at) {
        (Freshness::Live { .. }, _) => {
            let watered = last_run.map(Timestamp::millis).filter(|&end| end > since);
            watered
                .and_then(|end| scene.outlook(end, "the last watering"))
                .or_else(|| scene.outlook(since, &since_text))
                .unwrap_or_else(|| "It is too early to say where it is going.".into())
        }
        (Freshness::Stale { .. } | Freshness::Cut { .. } | Freshness::Offline { .. }, Some(at)) => {
            [
                "The last reading came at ",
                &moment(at, now, scene.zone),
                ".",
            ]
            .concat()
        }
        (Freshness::RetainedOnly, _) => {
            String::from("The broker kept this value; nobody knows when it was measured.")
        }
        _ => String::new(),
    }
}

/// In milliseconds.
const OUTLOOK: i64 = 6 * 60 * 60 * 1_000;
