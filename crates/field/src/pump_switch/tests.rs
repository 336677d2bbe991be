use super::*;
use crate::{PumpDevice, PumpDeviceOutput, PumpDeviceSettings};
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn id(text: &str) -> CommandId {
    CommandId::new(text).unwrap()
}

fn minute() -> Option<Duration> {
    Some(Duration::from_secs(60))
}

/// A switch with a link, to which the pump has said that it is off.
fn switch_at_off() -> PumpSwitch {
    let mut switch = PumpSwitch::new();
    switch.handle_link(true, at(0));
    switch.handle_status(Status::Online, at(0));
    switch.handle_state(&PumpState::plain(Switch::Off), false, at(0));
    switch
}

/// A switch whose own request made water run from second 1 to 61.
fn switch_at_on() -> PumpSwitch {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    drain(&mut switch);
    switch.handle_state(&said_on("a"), false, at(1));
    switch
}

fn said_on(id_text: &str) -> PumpState {
    PumpState {
        state: Switch::On,
        id: Some(id(id_text)),
        by: Some("command".into()),
        since: Some(at(1)),
        until: Some(at(61)),
    }
}

fn said_off(id_text: &str) -> PumpState {
    PumpState {
        id: Some(id(id_text)),
        ..PumpState::plain(Switch::Off)
    }
}

fn drain(switch: &mut PumpSwitch) -> (Vec<PumpCommand>, Option<Timestamp>) {
    let mut sent = Vec::new();
    loop {
        match switch.poll_output() {
            PumpSwitchOutput::Publish(command) => sent.push(command),
            PumpSwitchOutput::Timeout(deadline) => return (sent, deadline),
        }
    }
}

fn sent_states(switch: &mut PumpSwitch) -> Vec<Switch> {
    let (sent, _) = drain(switch);
    sent.into_iter().map(|command| command.state).collect()
}

#[test]
fn what_the_broker_kept_answers_no_request() {
    let mut switch = switch_at_off();
    switch.handle_state(&said_on("stranger"), false, at(1));
    switch.request_off(id("b"), at(2));
    switch.handle_state(&PumpState::plain(Switch::Off), true, at(3));
    assert!(matches!(switch.state(), SwitchState::AskedOff { .. }));
    switch.handle_state(&said_off("b"), false, at(4));
    assert!(matches!(switch.state(), SwitchState::Off { .. }));
}

#[test]
fn nothing_is_known_before_the_pump_speaks() {
    let mut switch = PumpSwitch::new();
    assert_eq!(switch.state(), SwitchState::Unknown);
    switch.handle_link(true, at(0));
    assert_eq!(switch.state(), SwitchState::Unknown);
    assert_eq!(switch.reported(), None);
}

#[test]
fn it_moves_to_on_when_the_pump_says_so() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    let (sent, deadline) = drain(&mut switch);
    assert_eq!(
        sent,
        [PumpCommand {
            state: Switch::On,
            run_for: minute(),
            id: Some(id("a")),
            time: Some(at(1)),
        }]
    );
    assert_eq!(deadline, Some(at(11)));
    assert_eq!(switch.state(), SwitchState::AskedOn { since: at(1) });
    assert_eq!(switch.reported(), Some(Switch::Off));

    switch.handle_state(&said_on("a"), false, at(2));
    assert_eq!(
        switch.state(),
        SwitchState::Running(Run {
            since: at(1),
            until: Some(at(61)),
            by: Some("command".into()),
            is_ours: true,
        })
    );
}

#[test]
fn a_run_that_somebody_else_began_is_not_ours() {
    let mut switch = switch_at_off();
    switch.handle_state(&said_on("stranger"), false, at(2));
    let SwitchState::Running(run) = switch.state() else {
        panic!("not running");
    };
    assert!(!run.is_ours);
}

#[test]
fn no_answer_within_ten_seconds_is_a_failure() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    drain(&mut switch);
    switch.handle_timeout(at(10));
    assert_eq!(switch.state(), SwitchState::AskedOn { since: at(1) });
    switch.handle_timeout(at(11));
    assert_eq!(
        switch.state(),
        SwitchState::NotConfirmed {
            asked: Switch::On,
            since: at(1)
        }
    );
    assert_eq!(drain(&mut switch), (vec![], None), "ON is never sent again");
}

#[test]
fn a_late_answer_still_decides() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    switch.handle_timeout(at(11));
    switch.handle_state(&said_on("a"), false, at(12));
    assert!(matches!(switch.state(), SwitchState::Running(_)));
}

