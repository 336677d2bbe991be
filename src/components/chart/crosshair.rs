//! What a chart says about the moment that a reader is at.

use std::rc::Rc;

use chart::{Crosshair, LineReading, Picture, Scene};

use super::Read;
use crate::{
    piece::{Piece, Places},
    signal::Signal,
};

/// Where a reader is on a chart.
#[derive(Clone, Copy, PartialEq)]
pub struct Cursor {
    /// The moment.
    pub time: i64,
    /// Who points sees the values; who steps with the keys is told them, by the chart that has the focus alone.
    pub told_by: Option<Teller>,
}

/// Which of the charts that share a cursor.
#[derive(Clone, Copy, PartialEq)]
pub struct Teller(usize);

impl Teller {
    pub(super) fn of(painted: &Rc<Signal<Picture>>) -> Self {
        Self(Rc::as_ptr(painted) as usize)
    }
}

/// A crosshair and its card, over a chart. Moving it redraws nothing below.
#[must_use]
pub(super) fn crosshair(
    scene: &Read<Scene>,
    painted: &Rc<Signal<Picture>>,
    cursor: &Rc<Signal<Option<Cursor>>>,
) -> Piece {
    let (scene, painted, cursor) = (Rc::clone(scene), Rc::clone(painted), Rc::clone(cursor));
    Piece::new(include_str!("crosshair.html"), move |places| {
        let at = cursor.get();
        let said = at.and_then(|cursor| {
            let scene = scene();
            let crosshair = scene.crosshair(&painted.read(), cursor.time)?;
            show(places, &scene, &crosshair, &painted.read());
            let is_told = cursor.told_by == Some(Teller::of(&painted));
            is_told.then(|| words(&scene, &crosshair))
        });
        places.show("crosshair", at.is_some());
        places.text("spoken", &said.unwrap_or_default());
    })
}

/// The card stays inside the plot and away from the readings.
fn show(places: &mut Places, scene: &Scene, crosshair: &Crosshair, painted: &Picture) {
    let plot = painted.plot;
    let middle = (plot.x + plot.width / 2.0, plot.y + plot.height / 2.0);
    let side = if crosshair.x > middle.0 {
        "start"
    } else {
        "end"
    };
    let first = crosshair.readings.first().and_then(|reading| reading.y);
    let place = if first.is_some_and(|y| y < middle.1) {
        "below"
    } else {
        "above"
    };
    places.property("crosshair", "--x", &pixels(crosshair.x));
    places.attribute("readout", "data-side", Some(side));
    places.attribute("readout", "data-place", Some(place));
    places.text("time", &crosshair.time_label);
    places.show("note", crosshair.note.is_some());
    places.text("note", crosshair.note.as_deref().unwrap_or_default());

    let readings = &crosshair.readings;
    let key = |reading: &LineReading| chart::decimal(reading.line as f32, 0);
    let keys: Vec<String> = readings.iter().map(key).collect();
    places.list("values", &keys, &|_| Piece::new(VALUE, |_| ()));
    places.list("dots", &keys, &|_| Piece::new(DOT, |_| ()));
    let several = scene.has_several();
    for (at, reading) in readings.iter().enumerate() {
        let name = scene.lines.get(reading.line).filter(|_| several);
        places.within("values", at, &mut |places| {
            places.show("key", several);
            places.property("key", "--ink", &ink(reading.line));
            places.text("name", name.map_or("", |line| &line.name));
            places.text("value", &reading.label);
        });
        places.within("dots", at, &mut |places| {
            places.show("", reading.y.is_some());
            places.property("", "--y", &pixels(reading.y.unwrap_or_default()));
        });
    }
}

/// The colour of one of several lines.
pub(super) fn ink(line: usize) -> String {
    let number = chart::decimal((line % 8 + 1) as f32, 0);
    ["var(--color-line-", &number, ")"].concat()
}

fn words(scene: &Scene, crosshair: &Crosshair) -> String {
    let mut words = crosshair.time_label.clone();
    for reading in &crosshair.readings {
        words.push_str(", ");
        if let Some(line) = scene
            .lines
            .get(reading.line)
            .filter(|_| scene.has_several())
        {
            words.push_str(&line.name);
            words.push(' ');
        }
        words.push_str(&reading.label);
    }
    if let Some(note) = &crosshair.note {
        words.push_str(", ");
        words.push_str(note);
    }
    words
}

fn pixels(length: f32) -> String {
    chart::decimal(length, 1) + "px"
}

const VALUE: &str = r#"<p><i class="chart-key" data-at="key"></i><span data-at="name"></span><strong data-at="value"></strong></p>"#;
const DOT: &str = r#"<i class="chart-crosshair-dot"></i>"#;
