//! How the program starts, refuses to start, and ends.

use std::{collections::BTreeSet, fs};

use crate::harness::{Broker, Field, first_line_of_log, free_port, measurements, run_to_end};

#[test]
fn one_line_says_what_is_there() {
    let broker = Broker::start();
    let (_field, ready) = Field::start(&broker, &["--speed", "10m"]);
    let address = broker.url().replace("mqtt://", "");
    assert_eq!(
        ready,
        format!(
            "field-simulator: 13 probes and 4 pumps on {address}, soil model, 10 min per second"
        )
    );
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let (is_success, said) = run_to_end(&url, &[]);
    assert!(!is_success);
    let address = url.replace("mqtt://", "");
    assert!(
        said.starts_with(&format!("field-simulator: no MQTT broker at {address}: ")),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_broken_line_is_named_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = measurements(folder.path(), 3);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("22.01", "soaked")).unwrap();
    let path = path.to_str().unwrap();
    let (is_success, said) = run_to_end("mqtt://127.0.0.1:1", &["--replay", path]);
    assert!(!is_success);
    assert_eq!(
        said,
        format!("field-simulator: {path}:3: P13 is \"soaked\", not a percentage from 0 to 100\n")
    );
}

#[test]
fn a_missing_file_is_named_once() {
    let (is_success, said) = run_to_end("mqtt://127.0.0.1:1", &["--replay", "no/such.csv"]);
    assert!(!is_success);
    assert_eq!(
        said,
        "field-simulator: no/such.csv: No such file or directory (os error 2); \
         name another file with --replay, or leave it out\n"
    );
}

#[test]
fn an_option_that_is_none_is_named_in_one_line() {
    for (arguments, message) in [
        (
            ["--speed", "fast"],
            "invalid value 'fast' for '--speed <TIME>': not a time from 1s to 30d, such as 1h or 10m",
        ),
        (
            ["--seed", "x"],
            "invalid value 'x' for '--seed <NUMBER>': not a whole number from 0, or too large a one",
        ),
        (
            ["--seed", "-1"],
            "invalid value '-1' for '--seed <NUMBER>': not a whole number from 0, or too large a one",
        ),
        (
            ["--offline-after", "5s"],
            "invalid value '5s' for '--offline-after <SECONDS>': not a whole number from 0, or too large a one",
        ),
        (
            ["--sped", "1h"],
            "unexpected argument '--sped' found; a similar argument exists: '--speed'",
        ),
    ] {
        let (is_success, said) = run_to_end("mqtt://127.0.0.1:1", &arguments);
        assert!(!is_success);
        assert_eq!(said, format!("field-simulator: {message} (see --help)\n"));
    }
}

#[test]
fn a_log_that_no_terminal_shows_has_no_colours() {
    let nobody = format!("mqtt://127.0.0.1:{}", free_port());
    let line = first_line_of_log(&nobody, &["--wait"]);
    assert!(line.contains("waiting for the broker"), "{line}");
    assert!(!line.contains('\u{1b}'), "{line}");
}

#[test]
fn terminated_it_leaves_nothing_running_and_nobody_online() {
    let broker = Broker::start();
    let (field, _) = Field::start(&broker, &[]);
    let mut watcher = broker.watch();
    let state = "rootzone/berry-rows/berry-valve/pump/state";
    watcher.wait_for_payload(state, r#"{"state":"OFF""#);
    broker.publish("rootzone/berry-rows/berry-valve/pump/set", "ON", &[]);
    watcher.wait_for_payload(state, r#"{"state":"ON""#);

    assert!(field.terminate().success());
    let mut offline = BTreeSet::new();
    watcher.wait_for("17 devices offline", |seen| {
        if seen.topic.ends_with("/status") && seen.payload == "offline" {
            offline.insert(seen.topic.clone());
        }
        (offline.len() == 17).then_some(())
    });
    let retained = || broker.watch();
    let last = retained().wait_for_payload(state, r#"{"state":"#);
    assert!(
        last.starts_with(r#"{"state":"OFF","by":"shutdown""#),
        "{last}"
    );
    let mut after = retained();
    after.wait_for_payload("rootzone/berry-rows/berry-valve/status", "offline");
    assert!(
        after
            .seen()
            .iter()
            .all(|seen| seen.topic != "rootzone/config/simulation"),
        "nothing plays any more"
    );
}
