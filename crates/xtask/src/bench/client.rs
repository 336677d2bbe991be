//! `cargo xtask bench client`: the browser client beside other people's, in headless Chromium.

use anyhow::Result;
use lexopt::Parser;

use super::options::Options;
use super::said::{self, Bound, Goal};

pub(crate) fn run(arguments: Parser) -> Result<()> {
    let options = Options::parse(arguments)?;
    let rounds_and_scale = if options.quick { (3, 5) } else { (7, 15) };
    said::report(
        &options,
        &["client::figures::figures"],
        rounds_and_scale,
        &GOALS,
    )
}

const GOALS: [Goal; 4] = [
    Goal {
        scenario: "decode-publish-73",
        metric: "per_s",
        bound: Bound::AtLeast(3e6),
    },
    Goal {
        scenario: "publish-qos0",
        metric: "per_s",
        bound: Bound::Times(3.0, "mqtt.js"),
    },
    Goal {
        scenario: "receive-qos0",
        metric: "per_s",
        bound: Bound::Times(3.0, "mqtt.js"),
    },
    Goal {
        scenario: "socket-to-pixels",
        metric: "p99_ms",
        bound: Bound::AtMost(50.0),
    },
];
