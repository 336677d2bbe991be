//! How it stands with the broker, in one word.

use leptos::prelude::*;

use crate::{
    components::reactive::{maybe, text},
    format::whole,
    link::use_link,
    state::Connection,
    store::use_connection,
};

/// A dot and a word; a screen reader hears of changes.
#[component]
pub fn ConnectionBadge() -> AnyView {
    let connection = use_connection();
    let link = use_link();
    let state = text(move || connection.with(Connection::as_str).into());
    let title = text(move || connection.with(Connection::title).into());
    let round_trip = maybe(move || {
        let is_connected = connection.with(Connection::is_connected);
        let trip = link.round_trip.get().filter(|_| is_connected)?;
        Some(["· ", &whole(trip), " ms"].concat())
    });
    view! {
        <div class="connection-badge" data-state=state>
            <span class="connection-badge-dot" aria-hidden="true"></span>
            <span role="status">{title}</span>
            <span class="connection-badge-trip">{round_trip}</span>
        </div>
    }
    .into_any()
}
