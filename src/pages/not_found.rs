//! An address at which nothing stands.

use crate::{piece::Piece, router::link_to};

/// The page at every other address.
#[must_use]
pub fn not_found_page() -> Piece {
    Piece::new(include_str!("not_found.html"), |places| {
        places.attribute("field", "href", Some(&link_to("/")));
    })
}
