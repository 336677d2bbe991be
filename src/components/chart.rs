//! A large chart with axes, a crosshair, a sentence and a table.

mod crosshair;
mod table;

use std::rc::Rc;

use chart::{Picture, Scene};

use self::{crosshair::Crosshair, table::chart_table};
use crate::{components::canvas::canvas, piece::Piece, signal::Signal};

/// Reads something that a chart shows, and tracks it.
pub type Read<T> = Rc<dyn Fn() -> T>;

/// A large chart: pointer, touch and arrow keys read its values, a sentence says what it shows,
/// and it can be read as a table.
///
/// `label` says what is measured where, "Moisture of Bed 1"; `controls` stand above it.
#[must_use]
pub fn chart(
    scene: Read<Scene>,
    label: Read<String>,
    controls: impl Fn() -> Piece + 'static,
) -> Piece {
    let painted = Rc::new(Signal::new(Picture::default()));
    let shows_table = Rc::new(Signal::new(false));
    let toggled = Rc::clone(&shows_table);
    let crosshair = Crosshair::new(Rc::clone(&scene), Rc::clone(&painted));
    let fill = {
        let crosshair = crosshair.clone();
        move |places: &mut crate::piece::Places| {
            let shown = scene();
            let label_text = label();
            places.part("controls", Some(""), &|_| controls());
            places.part("canvas", Some(""), &|_| drawing(&scene, &painted));
            places.attribute("stage", "aria-label", Some(&[&label_text, HELP].concat()));
            places.text("caption", &shown.summary());
            crosshair.show(places, &shown);

            let is_table = shows_table.get();
            let (words, expanded) = match is_table {
                true => ("Hide the table", "true"),
                false => ("Show as table", "false"),
            };
            places.text("toggle", words);
            places.attribute("toggle", "aria-expanded", Some(expanded));
            let table = |_: &str| chart_table(Rc::clone(&scene), Rc::clone(&label));
            places.part("table", is_table.then_some(""), &table);
        }
    };
    let piece = Piece::new(include_str!("chart.html"), fill).on("toggle", "click", move |_| {
        toggled.set(!toggled.get_untracked())
    });
    crosshair.listen(piece)
}

fn drawing(scene: &Read<Scene>, painted: &Rc<Signal<Picture>>) -> Piece {
    let (track, draw) = (Rc::clone(scene), Rc::clone(scene));
    let painted = Rc::clone(painted);
    canvas(
        move || drop(track()),
        move |size| draw().draw(size),
        move |picture| painted.set(picture),
    )
}

const HELP: &str = ". Left and right arrow keys read its values.";
