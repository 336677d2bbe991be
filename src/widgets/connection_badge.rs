//! How it stands with the broker, in one word.

use leptos::prelude::*;

use crate::{components::reactive::text, link::use_link, state::Connection, store::use_connection};

/// A dot and a word; a screen reader hears of changes.
#[component]
pub fn ConnectionBadge() -> AnyView {
    let connection = use_connection();
    let link = use_link();
    let state = text(move || connection.with(Connection::as_str).into());
    let title = text(move || connection.with(Connection::title).into());
    let round_trip = text(move || {
        let is_connected = connection.with(Connection::is_connected);
        link.round_trip.with(|trip| match trip.as_str() {
            trip if is_connected && !trip.is_empty() => ["· ", trip].concat(),
            _ => String::new(),
        })
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
