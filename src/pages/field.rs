//! Every zone, and what needs a look.

use leptos::prelude::*;

use crate::{
    state::{Attention, Connection},
    store::{use_connection, use_fleet, use_now},
    widgets::{first_steps::FirstSteps, simulation_note::SimulationNote, zone_section::ZoneSection},
};

/// The page at `/`.
#[component]
pub fn FieldPage() -> impl IntoView {
    let fleet = use_fleet();
    let zones = Memo::new(move |_| {
        fleet.layout(|fleet| {
            fleet.zones().into_iter().map(|zone| zone.key).collect::<Vec<String>>()
        })
    });
    let is_empty = Memo::new(move |_| zones.with(Vec::is_empty));
    view! {
        <h1 tabindex="-1">"Field"</h1>
        <Lead />
        <SimulationNote />
        <Show when=move || !is_empty.get() fallback=|| view! { <FirstSteps /> }>
            <div class="zones">
                <For
                    each=move || zones.get()
                    key=Clone::clone
                    children=|key| view! { <ZoneSection key /> }
                />
            </div>
        </Show>
    }
}

/// The sentence at the top.
#[component]
fn Lead() -> impl IntoView {
    let fleet = use_fleet();
    let connection = use_connection();
    let now = use_now();
    let attention = Memo::new(move |_| {
        let now = now.get();
        fleet.everything(|fleet| {
            let is_empty = fleet.probes.is_empty() && fleet.pumps.is_empty();
            (!is_empty).then(|| Attention::of(fleet, now))
        })
    });
    let lead = move || match attention.get() {
        Some(attention) => attention.lead,
        None if connection.with(Connection::is_connected) => "Connected.".into(),
        None => connection.with(|connection| String::from(connection.title()) + "."),
    };
    let detail = move || match attention.get() {
        Some(attention) => attention.detail,
        None if connection.with(Connection::is_connected) => "Waiting for the first message.".into(),
        None => "Waiting for the broker.".into(),
    };
    view! {
        <p class="page-lead">
            <strong>{lead}</strong>
            " "
            {detail}
        </p>
    }
}