#[test]
fn an_off_under_way_is_no_answer_to_on() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("b"), at(1)).unwrap();
    switch.handle_state(&said_off("a"), false, at(1));
    assert_eq!(switch.state(), SwitchState::AskedOn { since: at(1) });
    switch.handle_state(&said_off("b"), false, at(2));
    assert_eq!(switch.state(), SwitchState::Off { last_run: None });
}

#[test]
fn a_repeated_on_is_no_answer_to_off() {
    let mut switch = switch_at_on();
    switch.request_off(id("b"), at(20));
    switch.handle_state(&said_on("a"), false, at(21));
    assert_eq!(switch.state(), SwitchState::AskedOff { since: at(20) });
    assert_eq!(switch.reported(), Some(Switch::On));
    switch.handle_state(&said_off("b"), false, at(22));
    let SwitchState::Off {
        last_run: Some(run),
    } = switch.state()
    else {
        panic!("not off after a run");
    };
    assert_eq!((run.since, run.until), (at(1), Some(at(22))));
}

#[test]
fn off_is_sent_again_until_it_is_confirmed() {
    let mut switch = switch_at_on();
    switch.request_off(id("b"), at(20));
    assert_eq!(sent_states(&mut switch), [Switch::Off]);
    for now in [30, 40] {
        switch.handle_state(&said_on("a"), false, at(now - 1));
        switch.handle_timeout(at(now));
        assert_eq!(sent_states(&mut switch), [Switch::Off]);
        assert_eq!(
            switch.state(),
            SwitchState::NotConfirmed {
                asked: Switch::Off,
                since: at(20)
            }
        );
    }
    switch.handle_state(&said_off("b"), false, at(41));
    switch.handle_timeout(at(50));
    assert_eq!(drain(&mut switch), (vec![], None));
}

#[test]
fn a_lost_link_makes_all_unknown_and_forgets_an_on() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    switch.handle_link(false, at(2));
    assert_eq!(switch.state(), SwitchState::Unknown);
    switch.handle_link(true, at(3));
    assert_eq!(drain(&mut switch), (vec![], None));
    assert_eq!(switch.state(), SwitchState::Unknown);
    switch.handle_state(&PumpState::plain(Switch::Off), false, at(3));
    assert!(matches!(switch.state(), SwitchState::Off { .. }));
}

#[test]
fn what_the_pump_said_last_is_kept_over_a_lost_link() {
    let mut switch = switch_at_on();
    switch.handle_link(false, at(2));
    assert_eq!(switch.reported(), None);
    assert_eq!(switch.last_said(), Some(Switch::On));
    switch.handle_link(true, at(3));
    assert_eq!(switch.last_said(), Some(Switch::On));
    switch.handle_state(&PumpState::plain(Switch::Off), true, at(3));
    assert_eq!(switch.last_said(), Some(Switch::Off));
}

#[test]
fn without_a_link_on_is_refused_and_off_waits() {
    let mut switch = PumpSwitch::new();
    assert_eq!(
        switch.request_on(None, id("a"), at(0)),
        Err(Refusal::NotConnected)
    );
    switch.request_off(id("b"), at(1));
    assert_eq!(drain(&mut switch), (vec![], None));
    assert_eq!(switch.state(), SwitchState::AskedOff { since: at(1) });
    switch.handle_link(true, at(100));
    assert_eq!(sent_states(&mut switch), [Switch::Off]);
    assert_eq!(switch.state(), SwitchState::AskedOff { since: at(1) });
    switch.handle_timeout(at(110));
    assert!(matches!(switch.state(), SwitchState::NotConfirmed { .. }));
}

#[test]
fn an_offline_pump_refuses_on_and_takes_off() {
    let mut switch = switch_at_on();
    switch.handle_status(Status::Offline, at(5));
    assert_eq!(
        switch.state(),
        SwitchState::Unreachable {
            last: Some(Switch::On)
        }
    );
    let refusal = switch.request_on(None, id("b"), at(6)).unwrap_err();
    assert_eq!(refusal.to_string(), "the pump is offline");
    switch.request_off(id("c"), at(7));
    assert_eq!(sent_states(&mut switch), [Switch::Off]);

    switch.handle_status(Status::Online, at(60));
    assert_eq!(sent_states(&mut switch), [Switch::Off]);
    assert_eq!(switch.reported(), None);
    switch.handle_state(&said_off("c"), false, at(61));
    assert!(matches!(switch.state(), SwitchState::Off { .. }));
}

#[test]
fn a_pump_that_goes_offline_is_not_waited_for() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    switch.handle_status(Status::Offline, at(2));
    assert!(matches!(switch.state(), SwitchState::Unreachable { .. }));
}

