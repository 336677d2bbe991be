//! Every pump off: who has confirmed. The button stands in the header.

use crate::{
    format::{count, whole},
    piece::Piece,
    state::{Answer, Connection, Fleet, device_of_key},
    store::{use_connection, use_fleet, use_link},
};

/// Pump by pump, who has confirmed; nothing until the button was pressed.
#[must_use]
pub fn stop_all_panel() -> Piece {
    let fleet = use_fleet();
    let connection = use_connection();
    let link = use_link();
    Piece::new(include_str!("stop_all.html"), move |places| {
        let is_connected = connection.with(Connection::is_connected);
        let (is_shown, summary, pumps) = fleet.everything(|fleet| {
            (
                fleet.stop_all.is_some(),
                summary(fleet, is_connected),
                fleet.pump_keys(),
            )
        });
        places.show("", is_shown);
        // A status that is filled while it is hidden would be told.
        places.text("summary", if is_shown { &summary } else { "" });
        places.list("pumps", if is_shown { &pumps } else { &[] }, &row);
    })
    .on("close", "click", move |_| link.forget_stop_all())
}

/// One pump's answer.
fn row(key: &str) -> Piece {
    let fleet = use_fleet();
    let connection = use_connection();
    let device = device_of_key(key);
    Piece::new(
        r#"<li><strong data-at="name"></strong> <span data-at="answer"></span></li>"#,
        move |places| {
            let is_connected = connection.with(Connection::is_connected);
            let Some(device) = &device else { return };
            fleet.pump(device, |pump| {
                let answer = Answer::of(pump, is_connected);
                places.text("name", &pump.name);
                places.text("answer", answer.words());
                places.attribute("answer", "data-answer", Some(answer.as_str()));
            });
        },
    )
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
