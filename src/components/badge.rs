//! A word in a colour that means the same.

use leptos::prelude::*;

/// A short word; its tone is `leaf`, `water` or `clay`.
#[component]
pub fn Badge(
    /// The tone.
    tone: &'static str,
    /// The word.
    word: &'static str,
) -> AnyView {
    view! { <span class="badge" data-tone=tone>{word}</span> }.into_any()
}
