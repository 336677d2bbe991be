//! How it stands with the broker, in one word.

use leptos::prelude::*;

use crate::{link::use_link, piece::Piece, store::use_connection};

/// A dot and a word; a screen reader hears of changes.
#[must_use]
pub fn connection_badge() -> Piece {
    let connection = use_connection();
    let link = use_link();
    Piece::new(include_str!("connection_badge.html"), move |places| {
        let is_connected = connection.with(|connection| {
            places.attribute("", "data-state", Some(connection.as_str()));
            places.text("title", connection.title());
            connection.is_connected()
        });
        let trip = link.round_trip.get();
        let is_known = is_connected && !trip.is_empty();
        let trip = if is_known {
            ["· ", &trip].concat()
        } else {
            String::new()
        };
        places.text("trip", &trip);
    })
}
