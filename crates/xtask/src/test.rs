//! `cargo xtask test`: every check and test. CI calls exactly this.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::process::{cargo, is_interrupted, run as run_command};
use crate::progress::{Elapsed, print, say};
use crate::{bans, client_page, demo, page, prerequisites, size, soak, tidy, tools, workspace};

pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut chosen = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("list") => {
                for part in &PARTS {
                    print(format_args!("{:<16} {}", part.name, part.about));
                }
                return Ok(());
            }
            Arg::Value(name) => {
                let name = name.string()?;
                let Some(part) = PARTS.iter().find(|part| part.name == name) else {
                    bail!("there is no part {name:?}; `cargo xtask test --list` names them");
                };
                chosen.push(part);
            }
            Arg::Short(_) | Arg::Long(_) => return Err(argument.unexpected().into()),
        }
    }
    if chosen.is_empty() {
        chosen.extend(&PARTS);
    }
    run_parts(&chosen)
}

/// Runs one after the other, going on after a failure, so that one run shows everything that is wrong.
fn run_parts(parts: &[&Part]) -> Result<()> {
    let start = Instant::now();
    let mut reports = Vec::new();
    for part in parts {
        say(format_args!("{}: {} …", part.name, part.about));
        let part_start = Instant::now();
        let result = (part.run)();
        if is_interrupted() {
            bail!("interrupted");
        }
        if let Err(error) = &result {
            say(format_args!("{}: {error:#}", part.name));
        }
        reports.push(Report {
            name: part.name,
            took: part_start.elapsed(),
            failed: result.is_err(),
        });
    }
    for report in &reports {
        print(report.as_row());
    }
    let failed: Vec<_> = reports
        .iter()
        .filter(|report| report.failed)
        .map(|report| report.name)
        .collect();
    let took = Elapsed(start.elapsed());
    if failed.is_empty() {
        print(format_args!("all passed in {took}"));
        Ok(())
    } else {
        bail!("failed after {took}: {}", failed.join(", "))
    }
}

struct Part {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<()>,
}

struct Report {
    name: &'static str,
    took: Duration,
    failed: bool,
}

impl Report {
    fn as_row(&self) -> String {
        let minutes = self.took.as_secs_f64() / 60.0;
        let verdict = if self.failed { "FAILED" } else { "passed" };
        format!("{:<16} {minutes:>6.2} min  {verdict}", self.name)
    }
}

/// Cheap ones first.
const PARTS: [Part; 16] = [
    Part {
        name: "fmt",
        about: "every file is formatted",
        run: fmt,
    },
    Part {
        name: "tidy",
        about: "what a lint can't say",
        run: tidy::run,
    },
    Part {
        name: "bans",
        about: "the pure crates' bans are enforced",
        run: bans::check,
    },
    Part {
        name: "clippy",
        about: "lints of native code",
        run: clippy,
    },
    Part {
        name: "clippy-wasm",
        about: "lints of the page, and the pure crates compile for it",
        run: clippy_wasm,
    },
    Part {
        name: "native",
        about: "unit, integration and documentation tests",
        run: native,
    },
    Part {
        name: "simulation",
        about: "the broker and many clients on a bad network, as long as a model agrees",
        run: || soak::simulate(soak::Until::Seconds(SIMULATION_SECS), None),
    },
    Part {
        name: "power-cuts",
        about: "the broker and its store lose power at any moment, and nothing that was acknowledged",
        run: || soak::cut_power(soak::Until::Seconds(POWER_CUT_SECS), None),
    },
    Part {
        name: "kills",
        about: "what was acknowledged survives kill -9, again and again",
        run: || soak::kill(soak::Until::Seconds(KILLS_SECS), None),
    },
    Part {
        name: "shuttle",
        about: "the broker's output buffers, whichever thread runs when",
        run: shuttle,
    },
    Part {
        name: "doc",
        about: "documentation builds without a warning",
        run: doc,
    },
    Part {
        name: "browser",
        about: "tests inside headless Chromium",
        run: browser,
    },
    Part {
        name: "page",
        about: "the page as released, and its size",
        run: build_and_measure_page,
    },
    Part {
        name: "end-to-end",
        about: "the real binaries, a browser, other people's clients",
        run: || end_to_end(None),
    },
    Part {
        name: "client",
        about: "the client alone in a browser, with real brokers",
        run: client,
    },
    Part {
        name: "browser-crashes",
        about: "exactly once, whatever breaks: the tab, the link, the broker",
        run: || soak::crash_browser(soak::Until::Seconds(BROWSER_CRASHES_SECS), None),
    },
];

fn fmt() -> Result<()> {
    run_command(cargo()?.args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    run_command(cargo()?.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "mqtt-broker/testing",
        "--",
        "-D",
        "warnings",
    ]))?;
    // Behind a feature, so that nothing else is built with it.
    run_command(
        cargo()?
            .arg("clippy")
            .args(SHUTTLE)
            .args(["--", "-D", "warnings"]),
    )
}

/// Native clippy never sees what is compiled for the browser only.
fn clippy_wasm() -> Result<()> {
    tools::install_wasm_target()?;
    let pure = workspace::PURE_CRATES
        .into_iter()
        .flat_map(|name| ["--package", name]);
    run_command(
        clippy_for_wasm()?
            .arg("--lib")
            .args(pure)
            .args(["--", "-D", "warnings"]),
    )?;
    run_command(clippy_for_wasm()?.args([
        "--package",
        PAGE,
        "--package",
        CLIENT,
        "--",
        "-D",
        "warnings",
    ]))?;
    run_command(
        clippy_for_wasm()?
            .args(["--package", PAGE, "--package", CLIENT, "--all-targets"])
            .args(["--package", "client-page"])
            .args(["--features", IN_PAGE_BROKER, "--", "-D", "warnings"]),
    )
}

