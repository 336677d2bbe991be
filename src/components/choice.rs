//! One of a few, all of them in sight.

use leptos::prelude::*;

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
    #[prop(into)]
    chosen: Signal<String>,
    /// What choosing does.
    on_choose: Callback<&'static str>,
) -> AnyView {
    let option = move |&(value, label): &(&'static str, &'static str)| {
        view! {
            <label>
                <input
                    type="radio"
                    name=name
                    value=value
                    prop:checked=move || chosen.with(|chosen| chosen == value)
                    on:change=move |_| on_choose.run(value)
                />
                {label}
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset>
            <legend>{legend}</legend>
            <div class="choice">{options.iter().map(option).collect_view()}</div>
        </fieldset>
    }
    .into_any()
}
