//! What part of time a chart shows, to choose from.

use std::rc::Rc;

use chart::View;

use crate::{piece::Piece, signal::Signal};

/// Buttons for the usual ranges, and one that leads back to the present.
#[must_use]
pub fn ranges(view: Rc<Signal<View>>) -> Piece {
    let shown = Rc::clone(&view);
    Piece::new(RANGES, move |places| {
        places.list("ranges", &names(), &|name| range(name, &shown));
        places.show("follow", !shown.read().is_live());
    })
    .on("follow", "click", move |_| {
        if let View::Fixed(window) = view.get_untracked() {
            view.set(View::Latest(window.duration()));
        }
    })
}

fn names() -> Vec<String> {
    View::RANGES.map(|(name, _)| name.into()).into()
}

fn range(name: &str, view: &Rc<Signal<View>>) -> Piece {
    let known = View::RANGES.into_iter().find(|range| range.0 == name);
    let (name, range) = known.unwrap_or(("All", View::All));
    let (shown, chosen) = (Rc::clone(view), Rc::clone(view));
    Piece::new(r#"<button type="button"></button>"#, move |places| {
        let is_shown = *shown.read() == range;
        let pressed = if is_shown { "true" } else { "false" };
        places.text("", name);
        places.attribute("", "aria-pressed", Some(pressed));
    })
    .on("", "click", move |_| chosen.set(range))
}

const RANGES: &str = r#"<div class="slot"><div class="choice" role="group" aria-label="Range" data-at="ranges"></div><button type="button" class="button" data-at="follow">Back to now</button></div>"#;
