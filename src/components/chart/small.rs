//! A small chart beside others of its kind.

use std::rc::Rc;

use chart::{Picture, Scene, View};

use super::{Cursor, HELP, Read, crosshair, drawing, gestures::Gestures, in_view, title};
use crate::{piece::Piece, signal::Signal};

/// What small charts have in common: the part of time that they show, and where a reader is in it.
#[derive(Clone, Default)]
pub struct Shared {
    /// What they show.
    pub view: Rc<Signal<View>>,
    /// Where the reader is, whichever of them is pointed at.
    pub cursor: Rc<Signal<Option<Cursor>>>,
}

/// A small chart that moves with others; `heading` stands above it.
#[must_use]
pub fn small_chart(
    scene: Read<Scene>,
    shared: &Shared,
    heading: impl Fn() -> Piece + 'static,
) -> Piece {
    let Shared { view, cursor } = shared.clone();
    let scene: Read<Scene> = {
        let view = Rc::clone(&view);
        Rc::new(move || in_view(scene(), view.get(), &[]))
    };
    let painted = Rc::new(Signal::new(Picture::default()));
    let gestures = Gestures::new(&scene, &painted, &view, &cursor);
    let mut told = (f64::NEG_INFINITY, None);
    let told_of = Rc::clone(&view);
    gestures.listen(Piece::new(include_str!("small.html"), move |places| {
        let shown = scene();
        // The first readings are worth another sentence at once, as is another part of time.
        let has_readings = shown.first_in_view().is_some();
        let (now, kind) = (js_sys::Date::now(), Some((told_of.get(), has_readings)));
        // A clock that was set back holds nobody up.
        let is_soon = (0.0..TOLD_EVERY_MS).contains(&(now - told.0));
        if !is_soon || kind != told.1 {
            told = (now, kind);
            places.text("caption", &shown.summary());
            let label = [&title(&shown), HELP].concat();
            places.attribute("stage", "aria-label", Some(&label));
        }
        places.part("heading", Some(""), &|_| heading());
        places.part("canvas", Some(""), &|_| drawing(&scene, &painted));
        places.part("crosshair", Some(""), &|_| {
            crosshair(&scene, &painted, &cursor)
        });
    }))
}

/// A hundred sentences cost more than as many pictures, and nobody hears one again sooner.
const TOLD_EVERY_MS: f64 = 3_000.0;
