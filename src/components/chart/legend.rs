//! What the lines of a chart are, and which of them are shown.

use std::rc::Rc;

use chart::Scene;

use super::{Read, crosshair::ink};
use crate::{piece::Piece, signal::Signal};

/// The names of a chart's lines: pressed, a name hides its line or shows it; "only" shows it alone.
pub(super) fn legend(scene: &Read<Scene>, hidden: &Rc<Signal<Vec<String>>>) -> Piece {
    let (scene, hidden) = (Rc::clone(scene), Rc::clone(hidden));
    Piece::new(LEGEND, move |places| {
        let lines = scene().lines;
        let names: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
        places.list("", &names, &|name| entry(name, &names, &hidden));
        for (at, line) in lines.iter().enumerate() {
            let pressed = if line.is_hidden { "false" } else { "true" };
            places.within("", at, &mut |places| {
                places.property("key", "--ink", &ink(at));
                places.attribute("key", "data-dash", Some(["0", "1", "2", "3"][at % 4]));
                places.text("name", &line.name);
                places.attribute("toggle", "aria-pressed", Some(pressed));
            });
        }
    })
}

fn entry(name: &str, names: &[String], hidden: &Rc<Signal<Vec<String>>>) -> Piece {
    let name = String::from(name);
    let others: Vec<String> = names
        .iter()
        .filter(|other| **other != name)
        .cloned()
        .collect();
    let (toggled, isolated) = (Rc::clone(hidden), Rc::clone(hidden));
    Piece::new(ENTRY, |_| ())
        .on("toggle", "click", move |_| {
            let mut hidden = toggled.get_untracked();
            match hidden.iter().position(|hidden| *hidden == name) {
                Some(at) => drop(hidden.remove(at)),
                None => hidden.push(name.clone()),
            }
            toggled.set(hidden);
        })
        .on("only", "click", move |_| {
            // Pressed again, it brings the others back.
            let is_alone = *isolated.read_untracked() == others;
            isolated.set(if is_alone { Vec::new() } else { others.clone() });
        })
}

const LEGEND: &str = r#"<ul class="chart-legend" aria-label="Lines"></ul>"#;
const ENTRY: &str = r#"<li><button type="button" data-at="toggle"><i class="chart-key" data-at="key"></i><span data-at="name"></span></button><button type="button" data-at="only">only</button></li>"#;
