//! A zone: its pumps, then its probes.

use leptos::prelude::*;

use crate::{
    components::reactive::{List, memo, nothing, part, text},
    format::{count, value},
    state::{ProbeId, Zone, device_of_key, key_of_device},
    store::{use_fleet, use_now},
    widgets::{probe_card::ProbeCard, pump_card::PumpCard},
};

/// A zone: its pumps, then its probes.
#[component]
pub fn ZoneSection(
    /// Its key.
    key: String,
) -> AnyView {
    let fleet = use_fleet();
    let now = use_now();
    let heading = ["zone-", &key].concat();
    let labelled_by = heading.clone();
    let zone = memo(move || fleet.layout(|fleet| fleet.zone(&key)));
    let average = memo(move || {
        let now = now.get();
        let average = |zone: &Zone| fleet.everything(|fleet| fleet.average(zone, now));
        zone.with(average).map(value)
    });
    let average = part(move || match average.get() {
        Some(average) => view! {
            <p>
                <strong>{average}</strong>
                " % on average"
            </p>
        }
        .into_any(),
        None => nothing(),
    });
    let name = text(move || zone.with(|zone| zone.name.clone()));
    let about = text(move || zone.with(|zone| zone.about.clone().unwrap_or_else(|| contents(zone))));
    let pumps = memo(move || zone.with(|zone| zone.pumps.iter().map(key_of_device).collect()));
    let probes = memo(move || {
        zone.with(|zone| zone.probes.iter().map(ProbeId::to_string).collect())
    });
    view! {
        <section class="zone-section" aria-labelledby=labelled_by>
            <div class="zone-section-head">
                <div>
                    <h2 id=heading>{name}</h2>
                    <p>{about}</p>
                </div>
                {average}
            </div>
            <div class="zone-section-pumps">
                <List keys=pumps piece=pump_card />
            </div>
            <div class="zone-section-probes">
                <List keys=probes piece=probe_card />
            </div>
        </section>
    }
    .into_any()
}

fn pump_card(key: String) -> AnyView {
    match device_of_key(&key) {
        Some(device) => view! { <PumpCard device /> }.into_any(),
        None => nothing(),
    }
}

fn probe_card(key: String) -> AnyView {
    let id = ProbeId::new(&key);
    view! { <ProbeCard id /> }.into_any()
}

fn contents(zone: &Zone) -> String {
    let mut parts = Vec::new();
    if !zone.probes.is_empty() {
        parts.push(count(zone.probes.len(), "probe"));
    }
    if !zone.pumps.is_empty() {
        parts.push(count(zone.pumps.len(), "pump"));
    }
    parts.join(", ")
}
