//! A large chart with axes, a crosshair, a sentence and a table.

mod crosshair;
mod export;
mod gestures;
mod legend;
mod ranges;
mod small;
mod table;

use std::rc::Rc;

use chart::{Picture, Scene, View, present};
use leptos::reactive::graph::untrack;
use wasm_bindgen::JsCast;

pub use self::{
    crosshair::Cursor,
    ranges::ranges,
    small::{Shared, small_chart},
};
use self::{crosshair::crosshair, gestures::Gestures, legend::legend, table::chart_table};
use crate::{components::canvas::canvas, piece::Piece, signal::Signal};

/// Reads something that a chart shows, and tracks it.
pub type Read<T> = Rc<dyn Fn() -> T>;

/// A large chart: pointer, touch and keys read its values, move it and zoom, a sentence says what
/// it shows, and it can be read as a table and saved.
///
/// `scene` has everything that there is; `view` says what part of it is shown; `controls` stand above it.
#[must_use]
pub fn chart(
    scene: Read<Scene>,
    view: Rc<Signal<View>>,
    controls: impl Fn() -> Piece + 'static,
) -> Piece {
    let hidden = Rc::new(Signal::new(Vec::<String>::new()));
    let scene: Read<Scene> = {
        let (view, hidden) = (Rc::clone(&view), Rc::clone(&hidden));
        Rc::new(move || in_view(scene(), view.get(), &hidden.read()))
    };
    let painted = Rc::new(Signal::new(Picture::default()));
    let cursor = Rc::new(Signal::new(None::<Cursor>));
    let shows_table = Rc::new(Signal::new(false));
    let fill = {
        let (scene, painted) = (Rc::clone(&scene), Rc::clone(&painted));
        let (view, cursor, shows_table) = (
            Rc::clone(&view),
            Rc::clone(&cursor),
            Rc::clone(&shows_table),
        );
        move |places: &mut crate::piece::Places| {
            let shown = scene();
            places.part("ranges", Some(""), &|_| ranges(Rc::clone(&view)));
            places.part("controls", Some(""), &|_| controls());
            places.part("canvas", Some(""), &|_| drawing(&scene, &painted));
            places.part("crosshair", Some(""), &|_| {
                crosshair(&scene, &painted, &cursor)
            });
            places.attribute(
                "stage",
                "aria-label",
                Some(&[&title(&shown), HELP].concat()),
            );
            let several = shown.has_several().then_some("");
            places.part("legend", several, &|_| legend(&scene, &hidden));
            places.text("caption", &shown.summary());

            let is_table = shows_table.get();
            let (words, expanded) = match is_table {
                true => ("Hide the table", "true"),
                false => ("Show as table", "false"),
            };
            places.text("toggle", words);
            places.attribute("toggle", "aria-expanded", Some(expanded));
            let table = |_: &str| chart_table(Rc::clone(&scene));
            places.part("table", is_table.then_some(""), &table);
        }
    };
    let gestures = Gestures::new(&scene, &painted, &view, &cursor);
    let piece = gestures.listen(Piece::new(include_str!("chart.html"), fill));
    let stage = piece.element("stage");
    let drawn = Rc::clone(&scene);
    piece
        .on("toggle", "click", move |_| {
            shows_table.set(!shows_table.get_untracked());
        })
        .on("picture", "click", move |_| {
            let canvas = stage
                .as_ref()
                .and_then(|stage| stage.query_selector("canvas").ok()?);
            if let Some(canvas) = canvas {
                let canvas = canvas.unchecked_ref();
                untrack(|| export::save_picture(canvas, &drawn()));
            }
        })
        .on("csv", "click", move |_| {
            untrack(|| export::save_csv(&scene()));
        })
}

/// What is measured where, of the lines that are shown: "Moisture of Bed 1, Bed 2".
fn title(scene: &Scene) -> String {
    let named = scene.shown().enumerate();
    named.fold(String::from(QUANTITY), |title, (number, line)| {
        title + if number == 0 { " of " } else { ", " } + &line.name
    })
}

/// The part of a scene that is to be seen.
fn in_view(mut scene: Scene, view: View, hidden: &[String]) -> Scene {
    let ticked = scene.now;
    for line in &scene.lines {
        scene.now = scene.now.max(present(ticked, line.series.last()));
    }
    scene.window = view.window(scene.since, scene.now);
    let several = scene.has_several();
    for line in &mut scene.lines {
        // Of one that is alone there is no legend to show it again.
        line.is_hidden = several && hidden.contains(&line.key);
    }
    scene
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

const QUANTITY: &str = "Moisture";
const HELP: &str =
    ". Left and right arrow keys read its values, with Shift they move it; plus and minus zoom.";
