//! The pump as a person at the page sees it: a switch that moves when the pump says so.

use std::time::Duration;

use crate::{CommandId, PumpCommand, PumpState, Status, Switch, Timestamp};

/// One pump's switch.
///
/// The device's own word decides what is shown; a request is only a request until it is answered.
/// An ON is sent once, at once or never. An OFF waits for the link, and is sent again until the pump confirms it.
#[derive(Debug, Default)]
pub struct PumpSwitch {
    link_up: bool,
    status: Option<Status>,
    report: Option<Report>,
    last_said: Option<Switch>,
    stops_by_itself: bool,
    request: Option<Request>,
    outbox: Option<PumpCommand>,
    own_ids: Vec<CommandId>,
    last_run: Option<Run>,
}

/// What a pump's switch shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchState {
    /// The pump has not said anything on this connection yet, nothing that could be read,
    /// or has fallen silent while running.
    Unknown,
    /// The pump says that it is off.
    Off {
        /// The run that ended last, if this page saw it.
        last_run: Option<Run>,
    },
    /// ON was sent; the pump has not answered.
    AskedOn {
        /// When it was asked for.
        since: Timestamp,
    },
    /// The pump says that water runs.
    Running(Run),
    /// OFF was asked for; the pump has not answered, or the link is down and OFF waits for it.
    AskedOff {
        /// When it was asked for.
        since: Timestamp,
    },
    /// The pump has not done what it was asked, or its broker refused to pass it on.
    NotConfirmed {
        /// What it was asked.
        asked: Switch,
        /// When it was asked.
        since: Timestamp,
    },
    /// The device is offline.
    Unreachable {
        /// What it said last, before it was lost.
        last: Option<Switch>,
    },
}

/// A stretch of running water.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub since: Timestamp,
    /// When it ended or will end by itself, if the pump said so.
    pub until: Option<Timestamp>,
    /// Who or what began it, in the pump's words.
    pub by: Option<String>,
    /// Whether this page's own request began it.
    pub is_ours: bool,
}

/// What a switch wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PumpSwitchOutput {
    /// Publish this to the pump at QoS 1, not retained, and never queue an ON.
    Publish(PumpCommand),
    /// Nothing more; call [`PumpSwitch::handle_timeout`] then.
    Timeout(Option<Timestamp>),
}

/// Why an ON is not sent. A command kept for later would start a pump that nobody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The page has no connection to its broker.
    #[error("not connected to the broker")]
    NotConnected,
    /// The pump's device has none.
    #[error("the pump is offline")]
    Offline,
}

#[derive(Debug)]
struct Report {
    state: Switch,
    run: Option<Run>,
    /// When a running pump that announced its own end has been silent for too long.
    silent_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Request {
    command: PumpCommand,
    since: Timestamp,
    /// When an answer is overdue; `None` while it waits for the link.
    overdue_at: Option<Timestamp>,
    has_failed: bool,
}

impl PumpSwitch {
    /// How long a pump may take to answer.
    pub const ANSWER_TIME: Duration = Duration::from_secs(10);
    /// How long a running pump may be silent: it should have repeated its state twice.
    pub const SILENCE: Duration = Duration::from_secs(30);

    /// A switch of which nothing is known, without a link.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it shows.
    #[must_use]
    pub fn state(&self) -> SwitchState {
        if let Some(request) = &self.request {
            let (asked, since) = (request.command.state, request.since);
            return match asked {
                _ if request.has_failed => SwitchState::NotConfirmed { asked, since },
                Switch::On => SwitchState::AskedOn { since },
                Switch::Off => SwitchState::AskedOff { since },
            };
        }
        if self.status == Some(Status::Offline) {
            return SwitchState::Unreachable {
                last: self.reported(),
            };
        }
        match &self.report {
            None => SwitchState::Unknown,
            Some(Report { run: Some(run), .. }) => SwitchState::Running(run.clone()),
            Some(Report { run: None, .. }) => SwitchState::Off {
                last_run: self.last_run.clone(),
            },
        }
    }

    /// What the pump itself said last on this connection, whatever was asked since.
    #[must_use]
    pub fn reported(&self) -> Option<Switch> {
        self.report.as_ref().map(|report| report.state)
    }

    /// What the pump itself said last, however long ago: it may have stopped or started since.
    #[must_use]
    pub const fn last_said(&self) -> Option<Switch> {
        self.last_said
    }

    /// Whether the pump, when it said last what it does, also said until when.
    #[must_use]
    pub const fn stops_by_itself(&self) -> bool {
        self.stops_by_itself
    }

    /// Whether an ON would be sent, and if not, why.
    ///
    /// # Errors
    /// If it would be refused.
    pub fn can_switch_on(&self) -> Result<(), Refusal> {
        if !self.link_up {
            Err(Refusal::NotConnected)
        } else if self.status == Some(Status::Offline) {
            Err(Refusal::Offline)
        } else {
            Ok(())
        }
    }

    /// Asks for water, for `run_for` or the device's own maximum.
    ///
    /// # Errors
    /// If it cannot be delivered at once.
    pub fn request_on(
        &mut self,
        run_for: Option<Duration>,
        id: CommandId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.can_switch_on()?;
        self.request(Switch::On, run_for, id, now);
        Ok(())
    }

    /// Asks for no water. Always possible: without a link it waits for one.
    pub fn request_off(&mut self, id: CommandId, now: Timestamp) {
        self.request(Switch::Off, None, id, now);
    }

