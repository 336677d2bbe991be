//! The pump itself: what stands in the field and obeys.

use std::{collections::VecDeque, time::Duration};

use crate::{CommandId, PumpCommand, PumpState, Switch, Timestamp};

/// The machine within a pump's own controller.
///
/// It knows no connection, so a run ends by itself whatever becomes of the link.
/// Its time should come from a clock that does not jump: a clock set back would lengthen a run.
#[derive(Debug)]
pub struct PumpDevice {
    settings: PumpDeviceSettings,
    state: PumpState,
    repeat_at: Option<Timestamp>,
    known: VecDeque<CommandId>,
    unsaid: bool,
}

/// How a pump is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PumpDeviceSettings {
    /// How long water may run at a stretch, however often it is asked for; also the run of an ON without a duration.
    pub maximum_run: Duration,
}

impl Default for PumpDeviceSettings {
    fn default() -> Self {
        Self {
            maximum_run: Duration::from_secs(600),
        }
    }
}

/// What a pump wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PumpDeviceOutput {
    /// Publish this, retained.
    State(PumpState),
    /// Nothing more; call [`PumpDevice::handle_timeout`] then.
    Timeout(Option<Timestamp>),
}

impl PumpDevice {
    /// A pump after power-up: off.
    #[must_use]
    pub fn new(settings: PumpDeviceSettings, now: Timestamp) -> Self {
        Self {
            settings,
            state: PumpState {
                by: Some("start".into()),
                since: Some(now),
                ..PumpState::plain(Switch::Off)
            },
            repeat_at: None,
            known: VecDeque::new(),
            unsaid: false,
        }
    }

    /// Says the state again, as on every new connection.
    pub fn announce(&mut self) {
        self.unsaid = true;
    }

    /// Obeys a command, unless it was kept by the broker, or is an ON that is too old or known already.
    pub fn handle_command(&mut self, command: &PumpCommand, retain: bool, now: Timestamp) {
        if retain || command.is_too_old(now) {
            return;
        }
        self.unsaid = true;
        // Stopping twice does no harm; not stopping because somebody else started in between would.
        if let Some(id) = command.id.as_ref().filter(|_| command.state == Switch::On) {
            if self.known.contains(id) {
                return;
            }
            if self.known.len() == KNOWN_LEN_MAX {
                self.known.pop_front();
            }
            self.known.push_back(id.clone());
        }
        match command.state {
            Switch::On => self.run(command, now),
            Switch::Off => self.stop(command.id.clone(), "command", now),
        }
    }

    /// Stops the water for a reason of the device's own, such as a hand at its button.
    pub fn switch_off(&mut self, by: &str, now: Timestamp) {
        self.unsaid = true;
        self.stop(None, by, now);
    }

    /// Ends a run that has lasted long enough, and repeats the state of one that goes on.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.state.until.is_some_and(|until| until <= now) {
            self.unsaid = true;
            self.stop(self.state.id.clone(), "timer", now);
        } else if self.repeat_at.is_some_and(|at| at <= now) {
            self.unsaid = true;
            self.repeat_at = Some(now + PumpState::REPEAT);
        }
    }

    /// What is to be done next; ends with the deadline.
    pub fn poll_output(&mut self) -> PumpDeviceOutput {
        if std::mem::take(&mut self.unsaid) {
            return PumpDeviceOutput::State(self.state.clone());
        }
        let deadline = match (self.state.until, self.repeat_at) {
            (Some(until), Some(repeat)) => Some(until.min(repeat)),
            (until, repeat) => until.or(repeat),
        };
        PumpDeviceOutput::Timeout(deadline)
    }

    /// Whether water runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state.state == Switch::On
    }

    fn run(&mut self, command: &PumpCommand, now: Timestamp) {
        let since = match (self.state.state, self.state.since) {
            (Switch::On, Some(since)) => since,
            (Switch::On | Switch::Off, _) => now,
        };
        let maximum = self.settings.maximum_run;
        let asked = now + command.run_for.unwrap_or(maximum);
        self.state = PumpState {
            state: Switch::On,
            id: command.id.clone(),
            by: Some("command".into()),
            since: Some(since),
            until: Some(asked.min(since + maximum)),
        };
        self.repeat_at = Some(now + PumpState::REPEAT);
    }

    fn stop(&mut self, id: Option<CommandId>, by: &str, now: Timestamp) {
        let since = match self.state.state {
            Switch::On => Some(now),
            Switch::Off => self.state.since,
        };
        self.state = PumpState {
            state: Switch::Off,
            id,
            by: Some(by.into()),
            since,
            until: None,
        };
        self.repeat_at = None;
    }
}

