//! A button.

use leptos::prelude::*;

/// A button that says what it does.
#[component]
pub fn Button(
    /// What it says.
    #[prop(into)]
    label: Signal<String>,
    /// `primary`, `alarm` or `quiet`; plain without.
    #[prop(optional)]
    kind: Option<&'static str>,
    /// What it does.
    on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button type="button" class="button" data-kind=kind on:click=move |_| on_press.run(())>
            {label}
        </button>
    }
}
