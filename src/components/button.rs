//! A button.

use leptos::prelude::*;

/// A button that says what it does.
#[component]
pub fn Button(
    /// What it says.
    label: &'static str,
    /// `primary`, `alarm` or `quiet`; plain without.
    #[prop(optional)]
    kind: Option<&'static str>,
    /// What it does.
    on_press: Callback<()>,
) -> AnyView {
    view! {
        <button type="button" class="button" data-kind=kind on:click=move |_| on_press.run(())>
            {label}
        </button>
    }
    .into_any()
}
