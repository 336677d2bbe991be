//! Every pump off: the button, and who has confirmed.

use field::DeviceId;
use leptos::prelude::*;

use crate::{
    components::button::Button,
    format::{count, whole},
    link::use_link,
    state::{Answer, Connection, Fleet},
    store::{use_connection, use_fleet},
};

/// The button in the header. It can be pressed at any time.
#[component]
pub fn StopAllButton() -> impl IntoView {
    let link = use_link();
    let stop = Callback::new(move |()| link.stop_all());
    view! {
        <div class="stop-all-button">
            <Button label="Stop all pumps" kind="alarm" on_press=stop />
        </div>
    }
}

/// Pump by pump, who has confirmed; nothing until the button was pressed.
#[component]
pub fn StopAllPanel() -> impl IntoView {
    let fleet = use_fleet();
    let connection = use_connection();
    let link = use_link();
    let is_shown = Memo::new(move |_| fleet.layout(|fleet| fleet.stop_all.is_some()));
    let is_connected = Memo::new(move |_| connection.with(Connection::is_connected));
    let summary = Memo::new(move |_| fleet.everything(|fleet| summary(fleet, is_connected.get())));
    let pumps = move || {
        fleet.layout(|fleet| fleet.pumps.keys().cloned().collect::<Vec<DeviceId>>())
    };
    let row = move |device: DeviceId| {
        let name = {
            let device = device.clone();
            move || fleet.pump(&device, |pump| pump.name.clone())
        };
        let answer = Memo::new(move |_| {
            fleet.pump(&device, |pump| Answer::of(pump, is_connected.get()))
        });
        view! {
            <li>
                {name}
                <span data-answer=move || answer.get().map(Answer::as_str)>
                    {move || answer.get().map(Answer::words)}
                </span>
            </li>
        }
    };
    let close = Callback::new(move |()| link.forget_stop_all());
    view! {
        <Show when=move || is_shown.get()>
            <section class="stop-all-panel" aria-label="Stop all pumps">
                <div class="stop-all-head">
                    <p role="status">{summary}</p>
                    <Button label="Close" on_press=close />
                </div>
                <ul class="stop-all-list">
                    <For each=pumps key=Clone::clone children=row />
                </ul>
            </section>
        </Show>
    }
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
