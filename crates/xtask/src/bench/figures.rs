//! What was measured, and its medians.

use std::collections::BTreeMap;

use anyhow::Error;
use serde_json::{Value, json};

use super::scenario::{Metric, Scenario};

/// All rounds of everything.
#[derive(Default)]
pub(crate) struct Figures {
    values: BTreeMap<(&'static str, String, Metric), Vec<f64>>,
    /// The CPU of each thread as a part of the time, the busiest first.
    threads: BTreeMap<(&'static str, String), Vec<Vec<f64>>>,
    /// The CPU of the broker and of the generator as a part of the time.
    busy: BTreeMap<(&'static str, String), Vec<(f64, f64)>>,
    warnings: Vec<String>,
}

impl Figures {
    pub(crate) fn add(&mut self, scenario: &Scenario, program: &str, report: &Value) {
        for metric in scenario.metrics {
            if let Some(value) = report[metric.name()].as_f64() {
                let key = (scenario.name, program.to_owned(), *metric);
                self.values.entry(key).or_default().push(value);
            }
        }
        let threads = report["broker_threads_busy"].as_array();
        self.threads
            .entry((scenario.name, program.to_owned()))
            .or_default()
            .push(
                threads
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_f64)
                    .collect(),
            );
        if let (Some(broker), Some(generator)) = (
            report["broker_busy"].as_f64(),
            report["generator_busy"].as_f64(),
        ) {
            self.busy
                .entry((scenario.name, program.to_owned()))
                .or_default()
                .push((broker, generator));
        }
        for doubt in doubts(scenario, report) {
            self.warnings
                .push(format!("{}, {program}: {doubt}", scenario.name));
        }
    }

    /// A program that fails has no figure there, and the others go on.
    pub(crate) fn fail(&mut self, scenario: &Scenario, program: &str, error: &Error) {
        let warning = format!("{}, {program}: {error:#}", scenario.name);
        crate::progress::say(&warning);
        self.warnings.push(warning);
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The median of all rounds.
    pub(crate) fn median(&self, scenario: &str, program: &str, metric: Metric) -> Option<f64> {
        self.values
            .iter()
            .find(|((name, of, what), _)| *name == scenario && of == program && *what == metric)
            .and_then(|(_, values)| median(values))
    }

    /// The median of what the busiest threads used, the busiest first.
    pub(crate) fn threads(&self, scenario: &'static str, program: &str) -> Vec<f64> {
        let rounds = self.threads.get(&(scenario, program.to_owned()));
        let nth = |nth: usize| {
            let values: Vec<_> = rounds
                .into_iter()
                .flatten()
                .filter_map(|round| round.get(nth).copied())
                .collect();
            median(&values)
        };
        (0..THREADS_SHOWN).map_while(nth).collect()
    }

    /// The medians of the broker's and the generator's CPU as parts of the time.
    pub(crate) fn busy(&self, scenario: &'static str, program: &str) -> Option<(f64, f64)> {
        let rounds = self.busy.get(&(scenario, program.to_owned()))?;
        let (broker, generator): (Vec<_>, Vec<_>) = rounds.iter().copied().unzip();
        median(&broker).zip(median(&generator))
    }

    pub(crate) fn as_json(&self, scenarios: &[&Scenario], programs: &[&str]) -> String {
        let mut rows = Vec::new();
        for scenario in scenarios {
            for &program in programs {
                for metric in Metric::ALL {
                    let Some(value) = self.median(scenario.name, program, metric) else {
                        continue;
                    };
                    rows.push(json!({
                        "scenario": scenario.name,
                        "program": program,
                        "metric": metric.name(),
                        "value": value,
                        "unit": metric.unit(),
                    }));
                }
            }
        }
        format!("{:#}\n", Value::from(rows))
    }
}

/// Why a report may not say what the broker can do.
fn doubts(scenario: &Scenario, report: &Value) -> Vec<String> {
    let number = |name: &str| report[name].as_f64().unwrap_or(0.0);
    let mut doubts = Vec::new();
    if number("lost") > 0.0 {
        doubts.push(format!("{} messages were lost", number("lost")));
    }
    let (broker, generator) = (number("broker_busy"), number("generator_busy"));
    if scenario.saturates() && !scenario.two_cores && generator >= SATURATED && broker < SATURATED {
        doubts.push(format!(
            "the generator was saturated ({:.0} %), not the broker ({:.0} %)",
            generator * 100.0,
            broker * 100.0
        ));
    }
    if let Some(at) = scenario.load.iter().position(|word| *word == "--rate") {
        let rate: f64 = scenario.load[at + 1].parse().unwrap_or(0.0);
        if number("delivered_per_s") < 0.95 * rate {
            doubts.push(format!(
                "{:.0} messages a second instead of {rate:.0}",
                number("delivered_per_s")
            ));
        }
    }
    doubts
}

/// One round in a line.
pub(crate) fn in_short(scenario: &Scenario, report: &Value) -> String {
    let metrics = scenario.metrics.iter().filter_map(|metric| {
        let value = report[metric.name()].as_f64()?;
        Some(format!("{} {}", metric.name(), rounded(value)))
    });
    let mut parts: Vec<_> = metrics.collect();
    if let Some(cost) = report["generator_cpu_us_per_delivered"].as_f64() {
        parts.push(format!("generator's own {}", rounded(cost)));
    }
    parts.join(", ")
}

/// Three digits that matter.
pub(crate) fn rounded(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// A core that is busy for this part of the time has nothing left, as far as anybody can measure.
const SATURATED: f64 = 0.95;
const THREADS_SHOWN: usize = 2;

#[cfg(test)]
mod tests {
    use super::super::scenario::SCENARIOS;
    use super::*;

    #[test]
    fn rounds_become_medians_in_the_json() {
        let mut figures = Figures::default();
        for cost in [9.0, 1.0, 2.0] {
            let report = json!({
                "cpu_us_per_delivered": cost,
                "delivered_per_s": 10.0 * cost,
                "broker_busy": 1.0,
                "generator_busy": 0.5,
                "p50_us": null,
            });
            figures.add(&SCENARIOS[0], "mosquitto", &report);
        }
        assert_eq!(figures.warnings(), [""; 0]);
        let text = figures.as_json(&[&SCENARIOS[0]], &["mosquitto"]);
        let rows: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            rows,
            json!([
                {"scenario": "fan-in-qos0", "program": "mosquitto", "metric": "delivered_per_s", "value": 20.0, "unit": "messages/s"},
                {"scenario": "fan-in-qos0", "program": "mosquitto", "metric": "cpu_us_per_delivered", "value": 2.0, "unit": "us"},
            ])
        );
    }

    #[test]
    fn the_median_of_two_rounds_is_between_them() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
    }

    #[test]
    fn a_generator_that_was_the_bottleneck_is_said_so() {
        let report = json!({"lost": 0, "broker_busy": 0.6, "generator_busy": 0.99});
        let doubts = doubts(&SCENARIOS[0], &report);
        assert_eq!(
            doubts,
            ["the generator was saturated (99 %), not the broker (60 %)"]
        );
    }
}
