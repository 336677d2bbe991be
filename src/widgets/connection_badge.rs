//! How it stands with the broker, in one word.

use leptos::prelude::*;

use crate::{
    format::whole,
    link::use_link,
    state::Connection,
    store::use_connection,
};

/// A dot and a word; a screen reader hears of changes.
#[component]
pub fn ConnectionBadge() -> impl IntoView {
    let connection = use_connection();
    let link = use_link();
    let state = Memo::new(move |_| connection.with(Connection::as_str));
    let title = Memo::new(move |_| connection.with(Connection::title));
    let round_trip = move || {
        let is_connected = connection.with(Connection::is_connected);
        let trip = link.round_trip.get().filter(|_| is_connected)?;
        Some(["· ", &whole(trip.as_millis() as u64), " ms"].concat())
    };
    view! {
        <div class="connection-badge" data-state=state>
            <span class="connection-badge-dot" aria-hidden="true"></span>
            <span role="status">{title}</span>
            <span class="connection-badge-trip">{round_trip}</span>
        </div>
    }
}
