//! How it stands with the broker, in one word.

use crate::{
    piece::Piece,
    store::{use_brokers, use_connection, use_link},
};

/// A dot and a word, and which broker if it is not the one that served the page; a screen reader hears of changes.
#[must_use]
pub fn connection_badge() -> Piece {
    let connection = use_connection();
    let link = use_link();
    Piece::new(include_str!("connection_badge.html"), move |places| {
        let connection = connection.read();
        places.attribute("", "data-state", Some(connection.as_str()));
        places.text("title", connection.title());
        places.text("trip", &link.round_trip.get());
        places.text("broker", &use_brokers().in_use());
    })
}
