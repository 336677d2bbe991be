//! `rootzone history`: readings from files, and back.

use std::{
    fs, io,
    path::Path,
    process::{Command, Output},
};

use mqtt_protocol::ProtocolVersion;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{broker::Broker, history_service::Client};

const FILE: &str = "\
day,hour,A,B
2026-05-04,0,37.2,12
2026-05-04,1,37.1,
2026-05-04,1 o'clock,37.1,12
2026-05-04,2,37,wet
2026-05-04,3,36.9,11.5
";

const EXPORTED: &str = "\
series,time,value
rootzone/imported/A/moisture,2026-05-04T00:00:00Z,37.2
rootzone/imported/A/moisture,2026-05-04T01:00:00Z,37.1
rootzone/imported/A/moisture,2026-05-04T03:00:00Z,36.9
rootzone/imported/B/moisture,2026-05-04T00:00:00Z,12
rootzone/imported/B/moisture,2026-05-04T03:00:00Z,11.5
";

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let files = Self { folder };
        files.write(FILE);
        files
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.path().join("readings.csv"), text).unwrap();
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn import(&self, more: &[&str]) -> Output {
        let file = self.folder.path().join("readings.csv");
        let columns = ["--time-column", "day", "--time-column", "hour"];
        let file = [file.to_str().unwrap()];
        history(
            &self.data(),
            &[&["import"], &file[..], &columns, more].concat(),
        )
    }

    fn export(&self, more: &[&str]) -> String {
        let output = history(&self.data(), &[&["export"], more].concat());
        assert!(output.status.success(), "{}", complaint(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn history(data_directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rootzone"))
        .arg("history")
        .args(arguments)
        .arg("--data-dir")
        .arg(data_directory)
        .output()
        .unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_imported_is_exported() {
    let files = Files::new();
    let output = files.import(&[]);
    assert!(output.status.success(), "{}", complaint(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("5 readings were taken into "), "{said}");
    assert!(said.ends_with("2 lines\n"), "{said}");
    let named = complaint(&output);
    assert!(
        named.contains("left out: line 4: \"2026-05-04 1 o'clock\" is no time"),
        "{named}"
    );
    assert!(
        named.contains("left out: line 5: B: \"wet\" is no number"),
        "{named}"
    );
    assert_eq!(files.export(&[]), EXPORTED);
}

#[test]
fn a_file_may_be_imported_again() {
    let files = Files::new();
    files.import(&[]);
    let output = files.import(&[]);
    assert!(output.status.success(), "{}", complaint(&output));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("0 readings were taken into "), "{said}");
    assert!(said.contains("left out: 5 that were known"), "{said}");
    assert_eq!(files.export(&[]), EXPORTED);
}

#[test]
fn what_another_file_corrects_or_adds_is_counted_and_the_rest_is_known() {
    let files = Files::new();
    files.import(&[]);
    files.write("day,hour,A,B\n2026-05-04,0,37.2,99\n2026-05-04,4,36.8,\n2026-05-04,4,36.8,\n");
    let said = String::from_utf8(files.import(&[]).stdout).unwrap();
    assert!(said.starts_with("2 readings were taken into "), "{said}");
    assert!(said.contains("left out: 2 that were known"), "{said}");
    let corrected = EXPORTED.replace("00:00:00Z,12", "00:00:00Z,99");
    let added = "rootzone/imported/A/moisture,2026-05-04T04:00:00Z,36.8\n";
    let last_of_a = "03:00:00Z,36.9\n";
    let expected = corrected.replace(last_of_a, &format!("{last_of_a}{added}"));
    assert_eq!(files.export(&[]), expected);
}

#[test]
fn what_a_broker_kept_is_known_and_none_of_what_a_file_brings() {
    let files = Files::new();
    let mut broker = Broker::start_in(&files.data());
    let mut probe = Client::connect(&broker, ProtocolVersion::V3_1_1);
    for hour in 0..2 {
        let reading = format!("{{\"moisture\":37,\"time\":\"2026-05-04T0{hour}:00:00Z\"}}");
        probe.publish("rootzone/imported/A/moisture", &reading);
    }
    broker.signal(Signal::TERM);
    broker.wait();
    files.write("day,hour,A\n2026-05-04,1,37\n2026-05-04,2,37\n2026-05-04,3,37\n");
    let said = String::from_utf8(files.import(&[]).stdout).unwrap();
    assert!(said.starts_with("2 readings were taken into "), "{said}");
    assert!(said.contains("left out: 1 that were known"), "{said}");
    assert_eq!(files.export(&[]).lines().count(), 1 + 4);
}

#[test]
fn an_import_that_brings_nothing_is_no_success() {
    let files = Files::new();
    for (file, left_out) in [
        ("day,hour,A\n", " 0 lines"),
        ("day,hour,A\nnoon,0,1\n2026-05-04,0,wet\n", " 2 lines"),
        ("day,hour,A\n9000-01-01,0,1\n", "1 more than a day ahead"),
    ] {
        files.write(file);
        let output = files.import(&[]);
        assert_eq!(output.status.code(), Some(1), "{file}");
        let said = complaint(&output);
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("rootzone: no reading of "), "{said}");
        assert!(last.contains(left_out), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn who_reads_no_more_of_an_export_is_no_error() {
    let files = Files::new();
    files.import(&[]);
    for format in ["csv", "line-protocol"] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_rootzone"))
            .args(["history", "export", "--format", format, "--data-dir"])
            .arg(files.data())
            .stdout(writer)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", complaint(&output));
        assert_eq!(complaint(&output), "");
    }
}

#[test]
fn a_strict_import_stops_at_a_bad_line() {
    let files = Files::new();
    let output = files.import(&["--strict"]);
    assert!(!output.status.success());
    let said = complaint(&output);
    assert!(
        said.contains("line 4: \"2026-05-04 1 o'clock\" is no time"),
        "{said}"
    );
}

#[test]
fn a_strict_import_stops_at_a_reading_of_the_day_after_tomorrow() {
    let files = Files::new();
    files.write("day,hour,A\n2026-05-04,0,1\n9000-01-01,0,2\n");
    let output = files.import(&["--strict"]);
    assert!(!output.status.success());
    let said = complaint(&output);
    assert!(
        said.contains("line 3: its time is more than a day ahead"),
        "{said}"
    );
    let output = files.import(&[]);
    assert!(output.status.success(), "{}", complaint(&output));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 more than a day ahead"), "{said}");
}

#[test]
fn a_folder_is_no_file_to_import() {
    let files = Files::new();
    let folder = files.folder.path().to_str().unwrap();
    let arguments = ["import", folder, "--time-column", "day"];
    let said = complaint(&history(&files.data(), &arguments));
    assert!(said.contains("is a folder: name a file in it"), "{said}");
    assert!(!files.data().exists(), "nothing was begun");
}

#[test]
fn an_export_that_fails_leaves_the_last_one_as_it_was() {
    let files = Files::new();
    files.import(&[]);
    let file = files.folder.path().join("kept.csv");
    let output = ["--output", file.to_str().unwrap()];
    files.export(&output);
    assert_eq!(fs::read_to_string(&file).unwrap(), EXPORTED);
    for (data_directory, more) in [
        (files.data(), &["--series", "nope"][..]),
        (files.folder.path().join("nowhere"), &[]),
    ] {
        let failed = history(&data_directory, &[&["export"], &output[..], more].concat());
        assert!(!failed.status.success());
        assert_eq!(fs::read_to_string(&file).unwrap(), EXPORTED);
    }
    let names: Vec<_> = fs::read_dir(files.folder.path()).unwrap().collect();
    assert_eq!(names.len(), 3, "nothing unfinished is left: {names:?}");
    // A device is written to, and stays one.
    files.export(&["--output", "/dev/null"]);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn influxdb_can_read_an_export() {
    let files = Files::new();
    files.import(&[]);
    let series = ["--series", "rootzone/imported/B/moisture"];
    let written = files.export(&[&series[..], &["--format", "line-protocol"]].concat());
    let expected = "\
mqtt_consumer,topic=rootzone/imported/B/moisture value=12 1777852800000000000
mqtt_consumer,topic=rootzone/imported/B/moisture value=11.5 1777863600000000000
";
    assert_eq!(written, expected);
}

#[test]
fn a_broker_goes_on_with_what_was_imported() {
    let files = Files::new();
    files.import(&[]);
    let mut broker = Broker::start_in(&files.data());
    let output = files.import(&[]);
    assert!(
        complaint(&output).contains("is used by process"),
        "{}",
        complaint(&output)
    );
    broker.signal(Signal::TERM);
    broker.wait();
    assert_eq!(files.export(&[]), EXPORTED);
}
