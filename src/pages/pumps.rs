//! Every pump, with the runs that were seen.

use leptos::prelude::*;

use crate::{
    components::reactive::{list, memo, nothing, text},
    format::{count, duration, moment},
    state::{Fleet, Pump, device_of_key, key_of_device},
    store::{use_fleet, use_now, utc_offset},
    widgets::pump_card::PumpCard,
};

/// The page at `/pumps`.
#[component]
pub fn PumpsPage() -> AnyView {
    let fleet = use_fleet();
    let pumps = memo(move || {
        fleet.layout(|fleet| {
            let zones = fleet.zones();
            zones
                .iter()
                .flat_map(|zone| zone.pumps.iter().map(key_of_device))
                .collect()
        })
    });
    let lead = text(move || fleet.everything(lead));
    view! {
        <h1 tabindex="-1">"Pumps"</h1>
        <p class="page-lead">{lead}</p>
        <div class="pumps-list">{list(pumps, pump_detail)}</div>
    }
    .into_any()
}

fn lead(fleet: &Fleet) -> String {
    let running = fleet
        .pumps
        .values()
        .filter(|pump| pump.is_running())
        .count();
    match (fleet.pumps.len(), running) {
        (0, _) => "No pump has said anything yet. One appears with its first message.".into(),
        (_, 0) => "No pump is running.".into(),
        (_, 1) => "1 pump is running.".into(),
        (_, running) => count(running, "pump") + " are running.",
    }
}

/// A pump and its last runs.
fn pump_detail(key: String) -> AnyView {
    let Some(device) = device_of_key(&key) else {
        return nothing();
    };
    let fleet = use_fleet();
    let now = use_now();
    let runs = {
        let device = device.clone();
        memo(move || {
            let now = now.get();
            fleet
                .pump(&device, |pump| runs(pump, now))
                .unwrap_or_default()
        })
    };
    let lead = text(move || {
        String::from(if runs.with(Vec::is_empty) {
            "No run seen since this page was opened."
        } else {
            "Runs seen since this page was opened"
        })
    });
    let zone = {
        let key = String::from(device.zone());
        text(move || fleet.layout(|fleet| fleet.zone_name(&key)))
    };
    let topic = device.to_string();
    view! {
        <section class="pump-detail">
            <h2>{zone}</h2>
            <PumpCard device />
            <div class="pump-detail-runs">
                <p>{lead}</p>
                <ul>{list(runs, run)}</ul>
                <p>
                    <code>{topic}</code>
                </p>
            </div>
        </section>
    }
    .into_any()
}

fn run(words: String) -> AnyView {
    view! { <li>{words}</li> }.into_any()
}

/// When each of the last runs began, and how long it took.
fn runs(pump: &Pump, now: field::Timestamp) -> Vec<String> {
    let runs = pump.runs.iter().rev().take(RUNS_SHOWN);
    runs.map(|run| {
        let began = moment(run.start, now, utc_offset(now));
        let who = if run.is_ours { ", started by you" } else { "" };
        match run.end {
            Some(end) => {
                let ran_for = duration(end.saturating_duration_since(run.start));
                [&began, " for ", &ran_for, who].concat()
            }
            None => [&began, ", still running", who].concat(),
        }
    })
    .collect()
}

const RUNS_SHOWN: usize = 5;
