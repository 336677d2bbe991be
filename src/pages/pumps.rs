//! Every pump, with the runs that were seen.

use field::DeviceId;
use leptos::prelude::*;

use crate::{
    format::{count, duration, moment},
    state::Pump,
    store::{use_fleet, use_now, utc_offset},
    widgets::pump_card::PumpCard,
};

/// The page at `/pumps`.
#[component]
pub fn PumpsPage() -> impl IntoView {
    let fleet = use_fleet();
    let pumps = Memo::new(move |_| {
        fleet.layout(|fleet| {
            let mut pumps: Vec<&Pump> = fleet.pumps.values().collect();
            pumps.sort_by(|one, other| one.name.cmp(&other.name));
            pumps.into_iter().map(|pump| pump.device.clone()).collect::<Vec<DeviceId>>()
        })
    });
    let lead = Memo::new(move |_| {
        fleet.everything(|fleet| {
            let running = fleet.pumps.values().filter(|pump| pump.is_running()).count();
            match (fleet.pumps.len(), running) {
                (0, _) => String::from("No pump has said anything yet. One appears with its first message."),
                (_, 0) => "No pump is running.".into(),
                (_, 1) => "1 pump is running.".into(),
                (_, running) => count(running, "pump") + " are running.",
            }
        })
    });
    view! {
        <h1 tabindex="-1">"Pumps"</h1>
        <p class="page-lead">{lead}</p>
        <div class="pumps-list">
            <For
                each=move || pumps.get()
                key=Clone::clone
                children=|device| view! { <PumpDetail device /> }
            />
        </div>
    }
}

/// A pump and its last runs.
#[component]
fn PumpDetail(
    /// Which.
    device: DeviceId,
) -> impl IntoView {
    let fleet = use_fleet();
    let now = use_now();
    let runs = {
        let device = device.clone();
        Memo::new(move |_| {
            let now = now.get();
            let offset = utc_offset(now);
            let said = |pump: &Pump| {
                let runs = pump.runs.iter().rev().take(RUNS_SHOWN);
                runs.map(|run| {
                    let ran = match run.end {
                        Some(end) => duration(end.saturating_duration_since(run.start)),
                        None => "running".into(),
                    };
                    let who = if run.is_ours { ", by you" } else { "" };
                    (moment(run.start, now, offset) + who, ran)
                })
                .collect::<Vec<_>>()
            };
            fleet.pump(&device, said).unwrap_or_default()
        })
    };
    let zone = {
        let key = String::from(device.zone());
        move || fleet.layout(|fleet| fleet.zone_name(&key))
    };
    let list = move || {
        runs.get()
            .into_iter()
            .map(|(start, ran)| view! { <li><span>{start}</span><span>{ran}</span></li> })
            .collect_view()
    };
    let topic = device.to_string();
    view! {
        <section class="pump-detail">
            <h2>{zone}</h2>
            <PumpCard device />
            <div class="pump-detail-runs">
                <p>
                    {move || if runs.with(Vec::is_empty) { "No run seen since this page was opened." } else { "Runs seen since this page was opened" }}
                </p>
                <ul>{list}</ul>
                <p><code>{topic}</code></p>
            </div>
        </section>
    }
}

const RUNS_SHOWN: usize = 5;
