//! What is left of something, as a ring.

use leptos::prelude::*;

use crate::components::reactive::{Part, Text};

/// A ring of which a part is left, around something.
#[component]
pub fn CountdownRing(
    /// Thousandths of the ring.
    left: Text,
    /// What stands within it.
    inner: Part,
) -> AnyView {
    view! {
        <div class="countdown-ring" style=("--left", left)>
            <svg viewBox="0 0 50 50" aria-hidden="true" inner_html=RING></svg>
            {inner}
        </div>
    }
    .into_any()
}

const RING: &str = concat!(
    r#"<circle class="countdown-ring-track" cx="25" cy="25" r="22"/>"#,
    r#"<circle class="countdown-ring-left" cx="25" cy="25" r="22" pathLength="100"/>"#,
);
