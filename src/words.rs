//! What devices do, in sentences.

use std::time::Duration;

use chart::Zone;
use field::{Refusal, Run, Simulation, Switch, SwitchState, Timestamp};

use crate::{
    format::{age, countdown, duration, millis, moment, unreadable, value},
    state::{Freshness, Pump, PumpRun, Tendency},
};

/// What a card says about a pump, every word of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PumpWords {
    /// What people call it.
    pub name: String,
    /// As it stands in `data-state`.
    pub state: &'static str,
    /// What the pump itself said last: whether the switch is on. The sentence says so where that may be long ago.
    pub is_on: bool,
    /// Whether the switch stands in the middle, and why: "asked", or "unknown".
    pub between: Option<&'static str>,
    /// One word below the switch.
    pub label: &'static str,
    /// What it does, and what was asked of it.
    pub sentence: String,
    /// What a person should do about it.
    pub fault: Option<Fault>,
    /// How long a run still takes, "6:12", and which part of it is left.
    pub countdown: Option<(String, u64)>,
    /// Whether a run's length can be chosen.
    pub is_off: bool,
    /// What pressing the switch asks for.
    pub press: Switch,
    /// Whether an ON would be refused at once.
    pub is_refused: bool,
}

/// Something that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub what: &'static str,
    /// What a person should do.
    pub remedy: &'static str,
}

impl PumpWords {
    /// Says it all about a pump.
    #[must_use]
    pub fn of(pump: &Pump, is_connected: bool, now: Timestamp, zone: Zone) -> Self {
        let state = pump.switch.state();
        let at = |time| moment(time, now, zone);
        let since = |time| age(now.saturating_duration_since(time));
        let is_on = pump.switch.last_said() == Some(Switch::On);
        let is_off = matches!(state, SwitchState::Off { .. });
        let press = match &state {
            SwitchState::Off { .. } => Switch::On,
            SwitchState::Unreachable { .. } if !is_on => Switch::On,
            // Refused without a connection, and says so; nothing is kept for later.
            SwitchState::Unknown if !is_connected && !is_on => Switch::On,
            SwitchState::NotConfirmed {
                asked: Switch::On, ..
            } if !is_on => Switch::On,
            SwitchState::Unknown
            | SwitchState::AskedOn { .. }
            | SwitchState::Running(_)
            | SwitchState::AskedOff { .. }
            | SwitchState::NotConfirmed { .. }
            | SwitchState::Unreachable { .. } => Switch::Off,
        };
        let mut words = Self {
            name: pump.name.clone(),
            state: "unknown",
            is_on,
            between: None,
            label: "Unknown",
            sentence: String::new(),
            fault: None,
            countdown: None,
            is_off,
            press,
            is_refused: press == Switch::On && pump.switch.can_switch_on().is_err(),
        };
        let (name, label) = match &state {
            SwitchState::Unknown => ("unknown", "Unknown"),
            SwitchState::Off { .. } => ("off", "Off"),
            SwitchState::AskedOn { .. } => ("asked-on", "Starting"),
            SwitchState::Running(_) => ("running", "On"),
            SwitchState::AskedOff { .. } => ("asked-off", "Stopping"),
            SwitchState::NotConfirmed { .. } => ("not-confirmed", "No answer"),
            SwitchState::Unreachable { .. } => ("unreachable", "Offline"),
        };
        (words.state, words.label) = (name, label);
        words.sentence = match state {
            SwitchState::Unknown => {
                words.between = Some("unknown");
                match (is_connected, pump.switch.last_said()) {
                    (true, _) if pump.fault.is_some() => "",
                    (true, Some(Switch::On)) => {
                        "It was running when it was last heard. Until it answers, the switch sends OFF."
                    }
                    (true, _) => {
                        "Asking the pump what it does. Until it answers, the switch sends OFF."
                    }
                    (false, Some(Switch::On)) => {
                        "Not connected. It was running when it was last heard."
                    }
                    (false, Some(Switch::Off)) => {
                        "Not connected. It was off when it was last heard."
                    }
                    (false, None) => "Not connected, so nobody knows what it does.",
                }
                .into()
            }
            SwitchState::Off { .. } => match pump.last_run() {
                Some(PumpRun {
                    start,
                    end: Some(end),
                    ..
                }) => {
                    let ran_for = duration(end.saturating_duration_since(start));
                    String::from("Off. Last ran at ") + &at(start) + " for " + &ran_for + "."
                }
                _ => "Off.".into(),
            },
            SwitchState::AskedOn { since: asked } => {
                words.between = Some("asked");
                String::from("Asked to start ")
                    + &since(asked)
                    + ". Waiting for the pump to say so."
            }
            SwitchState::AskedOff { since: asked } => {
                words.between = Some("asked");
                if is_connected {
                    String::from("Asked to stop ")
                        + &since(asked)
                        + ". Waiting for the pump to say so."
                } else {
                    "Not connected. OFF is sent the moment there is a connection.".into()
                }
            }
            SwitchState::Running(run) => {
                words.countdown = left(&run, now);
                running(&run, &at)
            }
            SwitchState::NotConfirmed {
                asked,
                since: asked_at,
            } => {
                words.fault = Some(match asked {
                    Switch::On => NO_ANSWER_TO_ON,
                    Switch::Off => NO_ANSWER_TO_OFF,
                });
                let what = match asked {
                    Switch::On => "Asked to start at ",
                    Switch::Off => "Asked to stop at ",
                };
                String::from(what) + &at(asked_at) + ", not confirmed."
            }
            SwitchState::Unreachable { .. } if is_on => {
                words.fault = Some(if pump.switch.stops_by_itself() {
                    LOST_WHILE_RUNNING
                } else {
                    LOST_WITHOUT_AN_END
                });
                "Offline. Before that it said that it was running.".into()
            }
            SwitchState::Unreachable { .. } => "Offline. It can be started when it is back.".into(),
        };
        if let Some(fault) = &pump.fault {
            if words.sentence.is_empty() {
                words.sentence = unreadable("Its newest message", fault);
            }
            words.fault = words.fault.or(Some(UNREADABLE));
        }
        if let Some(refusal) = pump.refusal {
            words.fault = Some(match refusal {
                Refusal::NotConnected => REFUSED_NOT_CONNECTED,
                Refusal::Offline => REFUSED_OFFLINE,
            });
        }
        words
    }
}

