//! A zone: its pumps, then its probes.

use leptos::prelude::*;

use crate::{
    components::reactive::{list, memo, text},
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
    let zone = move || fleet.layout(|fleet| fleet.zone(&key));
    let name = {
        let zone = zone.clone();
        text(move || zone().name)
    };
    let about = {
        let zone = zone.clone();
        text(move || about(zone()))
    };
    let pumps = {
        let zone = zone.clone();
        memo(move || zone().pumps.iter().map(key_of_device).collect())
    };
    let probes = {
        let zone = zone.clone();
        memo(move || zone().probes.iter().map(ProbeId::to_string).collect())
    };
    let average = text(move || {
        let now = now.get();
        let average = fleet.everything(|fleet| fleet.average(&zone(), now));
        average.map(value).unwrap_or_default()
    });
    view! {
        <section class="zone-section" aria-labelledby=labelled_by>
            <div class="zone-section-head">
                <div>
                    <h2 id=heading>{name}</h2>
                    <p>{about}</p>
                </div>
                <p class="zone-section-average">
                    <strong>{average}</strong>
                    <span>" % on average"</span>
                </p>
            </div>
            <div class="zone-section-pumps">{list(pumps, pump_card)}</div>
            <div class="zone-section-probes">{list(probes, probe_card)}</div>
        </section>
    }
    .into_any()
}

fn pump_card(key: String) -> AnyView {
    let device = device_of_key(&key);
    device
        .map(|device| view! { <PumpCard device /> }.into_any())
        .into_any()
}

fn probe_card(key: String) -> AnyView {
    let id = ProbeId::new(&key);
    view! { <ProbeCard id /> }.into_any()
}

/// What is said of the zone, or else what is in it.
fn about(zone: Zone) -> String {
    zone.about.unwrap_or_else(|| {
        let probes = count(zone.probes.len(), "probe");
        let pumps = count(zone.pumps.len(), "pump");
        match (zone.probes.is_empty(), zone.pumps.is_empty()) {
            (false, true) => probes,
            (true, _) => pumps,
            (false, false) => probes + ", " + &pumps,
        }
    })
}
