//! All deadlines of the broker in one table.

use std::collections::BTreeSet;

use mqtt_protocol::Instant;

use crate::session::SessionIndex;

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The connection at this place may have been silent for too long.
    Silence(u32),
    /// The session is to end.
    SessionExpiry(SessionIndex),
    /// The Will is to be published.
    Will(SessionIndex),
    /// More waits to be sent than was good for one turn.
    More(SessionIndex),
}

/// The deadlines in order. Their owners remember what they armed, so that none is left behind.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    /// Sets the deadline that `armed` remembers to `at`, or takes it away.
    pub(crate) fn set(&mut self, armed: &mut Option<Instant>, at: Option<Instant>, timer: Timer) {
        if *armed == at {
            return;
        }
        if let Some(before) = armed.take() {
            self.0.remove(&(before, timer));
        }
        if let Some(at) = at {
            self.0.insert((at, timer));
        }
        *armed = at;
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// What is due. Its owner has to forget that it was armed.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.0.first()?;
        if at > now {
            return None;
        }
        self.0.pop_first();
        Some(timer)
    }
}
