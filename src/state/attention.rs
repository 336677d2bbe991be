//! The sentence at the top: what needs a look.

use field::{Switch, SwitchState, Timestamp};

use crate::{
    format::{count, whole},
    state::{Fleet, Freshness, Probe, Pump, Standing},
};

/// What needs a look, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// "2 zones need a look:", or that none does.
    pub lead: String,
    /// What it is, and what the pumps do.
    pub detail: String,
}

impl Attention {
    /// Looks through every zone.
    #[must_use]
    pub fn of(fleet: &Fleet, now: Timestamp) -> Self {
        if !fleet.is_linked {
            return Self::cut(fleet);
        }
        // The pumps first: they are what may flood.
        let (mut findings, mut n_of_pumps) = (Vec::new(), 0);
        let (mut n_zones, mut n_live, mut n_of_unknown_age) = (0, 0, 0);
        for zone in fleet.zones() {
            let n_before = findings.len();
            let pumps = zone.pumps.iter().filter_map(|id| fleet.pumps.get(id));
            for pump in pumps {
                if let Some(what) = pump_finding(pump) {
                    findings.insert(n_of_pumps, pump.name.clone() + what);
                    n_of_pumps += 1;
                }
            }
            let mut names: [Vec<&str>; PROBE_FINDINGS.len()] = Default::default();
            for probe in zone.probes.iter().filter_map(|id| fleet.probes.get(id)) {
                match probe.freshness(now) {
                    Freshness::Live { .. } => n_live += 1,
                    Freshness::RetainedOnly | Freshness::ClockAhead => n_of_unknown_age += 1,
                    Freshness::Stale { .. }
                    | Freshness::Cut { .. }
                    | Freshness::Offline { .. }
                    | Freshness::Silent => {}
                }
                let found = probe_finding(probe, now).and_then(|kind| names.get_mut(kind));
                if let Some(names) = found {
                    names.push(&probe.name);
                }
            }
            for (names, what) in names.iter().zip(PROBE_FINDINGS) {
                findings.extend(finding(names, &zone.name, what));
            }
            n_zones += usize::from(findings.len() > n_before);
        }
        Self::words(&findings, n_zones, (n_live, n_of_unknown_age), fleet)
    }

    /// Nothing that was heard before a cut is claimed of now.
    fn cut(fleet: &Fleet) -> Self {
        let mut detail = String::from("What stands here was heard before.");
        push_pumps(
            &mut detail,
            n_asked(fleet),
            " is sent OFF the moment there is a connection.",
            " are sent OFF the moment there is a connection.",
        );
        Self {
            lead: "Not connected.".into(),
            detail,
        }
    }

    /// The probes are counted: those that are live, and those of whose value nobody knows how old it is.
    fn words(
        findings: &[String],
        n_zones: usize,
        (n_live, n_of_unknown_age): (usize, usize),
        fleet: &Fleet,
    ) -> Self {
        let mut detail = String::new();
        let lead = if n_zones == 0 {
            if n_live > 0 {
                detail.push_str(&count(n_live, "probe"));
                detail.push_str(" live.");
            }
            // Where nothing is heard, that nothing was found says nothing.
            String::from(if n_live == 0 && !fleet.probes.is_empty() {
                "No probe is live."
            } else {
                "Nothing needs a look."
            })
        } else {
            for (n_named, finding) in findings.iter().take(FINDINGS_NAMED_MAX).enumerate() {
                detail.push_str(if n_named == 0 { "" } else { ", " });
                detail.push_str(finding);
            }
            let n_more = findings.len().saturating_sub(FINDINGS_NAMED_MAX);
            if n_more > 0 {
                detail.push_str(" and ");
                detail.push_str(&whole(n_more as u64));
                detail.push_str(" more");
            }
            detail.push('.');
            count(n_zones, "zone")
                + if n_zones == 1 {
                    " needs a look:"
                } else {
                    " need a look:"
                }
        };
        push_count(
            &mut detail,
            (n_of_unknown_age, "probe"),
            " has a value of unknown age.",
            " have a value of unknown age.",
        );
        let n_running = fleet.pumps.values().filter(|pump| pump.is_running());
        push_pumps(
            &mut detail,
            n_running.count(),
            " is running.",
            " are running.",
        );
        push_pumps(
            &mut detail,
            n_asked(fleet),
            " was asked and has not answered yet.",
            " were asked and have not answered yet.",
        );
        Self { lead, detail }
    }
}

