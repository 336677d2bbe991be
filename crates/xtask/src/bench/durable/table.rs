//! The figures for a person, with the goals.

use std::fmt::Write;

use super::disk;
use crate::bench::figures::{Figures, rounded};
use crate::bench::program::ROOTZONE;
use crate::bench::scenario::{Goal, Metric, Scenario};

pub(super) fn of(
    scenarios: &[&Scenario],
    kept: &[&Scenario],
    programs: &[&str],
    figures: &Figures,
) -> String {
    let mut text = String::new();
    if !scenarios.is_empty() {
        line(
            &mut text,
            [
                "scenario",
                "program",
                "acked/s",
                "per fsync",
                "p50 ms",
                "p99 ms",
                "bytes",
                "",
            ],
        );
    }
    for scenario in scenarios {
        for &program in programs {
            let figure = |metric| {
                let median = figures.median(scenario.name, program, metric);
                median.map_or_else(|| "-".to_owned(), rounded)
            };
            line(
                &mut text,
                [
                    scenario.name,
                    program,
                    &figure(Metric::AckedPerS),
                    &figure(Metric::AckedPerFsync),
                    &figure(Metric::P50Ms),
                    &figure(Metric::P99Ms),
                    &figure(Metric::BytesPerMessage),
                    &remark(scenario, program, figures),
                ],
            );
        }
    }
    for scenario in kept {
        for metric in scenario.metrics {
            if let (Some(value), Goal::AtMost(limit)) = (
                figures.median(scenario.name, ROOTZONE, *metric),
                scenario.goal,
            ) {
                let _ = writeln!(
                    text,
                    "{:<24}{:>10} {}, goal {limit}: {}",
                    scenario.name,
                    rounded(value),
                    metric.unit(),
                    verdict(value <= limit)
                );
            }
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn remark(scenario: &Scenario, program: &str, figures: &Figures) -> String {
    let figure = |program, metric| figures.median(scenario.name, program, metric);
    match program {
        "mosquitto" => "acknowledges from memory".to_owned(),
        disk::NAME => "of 4 KiB, each alone".to_owned(),
        ROOTZONE if scenario.name == WITH_GOALS => {
            let mut remarks = Vec::new();
            if let Some(acked) = figure(ROOTZONE, Metric::AckedPerFsync) {
                let is_reached = acked >= ACKED_PER_FSYNC_MIN;
                let verdict = verdict(is_reached);
                remarks.push(format!("{ACKED_PER_FSYNC_MIN} per fsync: {verdict}"));
            }
            let (own, disk) = (
                figure(ROOTZONE, Metric::P99Ms),
                figure(disk::NAME, Metric::P99Ms),
            );
            if let Some((own, disk)) = own.zip(disk) {
                let verdict = verdict(own < P99_OF_DISK_MAX * disk);
                remarks.push(format!("p99 {P99_OF_DISK_MAX} of the disk's: {verdict}"));
            }
            remarks.join(", ")
        }
        _ => String::new(),
    }
}

const fn verdict(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "missed" }
}

fn line(text: &mut String, cells: [&str; 8]) {
    let [scenario, program, rest @ .., remark] = cells;
    let _ = write!(text, "{scenario:<24}{program:<10}");
    for cell in rest {
        let _ = write!(text, "{cell:>10}");
    }
    let _ = write!(text, "  {remark}");
    text.truncate(text.trim_end().len());
    text.push('\n');
}

const WITH_GOALS: &str = "publishers-64";
const ACKED_PER_FSYNC_MIN: f64 = 10.0;
const P99_OF_DISK_MAX: f64 = 3.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::SCENARIOS;
    use super::*;

    #[test]
    fn goals_are_met_beside_the_disk() {
        let scenario = &SCENARIOS[2];
        assert_eq!(scenario.name, WITH_GOALS);
        let mut figures = Figures::default();
        let own = json!({"acked_per_fsync": 12.5, "p99_ms": 6.0});
        figures.add(scenario, ROOTZONE, &own);
        figures.add(scenario, disk::NAME, &json!({"p99_ms": 1.9}));
        assert_eq!(
            remark(scenario, ROOTZONE, &figures),
            "10 per fsync: reached, p99 3 of the disk's: missed"
        );
    }
}
