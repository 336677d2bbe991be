//! A probe's readings on a large chart, with the pumps that water it.

use std::rc::Rc;

use chart::{Band, Line, PumpRuns, Scene, Series, Span, live_window};
use field::Timestamp;

use crate::{
    components::chart::{Read, chart},
    format::{millis, moment},
    piece::Piece,
    signal::Signal,
    state::{Freshness, Probe, ProbeId, Pump, PumpRun},
    store::{FleetStore, ZONE, use_fleet, use_now},
    widgets::chart_address::{addressed_probes, addressed_view},
};

/// A probe's readings on a large chart, beside others of its zone that the reader chooses.
///
/// What is shown stands in the address, so that a link shows it again.
#[must_use]
pub fn reading_chart(id: &ProbeId) -> Piece {
    let fleet = use_fleet();
    let now = use_now();
    let (view, following_view) = addressed_view();
    let (others, following_others) = addressed_probes();
    let label: Read<String> = {
        let id = id.clone();
        Rc::new(move || {
            let name = fleet.probe(&id).map(|probe| probe.name.clone());
            String::from("Moisture of ") + &name.unwrap_or_default()
        })
    };
    let scene: Read<Scene> = {
        let (id, others) = (id.clone(), Rc::clone(&others));
        Rc::new(move || {
            let now = now.get();
            let scene = fleet.probe(&id).map(|probe| scene_of(&probe, now));
            let mut scene = scene.unwrap_or_else(|| Scene::of(Series::new(1)));
            for other in others.read().iter() {
                let line = fleet.probe(other).map(|probe| line_of(&probe, now));
                scene.lines.extend(line);
            }
            scene.pumps = runs(fleet, &id, now);
            scene
        })
    };
    let id = id.clone();
    let mut piece = chart(scene, label, view, move || {
        controls(id.clone(), Rc::clone(&others))
    });
    piece.keep((following_view, following_others));
    piece
}

fn controls(id: ProbeId, others: Rc<Signal<Vec<ProbeId>>>) -> Piece {
    let fleet = use_fleet();
    let now = use_now();
    Piece::new(include_str!("reading_chart.html"), move |places| {
        let now = now.get();
        let since = fleet
            .probe(&id)
            .map(|probe| probe.collecting_since)
            .unwrap_or(now);
        let since = moment(since, now, ZONE);
        places.text("since", &[COLLECTING, &since].concat());
        let beside = neighbours(fleet, &id);
        places.show("compare", !beside.is_empty());
        places.list("others", &beside, &|key| neighbour(key, &others));
    })
}

/// The other probes of its zone that measure the same.
fn neighbours(fleet: &FleetStore, id: &ProbeId) -> Vec<String> {
    let Some((zone, unit)) = fleet
        .probe(id)
        .map(|probe| (probe.zone.clone(), probe.unit.clone()))
    else {
        return Vec::new();
    };
    let fleet = fleet.layout();
    let is_alike = |other: &&ProbeId| {
        let probe = fleet.probes.get(other);
        *other != id && probe.is_some_and(|probe| probe.unit == unit)
    };
    let probes = fleet.zone(&zone).probes;
    let alike = probes.iter().filter(is_alike);
    alike.map(|other| other.as_str().into()).collect()
}

/// A box that puts a probe on the chart.
fn neighbour(key: &str, others: &Rc<Signal<Vec<ProbeId>>>) -> Piece {
    let fleet = use_fleet();
    let (id, others) = (ProbeId::new(key), Rc::clone(others));
    let named = id.clone();
    let is_chosen = others.read_untracked().contains(&id);
    Piece::new(NEIGHBOUR, move |places| {
        places.attribute("box", "checked", is_chosen.then_some(""));
        let name = fleet.probe(&named).map(|probe| probe.name.clone());
        places.text("name", &name.unwrap_or_default());
    })
    .on("", "change", move |_| {
        let mut chosen = others.get_untracked();
        match chosen.iter().position(|other| *other == id) {
            Some(at) => drop(chosen.remove(at)),
            None => chosen.push(id.clone()),
        }
        others.set(chosen);
    })
}

/// The runs of the pumps that water a probe.
pub fn runs(fleet: &FleetStore, id: &ProbeId, now: Timestamp) -> Vec<PumpRuns> {
    let Some(zone) = fleet.probe(id).map(|probe| probe.zone.clone()) else {
        return Vec::new();
    };
    let layout = fleet.layout();
    let devices: Vec<_> = layout
        .pumps_of_zone(&zone)
        .map(|pump| pump.device.clone())
        .collect();
    drop(layout);
    let pumps = devices.iter().filter_map(|device| fleet.pump(device));
    pumps.map(|pump| runs_of(&pump, now)).collect()
}

/// Everything that was collected of a probe, without its pumps.
pub fn scene_of(probe: &Probe, now: Timestamp) -> Scene {
    // Its first word.
    let unit = probe.unit.trim();
    let unit = unit.split_once(' ').map_or(unit, |(unit, _)| unit);
    let since = probe.collecting_since.millis();
    Scene {
        unit: unit.into(),
        now: now.millis(),
        since,
        window: live_window(since, None, now.millis()),
        band: probe.target.map(|target| Band {
            low: target.low() as f32,
            high: target.high() as f32,
        }),
        zone: ZONE,
        ..Scene::of_lines(vec![line_of(probe, now)])
    }
}

fn line_of(probe: &Probe, now: Timestamp) -> Line {
    let expiry = probe.expires_after.map(millis);
    Line {
        name: probe.name.clone(),
        is_fresh: matches!(probe.freshness(now), Freshness::Live { .. }),
        expiry: expiry.and_then(|expiry| i64::try_from(expiry).ok()),
        ..Line::of(probe.history.clone())
    }
}

/// A pump's runs. One whose end nobody heard of is shown where it began.
fn runs_of(pump: &Pump, now: Timestamp) -> PumpRuns {
    let is_running = pump.is_running();
    let span = |run: &PumpRun| {
        let open_end = if is_running { now } else { run.start };
        Span::new(run.start.millis(), run.end.unwrap_or(open_end).millis())
    };
    PumpRuns {
        name: pump.name.clone(),
        runs: pump.runs.iter().map(span).collect(),
    }
}

const COLLECTING: &str = "Collecting since ";
const NEIGHBOUR: &str =
    r#"<label><input type="checkbox" data-at="box"><span data-at="name"></span></label>"#;
