//! A probe's readings on a large chart, with the pumps that water it.

use std::rc::Rc;

use chart::{Band, Line, PumpRuns, Scene, Series, Span, View};
use field::Timestamp;

use crate::{
    components::chart::{Read, chart},
    format::{millis, moment},
    piece::Piece,
    signal::{Signal, watch},
    state::{Freshness, Probe, ProbeId, Pump, PumpRun, Window},
    store::{FleetStore, ZONE, use_fleet, use_link, use_now},
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
    let asking = {
        let (id, others, view) = (id.clone(), Rc::clone(&others), Rc::clone(&view));
        watch(Box::new(move || {
            let mut shown = others.get();
            shown.insert(0, id.clone());
            ask_for(&shown, view.get(), POINTS);
        }))
    };
    let scene: Read<Scene> = {
        let (id, others, view) = (id.clone(), Rc::clone(&others), Rc::clone(&view));
        Rc::new(move || {
            let (now, view) = (now.get(), view.get());
            let scene = fleet.probe(&id).map(|probe| scene_of(&probe, view, now));
            let mut scene = scene.unwrap_or_else(|| Scene::of(Series::new(1)));
            for other in others.read().iter() {
                let probe = fleet.probe(other);
                let line = probe.map(|probe| line_of(&probe, scene.window, now));
                scene.lines.extend(line);
            }
            scene.pumps = runs(fleet, &id, now);
            scene
        })
    };
    let id = id.clone();
    let mut piece = chart(scene, view, move || {
        controls(id.clone(), Rc::clone(&others))
    });
    piece.keep((following_view, following_others, asking));
    piece
}

fn controls(id: ProbeId, others: Rc<Signal<Vec<ProbeId>>>) -> Piece {
    let fleet = use_fleet();
    let now = use_now();
    Piece::new(include_str!("reading_chart.html"), move |places| {
        let now = now.get();
        let since = fleet.probe(&id).and_then(|probe| match probe.past.since() {
            Some(_) => None,
            None => Some(moment(probe.collecting_since, now, ZONE)),
        });
        places.show("since", since.is_some());
        places.text("since", &[COLLECTING, &since.unwrap_or_default()].concat());
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
        places.text("name", &fleet.layout().probe_name(&named));
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
    let layout = fleet.layout();
    let Some(probe) = layout.probes.get(id) else {
        return Vec::new();
    };
    let devices: Vec<_> = layout
        .pumps_of_zone(&probe.zone)
        .map(|pump| pump.device.clone())
        .collect();
    drop(layout);
    let pumps = devices.iter().filter_map(|device| fleet.pump(device));
    pumps.map(|pump| runs_of(&pump, now)).collect()
}

/// Asks the broker for what a chart of these probes lacks, and a little around it, so that a reader who
/// moves on finds it there.
pub fn ask_for(probes: &[ProbeId], view: View, points: i64) {
    let (fleet, now) = (use_fleet(), use_now().get().millis());
    // Not every reading is a reason to look again: what is lacking changes with answers and with the time.
    let fleet = fleet.layout();
    let known = |id: &ProbeId| fleet.probes.get(id);
    let known = probes.iter().filter_map(known);
    let Some(since) = known.clone().map(Probe::since).min() else {
        return;
    };
    let shown = Window {
        span: view.window(since, now),
        is_live: view.is_live(),
        points,
    };
    let lacking = known.filter(|probe| probe.lacks(shown.span, 2 * shown.fineness()));
    let lacking: Vec<ProbeId> = lacking.map(|probe| probe.id.clone()).collect();
    drop(fleet);
    if lacking.is_empty() {
        return;
    }
    let around = shown.span.duration() / 2;
    let (start, end) = (shown.span.start - around, shown.span.end + around);
    let wide = Window {
        span: Span::new(start.max(since), end.min(now)),
        is_live: end >= now,
        points: 2 * points,
    };
    use_link().ask_for_chart(lacking, wide);
}

/// What there is of a probe in a view, without its pumps.
pub fn scene_of(probe: &Probe, view: View, now: Timestamp) -> Scene {
    // Its first word.
    let unit = probe.unit.trim();
    let unit = unit.split_once(' ').map_or(unit, |(unit, _)| unit);
    let since = probe.since();
    let window = view.window(since, now.millis());
    Scene {
        unit: unit.into(),
        now: now.millis(),
        since,
        window,
        band: probe.target.map(|target| Band {
            low: target.low() as f32,
            high: target.high() as f32,
        }),
        zone: ZONE,
        is_loading: probe.lacks(window, i64::MAX),
        ..Scene::of_lines(vec![line_of(probe, window, now)])
    }
}

fn line_of(probe: &Probe, window: Span, now: Timestamp) -> Line {
    let (series, step) = probe.readings(window);
    Line {
        key: probe.id.as_str().into(),
        name: probe.name.clone(),
        is_fresh: matches!(probe.freshness(now), Freshness::Live { .. }),
        expiry: expiry_of(probe, step),
        ..Line::of(series.clone())
    }
}

/// How long a reading holds, if its device says so or it stands for some time.
pub fn expiry_of(probe: &Probe, step: i64) -> Option<i64> {
    let expiry = probe.expires_after.map(millis);
    let expiry = expiry.and_then(|expiry| i64::try_from(expiry).ok());
    match step {
        0 => expiry,
        _ => Some(expiry.unwrap_or_default().max(3 * step)),
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

/// Half the pixels of a large chart: a row of the answer has a lowest and a highest value.
const POINTS: i64 = 600;
const COLLECTING: &str = "Collecting since ";
const NEIGHBOUR: &str =
    r#"<label><input type="checkbox" data-at="box"><span data-at="name"></span></label>"#;
