//! `cargo xtask bench page`: the whole dashboard at work in headless Chromium, with a broker behind it.

use anyhow::Result;
use lexopt::Parser;

use super::options::Options;
use super::said::{self, Bound, Goal};

pub(crate) fn run(arguments: Parser) -> Result<()> {
    let options = Options::parse(arguments)?;
    let rounds_and_scale = if options.quick { (1, 4) } else { (5, 10) };
    said::report(
        &options,
        &[
            "busy_zone::a_hundred_probes_are_drawn_as_they_come",
            "history::all_probes_of_a_zone_are_zoomed_from_years_to_an_hour_and_back",
        ],
        rounds_and_scale,
        &GOALS,
    )
}

const GOALS: [Goal; 3] = [
    Goal {
        scenario: "zone-100",
        metric: "script_percent",
        bound: Bound::AtMost(5.0),
    },
    Goal {
        scenario: "zone-100",
        metric: "scroll_frame_p95_ms",
        bound: Bound::AtMost(33.4),
    },
    Goal {
        scenario: "probe-24x41k",
        metric: "frame_p99_ms",
        // Two of a screen's at 60 a second.
        bound: Bound::AtMost(33.4),
    },
];
