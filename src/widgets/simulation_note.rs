//! What plays, where the field is a simulated one.

use leptos::prelude::*;

use crate::{
    components::{
        badge::Badge,
        reactive::{memo, nothing, part},
    },
    store::use_fleet,
    words,
};

/// Says that nothing here is real, and how fast it plays.
#[component]
pub fn SimulationNote() -> AnyView {
    let fleet = use_fleet();
    let text = memo(move || fleet.layout(|fleet| fleet.simulation.as_ref().map(words::simulation)));
    let note = part(move || match text.get() {
        Some(text) => view! {
            <p class="simulation-note">
                <Badge tone="clay" word="simulation" />
                {text}
            </p>
        }
        .into_any(),
        None => nothing(),
    });
    note.into_any()
}
