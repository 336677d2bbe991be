//! Servers that name another one: Use another server, Server moved.

use mqtt_protocol::{Instant, Properties, ReasonCode};

use super::Supervisor;
use crate::Failure;

/// Lets a broker send its clients, with all that their options say, to another address: to `ws://` and `wss://`
/// only, and never from `wss://` down to `ws://`.
///
/// Use another server is followed once, Server moved for good once the new one has accepted the connection.
/// A session belongs to the Server that has it: any other is asked to begin anew, so that nothing is sent or given
/// twice, and what was in flight becomes what [a lost session](crate#what-outlives-the-page) makes of it.
/// A page that is loaded again begins at the address in its options, and keeps its messages wherever that sends it.
#[derive(Debug, Clone, Copy)]
pub struct FollowServerReference(
    /// A client that follows nobody carries nothing of how that is done.
    pub(super) fn(&mut Supervisor, ReasonCode, &Properties, Instant) -> bool,
);

impl FollowServerReference {
    /// Follows as the type says.
    #[must_use]
    pub fn new() -> Self {
        Self(go)
    }
}

impl Default for FollowServerReference {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the client belongs while its address is that of another Server.
#[derive(Debug)]
pub(super) struct Away {
    home: String,
    is_for_good: bool,
}

impl Supervisor {
    /// Takes note that the Server has accepted the connection.
    pub(super) fn arrive(&mut self) {
        if self.away.as_ref().is_some_and(|away| away.is_for_good) {
            self.away = None;
        }
    }

    /// Takes note that the attempt or the connection ended; says whether it was away.
    pub(super) fn return_home(&mut self) -> bool {
        match self.away.take() {
            Some(away) => {
                self.options.url = away.home;
                true
            }
            None => false,
        }
    }
}

/// Makes the next attempt go where the Server said, if it may; says whether it does.
fn go(
    supervisor: &mut Supervisor,
    reason_code: ReasonCode,
    properties: &Properties,
    now: Instant,
) -> bool {
    let reference = properties.server_reference();
    let Some(url) = reference.and_then(|reference| allowed(reference, &supervisor.options.url))
    else {
        return false;
    };
    let server_reference = url.clone();
    supervisor.fail(Failure::Elsewhere { server_reference }, now);
    supervisor.away = Some(Away {
        home: std::mem::replace(&mut supervisor.options.url, url),
        is_for_good: reason_code == ReasonCode::ServerMoved,
    });
    true
}

/// The address in a Server Reference, if one may follow it from here.
fn allowed(server_reference: &str, here: &str) -> Option<String> {
    let url = server_reference.split(' ').next()?;
    let is_secure = url.starts_with(SECURE);
    let is_as_insecure = url.starts_with(INSECURE) && here.starts_with(INSECURE);
    (is_secure || is_as_insecure).then(|| url.to_owned())
}

const SECURE: &str = "wss://";
const INSECURE: &str = "ws://";
