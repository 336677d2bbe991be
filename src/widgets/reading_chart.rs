//! A probe's readings on a large chart, with the pumps that water it.

use chart::{Band, PumpRuns, Scene, Series, Span, live_window};
use field::{DeviceId, Timestamp};
use leptos::prelude::*;

use crate::{
    components::{chart::Chart, choice::Choice},
    format::moment,
    state::{Freshness, Probe, ProbeId, Pump, PumpRun},
    store::{FleetStore, use_fleet, use_now, utc_offset},
};

/// A probe's readings on a large chart, over a range that the reader chooses.
#[component]
pub fn ReadingChart(
    /// Which probe.
    id: ProbeId,
) -> impl IntoView {
    let fleet = use_fleet();
    let now = use_now();
    let range = RwSignal::new(EVERYTHING);
    let pumps = watering_pumps(fleet, id.clone());
    let label = {
        let id = id.clone();
        Memo::new(move |_| {
            let name = fleet.probe(&id, |probe| probe.name.clone());
            ["Moisture of ", &name.unwrap_or_default()].concat()
        })
    };
    let since = {
        let id = id.clone();
        Memo::new(move |_| {
            let since = fleet.probe(&id, |probe| probe.collecting_since)?;
            let clock = moment(since, now.get(), utc_offset(since));
            Some(["Collecting since ", &clock].concat())
        })
    };
    let scene = Signal::derive(move || {
        let now = now.get();
        let mut scene = fleet
            .probe(&id, |probe| scene_of(probe, now))
            .unwrap_or_else(|| Scene::of(Series::new(1)));
        let minutes = RANGES_MINUTES
            .iter()
            .find(|(value, _)| *value == range.get());
        let range = minutes.map(|(_, minutes)| minutes * 60_000);
        scene.window = live_window(scene.since, range, scene.now);
        scene.pumps = pumps.with(|pumps| {
            let runs = |device| fleet.pump(device, |pump| runs_of(pump, now));
            pumps.iter().filter_map(runs).collect()
        });
        scene
    });
    view! {
        <Chart scene label>
            <div class="reading-chart-range">
                <Choice
                    legend="Range"
                    name="range"
                    options=RANGES
                    chosen=Signal::derive(move || String::from(range.get()))
                    on_choose=Callback::new(move |value| range.set(value))
                />
            </div>
            <p class="reading-chart-since">{since}</p>
        </Chart>
    }
}

/// The pumps of a probe's zone.
pub fn watering_pumps(fleet: FleetStore, id: ProbeId) -> Memo<Vec<DeviceId>> {
    Memo::new(move |_| {
        let zone = fleet
            .probe(&id, |probe| probe.zone.clone())
            .unwrap_or_default();
        fleet.layout(|fleet| {
            let pumps = fleet.pumps_of_zone(&zone);
            pumps.map(|pump| pump.device.clone()).collect()
        })
    })
}

/// Everything that was collected of a probe, without its pumps.
pub fn scene_of(probe: &Probe, now: Timestamp) -> Scene {
    let unit = probe.unit.split_whitespace().next();
    let expiry = probe.expires_after.map(|expiry| expiry.as_millis());
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
