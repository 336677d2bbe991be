//! An address at which nothing stands.

use crate::piece::Piece;

/// The page at every other address.
#[must_use]
pub fn not_found_page() -> Piece {
    Piece::new(include_str!("not_found.html"), |_| ())
}
