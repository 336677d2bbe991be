//! Keep Alive: the Client's timer that makes it speak, and the Server's that notices its silence.

use std::time::Duration;

use crate::Instant;

/// The Client's timer: when a PINGREQ is due, and by when its answer.
///
/// The rhythm is fixed. Neither inbound data nor other packets put a ping off: what reached only a buffer
/// has not reached the Server, and a page's timers may be a minute late.
#[derive(Debug, Clone)]
pub struct PingTimer {
    /// Half the Keep Alive; `None` for no pings.
    interval: Option<Duration>,
    timeout: Duration,
    /// When the last PINGREQ (or the CONNECT) went out.
    last_ping_at: Instant,
    /// By when something must have come.
    answer_due: Option<Instant>,
    /// Whether a PINGREQ waits for its PINGRESP.
    awaiting_pingresp: bool,
    grace_given: bool,
}

/// What [`PingTimer::handle_timeout`] asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PingAction {
    /// Nothing is due.
    Nothing,
    /// Send a PINGREQ.
    SendPingreq,
    /// The Server does not answer; the Network Connection is dead.
    GiveUp,
}

impl PingTimer {
    /// Starts with the Keep Alive in force (0 for none) and the time that an answer may take.
    #[must_use]
    pub fn new(keep_alive_secs: u16, timeout: Duration, now: Instant) -> Self {
        Self {
            interval: (keep_alive_secs > 0)
                .then(|| Duration::from_millis(u64::from(keep_alive_secs) * 500)),
            timeout,
            last_ping_at: now,
            answer_due: None,
            awaiting_pingresp: false,
            grace_given: false,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` for never.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match (self.answer_due, self.ping_due()) {
            (Some(answer_due), Some(ping_due)) => Some(answer_due.min(ping_due)),
            (answer_due, ping_due) => answer_due.or(ping_due),
        }
    }

    /// Says what is due; to be obeyed.
    pub fn handle_timeout(&mut self, now: Instant) -> PingAction {
        if let Some(due) = self.answer_due
            && due <= now
        {
            // A timer that is late (a page that was frozen) may have overtaken the answer.
            if self.grace_given || now.saturating_duration_since(due) <= LATE {
                return PingAction::GiveUp;
            }
            self.grace_given = true;
            self.answer_due = Some(now + GRACE);
        }
        if self.ping_due().is_none_or(|due| due > now) {
            return PingAction::Nothing;
        }
        if self.grace_given {
            self.last_ping_at = now;
        } else {
            self.ping_sent(self.timeout, now);
        }
        PingAction::SendPingreq
    }

    /// Asks for a PINGREQ at once, whose answer may take `timeout`; says whether one is to be sent.
    pub fn probe(&mut self, timeout: Duration, now: Instant) -> PingAction {
        if self.awaiting_pingresp {
            self.grace_given = true;
            self.answer_due = Some(now + timeout);
            return PingAction::Nothing;
        }
        self.ping_sent(timeout, now);
        PingAction::SendPingreq
    }

    /// Takes note that bytes came, or that bytes left: a Server that speaks or listens lives, though PINGREQ or
    /// PINGRESP may wait behind a large packet.
    pub fn handle_input(&mut self, now: Instant) {
        if let Some(due) = &mut self.answer_due {
            *due = (*due).max(now + self.timeout);
        }
    }

    /// Takes note of a PINGRESP; gives the round-trip time if one was awaited.
    pub fn handle_pingresp(&mut self, now: Instant) -> Option<Duration> {
        if !self.awaiting_pingresp {
            return None;
        }
        self.awaiting_pingresp = false;
        self.grace_given = false;
        self.answer_due = None;
        Some(now.saturating_duration_since(self.last_ping_at))
    }

    fn ping_due(&self) -> Option<Instant> {
        self.interval.map(|interval| self.last_ping_at + interval)
    }

    fn ping_sent(&mut self, timeout: Duration, now: Instant) {
        self.last_ping_at = now;
        self.answer_due = Some(now + timeout);
        self.awaiting_pingresp = true;
        self.grace_given = false;
    }
}

/// The Server's timer: when a Client has been silent for too long.
#[derive(Debug, Clone)]
pub struct SilenceTimer {
    /// One and a half times the Keep Alive; `None` for no limit.
    limit: Option<Duration>,
    last_packet_at: Instant,
}

impl SilenceTimer {
    /// Starts with the Keep Alive in force; 0 for none.
    #[must_use]
    pub fn new(keep_alive_secs: u16, now: Instant) -> Self {
        Self {
            // [MQTT-3.1.2-22]: one and a half times the Keep Alive.
            limit: (keep_alive_secs > 0)
                .then(|| Duration::from_millis(u64::from(keep_alive_secs) * 1500)),
            last_packet_at: now,
        }
    }

    /// Takes note of a packet.
    pub fn handle_packet(&mut self, now: Instant) {
        self.last_packet_at = now;
    }

    /// When the Client has been silent for too long; `None` for never.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.limit.map(|limit| self.last_packet_at + limit)
    }

    /// Whether the Client has been silent for too long.
    #[must_use]
    pub fn is_expired(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }
}

const LATE: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(1);
