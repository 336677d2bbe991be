//! A switch that moves when the thing it switches says so.

use leptos::prelude::*;

/// A switch. It shows what is, and a request beside it; only what is moves `aria-checked`.
#[component]
pub fn Switch(
    /// Its name.
    #[prop(into)]
    label: Signal<String>,
    /// The id of the text that says what was asked.
    described_by: String,
    /// Whether the thing says that it is on.
    #[prop(into)]
    is_on: Signal<bool>,
    /// Why it stands in the middle, if it does: `asked` or `unknown`.
    #[prop(into)]
    between: Signal<Option<&'static str>>,
    /// Whether pressing it would only be refused. It can be pressed, and the refusal is said.
    #[prop(into)]
    is_refused: Signal<bool>,
    /// What pressing it does.
    on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="switch"
            role="switch"
            aria-label=label
            aria-describedby=described_by
            aria-checked=move || if is_on.get() { "true" } else { "false" }
            aria-disabled=move || is_refused.get().then_some("true")
            data-request=between
            on:click=move |_| on_press.run(())
        ></button>
    }
}