fn running(run: &Run, at: &dyn Fn(Timestamp) -> String) -> String {
    let mut text = String::from("Running since ") + &at(run.since);
    text.push_str(match (run.is_ours, run.by.as_deref()) {
        (true, _) => ", started by you.",
        (false, Some("hand")) => ", started by hand.",
        (false, Some("timer")) => ", started by its timer.",
        (false, Some("command")) => ", started by somebody else.",
        (false, _) => ".",
    });
    if let Some(until) = run.until {
        text.push_str(" Stops at ");
        text.push_str(&at(until));
        text.push('.');
    }
    text
}

/// What is left of a run: as people say it, and in thousandths of the whole.
fn left(run: &Run, now: Timestamp) -> Option<(String, u64)> {
    let until = run.until?;
    let whole = until.saturating_duration_since(run.since);
    // The pump's clock may be ahead of the page's, but no run has more left than all of it.
    let left = until.saturating_duration_since(now).min(whole);
    let thousandths = millis(left).saturating_mul(1_000) / millis(whole).max(1);
    Some((countdown(left), thousandths))
}

const NO_ANSWER_TO_ON: Fault = Fault {
    what: "The pump has not confirmed.",
    remedy: "It may run or not: look at the pump itself, its power and its network. Then try again, or press Stop all pumps.",
};
const NO_ANSWER_TO_OFF: Fault = Fault {
    what: "The pump has not confirmed that it is off.",
    remedy: "Water may still run: close the valve by hand. OFF is sent again every 10 s.",
};
const LOST_WHILE_RUNNING: Fault = Fault {
    what: "The pump was lost while running.",
    remedy: "Its own timer stops it. To be sure, look at the pump itself.",
};
const LOST_WITHOUT_AN_END: Fault = Fault {
    what: LOST_WHILE_RUNNING.what,
    remedy: "It may still be running: look at the pump itself.",
};
const UNREADABLE: Fault = Fault {
    what: "Unreadable message.",
    remedy: "Water may run or not: look at the pump itself.",
};
const REFUSED_NOT_CONNECTED: Fault = Fault {
    what: "Not started: there is no connection to the broker.",
    remedy: "Nothing was kept for later. Try again when it is back.",
};
const REFUSED_OFFLINE: Fault = Fault {
    what: "Not started: the pump is offline.",
    remedy: "Nothing was kept for later. Check its power and its network.",
};

