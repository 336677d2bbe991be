//! Something to know, with what can be done about it.

use leptos::prelude::*;

/// A framed remark; its tone is `clay` or `alarm`, plain without.
#[component]
pub fn Notice(
    /// The tone.
    #[prop(optional)]
    tone: Option<&'static str>,
    /// What is to be known first.
    title: &'static str,
    /// The rest of it.
    #[prop(into)]
    text: String,
    /// What can be done.
    #[prop(optional)]
    children: Option<Children>,
) -> AnyView {
    view! {
        <div class="notice" data-tone=tone role=(tone == Some("alarm")).then_some("alert")>
            <p>
                <strong>{title}</strong>
                " "
                {text}
            </p>
            {children.map(|children| children())}
        </div>
    }
    .into_any()
}
