//! What plays, where the field is a simulated one.

use leptos::prelude::*;

use crate::{components::badge::Badge, store::use_fleet, words};

/// Says that nothing here is real, and how fast it plays.
#[component]
pub fn SimulationNote() -> impl IntoView {
    let fleet = use_fleet();
    let text = Memo::new(move |_| {
        fleet.layout(|fleet| fleet.simulation.as_ref().map(words::simulation))
    });
    move || {
        let text = text.get()?;
        Some(view! {
            <p class="simulation-note">
                <Badge tone="clay" word="simulation" />
                {text}
            </p>
        })
    }
}