/// A probe's state in words, such as "live" and "4 s ago".
#[must_use]
pub fn freshness(freshness: Freshness, now: Timestamp, zone: Zone) -> (&'static str, String) {
    match freshness {
        Freshness::Live { age: since } => ("live", age(since)),
        Freshness::Stale { age: since } => ("stale", age(since)),
        Freshness::Cut { age: since } => ("last heard", age(since)),
        Freshness::Offline { since: Some(since) } => (
            "offline",
            String::from("since ") + &moment(since, now, zone),
        ),
        Freshness::Offline { since: None } => ("offline", String::new()),
        Freshness::RetainedOnly => ("age unknown", String::new()),
        Freshness::ClockAhead => ("age unknown", "its clock is ahead".into()),
        Freshness::Silent => ("no reading yet", String::new()),
    }
}

/// A change in words, such as "↘ 0.5 in 6 h".
#[must_use]
pub fn tendency(tendency: Tendency) -> String {
    let size = value(f64::from(tendency.change.abs()));
    let arrow = match tendency.change {
        _ if size == "0.0" => "→ ",
        change if change > 0.0 => "↗ ",
        _ => "↘ ",
    };
    String::from(arrow) + &size + " in " + &duration(tendency.over)
}

/// The same for a screen reader, to which an arrow says nothing.
#[must_use]
pub fn tendency_spoken(tendency: Tendency) -> String {
    let size = value(f64::from(tendency.change.abs()));
    let over = duration(tendency.over);
    match tendency.change {
        _ if size == "0.0" => String::from("unchanged in ") + &over,
        change if change > 0.0 => String::from("up ") + &size + " in " + &over,
        _ => String::from("down ") + &size + " in " + &over,
    }
}

/// How much of a probe a card's curve shows, such as "12 min"; nothing while it is less than what the curve has room for.
#[must_use]
pub fn collected(from: Timestamp, now: Timestamp) -> String {
    let span = now.saturating_duration_since(from);
    if span < CURVE_LEAST {
        return String::new();
    }
    duration(span)
}

const CURVE_LEAST: Duration = Duration::from_secs(60);

