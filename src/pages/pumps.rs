//! Every pump, with the runs that were seen.

use field::Channel;

use crate::{
    format::{count, duration, moment},
    piece::{Piece, nothing},
    state::{Fleet, Pump, device_of_key},
    store::{ZONE, use_fleet, use_now},
    widgets::pump_card::pump_card,
};

/// The page at `/pumps`.
#[must_use]
pub fn pumps_page() -> Piece {
    let fleet = use_fleet();
    Piece::new(include_str!("pumps.html"), move |places| {
        let fleet = fleet.everything();
        places.text("lead", &lead(&fleet));
        places.list("pumps", &fleet.pump_keys(), &pump_detail);
    })
}

fn lead(fleet: &Fleet) -> String {
    let running = fleet
        .pumps
        .values()
        .filter(|pump| pump.is_running())
        .count();
    match (fleet.pumps.len(), running) {
        (0, _) => "No pump has said anything yet. One appears with its first message.".into(),
        _ if !fleet.is_linked => "Not connected. What stands here was heard before.".into(),
        (_, 0) => "No pump says that it is running.".into(),
        (_, 1) => "1 pump is running.".into(),
        (_, running) => count(running, "pump") + " are running.",
    }
}

/// A pump and its last runs.
fn pump_detail(key: &str) -> Piece {
    let Some(device) = device_of_key(key) else {
        return nothing();
    };
    let key = String::from(key);
    let fleet = use_fleet();
    let now = use_now();
    Piece::new(include_str!("pumps_detail.html"), move |places| {
        let now = now.get();
        let runs = fleet
            .pump(&device)
            .map(|pump| runs(&pump, now))
            .unwrap_or_default();
        let seen = match runs.as_slice() {
            [] => "No run seen since this page was opened.",
            _ => "Runs seen since this page was opened",
        };
        places.text("zone", &fleet.layout().zone_name(device.zone()));
        places.part("card", Some(&key), &pump_card);
        places.text("seen", seen);
        places.list("runs", &runs, &run);
        places.text("topic", &device.topic(Channel::PumpState));
    })
}

fn run(words: &str) -> Piece {
    let words = String::from(words);
    Piece::new("<li></li>", move |places| places.text("", &words))
}

/// When each of the last runs began, and how long it took.
fn runs(pump: &Pump, now: field::Timestamp) -> Vec<String> {
    let runs = pump.runs.iter().rev().take(RUNS_SHOWN);
    runs.map(|run| {
        let began = moment(run.start, now, ZONE);
        let who = if run.is_ours { ", started by you" } else { "" };
        match run.end {
            Some(end) => {
                let ran_for = duration(end.saturating_duration_since(run.start));
                [&began, " for ", &ran_for, who].concat()
            }
            None if pump.is_running() => [&began, ", still running", who].concat(),
            None => [&began, ", its end was not heard", who].concat(),
        }
    })
    .collect()
}

const RUNS_SHOWN: usize = 5;
