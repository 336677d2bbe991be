//! Every pump off: the button, and who has confirmed.

use leptos::prelude::*;

use crate::{
    components::{
        button::Button,
        reactive::{list, memo, part_if, text},
    },
    format::{count, whole},
    link::use_link,
    state::{Answer, Connection, Fleet, Pump, device_of_key, key_of_device},
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
    part_if(is_shown, move || {
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
                    {list(pumps, row)}
                </ul>
            </section>
        }
        .into_any()
    })
}

/// One pump's answer.
fn row(key: String) -> AnyView {
    let fleet = use_fleet();
    let connection = use_connection();
    let device = device_of_key(&key);
    let name = {
        let device = device.clone();
        text(move || {
            let name = device
                .as_ref()
                .and_then(|device| fleet.pump(device, |pump| pump.name.clone()));
            name.unwrap_or_default()
        })
    };
    let answer = move || {
        let is_connected = connection.with(Connection::is_connected);
        let answer = |pump: &Pump| Answer::of(pump, is_connected);
        device
            .as_ref()
            .and_then(|device| fleet.pump(device, answer))
            .unwrap_or(Answer::Waiting)
    };
    let words = {
        let answer = answer.clone();
        text(move || answer().words().into())
    };
    let answer = text(move || answer().as_str().into());
    view! {
        <li>
            <strong>{name}</strong>
            <span data-answer=answer>{words}</span>
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
    [
        begin,
        &confirmed,
        " of ",
        &count(n_pumps, "pump"),
        " confirmed off.",
    ]
    .concat()
}
