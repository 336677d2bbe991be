//! Reading, moving and zooming a chart by pointer, touch, wheel and keys.

use std::cell::RefCell;
use std::rc::Rc;

use chart::{Picture, Reach, Scene, View};
use leptos::reactive::graph::untrack;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, KeyboardEvent, PointerEvent, WheelEvent};

use super::{Cursor, Read, crosshair::Teller};
use crate::{piece::Piece, signal::Signal};

/// What a reader does on a chart.
#[derive(Clone)]
pub(super) struct Gestures {
    scene: Read<Scene>,
    painted: Rc<Signal<Picture>>,
    view: Rc<Signal<View>>,
    cursor: Rc<Signal<Option<Cursor>>>,
    /// The pointers that are held down, and where they are from the left.
    held: Rc<RefCell<Vec<(i32, f64)>>>,
}

impl Gestures {
    pub(super) fn new(
        scene: &Read<Scene>,
        painted: &Rc<Signal<Picture>>,
        view: &Rc<Signal<View>>,
        cursor: &Rc<Signal<Option<Cursor>>>,
    ) -> Self {
        Self {
            scene: Rc::clone(scene),
            painted: Rc::clone(painted),
            view: Rc::clone(view),
            cursor: Rc::clone(cursor),
            held: Rc::default(),
        }
    }

    /// Follows what happens on the stage.
    pub(super) fn listen(&self, piece: Piece) -> Piece {
        FOLLOWED.into_iter().fold(piece, |piece, event| {
            let gestures = self.clone();
            piece.on("stage", event, move |event| gestures.follow(&event))
        })
    }

    fn follow(&self, event: &Event) {
        match event.type_().as_str() {
            "keydown" => self.press(event.unchecked_ref()),
            "wheel" => self.roll(event.unchecked_ref()),
            "blur" => self.cursor.set(None),
            "pointerdown" => self.hold(event.unchecked_ref()),
            "pointermove" => self.lead(event.unchecked_ref()),
            kind => {
                let event: &PointerEvent = event.unchecked_ref();
                self.held
                    .borrow_mut()
                    .retain(|held| held.0 != event.pointer_id());
                // A lifted finger leaves its reading to be read.
                if kind == "pointerleave" && event.pointer_type() == "mouse" {
                    self.cursor.set(None);
                }
            }
        }
    }

    fn hold(&self, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        let mut held = self.held.borrow_mut();
        held.push((event.pointer_id(), f64::from(event.offset_x())));
        // So that a drag may leave the chart; without it, it ends there.
        let stage = event
            .current_target()
            .map(JsCast::unchecked_into::<Element>);
        if let Some(stage) = stage {
            let _ = stage.set_pointer_capture(event.pointer_id());
        }
        drop(held);
        self.point(event);
    }

    fn lead(&self, event: &PointerEvent) {
        let x = f64::from(event.offset_x());
        let mut held = self.held.borrow_mut();
        let moved = held.iter().position(|held| held.0 == event.pointer_id());
        let Some(moved) = moved else {
            drop(held);
            return self.point(event);
        };
        let before: Vec<f64> = held.iter().map(|held| held.1).collect();
        held[moved].1 = x;
        drop(held);
        match before.as_slice() {
            // A mouse moves the chart; a single finger reads it, as it cannot hover.
            [from] if event.pointer_type() == "mouse" => self.pan(from - x, event),
            [one, other] => {
                let rest = if moved == 0 { *other } else { *one };
                let (old, new) = ((one - other).abs(), (x - rest).abs());
                let factor = old.max(PINCH_LEAST) / new.max(PINCH_LEAST);
                self.zoom(self.time_at(rest), factor, event);
            }
            _ => self.point(event),
        }
    }

    /// Two fingers or Ctrl with the wheel zoom; the wheel alone does where the chart was chosen, and
    /// scrolls the page elsewhere.
    fn roll(&self, event: &WheelEvent) {
        let stage = event
            .current_target()
            .map(JsCast::unchecked_into::<Element>);
        let is_chosen = stage.is_some_and(|stage| stage.matches(":focus").unwrap_or(false));
        let (across, along) = (event.delta_x(), event.delta_y());
        if across.abs() > along.abs() {
            self.pan(across, event);
        } else if event.ctrl_key() || is_chosen {
            // A notch of a wheel is about a hundred, a step of two fingers a few.
            // A cast keeps what is too much at the most.
            let notches = (along / NOTCH * 100.0) as i8;
            let notches = f64::from(notches) / 100.0;
            let around = self.time_at(event.offset_x().into());
            self.zoom(around, 1.0 + 0.25 * notches, event);
        }
    }

    fn press(&self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            // That is the browser's: another size of the page, the page before.
            return;
        }
        let key = event.key();
        let at = self.cursor.get_untracked().map(|cursor| cursor.time);
        let plot = self.painted.read_untracked().plot;
        let (quarter, middle) = (f64::from(plot.width / 4.0), plot.x + plot.width / 2.0);
        let around = at.unwrap_or_else(|| self.time_at(middle.into()));
        let steps = match (key.as_str(), event.shift_key()) {
            ("ArrowLeft", true) => return self.pan(-quarter, event),
            ("ArrowRight", true) => return self.pan(quarter, event),
            ("+" | "=", _) => return self.zoom(around, 0.5, event),
            ("-" | "_", _) => return self.zoom(around, 2.0, event),
            ("ArrowLeft", false) => -1,
            ("ArrowRight", false) => 1,
            ("PageUp", _) => -10,
            ("PageDown", _) => 10,
            ("Home", _) => i32::MIN,
            ("End", _) => i32::MAX,
            ("Escape", _) => return self.cursor.set(None),
            _ => return,
        };
        event.prevent_default();
        if let Some(time) = untrack(|| (self.scene)().step(at, steps)) {
            let told_by = Some(Teller::of(&self.painted));
            self.cursor.set(Some(Cursor { time, told_by }));
        }
    }

    fn point(&self, event: &PointerEvent) {
        let time = self.time_at(f64::from(event.offset_x()));
        self.cursor.set(Some(Cursor {
            time,
            told_by: None,
        }));
    }

    /// Moves the chart by pixels.
    fn pan(&self, by: f64, event: &Event) {
        let by = self.time_at(by) - self.time_at(0.0);
        self.change(event, &|view, reach| view.pan(by, reach));
    }

    fn zoom(&self, around: i64, factor: f64, event: &Event) {
        self.change(event, &|view, reach| view.zoom(around, factor, reach));
    }

    fn change(&self, event: &Event, change: &dyn Fn(View, Reach) -> View) {
        event.prevent_default();
        let reach = untrack(|| (self.scene)().reach());
        self.view.set(change(self.view.get_untracked(), reach));
    }

    fn time_at(&self, x: f64) -> i64 {
        self.painted.read_untracked().times.invert(x) as i64
    }
}

const FOLLOWED: [&str; 8] = [
    "pointermove",
    "pointerdown",
    "pointerup",
    "pointercancel",
    "pointerleave",
    "wheel",
    "keydown",
    "blur",
];
const NOTCH: f64 = 100.0;
/// Fingers that are closer, in pixels, would make a leap of every trembling.
const PINCH_LEAST: f64 = 20.0;
