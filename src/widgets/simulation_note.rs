//! What plays, where the field is a simulated one.

use leptos::prelude::*;

use crate::{
    components::{
        badge::Badge,
        reactive::{memo, part_if, text},
    },
    store::use_fleet,
    words,
};

/// Says that nothing here is real, and how fast it plays.
#[component]
pub fn SimulationNote() -> AnyView {
    let fleet = use_fleet();
    let is_simulated = memo(move || fleet.layout(|fleet| fleet.simulation.is_some()));
    part_if(is_simulated, move || {
        let plays = text(move || {
            let plays = fleet.layout(|fleet| fleet.simulation.as_ref().map(words::simulation));
            plays.unwrap_or_default()
        });
        view! {
            <p class="simulation-note">
                <Badge tone="clay" word="simulation" />
                <span>{plays}</span>
            </p>
        }
        .into_any()
    })
}
