//! Every zone, and what needs a look.

use crate::{
    piece::Piece,
    state::{Attention, Connection},
    store::{use_brokers, use_connection, use_fleet, use_now},
    widgets::{
        first_steps::first_steps, simulation_note::simulation_note, zone_section::zone_section,
    },
};

/// The page at `/`.
#[must_use]
pub fn field_page() -> Piece {
    let fleet = use_fleet();
    let connection = use_connection();
    let now = use_now();
    Piece::new(include_str!("field.html"), move |places| {
        let now = now.get();
        let fleet = fleet.everything();
        let zones: Vec<String> = fleet.zones().into_iter().map(|zone| zone.key).collect();
        let attention = match zones.as_slice() {
            [] => waiting(&connection.read()),
            _ => Attention::of(&fleet, now),
        };
        places.text("broker", &use_brokers().in_use());
        places.text("lead", &attention.lead);
        places.text("detail", &attention.detail);
        places.part("simulation", Some(""), &|_| simulation_note());
        places.part("steps", zones.is_empty().then_some(""), &|_| first_steps());
        places.show("zones", !zones.is_empty());
        places.list("zones", &zones, &zone_section);
    })
}

/// What is said while no device has said anything.
fn waiting(connection: &Connection) -> Attention {
    let detail = match connection {
        Connection::Connected => "Waiting for the first message.",
        Connection::Connecting { .. } | Connection::Waiting { .. } => "Waiting for the broker.",
        Connection::Asking | Connection::Refused { .. } | Connection::Stopped { .. } => {
            "Nothing comes from the broker."
        }
    };
    Attention {
        lead: String::from(connection.title()) + ".",
        detail: detail.into(),
    }
}
