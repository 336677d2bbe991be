//! Reading values off a chart, by pointer, touch and arrow keys.

use std::rc::Rc;

use chart::{Picture, Scene};
use leptos::reactive::graph::untrack;
use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent, PointerEvent};

use super::Read;
use crate::{
    piece::{Piece, Places},
    signal::Signal,
};

/// Where a reader is on the chart. Moving over it redraws nothing below.
#[derive(Clone)]
pub(super) struct Crosshair {
    scene: Read<Scene>,
    painted: Rc<Signal<Picture>>,
    cursor: Rc<Signal<Option<Cursor>>>,
}

#[derive(Clone, Copy, PartialEq)]
struct Cursor {
    time: i64,
    by_key: bool,
}

impl Crosshair {
    pub(super) fn new(scene: Read<Scene>, painted: Rc<Signal<Picture>>) -> Self {
        Self {
            scene,
            painted,
            cursor: Rc::new(Signal::new(None)),
        }
    }

    /// Shows the crosshair and its card, which stays inside the plot and away from the reading.
    pub(super) fn show(&self, places: &mut Places, scene: &Scene) {
        let cursor = self.cursor.get();
        let painted = self.painted.read();
        let crosshair = cursor.and_then(|cursor| scene.crosshair(&painted, cursor.time));
        let plot = painted.plot;
        places.show("crosshair", crosshair.is_some());
        let Some(crosshair) = crosshair else {
            places.text("spoken", "");
            return;
        };
        let middle = (plot.x + plot.width / 2.0, plot.y + plot.height / 2.0);
        let side = if crosshair.x > middle.0 {
            "start"
        } else {
            "end"
        };
        let y = crosshair.readings.first().and_then(|reading| reading.y);
        let is_high = y.is_some_and(|y| y < middle.1);
        places.property("crosshair", "--x", &pixels(crosshair.x));
        places.show("dot", y.is_some());
        places.property("dot", "--y", &pixels(y.unwrap_or_default()));
        places.attribute("readout", "data-side", Some(side));
        places.attribute(
            "readout",
            "data-place",
            Some(if is_high { "below" } else { "above" }),
        );
        places.text("time", &crosshair.time_label);
        places.text("value", &values(&crosshair));
        places.show("note", crosshair.note.is_some());
        places.text("note", crosshair.note.as_deref().unwrap_or_default());

        // Who points sees the value; only who steps with the keys is told it.
        let by_key = cursor.is_some_and(|cursor| cursor.by_key);
        places.text(
            "spoken",
            if by_key {
                words(&crosshair)
            } else {
                String::new()
            }
            .as_str(),
        );
    }

    /// Follows the pointer and the keys.
    pub(super) fn listen(&self, piece: Piece) -> Piece {
        FOLLOWED.into_iter().fold(piece, |piece, event| {
            let crosshair = self.clone();
            piece.on("stage", event, move |event| crosshair.follow(event))
        })
    }

    fn follow(&self, event: Event) {
        match event.type_().as_str() {
            "keydown" => self.step(event.unchecked_ref()),
            "blur" => self.cursor.set(None),
            "pointerleave" => {
                // A lifted finger leaves its reading to be read.
                if event.unchecked_ref::<PointerEvent>().pointer_type() == "mouse" {
                    self.cursor.set(None);
                }
            }
            _ => self.point(event.unchecked_ref()),
        }
    }

    fn point(&self, event: &PointerEvent) {
        let x = f64::from(event.offset_x());
        let time = self.painted.read_untracked().times.invert(x) as i64;
        self.cursor.set(Some(Cursor {
            time,
            by_key: false,
        }));
    }

    fn step(&self, event: &KeyboardEvent) {
        let steps = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            "PageUp" => -10,
            "PageDown" => 10,
            "Home" => i32::MIN,
            "End" => i32::MAX,
            "Escape" => return self.cursor.set(None),
            _ => return,
        };
        event.prevent_default();
        let from = self.cursor.get_untracked().map(|cursor| cursor.time);
        if let Some(time) = untrack(|| (self.scene)().step(from, steps)) {
            self.cursor.set(Some(Cursor { time, by_key: true }));
        }
    }
}

fn values(crosshair: &chart::Crosshair) -> String {
    let labels = crosshair
        .readings
        .iter()
        .map(|reading| reading.label.as_str());
    labels.collect::<Vec<_>>().join(", ")
}

fn words(crosshair: &chart::Crosshair) -> String {
    let mut words = [&crosshair.time_label, ", ", &values(crosshair)].concat();
    if let Some(note) = &crosshair.note {
        words.push_str(", ");
        words.push_str(note);
    }
    words
}

fn pixels(length: f32) -> String {
    chart::decimal(length, 1) + "px"
}

const FOLLOWED: [&str; 5] = [
    "pointermove",
    "pointerdown",
    "pointerleave",
    "keydown",
    "blur",
];
