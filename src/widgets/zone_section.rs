//! A zone: its pumps, then its probes.

use leptos::prelude::*;

use crate::{
    format::{count, value},
    state::Zone,
    store::{use_fleet, use_now},
    widgets::{probe_card::ProbeCard, pump_card::PumpCard},
};

/// A zone: its pumps, then its probes.
#[component]
pub fn ZoneSection(
    /// Its key.
    key: String,
) -> impl IntoView {
    let fleet = use_fleet();
    let now = use_now();
    let heading = ["zone-", &key].concat();
    let zone = Memo::new(move |_| fleet.layout(|fleet| fleet.zone(&key)));
    let average = Memo::new(move |_| {
        fleet.everything(|fleet| zone.with(|zone| fleet.average(zone, now.get()).map(value)))
    });
    let about = move || zone.with(|zone| zone.about.clone().unwrap_or_else(|| contents(zone)));
    let average = move || {
        average.get().map(|average| view! { <p><strong>{average}</strong>" % on average"</p> })
    };
    let labelled_by = heading.clone();
    view! {
        <section class="zone-section" aria-labelledby=labelled_by>
            <div class="zone-section-head">
                <div>
                    <h2 id=heading>{move || zone.with(|zone| zone.name.clone())}</h2>
                    <p>{about}</p>
                </div>
                {average}
            </div>
            <div class="zone-section-pumps">
                <For
                    each=move || zone.with(|zone| zone.pumps.clone())
                    key=Clone::clone
                    children=|device| view! { <PumpCard device /> }
                />
            </div>
            <div class="zone-section-probes">
                <For
                    each=move || zone.with(|zone| zone.probes.clone())
                    key=Clone::clone
                    children=|id| view! { <ProbeCard id /> }
                />
            </div>
        </section>
    }
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
