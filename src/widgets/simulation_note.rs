//! What plays, where the field is a simulated one.

use crate::{piece::Piece, store::use_fleet, words};

/// Says that nothing here is real, and how fast it plays.
#[must_use]
pub fn simulation_note() -> Piece {
    let fleet = use_fleet();
    Piece::new(include_str!("simulation_note.html"), move |places| {
        let plays = fleet.layout().simulation.as_ref().map(words::simulation);
        places.show("", plays.is_some());
        places.text("plays", &plays.unwrap_or_default());
    })
}
