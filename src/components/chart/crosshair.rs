//! Reading values off a chart, by pointer, touch and arrow keys.

use chart::{Crosshair, Picture, Rect, Scene};
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

/// The chart's one tab stop: what is drawn, and over it the crosshair. Moving the pointer redraws
/// nothing below.
#[component]
pub fn Stage(
    scene: Signal<Scene>,
    painted: RwSignal<Picture>,
    label: Signal<String>,
    children: Children,
) -> impl IntoView {
    let cursor = RwSignal::new(None::<Cursor>);
    let crosshair = Memo::new(move |_| {
        let cursor = cursor.get()?;
        painted.with(|painted| scene.with(|scene| scene.crosshair(painted, cursor.time)))
    });
    // Who points sees the value; only who steps with the keys is told it.
    let spoken = move || {
        cursor.get().filter(|cursor| cursor.by_key)?;
        crosshair.get().map(|crosshair| words(&crosshair))
    };
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
        if let Some(time) = scene.with_untracked(|scene| scene.step(from, steps)) {
            cursor.set(Some(Cursor { time, by_key: true }));
        }
    };
    let readout = move || {
        let crosshair = crosshair.get()?;
        let plot = painted.with_untracked(|painted| painted.plot);
        Some(view! { <Readout crosshair plot /> })
    };
    view! {
        <div
            class="chart-stage"
            tabindex="0"
            role="application"
            aria-roledescription="chart"
            aria-label=move || [label.get().as_str(), HELP].concat()
            on:pointermove=point
            on:pointerdown=point
            on:pointerleave=leave
            on:keydown=press
            on:blur=move |_| cursor.set(None)
        >
            {children()}
            {readout}
        </div>
        <p class="visually-hidden" aria-live="polite">
            {spoken}
        </p>
    }
}

/// The crosshair and its card.
#[component]
pub fn Readout(
    crosshair: Crosshair,
    /// Where the line is drawn: the card stays inside, away from the reading.
    plot: Rect,
) -> impl IntoView {
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
        .map(|y| view! { <i class="chart-crosshair-dot" style=("--y", pixels(y))></i> });
    let note = crosshair.note.map(|note| view! { <small>{note}</small> });
    view! {
        <div class="chart-crosshair" aria-hidden="true" style=("--x", pixels(crosshair.x))>
            {dot} <div class="chart-readout" data-side=side data-place=place>
                <span>{crosshair.time_label}</span>
                <strong>{crosshair.value_label}</strong>
                {note}
            </div>
        </div>
    }
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
