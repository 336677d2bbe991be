//! A switch that moves when the thing it switches says so.

use leptos::prelude::*;

use crate::components::reactive::{Maybe, Text};

/// A switch. It shows what is, and a request beside it; only what is moves `aria-checked`.
#[component]
pub fn Switch(
    /// Its name.
    label: Text,
    /// The id of the text that says what was asked.
    described_by: String,
    /// `true` if the thing says that it is on, else `false`.
    checked: Text,
    /// Why it stands in the middle, if it does: `asked` or `unknown`.
    between: Maybe,
    /// `true` if pressing it would only be refused. It can be pressed, and the refusal is said.
    disabled: Maybe,
    /// What pressing it does.
    on_press: Callback<()>,
) -> AnyView {
    view! {
        <button
            type="button"
            class="switch"
            role="switch"
            aria-label=label
            aria-describedby=described_by
            aria-checked=checked
            aria-disabled=disabled
            data-request=between
            on:click=move |_| on_press.run(())
        ></button>
    }
    .into_any()
}
