//! What is shown before any device has said anything.

use crate::{
    piece::Piece,
    store::{use_connection, use_link},
};

/// How to begin, once the broker is there and nobody has spoken; empty cards until then.
#[must_use]
pub fn first_steps() -> Piece {
    let connection = use_connection();
    let link = use_link();
    Piece::new(include_str!("first_steps.html"), move |places| {
        let is_connected = connection.read().is_connected();
        places.show("waiting", !is_connected);
        places.show("steps", is_connected);
        places.text("address", &link.address());
    })
}
