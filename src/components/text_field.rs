//! A line of text to type.

use leptos::prelude::*;

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
    /// What is wrong with it.
    #[prop(into)]
    error: Signal<Option<&'static str>>,
) -> impl IntoView {
    let hint_id = [id, "-hint"].concat();
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
                aria-invalid=move || error.get().map(|_| "true")
                prop:value=value
                on:input:target=move |event| value.set(event.target().value())
            />
            <p id=hint_id class="text-field-hint">
                {hint}
                <span class="text-field-error" role="alert">{move || error.get()}</span>
            </p>
        </div>
    }
}