#[test]
fn a_running_pump_that_falls_silent_is_unknown() {
    let mut switch = switch_at_on();
    let (_, deadline) = drain(&mut switch);
    assert_eq!(deadline, Some(at(31)));
    switch.handle_timeout(at(31));
    assert_eq!(switch.state(), SwitchState::Unknown);
    assert_eq!(switch.last_said(), Some(Switch::On));
}

#[test]
fn a_pump_that_announces_no_end_need_not_repeat_itself() {
    let mut switch = switch_at_off();
    switch.handle_state(&PumpState::plain(Switch::On), false, at(1));
    assert_eq!(drain(&mut switch), (vec![], None));
}

#[test]
fn a_command_that_the_broker_refuses_has_failed_at_once() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    switch.handle_publish_failed(&id("a"), at(2));
    assert_eq!(
        switch.state(),
        SwitchState::NotConfirmed {
            asked: Switch::On,
            since: at(1)
        }
    );
}

#[test]
fn a_command_that_failed_after_another_was_given_is_of_no_concern() {
    let mut switch = switch_at_off();
    switch.request_on(minute(), id("a"), at(1)).unwrap();
    switch.request_off(id("b"), at(2));
    switch.handle_publish_failed(&id("a"), at(3));
    assert_eq!(switch.state(), SwitchState::AskedOff { since: at(2) });
}

#[derive(Debug, Clone)]
enum Step {
    AskOn,
    AskOff,
    Cut,
    Join,
    Wait(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::AskOn),
        Just(Step::AskOff),
        Just(Step::Cut),
        Just(Step::Join),
        (0..40_u8).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..40)
}

/// A switch and its pump, with a link between them that can be cut.
struct Pair {
    switch: PumpSwitch,
    pump: PumpDevice,
    is_linked: bool,
    now: Timestamp,
}

impl Pair {
    fn new() -> Self {
        Self {
            switch: PumpSwitch::new(),
            pump: PumpDevice::new(PumpDeviceSettings::default(), at(0)),
            is_linked: false,
            now: at(0),
        }
    }

    fn take(&mut self, step: &Step, number: usize) {
        let id = CommandId::from_random(number as u64);
        match step {
            Step::AskOn => {
                let asked = self.switch.request_on(minute(), id, self.now);
                assert_eq!(asked.is_ok(), self.is_linked);
            }
            Step::AskOff => self.switch.request_off(id, self.now),
            Step::Cut => self.link(false),
            Step::Join => {
                self.link(true);
                // The retained state arrives on subscribing.
                self.pump.announce();
            }
            Step::Wait(seconds) => {
                for _ in 0..*seconds {
                    self.now = self.now + Duration::from_secs(1);
                    self.pump.handle_timeout(self.now);
                    self.settle();
                    self.switch.handle_timeout(self.now);
                }
            }
        }
        self.settle();
    }

    fn link(&mut self, up: bool) {
        self.is_linked = up;
        self.switch.handle_link(up, self.now);
    }

    fn settle(&mut self) {
        for command in drain(&mut self.switch).0 {
            assert!(self.is_linked);
            self.pump.handle_command(&command, false, self.now);
        }
        while let PumpDeviceOutput::State(state) = self.pump.poll_output() {
            if self.is_linked {
                self.switch.handle_state(&state, false, self.now);
            }
        }
    }
}

proptest! {
    #[test]
    fn with_a_link_the_switch_shows_what_the_pump_does(steps in steps()) {
        let mut pair = Pair::new();
        for (number, step) in steps.iter().enumerate() {
            pair.take(step, number);
            match pair.switch.state() {
                SwitchState::Running(_) => prop_assert!(pair.pump.is_running()),
                SwitchState::Off { .. } => prop_assert!(!pair.pump.is_running()),
                SwitchState::AskedOff { .. } => prop_assert!(!pair.is_linked),
                SwitchState::Unknown => prop_assert!(!pair.is_linked),
                other @ (SwitchState::AskedOn { .. }
                | SwitchState::NotConfirmed { .. }
                | SwitchState::Unreachable { .. }) => {
                    prop_assert!(false, "{other:?} over a link without loss");
                }
            }
        }
    }

    #[test]
    fn water_stops_within_its_time_whatever_happens_to_the_link(steps in steps()) {
        let mut pair = Pair::new();
        for (number, step) in steps.iter().enumerate() {
            pair.take(step, number);
        }
        pair.take(&Step::Cut, 0);
        pair.take(&Step::Wait(60), 0);
        prop_assert!(!pair.pump.is_running());
    }
}
