//! One pump: its switch, its runs, and what was found on its command topic.

use field::{DeviceId, PayloadError, PumpState, PumpSwitch, Refusal, Run, SwitchState, Timestamp};

/// One pump: its switch, its runs, and what was found on its command topic.
#[derive(Debug)]
pub struct Pump {
    /// Where it stands.
    pub device: DeviceId,
    /// What people call it.
    pub name: String,
    /// What the page knows and has asked.
    pub switch: PumpSwitch,
    /// The runs that were seen since the page was opened, the oldest first.
    pub runs: Vec<PumpRun>,
    /// Why the last ON that a person asked for was not sent.
    pub refusal: Option<Refusal>,
    /// What was wrong with the newest message about its state, in words, if it could not be read.
    pub fault: Option<String>,
    /// What a retained message on its command topic says. It would start the pump on every reconnection.
    pub stray_command: Option<String>,
}

/// A stretch of running water, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PumpRun {
    /// When it began.
    pub start: Timestamp,
    /// When it ended; `None` while it goes on, or while nobody knows.
    pub end: Option<Timestamp>,
    /// Whether this page began it.
    pub is_ours: bool,
}

impl Pump {
    /// A pump that has not said anything.
    #[must_use]
    pub fn new(device: DeviceId, name: String) -> Self {
        Self {
            device,
            name,
            switch: PumpSwitch::new(),
            runs: Vec::new(),
            refusal: None,
            fault: None,
            stray_command: None,
        }
    }

    /// Takes what the pump says, and writes its runs down. Of one that cannot be understood nothing is known.
    pub fn handle_state(
        &mut self,
        said: Result<PumpState, PayloadError>,
        retained: bool,
        now: Timestamp,
    ) {
        let said = match said {
            Ok(said) => said,
            Err(fault) => {
                self.fault = Some(fault.to_string());
                self.switch.handle_unreadable_state();
                return;
            }
        };
        self.switch.handle_state(&said, retained, now);
        (self.refusal, self.fault) = (None, None);
        match self.switch.state() {
            SwitchState::Running(run) => self.record(&run),
            SwitchState::Off { .. } => self.close_run(said.since.unwrap_or(now)),
            SwitchState::Unknown
            | SwitchState::AskedOn { .. }
            | SwitchState::AskedOff { .. }
            | SwitchState::NotConfirmed { .. }
            | SwitchState::Unreachable { .. } => {}
        }
    }

    /// Whether water runs, as the pump said last.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.switch.reported() == Some(field::Switch::On)
    }

    /// The run that ended last, if the page saw it.
    #[must_use]
    pub fn last_run(&self) -> Option<PumpRun> {
        self.runs
            .iter()
            .rev()
            .find(|run| run.end.is_some())
            .copied()
    }

    fn record(&mut self, run: &Run) {
        if self
            .runs
            .last()
            .is_some_and(|open| open.start == run.since && open.end.is_none())
        {
            return;
        }
        self.close_run(run.since);
        if self.runs.len() == RUNS_LEN_MAX {
            self.runs.remove(0);
        }
        self.runs.push(PumpRun {
            start: run.since,
            end: None,
            is_ours: run.is_ours,
        });
    }

    fn close_run(&mut self, end: Timestamp) {
        if let Some(open) = self.runs.last_mut().filter(|run| run.end.is_none()) {
            open.end = Some(end.max(open.start));
        }
    }
}

/// How many runs of a pump the page keeps.
const RUNS_LEN_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use field::Switch;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn pump() -> Pump {
        let device = DeviceId::new("orchard", "pump-1").unwrap();
        let mut pump = Pump::new(device, "Orchard pump".into());
        pump.switch.handle_link(true, at(0));
        pump
    }

    fn says(state: Switch, since: i64) -> PumpState {
        PumpState {
            since: Some(at(since)),
            ..PumpState::plain(state)
        }
    }

    #[test]
    fn a_run_is_written_down_once_and_closed() {
        let mut pump = pump();
        pump.handle_state(Ok(says(Switch::On, 10)), false, at(10));
        pump.handle_state(Ok(says(Switch::On, 10)), false, at(20));
        assert!(pump.is_running());
        assert_eq!(pump.last_run(), None);
        pump.handle_state(Ok(says(Switch::Off, 25)), false, at(26));
        assert_eq!(pump.runs.len(), 1);
        assert_eq!(pump.last_run().unwrap().end, Some(at(25)));
    }

    #[test]
    fn a_run_that_ended_while_the_link_was_cut_is_closed_when_it_is_back() {
        let mut pump = pump();
        pump.handle_state(Ok(says(Switch::On, 10)), false, at(10));
        pump.switch.handle_link(false, at(12));
        assert_eq!(pump.last_run(), None);
        pump.switch.handle_link(true, at(40));
        pump.handle_state(Ok(says(Switch::Off, 30)), false, at(40));
        assert_eq!(pump.last_run().unwrap().end, Some(at(30)));
    }
}
