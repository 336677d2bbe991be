//! A small chart without axes, for a card.

use std::sync::Arc;

use leptos::prelude::*;

use crate::components::{canvas::Canvas, reactive::Text};

/// A line on its target band, as large as its parent.
#[component]
pub fn Sparkline(
    /// Reads what it shows.
    chart: Arc<dyn Fn() -> chart::Sparkline>,
    /// What it shows, in words.
    label: Text,
) -> AnyView {
    let track = Arc::clone(&chart);
    view! {
        <div class="sparkline" role="img" aria-label=label>
            <Canvas
                depends_on=Box::new(move || drop(track()))
                picture=Box::new(move |size| chart().draw(size))
                painted=Box::new(drop)
            />
        </div>
    }
    .into_any()
}
