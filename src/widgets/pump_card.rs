//! One pump: what it does, and its switch.

use std::{rc::Rc, time::Duration};

use field::{DeviceId, Switch as Position};
use leptos::reactive::graph::untrack;

use crate::{
    dom::value_of,
    format::{element_id, whole},
    piece::{Piece, Places, nothing},
    signal::Signal,
    state::{Pump, device_of_key},
    store::{ZONE, use_connection, use_fleet, use_link, use_now},
    words::PumpWords,
};

/// One pump, with its switch.
#[must_use]
pub fn pump_card(key: &str) -> Piece {
    match device_of_key(key) {
        Some(device) => card(Rc::new(device), element_id("pump/", key)),
        None => nothing(),
    }
}

fn card(device: Rc<DeviceId>, sentence_id: String) -> Piece {
    let fleet = use_fleet();
    let connection = use_connection();
    let now = use_now();
    let link = use_link();
    let minutes = Rc::new(Signal::new(MINUTES_DEFAULT));
    let chosen = Rc::clone(&minutes);
    let say = {
        let (device, minutes) = (Rc::clone(&device), Rc::clone(&minutes));
        move |places: &mut Places| {
            let now = now.get();
            let is_connected = connection.read().is_connected();
            places.text("minutes", &whole(minutes.get()));
            if let Some(pump) = fleet.pump(&device) {
                let words = PumpWords::of(&pump, is_connected, now, ZONE);
                show(places, &words);
                show_stray(places, &pump);
            }
            places.attribute("sentence", "id", Some(&sentence_id));
            places.attribute("switch", "aria-describedby", Some(&sentence_id));
        }
    };
    let press = {
        let device = Rc::clone(&device);
        move || {
            let now = now.get_untracked();
            let is_connected = connection.read_untracked().is_connected();
            let asked = untrack(|| {
                let pump = fleet.pump(&device)?;
                Some(PumpWords::of(&pump, is_connected, now, ZONE).press)
            });
            match asked {
                Some(Position::On) => {
                    let run_for = Duration::from_secs(60 * minutes.get_untracked());
                    link.switch_on(&device, run_for);
                }
                Some(Position::Off) => link.switch_off(&device),
                None => {}
            }
        }
    };
    Piece::new(include_str!("pump_card.html"), say)
        .on("switch", "click", move |_| press())
        .on("select", "change", move |event| {
            if let Ok(minutes) = value_of(&event).parse() {
                chosen.set(minutes);
            }
        })
        .on("clear", "click", move |_| link.clear_stray_command(&device))
}

fn show(places: &mut Places, words: &PumpWords) {
    places.attribute("", "data-state", Some(words.state));
    places.text("name", &words.name);
    places.text("sentence", &words.sentence);
    places.text("label", words.label);

    let (left, of_ring) = match &words.countdown {
        Some((left, of_ring)) => (left.as_str(), *of_ring),
        None => (mark(words), 0),
    };
    places.property("ring", "--left", &whole(of_ring));
    places.show("mark", !words.is_off);
    places.text("mark", left);
    places.show("length", words.is_off);
    let label = [&words.name, ": run for"].concat();
    places.attribute("select", "aria-label", Some(&label));

    let is_on = if words.is_on { "true" } else { "false" };
    places.attribute("switch", "aria-label", Some(&words.name));
    places.attribute("switch", "aria-checked", Some(is_on));
    places.attribute("switch", "data-request", words.between);
    // It can be pressed all the same, and then the refusal is said.
    places.attribute(
        "switch",
        "aria-disabled",
        words.is_refused.then_some("true"),
    );

    places.show("fault", words.fault.is_some());
    let (what, remedy) = words
        .fault
        .as_ref()
        .map_or(("", ""), |fault| (fault.what, fault.remedy));
    places.text("what", what);
    places.text("remedy", remedy);
}

/// A retained message on the pump's command topic: a fault, with a button that clears it.
fn show_stray(places: &mut Places, pump: &Pump) {
    places.show("stray", pump.stray_command.is_some());
    let kept = pump.stray_command.as_ref().map(|stray| {
        [
            "Its command topic holds the retained message ",
            stray,
            ". The pump would get it again on every connection.",
        ]
        .concat()
    });
    places.text("kept", &kept.unwrap_or_default());
}

/// What stands in the ring when no run's length can be chosen.
fn mark(words: &PumpWords) -> &'static str {
    match (words.between, &words.fault) {
        (Some("asked"), _) => "…",
        (None, Some(_)) => "!",
        _ => "–",
    }
}

const MINUTES_DEFAULT: u64 = 10;