/// What plays, where the field is a simulated one.
#[must_use]
pub fn simulation(simulation: &Simulation) -> String {
    [&simulation.source, ", ", &simulation.speed].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use field::{CommandId, DeviceId, PumpState, Status};

    fn at(seconds: i64) -> Timestamp {
        // 2026-05-04T14:00:00Z
        Timestamp::from_millis(1_777_903_200_000 + seconds * 1_000)
    }

    fn pump() -> Pump {
        let mut pump = Pump::new(
            DeviceId::new("orchard", "pump-1").unwrap(),
            "Orchard pump".into(),
        );
        pump.switch.handle_link(true, at(0));
        pump
    }

    fn id() -> CommandId {
        CommandId::new("c0ffee").unwrap()
    }

    fn says(pump: &mut Pump, state: Switch, seconds: i64) {
        let said = PumpState {
            id: Some(id()),
            since: Some(at(seconds)),
            until: (state == Switch::On).then(|| at(seconds + 600)),
            ..PumpState::plain(state)
        };
        pump.handle_state(Ok(said), false, at(seconds));
    }

    fn words(pump: &Pump, seconds: i64) -> PumpWords {
        PumpWords::of(pump, true, at(seconds), Zone::UTC)
    }

    #[test]
    fn a_run_from_asking_to_stopped() {
        let mut pump = pump();
        assert_eq!(
            (words(&pump, 1).label, words(&pump, 1).press),
            ("Unknown", Switch::Off)
        );
        says(&mut pump, Switch::Off, 1);
        assert_eq!(words(&pump, 2).sentence, "Off.");
        pump.switch
            .request_on(Some(Duration::from_secs(600)), id(), at(120))
            .unwrap();
        let asked = words(&pump, 123);
        assert_eq!(
            asked.sentence,
            "Asked to start 3 s ago. Waiting for the pump to say so."
        );
        assert_eq!((asked.is_on, asked.between), (false, Some("asked")));
        says(&mut pump, Switch::On, 124);
        let running = words(&pump, 124 + 228);
        assert_eq!(
            running.sentence,
            "Running since 14:02, started by you. Stops at 14:12."
        );
        assert_eq!(running.countdown, Some(("6:12".into(), 620)));
        assert_eq!(
            words(&pump, 123).countdown,
            Some(("10:00".into(), 1_000)),
            "by a clock that is behind the pump's"
        );
        pump.switch.request_off(id(), at(400));
        let stopping = words(&pump, 401);
        assert_eq!((stopping.is_on, stopping.label), (true, "Stopping"));
        says(&mut pump, Switch::Off, 424);
        assert_eq!(
            words(&pump, 500).sentence,
            "Off. Last ran at 14:02 for 5 min."
        );
    }

    #[test]
    fn no_answer_is_a_fault_with_a_remedy() {
        let mut pump = pump();
        says(&mut pump, Switch::Off, 0);
        pump.switch.request_on(None, id(), at(120)).unwrap();
        pump.switch.handle_timeout(at(131));
        let words = words(&pump, 131);
        assert_eq!(words.sentence, "Asked to start at 14:02, not confirmed.");
        assert_eq!(words.fault, Some(NO_ANSWER_TO_ON));
        assert_eq!(words.press, Switch::On);
    }

    #[test]
    fn only_a_lost_pump_that_said_until_when_is_stopped_by_its_timer() {
        let mut pump = pump();
        let on = PumpState::plain(Switch::On);
        pump.handle_state(Ok(on), false, at(0));
        pump.switch.handle_status(Status::Offline, at(1));
        assert_eq!(words(&pump, 1).fault, Some(LOST_WITHOUT_AN_END));
        pump.switch.handle_status(Status::Online, at(2));
        says(&mut pump, Switch::On, 2);
        pump.switch.handle_status(Status::Offline, at(3));
        assert_eq!(words(&pump, 3).fault, Some(LOST_WHILE_RUNNING));
        pump.switch.handle_timeout(at(60));
        let silent = words(&pump, 60);
        assert_eq!(
            (silent.fault, silent.press),
            (Some(LOST_WHILE_RUNNING), Switch::Off),
            "silence is no news of one that is offline"
        );
    }

    #[test]
    fn an_offline_pump_says_why_it_was_not_started() {
        let mut pump = pump();
        pump.switch.handle_status(Status::Offline, at(0));
        assert!(words(&pump, 1).is_refused);
        pump.refusal = pump.switch.request_on(None, id(), at(2)).err();
        assert_eq!(words(&pump, 2).fault, Some(REFUSED_OFFLINE));
    }

    #[test]
    fn without_a_connection_the_switch_says_what_was_heard_last() {
        let mut pump = pump();
        says(&mut pump, Switch::On, 0);
        pump.switch.handle_link(false, at(10));
        let unlinked = |pump: &Pump| PumpWords::of(pump, false, at(12), Zone::UTC);
        assert_eq!(
            unlinked(&pump).sentence,
            "Not connected. It was running when it was last heard."
        );
        let shown = unlinked(&pump);
        assert_eq!(
            (shown.is_on, shown.between, shown.press),
            (true, Some("unknown"), Switch::Off)
        );
        pump.switch.handle_link(true, at(20));
        says(&mut pump, Switch::Off, 20);
        pump.switch.handle_link(false, at(21));
        let shown = unlinked(&pump);
        assert_eq!(
            shown.sentence,
            "Not connected. It was off when it was last heard."
        );
        assert_eq!(
            (shown.is_on, shown.press, shown.is_refused),
            (false, Switch::On, true)
        );
    }

    #[test]
    fn an_off_that_waits_for_the_link_says_so() {
        let mut pump = pump();
        says(&mut pump, Switch::On, 0);
        pump.switch.handle_link(false, at(10));
        pump.switch.request_off(id(), at(11));
        let words = PumpWords::of(&pump, false, at(12), Zone::UTC);
        assert_eq!(
            words.sentence,
            "Not connected. OFF is sent the moment there is a connection."
        );
    }

    #[test]
    fn changes_are_said_as_people_say_them() {
        let say = |change, seconds| {
            tendency(Tendency {
                change,
                over: Duration::from_secs(seconds),
            })
        };
        assert_eq!(say(-0.52, 21_600), "↘ 0.5 in 6 h");
        assert_eq!(say(1.6, 720), "↗ 1.6 in 12 min");
        assert_eq!(say(-0.04, 45), "→ 0.0 in 45 s");
    }
}
