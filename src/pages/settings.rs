//! Which broker, and how the page looks. Kept in this browser.

use crate::{
    dom::value_of,
    piece::Piece,
    preferences,
    store::use_brokers,
    widgets::{broker_form::broker_form, broker_list::broker_list},
};

/// The page at `/settings`.
#[must_use]
pub fn settings_page() -> Piece {
    let brokers = use_brokers();
    brokers.refresh();
    let theme = preferences::theme();
    Piece::new(include_str!("settings.html"), move |places| {
        places.show("unkept", !brokers.is_kept.get());
        places.part("list", Some(""), &|_| broker_list());
        places.part("form", Some(""), &|_| broker_form());
        places.attribute(&theme, "checked", Some(""));
    })
    .on("theme", "change", |event| {
        preferences::keep_theme(&value_of(&event))
    })
}
