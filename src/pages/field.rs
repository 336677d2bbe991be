//! Every zone, and what needs a look.

use leptos::prelude::*;

use crate::{
    components::reactive::{list, memo, part, text},
    state::{Attention, Connection},
    store::{use_connection, use_fleet, use_now},
    widgets::{
        first_steps::FirstSteps, simulation_note::SimulationNote, zone_section::ZoneSection,
    },
};

/// The page at `/`.
#[component]
pub fn FieldPage() -> AnyView {
    let fleet = use_fleet();
    let zones: Memo<Vec<String>> = memo(move || {
        fleet.layout(|fleet| fleet.zones().into_iter().map(|zone| zone.key).collect())
    });
    let is_empty = memo(move || zones.with(Vec::is_empty));
    let content = part(move || {
        if is_empty.get() {
            return view! { <FirstSteps /> }.into_any();
        }
        view! {
            <div class="zones">{list(zones, zone_section)}</div>
        }
        .into_any()
    });
    view! {
        <h1 tabindex="-1">"Field"</h1>
        <Lead />
        <SimulationNote />
        {content}
    }
    .into_any()
}

fn zone_section(key: String) -> AnyView {
    view! { <ZoneSection key /> }.into_any()
}

/// The sentence at the top.
#[component]
fn Lead() -> AnyView {
    let fleet = use_fleet();
    let connection = use_connection();
    let now = use_now();
    // Lead and detail.
    let sentence = memo(move || {
        let now = now.get();
        let attention = fleet.everything(|fleet| {
            let is_empty = fleet.probes.is_empty() && fleet.pumps.is_empty();
            (!is_empty).then(|| Attention::of(fleet, now))
        });
        let attention = attention.unwrap_or_else(|| connection.with(waiting));
        vec![attention.lead, attention.detail]
    });
    let part_of = move |index: usize| {
        text(move || sentence.with(|sentence| sentence.get(index).cloned().unwrap_or_default()))
    };
    view! {
        <p class="page-lead">
            <strong>{part_of(0)}</strong>
            " "
            {part_of(1)}
        </p>
    }
    .into_any()
}

/// What is said while no device has said anything.
fn waiting(connection: &Connection) -> Attention {
    let detail = match connection {
        Connection::Connected => "Waiting for the first message.",
        Connection::Connecting { .. } | Connection::Waiting { .. } => "Waiting for the broker.",
        Connection::Refused { .. } | Connection::Stopped { .. } => "Nothing comes from the broker.",
    };
    Attention {
        lead: String::from(connection.title()) + ".",
        detail: detail.into(),
    }
}
