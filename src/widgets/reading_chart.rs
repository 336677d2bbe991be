//! A probe's readings on a large chart, with the pumps that water it.

use std::sync::Arc;

use chart::{Band, PumpRuns, Scene, Series, Span, live_window};
use field::Timestamp;
use leptos::prelude::*;

use crate::{
    components::{
        chart::{Chart, Read},
        choice::Choice,
        reactive::text,
    },
    format::{millis, moment},
    state::{Freshness, Probe, ProbeId, Pump, PumpRun},
    store::{FleetStore, use_fleet, use_now, utc_offset},
};

/// A probe's readings on a large chart, over a range that the reader chooses.
#[component]
pub fn ReadingChart(
    /// Which probe.
    id: ProbeId,
) -> AnyView {
    let fleet = use_fleet();
    let now = use_now();
    let range = RwSignal::new(String::from(EVERYTHING));
    let label: Read<String> = {
        let id = id.clone();
        Arc::new(move || {
            let name = fleet.probe(&id, |probe| probe.name.clone());
            ["Moisture of ", &name.unwrap_or_default()].concat()
        })
    };
    let since = {
        let id = id.clone();
        text(move || {
            let since = fleet.probe(&id, |probe| probe.collecting_since);
            let since = since.unwrap_or_else(|| now.get());
            [
                "Collecting since ",
                &moment(since, now.get(), utc_offset(since)),
            ]
            .concat()
        })
    };
    let scene: Read<Scene> = Arc::new(move || {
        let now = now.get();
        let mut scene = fleet
            .probe(&id, |probe| scene_of(probe, now))
            .unwrap_or_else(|| Scene::of(Series::new(1)));
        let minutes = range.with(|range| {
            RANGES_MINUTES
                .iter()
                .find(|(value, _)| value == range)
                .map(|(_, minutes)| *minutes)
        });
        let range = minutes.map(|minutes| minutes * 60_000);
        scene.window = live_window(scene.since, range, scene.now);
        scene.pumps = runs(fleet, &id, now);
        scene
    });
    let controls = view! {
        <div class="reading-chart-range">
            <Choice legend="Range" name="range" options=RANGES chosen=range on_choose=|_| () />
        </div>
        <p class="reading-chart-since">{since}</p>
    };
    view! { <Chart scene label controls=controls.into_any() /> }.into_any()
}

/// The runs of the pumps that water a probe.
fn runs(fleet: FleetStore, id: &ProbeId, now: Timestamp) -> Vec<PumpRuns> {
    let zone = fleet
        .probe(id, |probe| probe.zone.clone())
        .unwrap_or_default();
    fleet.everything(|fleet| {
        fleet
            .pumps_of_zone(&zone)
            .map(|pump| runs_of(pump, now))
            .collect()
    })
}

/// Everything that was collected of a probe, without its pumps.
pub fn scene_of(probe: &Probe, now: Timestamp) -> Scene {
    let unit = probe.unit.split_whitespace().next();
    let expiry = probe.expires_after.map(millis);
    let since = probe.collecting_since.millis();
    Scene {
        unit: unit.unwrap_or_default().into(),
        now: now.millis(),
        since,
        window: live_window(since, None, now.millis()),
        band: probe.target.map(|target| Band {
            low: target.low() as f32,
            high: target.high() as f32,
        }),
        is_fresh: matches!(probe.freshness(now), Freshness::Live { .. }),
        expiry: expiry.and_then(|expiry| i64::try_from(expiry).ok()),
        offset: utc_offset(now),
        ..Scene::of(probe.history.clone())
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

const EVERYTHING: &str = "all";
const RANGES: &[(&str, &str)] = &[("5", "5 min"), ("60", "1 h"), (EVERYTHING, "All")];
const RANGES_MINUTES: [(&str, i64); 2] = [("5", 5), ("60", 60)];
