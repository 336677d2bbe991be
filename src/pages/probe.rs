//! One probe: a large live chart and what the probe says about itself.

use leptos::prelude::*;

/// The page at `/probe/<zone>/<device>`.
#[component]
pub fn ProbePage(
    /// The probe's id, as in the address.
    id: String,
) -> impl IntoView {
    view! { <h1 tabindex="-1">{id}</h1> }
}
