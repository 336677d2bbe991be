//! Every pump off: the button, and who has confirmed.

use leptos::prelude::*;

use crate::{
    components::{
        button::Button,
        reactive::{List, maybe, memo, part_if, text},
    },
    format::{count, whole},
    link::use_link,
    state::{Answer, Connection, Fleet, device_of_key, key_of_device},
    store::{use_connection, use_fleet},
};

/// The button in the header. It can be pressed at any time.
#[component]
pub fn StopAllButton() -> AnyView {
    let link = use_link();
    let stop = Callback::new(move |()| link.stop_all());
    view! {
        <div class="stop-all-button">
            <Button label="Stop all pumps" kind="alarm" on_press=stop />
        </div>
    }
    .into_any()
}

/// Pump by pump, who has confirmed; nothing until the button was pressed.
#[component]
pub fn StopAllPanel() -> AnyView {
    let fleet = use_fleet();
    let connection = use_connection();
    let link = use_link();
    let is_shown = memo(move || fleet.layout(|fleet| fleet.stop_all.is_some()));
    let pumps = memo(move || fleet.layout(|fleet| fleet.pumps.keys().map(key_of_device).collect()));
    let close = Callback::new(move |()| link.forget_stop_all());
    let panel = part_if(is_shown, move || {
        let summary = text(move || {
            let is_connected = connection.with(Connection::is_connected);
            fleet.everything(|fleet| summary(fleet, is_connected))
        });
        view! {
            <section class="stop-all-panel" aria-label="Stop all pumps">
                <div class="stop-all-head">
                    <p role="status">{summary}</p>
                    <Button label="Close" on_press=close />
                </div>
                <ul class="stop-all-list">
                    <List keys=pumps piece=row />
                </ul>
            </section>
        }
        .into_any()
    });
    panel.into_any()
}

/// One pump's answer.
fn row(key: String) -> AnyView {
    let fleet = use_fleet();
    let connection = use_connection();
    let pump = {
        let key = key.clone();
        maybe(move || fleet.pump(&device_of_key(&key)?, |pump| pump.name.clone()))
    };
    let answer = memo(move || {
        let is_connected = connection.with(Connection::is_connected);
        let answer = fleet.pump(&device_of_key(&key)?, |pump| Answer::of(pump, is_connected))?;
        Some((answer.as_str(), answer.words()))
    });
    let word = maybe(move || answer.get().map(|(word, _)| word.into()));
    let words = maybe(move || answer.get().map(|(_, words)| words.into()));
    view! {
        <li>
            <strong>{pump}</strong>
            <span data-answer=word>{words}</span>
        </li>
    }
    .into_any()
}

fn summary(fleet: &Fleet, is_connected: bool) -> String {
    let n_pumps = fleet.pumps.len();
    if n_pumps == 0 {
        return "No pump is known yet. One that shows up within a minute is told to stop.".into();
    }
    let confirmed = fleet
        .pumps
        .values()
        .filter(|pump| Answer::of(pump, is_connected) == Answer::Confirmed)
        .count();
    if confirmed == n_pumps {
        return ["All off: ", &count(n_pumps, "pump"), " confirmed."].concat();
    }
    let begin = if is_connected {
        "OFF is sent. "
    } else {
        "Not connected: OFF is sent the moment there is a connection. "
    };
    let confirmed = whole(confirmed as u64);
    [begin, &confirmed, " of ", &count(n_pumps, "pump"), " confirmed off."].concat()
}
