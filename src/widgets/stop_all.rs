//! Every pump off: who has confirmed. The button stands in the header.

use crate::{
    format::{count, whole},
    piece::Piece,
    state::{Answer, Fleet, device_of_key},
    store::{use_connection, use_fleet, use_link},
};

/// Pump by pump, who has confirmed; nothing until the button was pressed.
#[must_use]
pub fn stop_all_panel() -> Piece {
    let fleet = use_fleet();
    let connection = use_connection();
    let link = use_link();
    Piece::new(include_str!("stop_all.html"), move |places| {
        let is_connected = connection.read().is_connected();
        let fleet = fleet.everything();
        places.show("", fleet.stop_all.is_some());
        // A status that is filled while it is hidden would be told.
        let (summary, pumps) = match fleet.stop_all {
            Some(_) => (summary(&fleet, is_connected), fleet.pump_keys()),
            None => Default::default(),
        };
        places.text("summary", &summary);
        places.list("pumps", &pumps, &row);
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
            let is_connected = connection.read().is_connected();
            let Some(device) = &device else { return };
            if let Some(pump) = fleet.pump(device) {
                let answer = Answer::of(&pump, is_connected);
                places.text("name", &pump.name);
                places.text("answer", answer.words());
                places.attribute("answer", "data-answer", Some(answer.as_str()));
            }
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