/// What is worth saying of a pump.
fn pump_finding(pump: &Pump) -> Option<&'static str> {
    match pump.switch.state() {
        SwitchState::NotConfirmed { .. } => Some(" has not answered"),
        _ if pump.stray_command.is_some() => Some(" is sent a kept command again and again"),
        SwitchState::Unreachable { .. } => Some(" is offline"),
        _ if pump.fault.is_some() => Some(" is sending what cannot be read"),
        SwitchState::Unknown if pump.switch.last_said() == Some(Switch::On) => {
            Some(" was running and is silent")
        }
        SwitchState::Unknown
        | SwitchState::Off { .. }
        | SwitchState::AskedOn { .. }
        | SwitchState::Running(_)
        | SwitchState::AskedOff { .. } => None,
    }
}

/// What is worth saying of a probe, as an index of [`PROBE_FINDINGS`].
fn probe_finding(probe: &Probe, now: Timestamp) -> Option<usize> {
    match (probe.freshness(now), probe.standing(now)) {
        _ if probe.fault.is_some() => Some(0),
        (Freshness::Offline { .. }, _) => Some(1),
        (Freshness::Stale { .. }, _) => Some(2),
        (_, Some(Standing::Dry)) => Some(3),
        (_, Some(Standing::Wet)) => Some(4),
        (_, Some(Standing::InBand) | None) => None,
    }
}

/// "Row 9 in Orchard is too dry", "3 probes in Orchard are too dry".
fn finding(names: &[&str], zone: &str, what: &str) -> Option<String> {
    let (subject, verb) = match names {
        [] => return None,
        [name] => (String::from(*name), " is "),
        several => (count(several.len(), "probe"), " are "),
    };
    Some(subject + " in " + zone + verb + what)
}

/// How many pumps were asked for something that they have not had the time to answer.
fn n_asked(fleet: &Fleet) -> usize {
    let asked = fleet.pumps.values().filter(|pump| {
        matches!(
            pump.switch.state(),
            SwitchState::AskedOn { .. } | SwitchState::AskedOff { .. }
        )
    });
    asked.count()
}

fn push_pumps(text: &mut String, number: usize, one: &str, several: &str) {
    push_count(text, (number, "pump"), one, several);
}

fn push_count(text: &mut String, (number, what): (usize, &str), one: &str, several: &str) {
    if number > 0 {
        text.push(' ');
        text.push_str(&count(number, what));
        text.push_str(if number == 1 { one } else { several });
    }
}

/// What can be wrong with a probe, the worst first. Whose value cannot be trusted is not judged by it.
const PROBE_FINDINGS: [&str; 5] = [
    "sending what cannot be read",
    "offline",
    "silent",
    "too dry",
    "too wet",
];

