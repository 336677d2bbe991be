//! What is left of something, as a ring.

use leptos::prelude::*;

/// A ring of which a part is left, around a text.
#[component]
pub fn CountdownRing(
    /// Thousandths of the ring.
    #[prop(into)]
    left: Signal<u16>,
    /// What stands within it.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="countdown-ring" style=("--left", move || crate::format::whole(left.get().into()))>
            <svg viewBox="0 0 50 50" aria-hidden="true" inner_html=RING></svg>
            {children()}
        </div>
    }
}

const RING: &str = concat!(
    r#"<circle class="countdown-ring-track" cx="25" cy="25" r="22"/>"#,
    r#"<circle class="countdown-ring-left" cx="25" cy="25" r="22" pathLength="100"/>"#,
);
