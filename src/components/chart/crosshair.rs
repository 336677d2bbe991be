//! Reading values off a chart, by pointer, touch and arrow keys.

use std::sync::Arc;

use chart::{Crosshair, Picture, Rect, Scene};
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

use super::Read;
use crate::components::reactive::{nothing, part, text};

/// The chart's one tab stop: what is drawn, and over it the crosshair. Moving the pointer redraws
/// nothing below.
#[must_use]
pub fn stage(
    scene: Read<Scene>,
    painted: RwSignal<Picture>,
    label: Read<String>,
    drawn: AnyView,
) -> AnyView {
    let cursor = RwSignal::new(None::<Cursor>);
    let crosshair: Read<Option<Crosshair>> = {
        let scene = Arc::clone(&scene);
        Arc::new(move || {
            let cursor = cursor.get()?;
            painted.with(|painted| scene().crosshair(painted, cursor.time))
        })
    };
    // Who points sees the value; only who steps with the keys is told it.
    let spoken = {
        let crosshair = Arc::clone(&crosshair);
        text(move || {
            let by_key = cursor.with(|cursor| cursor.is_some_and(|cursor| cursor.by_key));
            let crosshair = crosshair().filter(|_| by_key);
            crosshair
                .map(|crosshair| words(&crosshair))
                .unwrap_or_default()
        })
    };
    let readout = part(move || match crosshair() {
        Some(crosshair) => readout(crosshair, painted.with_untracked(|painted| painted.plot)),
        None => nothing(),
    });
    let name = text(move || [label().as_str(), HELP].concat());
    let point = move |event: PointerEvent| {
        let x = f64::from(event.offset_x());
        let time = painted.with_untracked(|painted| painted.times.invert(x));
        cursor.set(Some(Cursor {
            time: time as i64,
            by_key: false,
        }));
    };
    let leave = move |event: PointerEvent| {
        // A lifted finger leaves its reading to be read.
        if event.pointer_type() == "mouse" {
            cursor.set(None);
        }
    };
    let press = move |event: KeyboardEvent| {
        let steps = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            "PageUp" => -10,
            "PageDown" => 10,
            "Home" => i32::MIN,
            "End" => i32::MAX,
            "Escape" => return cursor.set(None),
            _ => return,
        };
        event.prevent_default();
        let from = cursor.get_untracked().map(|cursor| cursor.time);
        if let Some(time) = untrack(|| scene().step(from, steps)) {
            cursor.set(Some(Cursor { time, by_key: true }));
        }
    };
    view! {
        <div
            class="chart-stage"
            tabindex="0"
            role="application"
            aria-roledescription="chart"
            aria-label=name
            on:pointermove=point
            on:pointerdown=point
            on:pointerleave=leave
            on:keydown=press
            on:blur=move |_| cursor.set(None)
        >
            {drawn}
            {readout}
        </div>
        <p class="visually-hidden" aria-live="polite">
            {spoken}
        </p>
    }
    .into_any()
}

/// The crosshair and its card, which stays inside the plot and away from the reading.
fn readout(crosshair: Crosshair, plot: Rect) -> AnyView {
    let middle = (plot.x + plot.width / 2.0, plot.y + plot.height / 2.0);
    let side = if crosshair.x > middle.0 {
        "start"
    } else {
        "end"
    };
    let is_high = crosshair.y.is_some_and(|y| y < middle.1);
    let place = if is_high { "below" } else { "above" };
    let dot = crosshair
        .y
        .map(|y| view! { <i class="chart-crosshair-dot" style=("--y", pixels(y))></i> }.into_any());
    let note = crosshair
        .note
        .map(|note| view! { <small>{note}</small> }.into_any());
    view! {
        <div class="chart-crosshair" aria-hidden="true" style=("--x", pixels(crosshair.x))>
            {dot} <div class="chart-readout" data-side=side data-place=place>
                <span>{crosshair.time_label}</span>
                <strong>{crosshair.value_label}</strong>
                {note}
            </div>
        </div>
    }
    .into_any()
}

#[derive(Clone, Copy, PartialEq)]
struct Cursor {
    time: i64,
    by_key: bool,
}

fn words(crosshair: &Crosshair) -> String {
    let mut words = [crosshair.time_label.as_str(), ", ", &crosshair.value_label].concat();
    if let Some(note) = &crosshair.note {
        words.push_str(", ");
        words.push_str(note);
    }
    words
}

fn pixels(length: f32) -> String {
    let mut text = chart::decimal(length, 1);
    text.push_str("px");
    text
}

const HELP: &str = ". Left and right arrow keys read its values.";
