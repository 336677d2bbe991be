//! An address at which nothing stands.

use leptos::prelude::*;

/// The page at every other address.
#[component]
pub fn NotFoundPage() -> AnyView {
    view! {
        <h1 tabindex="-1">"Nothing here"</h1>
        <p class="page-lead">"This address is none of the page's. " <a href="/">"Go to the field"</a> "."</p>
    }
    .into_any()
}