/// How many commands are known again.
const KNOWN_LEN_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn pump() -> PumpDevice {
        PumpDevice::new(PumpDeviceSettings::default(), at(0))
    }

    fn on(id: &str, seconds: u64, time: Timestamp) -> PumpCommand {
        PumpCommand {
            state: Switch::On,
            run_for: Some(Duration::from_secs(seconds)),
            id: Some(CommandId::new(id).unwrap()),
            time: Some(time),
        }
    }

    fn off(id: &str) -> PumpCommand {
        PumpCommand {
            state: Switch::Off,
            run_for: None,
            id: Some(CommandId::new(id).unwrap()),
            time: None,
        }
    }

    /// What the pump says, and when it wants to be called again.
    fn drain(pump: &mut PumpDevice) -> (Vec<PumpState>, Option<Timestamp>) {
        let mut said = Vec::new();
        loop {
            match pump.poll_output() {
                PumpDeviceOutput::State(state) => said.push(state),
                PumpDeviceOutput::Timeout(deadline) => return (said, deadline),
            }
        }
    }

    #[test]
    fn on_is_answered_with_its_id_and_its_end() {
        let mut pump = pump();
        pump.handle_command(&on("a", 60, at(100)), false, at(101));
        let (said, deadline) = drain(&mut pump);
        assert_eq!(
            said,
            [PumpState {
                state: Switch::On,
                id: Some(CommandId::new("a").unwrap()),
                by: Some("command".into()),
                since: Some(at(101)),
                until: Some(at(161)),
            }]
        );
        assert_eq!(deadline, Some(at(111)));
    }

    #[test]
    fn a_running_pump_says_so_every_ten_seconds_and_stops_by_itself() {
        let mut pump = pump();
        pump.handle_command(&on("a", 25, at(0)), false, at(0));
        let mut said = Vec::new();
        while let (now_said, Some(deadline)) = drain(&mut pump) {
            said.extend(now_said);
            pump.handle_timeout(deadline);
        }
        let (last, _) = drain(&mut pump);
        said.extend(last);
        pump.announce();
        let states: Vec<_> = said.iter().map(|state| state.state).collect();
        assert_eq!(states, [Switch::On; 3]);
        let (said, deadline) = drain(&mut pump);
        assert_eq!(said[0].state, Switch::Off);
        assert_eq!(said[0].by.as_deref(), Some("timer"));
        assert_eq!(said[0].since, Some(at(25)));
        assert_eq!(deadline, None);
    }

    #[test]
    fn no_run_is_longer_than_the_maximum_however_often_it_is_asked_for() {
        let mut pump = pump();
        pump.handle_command(&on("a", 86_400, at(0)), false, at(0));
        assert_eq!(drain(&mut pump).0[0].until, Some(at(600)));
        pump.handle_command(&on("b", 600, at(500)), false, at(500));
        assert_eq!(drain(&mut pump).0[0].until, Some(at(600)));
        let plain = PumpCommand::parse(b"ON").unwrap();
        pump.handle_command(&plain, false, at(550));
        assert_eq!(drain(&mut pump).0[0].until, Some(at(600)));
        pump.handle_timeout(at(600));
        assert!(!pump.is_running());
    }

    #[test]
    fn an_old_or_retained_on_changes_nothing() {
        let mut pump = pump();
        pump.handle_command(&on("a", 60, at(0)), false, at(11));
        pump.handle_command(&on("b", 60, at(11)), true, at(11));
        assert_eq!(drain(&mut pump), (vec![], None));
    }

    #[test]
    fn a_known_command_is_answered_and_not_obeyed_again() {
        let mut pump = pump();
        pump.handle_command(&on("a", 60, at(0)), false, at(0));
        pump.handle_command(&off("b"), false, at(5));
        drain(&mut pump);
        pump.handle_command(&on("a", 60, at(0)), false, at(6));
        let (said, _) = drain(&mut pump);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].state, Switch::Off);
    }

    #[test]
    fn off_is_obeyed_again_after_somebody_else_switched_on() {
        let mut pump = pump();
        pump.handle_command(&off("b"), false, at(0));
        pump.handle_command(&on("c", 60, at(1)), false, at(1));
        assert!(pump.is_running());
        pump.handle_command(&off("b"), false, at(2));
        assert!(!pump.is_running());
    }

    #[test]
    fn off_is_obeyed_whatever_its_age() {
        let mut pump = pump();
        pump.handle_command(&on("a", 60, at(0)), false, at(0));
        pump.handle_command(
            &PumpCommand {
                time: Some(at(0)),
                ..off("b")
            },
            false,
            at(50),
        );
        assert!(!pump.is_running());
    }
}
