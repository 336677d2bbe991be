//! What MQTT asks of a Server, as the conformance suites of others check it: bytes sent, bytes expected.
//!
//! Everything is said over TCP and over WebSocket alike. [`script`](crate::script) explains the notation.

mod connect;
mod flow_control;
mod malformed;
mod properties;
mod publish;
mod retained;
mod sessions;
mod shared;
mod subscriptions;
mod time;
mod topics;
mod wills;

use crate::script::check_all;

/// Each packet of a 5.0 Client is answered by DISCONNECT with its Reason Code, and by the end; nobody else notices.
#[track_caller]
fn check_refused_5(refusals: &[(&str, &str, u8)]) {
    let scripts: Vec<_> = refusals
        .iter()
        .map(|(name, packet, reason_code)| {
            let script = format!(
                "b is 5
                a is 5
                a > {packet}
                a < E0 {reason_code:02X} ..
                a closed
                b quiet"
            );
            (*name, script)
        })
        .collect();
    check_all(&scripts);
}

/// Each packet of a 3.1.1 Client, which cannot be told why, ends its connection.
#[track_caller]
fn check_closed_3(refusals: &[(&str, &str)]) {
    let scripts: Vec<_> = refusals
        .iter()
        .map(|(name, packet)| {
            let script = format!(
                "b is 3
                a is 3
                a > {packet}
                a closed
                b quiet"
            );
            (*name, script)
        })
        .collect();
    check_all(&scripts);
}