fn clippy_for_wasm() -> Result<Command> {
    let mut clippy = cargo()?;
    clippy.args(["clippy", "--target", tools::WASM]);
    Ok(clippy)
}

fn native() -> Result<()> {
    // The broker and the simulated field are tested with other people's clients already here.
    let programs = prerequisites::mqtt_programs()?;
    run_command(cargo()?.env("PYTHON", &programs.python).args([
        "test",
        "--workspace",
        "--exclude",
        PAGE,
        "--features",
        "mqtt-broker/testing",
        "--no-fail-fast",
    ]))?;
    // Its integration tests need binaries and a browser; they have parts of their own.
    run_command(cargo()?.args(["test", "--package", PAGE, "--lib", "--bins"]))
}

fn shuttle() -> Result<()> {
    run_command(
        cargo()?
            // As the simulation is built.
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
            .args(["test", "--release"])
            .args(SHUTTLE)
            .args(["--", "--nocapture"]),
    )
}

fn doc() -> Result<()> {
    run_command(cargo()?.env("RUSTDOCFLAGS", "-D warnings").args([
        "doc",
        "--workspace",
        "--no-deps",
    ]))?;
    run_command(
        cargo()?
            .env("RUSTDOCFLAGS", "-D warnings")
            .args(["doc", "--no-deps", "--target", tools::WASM])
            .args(["--package", PAGE, "--package", CLIENT]),
    )
}

fn browser() -> Result<()> {
    tools::install_wasm_target()?;
    tools::install_wasm_bindgen()?;
    let browser = prerequisites::browser()?;
    let test = || -> Result<_> {
        let mut test = cargo()?;
        test.env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
            "wasm-bindgen-test-runner",
        )
        .env("CHROMEDRIVER", &browser.chromedriver)
        .env(
            "WASM_BINDGEN_TEST_WEBDRIVER_JSON",
            workspace::root().join("webdriver.json"),
        )
        .env("WASM_BINDGEN_TEST_TIMEOUT", BROWSER_TEST_SECS_MAX)
        .args(["test", "--target", tools::WASM]);
        Ok(test)
    };
    run_command(test()?.args(["--package", CLIENT, "--tests"]))?;
    if !workspace::root().join("tests").join("browser").is_dir() {
        say("the page has no tests inside the browser");
        return Ok(());
    }
    run_command(test()?.args([
        "--package",
        PAGE,
        "--features",
        IN_PAGE_BROKER,
        "--test",
        "browser",
    ]))
}

fn build_and_measure_page() -> Result<()> {
    tools::install_for_page()?;
    page::build()?;
    client_page::build_application()?;
    size::measure_and_check_growth()
}

/// All of them, or those whose name contains a word.
pub(crate) fn end_to_end(only: Option<&str>) -> Result<()> {
    prepare_end_to_end()?;
    run_command(
        end_to_end_command()?
            .args(only)
            // Each test has a browser of its own: more at once than cores would only make them wait.
            .args(["--", "--test-threads", "2", "--nocapture"])
            // Those of the client are a part of their own.
            .args(["--skip", "client::"]),
    )
}

/// The client alone in a browser.
fn client() -> Result<()> {
    prepare_end_to_end()?;
    run_command(end_to_end_command()?.args([
        "client::",
        "--",
        "--test-threads",
        "2",
        "--nocapture",
        // A part of its own.
        "--skip",
        "client::crashes",
    ]))
}

/// Builds and installs all that the end-to-end tests need.
pub(crate) fn prepare_end_to_end() -> Result<()> {
    prerequisites::node()?;
    tools::install_for_page()?;
    page::build()?;
    client_page::build()?;
    client_page::build_benchmark()?;
    demo::build_binaries()
}

/// The end-to-end tests, told where everything is.
pub(crate) fn end_to_end_command() -> Result<Command> {
    let browser = prerequisites::browser()?;
    let programs = prerequisites::mqtt_programs()?;
    let node = prerequisites::node()?;
    let mut test = cargo()?;
    test.env("ROOTZONE_BIN", workspace::binary(demo::BROKER))
        .env("FIELD_SIMULATOR_BIN", workspace::binary(demo::SIMULATOR))
        .env("ROOTZONE_PAGE", workspace::page())
        .env("CLIENT_PAGE", client_page::client())
        .env("BENCHMARK_PAGE", client_page::benchmark())
        .env("ROOTZONE_DATA", workspace::measurements())
        .env("SCREENSHOTS", workspace::screenshots())
        .env("MOSQUITTO", &programs.mosquitto)
        .env("PYTHON", &programs.python)
        .env("NODE", node)
        .env("NODE_PATH", workspace::node_modules())
        .env("CHROMEDRIVER", &browser.chromedriver)
        .env("CHROMIUM", &browser.chromium)
        .args([
            "test",
            "--package",
            PAGE,
            "--test",
            "end_to_end",
            "--no-fail-fast",
        ]);
    Ok(test)
}

const SHUTTLE: [&str; 6] = [
    "--package",
    "mqtt-broker",
    "--features",
    "shuttle",
    "--test",
    "shuttle",
];
const PAGE: &str = "dashboard";
const CLIENT: &str = "mqtt-web-client";
const IN_PAGE_BROKER: &str = "dashboard/in-page-broker";
const SIMULATION_SECS: u64 = 180;
const POWER_CUT_SECS: u64 = 180;
const KILLS_SECS: u64 = 240;
const BROWSER_CRASHES_SECS: u64 = 240;
const BROWSER_TEST_SECS_MAX: &str = "120";
