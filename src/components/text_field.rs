//! A line of text to type.

use leptos::prelude::*;

use crate::components::reactive::{maybe, text};

/// A labelled field with a hint, and what is wrong with it.
#[component]
pub fn TextField(
    /// Its label.
    label: &'static str,
    /// Its id, which ties the label and the hint to it.
    id: &'static str,
    /// What helps to fill it in.
    hint: &'static str,
    /// What was typed.
    value: RwSignal<String>,
    /// What is wrong with it; empty if nothing is.
    error: RwSignal<String>,
) -> AnyView {
    let hint_id = [id, "-hint"].concat();
    let invalid = maybe(move || (!error.read().is_empty()).then(|| "true".into()));
    view! {
        <div class="text-field">
            <label for=id>{label}</label>
            <input
                id=id
                type="text"
                inputmode="url"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-describedby=hint_id.clone()
                aria-invalid=invalid
                prop:value=text(move || value.get())
                on:input=move |event| value.set(event_target_value(&event))
            />
            <p id=hint_id class="text-field-hint">
                {hint}
                <span class="text-field-error" role="alert">
                    {text(move || error.get())}
                </span>
            </p>
        </div>
    }
    .into_any()
}
