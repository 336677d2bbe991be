//! The figures for a person: each beside its ratio to Mosquitto's and the goal.

use std::fmt::Write;

use super::figures::{Figures, rounded};
use super::program::{Program, ROOTZONE};
use super::scenario::{Goal, Metric, Scenario};

pub(crate) fn of(
    scenarios: &[&Scenario],
    programs: &[Program],
    figures: &Figures,
    n_cores: usize,
) -> String {
    let mut text = String::new();
    line(
        &mut text,
        [
            "scenario", "program", "deliv./s", "CPU us", "broker %", "gen. %", "p50 us", "p99 us",
            "bytes", "ratio", "goal", "",
        ],
    );
    for scenario in scenarios {
        for program in programs {
            let figure = |metric| {
                let median = figures.median(scenario.name, &program.name, metric);
                median.map_or_else(|| "-".to_owned(), rounded)
            };
            let busy = figures.busy(scenario.name, &program.name);
            let [broker, generator] = match busy {
                Some((broker, generator)) => {
                    [broker, generator].map(|part| format!("{:.0}", part * 100.0))
                }
                None => ["-", "-"].map(str::to_owned),
            };
            let verdict = Verdict::of(scenario, &program.name, figures, n_cores);
            line(
                &mut text,
                [
                    scenario.name,
                    &program.name,
                    &figure(Metric::DeliveredPerS),
                    &figure(Metric::CpuUsPerDelivered),
                    &broker,
                    &generator,
                    &figure(Metric::P50Us),
                    &figure(Metric::P99Us),
                    &figure(Metric::BytesPerConnection),
                    &verdict.ratio,
                    &verdict.goal,
                    &verdict.remark,
                ],
            );
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// What a figure is compared with, and what came of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    ratio: String,
    goal: String,
    remark: String,
}

impl Verdict {
    fn of(scenario: &Scenario, program: &str, figures: &Figures, n_cores: usize) -> Self {
        let is_ours = program == ROOTZONE;
        let figure = |name: &str, of: &str, metric| figures.median(name, of, metric);
        let mut metric = scenario.metrics[0];
        let (base, part, what) = match scenario.goal {
            Goal::OfMosquitto(part, base) => (
                figure(base, MOSQUITTO, metric),
                part,
                if base == scenario.name {
                    String::new()
                } else {
                    format!(" of {base}")
                },
            ),
            Goal::AtMost(bytes) => (
                figure(scenario.name, MOSQUITTO, metric),
                bytes,
                " bytes".to_owned(),
            ),
            Goal::OfOneCore {
                cpu,
                delivered,
                one_core,
            } => {
                let part = if n_cores < CORES_TO_SCALE {
                    cpu
                } else {
                    metric = Metric::DeliveredPerS;
                    delivered
                };
                let base = figure(one_core, program, metric);
                (base, part, format!(" of {one_core}"))
            }
        };
        let Some(value) = figure(scenario.name, program, metric) else {
            return Self::default();
        };
        let ratio = base.map(|base| value / base);
        let reached = match scenario.goal {
            Goal::AtMost(limit) => Some(value <= limit),
            Goal::OfOneCore { .. } if n_cores >= CORES_TO_SCALE => ratio.map(|ratio| ratio >= part),
            Goal::OfMosquitto(..) => ratio.map(|ratio| ratio <= part),
            Goal::OfOneCore { .. } => ratio.map(|ratio| {
                ratio <= part && are_both_busy(&figures.threads(scenario.name, program))
            }),
        };
        let mut remark = match (is_ours, reached) {
            (true, Some(true)) => "reached".to_owned(),
            (true, Some(false)) => "missed".to_owned(),
            _ => String::new(),
        };
        if scenario.two_cores {
            let threads = figures.threads(scenario.name, program);
            let busy: Vec<_> = threads
                .iter()
                .map(|part| format!("{:.0} %", part * 100.0))
                .collect();
            let _ = write!(remark, " threads {}", busy.join(" + "));
        }
        Self {
            ratio: ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}")),
            goal: if is_ours {
                format!("{part}{what}")
            } else {
                String::new()
            },
            remark: remark.trim().to_owned(),
        }
    }
}

/// Whether the second thread does its part: what only one does, a second core cannot speed up.
fn are_both_busy(threads: &[f64]) -> bool {
    match threads {
        [first, second, ..] => *second >= first * SECOND_THREAD_MIN,
        _ => false,
    }
}

fn line(text: &mut String, cells: [&str; 12]) {
    let [scenario, program, rest @ .., goal, remark] = cells;
    let _ = write!(text, "{scenario:<18}{program:<10}");
    for cell in rest {
        let _ = write!(text, "{cell:>10}");
    }
    let _ = write!(text, "  {goal:<24}{remark}");
    text.truncate(text.trim_end().len());
    text.push('\n');
}

const MOSQUITTO: &str = "mosquitto";
/// At least this part of what the busiest does.
const SECOND_THREAD_MIN: f64 = 0.5;
/// From so many cores on, two are the broker's alone.
const CORES_TO_SCALE: usize = 4;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scenario::SCENARIOS;
    use super::*;

    #[track_caller]
    fn check_verdict(
        name: &str,
        n_cores: usize,
        reports: &[(&str, &str, serde_json::Value)],
        expected: [&str; 3],
    ) {
        let scenario = |name: &str| SCENARIOS.iter().find(|s| s.name == name).unwrap();
        let mut figures = Figures::default();
        for (name, program, report) in reports {
            figures.add(scenario(name), program, report);
        }
        let verdict = Verdict::of(scenario(name), ROOTZONE, &figures, n_cores);
        let [ratio, goal, remark] = expected.map(str::to_owned);
        let expected = Verdict {
            ratio,
            goal,
            remark,
        };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn a_cost_is_a_part_of_mosquitto_s() {
        let cost = |cost: f64| json!({"cpu_us_per_delivered": cost});
        check_verdict(
            "fan-in-qos0",
            2,
            &[
                ("fan-in-qos0", MOSQUITTO, cost(10.0)),
                ("fan-in-qos0", ROOTZONE, cost(0.5)),
            ],
            ["0.050", "0.066", "reached"],
        );
        check_verdict(
            "ws-fan-out-qos0",
            2,
            &[
                ("fan-out-qos0", MOSQUITTO, cost(5.0)),
                ("ws-fan-out-qos0", ROOTZONE, cost(1.0)),
            ],
            ["0.200", "0.1 of fan-out-qos0", "missed"],
        );
    }

    #[test]
    fn two_cores_are_compared_with_one() {
        let report = |cost: f64, delivered: f64| {
            json!({
                "cpu_us_per_delivered": cost,
                "delivered_per_s": delivered,
                "broker_threads_busy": [0.5, 0.25, 0.0],
            })
        };
        let reports = [
            ("fan-out-qos0", ROOTZONE, report(1.0, 100.0)),
            ("fan-out-two-cores", ROOTZONE, report(1.2, 150.0)),
        ];
        check_verdict(
            "fan-out-two-cores",
            2,
            &reports,
            [
                "1.200",
                "1.25 of fan-out-qos0",
                "reached threads 50 % + 25 %",
            ],
        );
        check_verdict(
            "fan-out-two-cores",
            4,
            &reports,
            ["1.500", "1.6 of fan-out-qos0", "missed threads 50 % + 25 %"],
        );
    }

    #[test]
    fn a_second_thread_that_idles_misses_the_goal() {
        let report =
            |threads: &[f64]| json!({"cpu_us_per_delivered": 1.0, "broker_threads_busy": threads});
        check_verdict(
            "fan-out-two-cores",
            2,
            &[
                ("fan-out-qos0", ROOTZONE, report(&[0.9])),
                ("fan-out-two-cores", ROOTZONE, report(&[0.9, 0.1])),
            ],
            [
                "1.000",
                "1.25 of fan-out-qos0",
                "missed threads 90 % + 10 %",
            ],
        );
    }

    #[test]
    fn memory_has_a_limit_in_bytes() {
        let bytes = |bytes: f64| json!({"bytes_per_connection": bytes});
        check_verdict(
            "idle-tcp",
            2,
            &[("idle-tcp", ROOTZONE, bytes(2_560.0))],
            ["-", "2560 bytes", "reached"],
        );
    }
}
