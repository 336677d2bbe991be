//! What tests with a browser measure, told in lines among whatever else they say.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::{cargo, read, run as run_command};
use crate::progress::{print, say, step};
use crate::test;

use super::figures::{median, rounded};
use super::options::Options;
use super::program::{ROOTZONE, release_binary};

/// Runs end-to-end tests that measure, so many rounds at such a scale, and reports what they said.
pub(super) fn report(
    options: &Options,
    tests: &[&str],
    (rounds, scale): (u32, u32),
    goals: &[Goal],
) -> Result<()> {
    test::prepare_end_to_end()?;
    step("building the broker", || {
        run_command(cargo()?.args(["build", "--release", "--package", ROOTZONE]))
    })?;
    let mut measure = test::end_to_end_command()?;
    measure
        .env("ROOTZONE_BIN", release_binary(ROOTZONE))
        .env("BENCH_ROUNDS", rounds.to_string())
        .env("BENCH_SCALE", scale.to_string())
        // One after the other: none is measured beside another.
        .args(["--", "--exact", "--nocapture", "--test-threads", "1"])
        .args(tests);
    let said = step("measuring", || read(&mut measure))?;
    let figures = Figures::parse(&said)?;
    figures.check(goals)?;
    print(figures.as_table(goals));
    if let Some(file) = &options.json {
        std::fs::write(file, figures.as_json())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    for goal in figures.missed(goals) {
        say(format_args!("missed: {goal}"));
    }
    Ok(())
}

/// All rounds, by scenario, program and metric.
#[derive(Default)]
struct Figures(BTreeMap<(String, String, String), Vec<f64>>);

impl Figures {
    /// From lines such as `figure receive-qos0 rootzone per_s 1234.5`, among whatever else is said.
    fn parse(said: &str) -> Result<Self> {
        let mut figures = Self::default();
        for line in said.lines() {
            // The name of a test stands before the first thing that it says.
            let said = line.split_once(" ... ").map_or(line, |(_, said)| said);
            let Some(line) = said.strip_prefix("figure ") else {
                continue;
            };
            let words: Vec<_> = line.split(' ').collect();
            let [scenario, program, metric, value] = words[..] else {
                bail!("the benchmark said {line:?}");
            };
            let key = [scenario, program, metric].map(str::to_owned).into();
            let value = value
                .parse()
                .with_context(|| format!("the benchmark said {line:?}"))?;
            figures.0.entry(key).or_default().push(value);
        }
        if figures.0.is_empty() {
            bail!("the benchmark said no figures");
        }
        Ok(figures)
    }

    /// A goal without a figure would seem to be reached.
    fn check(&self, goals: &[Goal]) -> Result<()> {
        match goals.iter().find(|goal| goal.value(self).is_none()) {
            Some(Goal {
                scenario, metric, ..
            }) => {
                bail!(
                    "the benchmark said no {metric} of {scenario}: was its test given another name?"
                )
            }
            None => Ok(()),
        }
    }

    fn median(&self, scenario: &str, program: &str, metric: &str) -> Option<f64> {
        let key = [scenario, program, metric].map(str::to_owned).into();
        self.0.get(&key).and_then(|values| median(values))
    }

    fn as_table(&self, goals: &[Goal]) -> String {
        let header = format!(
            "{:<20} {:<12} {:<19} {:>12} {:>12} {:>12}",
            "scenario", "program", "metric", "median", "lowest", "highest"
        );
        let rows = self.0.iter().map(|((scenario, program, metric), values)| {
            let end = |better: fn(f64, f64) -> f64| values.iter().copied().reduce(better);
            let [middle, lowest, highest] = [median(values), end(f64::min), end(f64::max)]
                .map(|value| value.map_or_else(String::new, rounded));
            format!(
                "{scenario:<20} {program:<12} {metric:<19} {middle:>12} {lowest:>12} {highest:>12}"
            )
        });
        let ratios = goals.iter().filter_map(|goal| {
            let value = goal.value(self)?;
            Some(format!("{} (goal: {})", goal.words(value), goal.limit()))
        });
        let lines: Vec<_> = [header].into_iter().chain(rows).chain(ratios).collect();
        lines.join("\n")
    }

    fn as_json(&self) -> String {
        let rows = self
            .0
            .iter()
            .filter_map(|((scenario, program, metric), values)| {
                Some(json!({
                    "scenario": scenario,
                    "program": program,
                    "metric": metric,
                    "value": median(values)?,
                    "unit": unit(metric),
                }))
            });
        format!("{:#}\n", rows.collect::<Value>())
    }

    fn missed(&self, goals: &[Goal]) -> Vec<String> {
        let missed = goals.iter().filter_map(|goal| {
            let value = goal.value(self)?;
            (!goal.is_reached(value))
                .then(|| format!("{} (goal: {})", goal.words(value), goal.limit()))
        });
        missed.collect()
    }
}

/// What a figure of ours shall be.
pub(super) struct Goal {
    pub(super) scenario: &'static str,
    pub(super) metric: &'static str,
    pub(super) bound: Bound,
}

pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// At least so many times what this program has.
    Times(f64, &'static str),
}

impl Goal {
    /// What is compared with the bound.
    fn value(&self, figures: &Figures) -> Option<f64> {
        let ours = figures.median(self.scenario, ROOTZONE, self.metric)?;
        match self.bound {
            Bound::AtLeast(_) | Bound::AtMost(_) => Some(ours),
            Bound::Times(_, program) => {
                Some(ours / figures.median(self.scenario, program, self.metric)?)
            }
        }
    }

    fn is_reached(&self, value: f64) -> bool {
        match self.bound {
            Bound::AtLeast(bound) | Bound::Times(bound, _) => value >= bound,
            Bound::AtMost(bound) => value <= bound,
        }
    }

    fn words(&self, value: f64) -> String {
        let (scenario, value) = (self.scenario, rounded(value));
        match self.bound {
            Bound::AtLeast(_) | Bound::AtMost(_) => format!("{scenario}: {} {value}", self.metric),
            Bound::Times(_, program) => format!("{scenario}: {value} times {program}"),
        }
    }

    fn limit(&self) -> String {
        match self.bound {
            Bound::AtLeast(bound) => format!("at least {bound}"),
            Bound::AtMost(bound) => format!("at most {bound}"),
            Bound::Times(bound, _) => format!("at least {bound} times"),
        }
    }
}

/// A metric ends with its unit.
fn unit(metric: &str) -> &'static str {
    if metric.ends_with("per_s") {
        "1/s"
    } else if metric.ends_with("percent") {
        "%"
    } else {
        "ms"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "running 1 test\n\
        test client::figures::figures ... figure receive-qos0 rootzone per_s 900\n\
        figure receive-qos0 mqtt.js per_s 100\n\
        figure receive-qos0 rootzone per_s 200\n\
        figure receive-qos0 rootzone per_s 200\n\
        ok\n";

    const GOAL: Goal = Goal {
        scenario: "receive-qos0",
        metric: "per_s",
        bound: Bound::Times(3.0, "mqtt.js"),
    };

    #[test]
    fn rounds_become_medians_in_the_json() {
        let figures = Figures::parse(SAID).unwrap();
        let rows: Value = serde_json::from_str(&figures.as_json()).unwrap();
        assert_eq!(
            rows,
            json!([
                {"scenario": "receive-qos0", "program": "mqtt.js", "metric": "per_s", "value": 100.0, "unit": "1/s"},
                {"scenario": "receive-qos0", "program": "rootzone", "metric": "per_s", "value": 200.0, "unit": "1/s"},
            ])
        );
    }

    #[test]
    fn a_goal_that_is_missed_is_said() {
        let figures = Figures::parse(SAID).unwrap();
        assert_eq!(
            figures.missed(&[GOAL]),
            ["receive-qos0: 2.00 times mqtt.js (goal: at least 3 times)"]
        );
    }

    #[test]
    fn a_goal_without_a_figure_is_an_error() {
        let figures = Figures::parse(SAID).unwrap();
        assert!(figures.check(&[GOAL]).is_ok());
        let other = Goal {
            metric: "p99_ms",
            ..GOAL
        };
        assert!(figures.check(&[GOAL, other]).is_err());
    }

    #[test]
    fn no_figures_are_an_error() {
        assert!(Figures::parse("running 0 tests\n").is_err());
        assert!(Figures::parse("figure a b\n").is_err());
    }
}
