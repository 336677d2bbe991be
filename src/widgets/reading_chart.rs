//! A probe's readings on a large chart, with the pumps that water it.

use std::rc::Rc;

use chart::{Band, Line, PumpRuns, Scene, Series, Span, live_window};
use field::Timestamp;

use crate::{
    components::chart::{Read, chart},
    dom::value_of,
    format::{millis, moment},
    piece::Piece,
    signal::Signal,
    state::{Freshness, Probe, ProbeId, Pump, PumpRun},
    store::{FleetStore, ZONE, use_fleet, use_now},
};

/// A probe's readings on a large chart, over a range that the reader chooses.
#[must_use]
pub fn reading_chart(id: &ProbeId) -> Piece {
    let fleet = use_fleet();
    let now = use_now();
    // In minutes; without a number everything is shown.
    let range = Rc::new(Signal::new(None::<i64>));
    let label: Read<String> = {
        let id = id.clone();
        Rc::new(move || {
            let name = fleet.probe(&id).map(|probe| probe.name.clone());
            String::from("Moisture of ") + &name.unwrap_or_default()
        })
    };
    let scene: Read<Scene> = {
        let (id, range) = (id.clone(), Rc::clone(&range));
        Rc::new(move || {
            let now = now.get();
            let scene = fleet.probe(&id).map(|probe| scene_of(&probe, now));
            let mut scene = scene.unwrap_or_else(|| Scene::of(Series::new(1)));
            let range = range.get().map(|minutes| minutes * 60_000);
            scene.window = live_window(scene.since, range, scene.now);
            scene.pumps = runs(fleet, &id, now);
            scene
        })
    };
    let id = id.clone();
    chart(scene, label, move || {
        controls(id.clone(), Rc::clone(&range))
    })
}

fn controls(id: ProbeId, range: Rc<Signal<Option<i64>>>) -> Piece {
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
    })
    .on("ranges", "change", move |event| {
        range.set(value_of(&event).parse().ok())
    })
}

/// The runs of the pumps that water a probe.
fn runs(fleet: &FleetStore, id: &ProbeId, now: Timestamp) -> Vec<PumpRuns> {
    let Some(probe) = fleet.probe(id) else {
        return Vec::new();
    };
    let fleet = fleet.everything();
    let pumps = fleet.pumps_of_zone(&probe.zone);
    pumps.map(|pump| runs_of(pump, now)).collect()
}

/// Everything that was collected of a probe, without its pumps.
pub fn scene_of(probe: &Probe, now: Timestamp) -> Scene {
    let unit = probe.unit.split_whitespace().next();
    let expiry = probe.expires_after.map(millis);
    let since = probe.collecting_since.millis();
    let line = Line {
        name: probe.name.clone(),
        is_fresh: matches!(probe.freshness(now), Freshness::Live { .. }),
        expiry: expiry.and_then(|expiry| i64::try_from(expiry).ok()),
        ..Line::of(probe.history.clone())
    };
    Scene {
        unit: unit.unwrap_or_default().into(),
        now: now.millis(),
        since,
        window: live_window(since, None, now.millis()),
        band: probe.target.map(|target| Band {
            low: target.low() as f32,
            high: target.high() as f32,
        }),
        zone: ZONE,
        ..Scene::of_lines(vec![line])
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
