//! The sentence at the top: what needs a look.

use field::{SwitchState, Timestamp};

use crate::{
    format::count,
    state::{Fleet, Freshness, Standing},
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
        let mut findings = Vec::new();
        let (mut n_zones, mut n_live) = (0, 0);
        for zone in fleet.zones() {
            let n_before = findings.len();
            let (mut dry, mut offline, mut stale) = (Vec::new(), Vec::new(), Vec::new());
            for probe in zone.probes.iter().filter_map(|id| fleet.probes.get(id)) {
                let freshness = probe.freshness(now);
                match freshness {
                    Freshness::Live { .. } => n_live += 1,
                    Freshness::Stale { .. } => stale.push(probe.name.as_str()),
                    Freshness::Offline { .. } => offline.push(probe.name.as_str()),
                    Freshness::RetainedOnly | Freshness::Silent => {}
                }
                if probe.standing(now) == Some(Standing::Dry) {
                    dry.push(probe.name.as_str());
                }
            }
            for (names, what) in [(dry, "too dry"), (offline, "offline"), (stale, "silent")] {
                findings.extend(finding(&names, &zone.name, what));
            }
            for pump in zone
                .pumps
                .iter()
                .filter_map(|device| fleet.pumps.get(device))
            {
                let what = match pump.switch.state() {
                    SwitchState::NotConfirmed { .. } => " has not answered",
                    SwitchState::Unreachable { .. } => " is offline",
                    SwitchState::Unknown
                    | SwitchState::Off { .. }
                    | SwitchState::AskedOn { .. }
                    | SwitchState::Running(_)
                    | SwitchState::AskedOff { .. } => continue,
                };
                findings.push(pump.name.clone() + what);
            }
            n_zones += usize::from(findings.len() > n_before);
        }
        Self::words(&findings, n_zones, n_live, running(fleet))
    }

    fn words(findings: &[String], n_zones: usize, n_live: usize, running: usize) -> Self {
        let mut detail = String::new();
        let lead = if n_zones == 0 {
            if n_live > 0 {
                detail.push_str(&count(n_live, "probe"));
                detail.push_str(" live.");
            }
            String::from("Nothing needs a look.")
        } else {
            detail.push_str(&findings.join(", "));
            detail.push('.');
            count(n_zones, "zone")
                + if n_zones == 1 {
                    " needs a look:"
                } else {
                    " need a look:"
                }
        };
        if running > 0 {
            detail.push(' ');
            detail.push_str(&count(running, "pump"));
            detail.push_str(if running == 1 {
                " is running."
            } else {
                " are running."
            });
        }
        Self { lead, detail }
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

fn running(fleet: &Fleet) -> usize {
    fleet
        .pumps
        .values()
        .filter(|pump| pump.is_running())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_777_888_805_000)
    }

    fn sentence(messages: &[(&str, &str)]) -> String {
        let mut fleet = Fleet::new(1, now());
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
}
