//! A small chart without axes, for a card.

use leptos::prelude::*;

use crate::components::canvas::Canvas;

/// A line on its target band, as large as its parent.
#[component]
pub fn Sparkline(
    /// What it shows.
    #[prop(into)]
    chart: Signal<chart::Sparkline>,
    /// What it shows, in words.
    #[prop(into)]
    label: Signal<String>,
) -> impl IntoView {
    view! {
        <div class="sparkline" role="img" aria-label=label>
            <Canvas
                depends_on=move || chart.track()
                picture=move |size| chart.with_untracked(|chart| chart.draw(size))
                painted=|_| {}
            />
        </div>
    }
}