    /// The link to the broker came up or was lost.
    ///
    /// With it goes all that is known for certain, as a pump may stop or start meanwhile;
    /// subscribing anew asks for it again.
    pub fn handle_link(&mut self, up: bool, now: Timestamp) {
        self.link_up = up;
        self.status = None;
        self.report = None;
        self.outbox = None;
        self.drop_request_on();
        if up {
            self.send_request(now);
        } else if let Some(request) = &mut self.request {
            request.overdue_at = None;
            request.has_failed = false;
        }
    }

    /// The device says, or its Will says for it, whether it is there.
    pub fn handle_status(&mut self, status: Status, now: Timestamp) {
        let before = self.status.replace(status);
        match status {
            Status::Offline => self.drop_request_on(),
            Status::Online if before == Some(Status::Offline) => {
                self.report = None;
                self.send_request(now);
            }
            Status::Online => {}
        }
    }

    /// The pump says what it does, or the broker says what the pump said last.
    ///
    /// What the broker kept was said before the request went out, so it answers none.
    pub fn handle_state(&mut self, said: &PumpState, retained: bool, now: Timestamp) {
        if !self.link_up {
            return;
        }
        let run_before = self.report.take().and_then(|report| report.run);
        let run = match said.state {
            Switch::On => Some(self.run_of(said, run_before.as_ref(), now)),
            Switch::Off => {
                if let Some(run) = run_before {
                    let until = Some(said.since.unwrap_or(now));
                    self.last_run = Some(Run { until, ..run });
                }
                None
            }
        };
        self.last_said = Some(said.state);
        self.stops_by_itself = said.until.is_some();
        let repeats = said.state == Switch::On && said.until.is_some();
        self.report = Some(Report {
            state: said.state,
            run,
            silent_at: repeats.then(|| now + Self::SILENCE),
        });
        if !retained && self.is_answered_by(said) {
            self.request = None;
            self.outbox = None;
        }
    }

    /// The pump says what cannot be read: what it said before no longer holds, and nothing is answered by it.
    pub fn handle_unreadable_state(&mut self) {
        self.report = None;
    }

    /// The broker refused to pass a command on, or it could not be sent. One that was replaced since is of no concern.
    pub fn handle_publish_failed(&mut self, id: &CommandId, now: Timestamp) {
        if let Some(request) = &mut self.request
            && request.command.id.as_ref() == Some(id)
        {
            request.has_failed = true;
            request.overdue_at = (request.command.state == Switch::Off && self.link_up)
                .then(|| now + Self::ANSWER_TIME);
        }
    }

    /// Notices an answer that is overdue, and a running pump that has fallen silent.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(request) = &mut self.request
            && request.overdue_at.is_some_and(|at| at <= now)
        {
            request.has_failed = true;
            request.overdue_at = None;
            if request.command.state == Switch::Off {
                self.send_request(now);
            }
        }
        if self
            .report
            .as_ref()
            .is_some_and(|report| report.silent_at.is_some_and(|at| at <= now))
        {
            self.report = None;
        }
    }

    /// What is to be done next; ends with the deadline.
    pub fn poll_output(&mut self) -> PumpSwitchOutput {
        if let Some(command) = self.outbox.take() {
            return PumpSwitchOutput::Publish(command);
        }
        let overdue_at = self.request.as_ref().and_then(|request| request.overdue_at);
        let silent_at = self.report.as_ref().and_then(|report| report.silent_at);
        PumpSwitchOutput::Timeout(match (overdue_at, silent_at) {
            (Some(overdue_at), Some(silent_at)) => Some(overdue_at.min(silent_at)),
            (overdue_at, silent_at) => overdue_at.or(silent_at),
        })
    }

    fn request(&mut self, state: Switch, run_for: Option<Duration>, id: CommandId, now: Timestamp) {
        if self.own_ids.len() == OWN_IDS_LEN_MAX {
            self.own_ids.remove(0);
        }
        self.own_ids.push(id.clone());
        self.request = Some(Request {
            command: PumpCommand {
                state,
                run_for,
                id: Some(id),
                time: Some(now),
            },
            since: now,
            overdue_at: None,
            has_failed: false,
        });
        self.send_request(now);
    }

    fn send_request(&mut self, now: Timestamp) {
        if let Some(request) = &mut self.request
            && self.link_up
        {
            request.overdue_at = Some(now + Self::ANSWER_TIME);
            self.outbox = Some(request.command.clone());
        }
    }

    fn drop_request_on(&mut self) {
        if self
            .request
            .as_ref()
            .is_some_and(|request| request.command.state == Switch::On)
        {
            self.request = None;
            self.outbox = None;
        }
    }

    fn is_answered_by(&self, said: &PumpState) -> bool {
        self.request.as_ref().is_some_and(|request| {
            let asked = &request.command;
            match (asked.state, said.state) {
                (Switch::On, Switch::On) | (Switch::Off, Switch::Off) => true,
                // An OFF that was under way when ON was asked for is no answer to it.
                (Switch::On, Switch::Off) => request.has_failed || said.id == asked.id,
                (Switch::Off, Switch::On) => false,
            }
        })
    }

    fn run_of(&self, said: &PumpState, before: Option<&Run>, now: Timestamp) -> Run {
        Run {
            since: said
                .since
                .or_else(|| before.map(|run| run.since))
                .unwrap_or(now),
            until: said.until,
            by: said.by.clone(),
            is_ours: match &said.id {
                Some(id) => self.own_ids.contains(id),
                // A pump that knows no ids answers the one who asks.
                None => match before {
                    Some(run) => run.is_ours,
                    None => self
                        .request
                        .as_ref()
                        .is_some_and(|request| request.command.state == Switch::On),
                },
            },
        }
    }
}

/// How many of its own commands a switch knows again.
const OWN_IDS_LEN_MAX: usize = 16;

#[cfg(test)]
mod tests;
