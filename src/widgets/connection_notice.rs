//! Why there is no connection, when the next attempt is made, and what can be done.

use std::time::Duration;

use field::Timestamp;

use crate::{
    format::{millis, whole},
    piece::Piece,
    router::link_to,
    state::Connection,
    store::{use_connection, use_link, use_now},
};

/// A strip below the header; nothing while all is well.
#[must_use]
pub fn connection_notice() -> Piece {
    let connection = use_connection();
    let now = use_now();
    let link = use_link();
    Piece::new(include_str!("connection_notice.html"), move |places| {
        let connection = connection.read();
        places.show("", is_worth_a_word(&connection));
        places.attribute("", "data-state", Some(connection.as_str()));
        places.text("lead", &connection.lead());
        places.text("next", &next(&connection, now.get()));
        places.show("check", is_up_to_somebody(&connection));
        places.attribute("settings", "href", Some(&link_to("/settings")));
        places.show("retry", !connection.is_asking());
    })
    .on("retry", "click", move |_| link.reconnect_now())
}

/// The first attempt is not: it is over in a moment, or turns into something that is.
fn is_worth_a_word(connection: &Connection) -> bool {
    match connection {
        Connection::Connecting { again } => *again,
        Connection::Connected => false,
        Connection::Asking
        | Connection::Waiting { .. }
        | Connection::Refused { .. }
        | Connection::Stopped { .. } => true,
    }
}

/// Whether waiting does not change it.
fn is_up_to_somebody(connection: &Connection) -> bool {
    matches!(
        connection,
        Connection::Asking | Connection::Refused { .. } | Connection::Stopped { .. }
    )
}

fn next(connection: &Connection, now: Timestamp) -> String {
    match connection {
        Connection::Asking => String::new(),
        Connection::Connecting { .. } | Connection::Connected => "Asking the broker.".into(),
        Connection::Waiting { retry_at, .. } => {
            let left = retry_at.saturating_duration_since(now);
            if left < Duration::from_millis(500) {
                return "Trying again.".into();
            }
            let seconds = millis(left).div_ceil(1_000);
            ["Trying again in ", &whole(seconds), " s."].concat()
        }
        Connection::Refused { .. } => "Waiting does not change that.".into(),
        Connection::Stopped { .. } => "No further attempt is made by itself.".into(),
    }
}
