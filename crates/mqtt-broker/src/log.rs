//! What happened, in a log.

use mqtt_broker_core::{DisconnectCause, Event};

pub(crate) fn event(event: &Event) {
    match event {
        Event::Connected {
            connection,
            client_identifier,
            protocol_version,
            session_present,
        } => {
            tracing::info!(%connection, %client_identifier, ?protocol_version, session_present, "connected");
        }
        Event::Refused { connection, cause } => tracing::info!(%connection, ?cause, "refused"),
        Event::Disconnected {
            connection,
            client_identifier,
            cause: cause @ (DisconnectCause::Client(_) | DisconnectCause::ConnectionLost),
        } => tracing::info!(%connection, %client_identifier, ?cause, "disconnected"),
        Event::Disconnected {
            connection,
            client_identifier,
            cause,
        } => tracing::info!(%connection, %client_identifier, ?cause, "disconnected by the broker"),
        Event::SessionEnded { client_identifier } => {
            tracing::debug!(%client_identifier, "session ended");
        }
    }
}