/// More would be a list, and the cards below are one.
const FINDINGS_NAMED_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_777_888_805_000)
    }

    fn sentence(messages: &[(&str, &str)]) -> String {
        let mut fleet = Fleet::new(1);
        fleet.handle_link(true, now());
        for (topic, payload) in messages {
            fleet.apply(topic, payload.as_bytes(), false, now());
        }
        let Attention { lead, detail } = Attention::of(&fleet, now());
        lead + " " + &detail
    }

    #[test]
    fn a_field_in_order_says_so() {
        assert_eq!(
            sentence(&[("rootzone/orchard/row-9/moisture", "20")]),
            "Nothing needs a look. 1 probe live."
        );
    }

    #[test]
    fn where_no_probe_is_live_nothing_is_found_in_order() {
        let mut fleet = Fleet::new(1);
        fleet.handle_link(true, now());
        for row in ["row-1", "row-2"] {
            let topic = ["rootzone/orchard/", row, "/moisture"].concat();
            fleet.apply(&topic, b"20", true, now());
        }
        assert_eq!(
            Attention::of(&fleet, now()),
            Attention {
                lead: "No probe is live.".into(),
                detail: " 2 probes have a value of unknown age.".into(),
            }
        );
        fleet.apply("rootzone/orchard/row-1/moisture", b"20", false, now());
        assert_eq!(
            Attention::of(&fleet, now()),
            Attention {
                lead: "Nothing needs a look.".into(),
                detail: "1 probe live. 1 probe has a value of unknown age.".into(),
            }
        );
    }

    #[test]
    fn a_field_of_pumps_alone_needs_no_live_probe() {
        assert_eq!(
            sentence(&[("rootzone/orchard/pump-1/pump/state", "OFF")]),
            "Nothing needs a look. "
        );
    }

    #[test]
    fn without_a_connection_nothing_is_claimed() {
        let mut fleet = Fleet::new(1);
        fleet.handle_link(true, now());
        fleet.apply("rootzone/orchard/row-9/moisture", b"20", false, now());
        fleet.handle_link(false, now());
        let Attention { lead, detail } = Attention::of(&fleet, now());
        assert_eq!(lead, "Not connected.");
        assert!(!detail.contains("live"), "{detail}");
    }

    #[test]
    fn what_needs_a_look_is_named_by_zone() {
        assert_eq!(
            sentence(&[
                ("rootzone/config/row-9", r#"{"target":[14,22]}"#),
                ("rootzone/config/row-2", r#"{"target":[14,22]}"#),
                ("rootzone/orchard/row-9/moisture", "13"),
                ("rootzone/orchard/row-2/moisture", "12.5"),
                ("rootzone/north-beds/bed-1/moisture", "20"),
                ("rootzone/north-beds/bed-1/status", "offline"),
                ("rootzone/orchard/pump-1/pump/state", "ON"),
            ]),
            "2 zones need a look: Bed 1 in North beds is offline, 2 probes in Orchard are too dry. 1 pump is running."
        );
    }

    #[test]
    fn everything_that_needs_a_look_is_counted_and_a_few_are_named() {
        let mut messages = vec![
            ("rootzone/config/row-2", r#"{"target":[14,22]}"#),
            ("rootzone/orchard/row-2/moisture", "30"),
            ("rootzone/orchard/row-9/moisture", "soaked"),
        ];
        assert_eq!(
            sentence(&messages),
            "1 zone needs a look: Row 9 in Orchard is sending what cannot be read, Row 2 in Orchard is too wet."
        );
        messages.extend([
            ("rootzone/berries/row-1/moisture", "20"),
            ("rootzone/berries/row-1/status", "offline"),
            ("rootzone/orchard/pump-1/pump/state", "OFF"),
            ("rootzone/orchard/pump-1/status", "offline"),
        ]);
        assert_eq!(
            sentence(&messages),
            "2 zones need a look: Pump 1 is offline, Row 1 in Berries is offline, Row 9 in Orchard is sending what cannot be read and 1 more."
        );
    }

    #[test]
    fn a_pump_that_says_what_cannot_be_read_needs_a_look() {
        assert_eq!(
            sentence(&[
                ("rootzone/orchard/pump-1/pump/state", "OFF"),
                ("rootzone/orchard/pump-1/pump/state", "1"),
            ]),
            "1 zone needs a look: Pump 1 is sending what cannot be read."
        );
    }

    #[test]
    fn pumps_are_named_by_their_number_and_a_kept_command_is_said() {
        let mut fleet = Fleet::new(1);
        fleet.handle_link(true, now());
        for pump in ["pump-10", "pump-2"] {
            let topic = ["rootzone/orchard/", pump, "/pump/set"].concat();
            fleet.apply(&topic, b"ON", true, now());
        }
        assert_eq!(
            Attention::of(&fleet, now()).detail,
            "Pump 2 is sent a kept command again and again, Pump 10 is sent a kept command again and again."
        );
    }

    #[test]
    fn a_command_without_an_answer_is_told() {
        let mut fleet = Fleet::new(1);
        fleet.handle_link(true, now());
        fleet.apply("rootzone/orchard/pump-1/pump/state", b"OFF", false, now());
        fleet.stop_all(now());
        assert_eq!(
            Attention::of(&fleet, now()).detail,
            " 1 pump was asked and has not answered yet."
        );
        fleet.handle_link(false, now());
        assert_eq!(
            Attention::of(&fleet, now()).detail,
            "What stands here was heard before. 1 pump is sent OFF the moment there is a connection."
        );
    }
}
