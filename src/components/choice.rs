//! One of a few, all of them in sight.

use leptos::prelude::*;

use crate::components::reactive::many;

/// Radio buttons in a row.
#[component]
pub fn Choice(
    /// What is chosen.
    legend: &'static str,
    /// The name that keeps the buttons together.
    name: &'static str,
    /// Value and label of each.
    options: &'static [(&'static str, &'static str)],
    /// The value that is chosen.
    chosen: RwSignal<String>,
    /// What else choosing does.
    on_choose: fn(&str),
) -> AnyView {
    let option = |&(value, label): &(&'static str, &'static str)| {
        let is_chosen = chosen.with_untracked(|chosen| chosen == value);
        view! {
            <label>
                <input
                    type="radio"
                    name=name
                    value=value
                    checked=is_chosen
                    on:change=move |_| {
                        chosen.set(value.into());
                        on_choose(value);
                    }
                />
                {label}
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset>
            <legend>{legend}</legend>
            <div class="choice">{many(options.iter().map(option).collect())}</div>
        </fieldset>
    }
    .into_any()
}
