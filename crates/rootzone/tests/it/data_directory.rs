//! What survives in a data directory, and what is said when something is wrong with it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    broker::{Broker, refusal},
    raw::Raw,
};

/// CONNECT of 3.1.1 with a session that lasts.
const CONNECT_S: &[u8] = b"\x10\x0D\x00\x04MQTT\x04\x00\x00\x00\x00\x01s";
/// CONNECT of 3.1.1 with a clean session.
const CONNECT_P: &[u8] = b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x00\x00\x01p";
const SUBSCRIBE_T: &[u8] = b"\x82\x06\x00\x01\x00\x01t\x01";
const PUBLISH_T: &[u8] = b"\x32\x06\x00\x01t\x00\x07x";
const RETAIN_T: &[u8] = b"\x33\x06\x00\x01t\x00\x07x";

/// Leaves a session with a message in it.
fn leave_a_message(broker: &Broker) {
    let mut subscriber = Raw::connect(broker.mqtt);
    subscriber.send(CONNECT_S);
    assert_eq!(subscriber.receive::<4>()[0], 0x20);
    subscriber.send(SUBSCRIBE_T);
    assert_eq!(&subscriber.receive::<5>(), b"\x90\x03\x00\x01\x01");
    drop(subscriber);
    let mut publisher = Raw::connect(broker.mqtt);
    publisher.send(CONNECT_P);
    publisher.receive::<4>();
    publisher.send(PUBLISH_T);
    assert_eq!(&publisher.receive::<4>(), b"\x40\x02\x00\x07");
}

#[track_caller]
fn check_the_message(broker: &Broker) {
    let mut subscriber = Raw::connect(broker.mqtt);
    subscriber.send(CONNECT_S);
    assert_eq!(
        &subscriber.receive::<4>(),
        b"\x20\x02\x01\x00",
        "the session is there"
    );
    let message = subscriber.receive::<8>();
    assert_eq!(message[0] & 0xF6, 0x32, "{message:?}");
    assert_eq!(&message[2..5], b"\x00\x01t");
    assert_eq!(message[7], b'x');
}

fn rootzone(arguments: &[&str], data_directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rootzone"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_directory)
        .output()
        .unwrap()
}

#[track_caller]
fn check_success(output: &Output, expected: &str) {
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaint}");
    assert!(said.contains(expected), "{said}{complaint}");
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let directory = TempDir::new().unwrap();
    let mut broker = Broker::start_in(directory.path());
    leave_a_message(&broker);
    broker.signal(Signal::KILL);
    broker.wait();
    check_the_message(&Broker::start_in(directory.path()));
}

#[test]
fn what_was_retained_is_there_after_an_orderly_end() {
    let directory = TempDir::new().unwrap();
    let mut broker = Broker::start_in(directory.path());
    let mut publisher = Raw::connect(broker.mqtt);
    publisher.send(CONNECT_P);
    publisher.receive::<4>();
    publisher.send(RETAIN_T);
    assert_eq!(&publisher.receive::<4>(), b"\x40\x02\x00\x07");
    drop(publisher);
    broker.signal(Signal::TERM);
    assert!(broker.wait().success());
    let broker = Broker::start_in(directory.path());
    let mut subscriber = Raw::connect(broker.mqtt);
    subscriber.send(CONNECT_P);
    subscriber.receive::<4>();
    subscriber.send(SUBSCRIBE_T);
    assert_eq!(&subscriber.receive::<5>(), b"\x90\x03\x00\x01\x01");
    assert_eq!(subscriber.receive::<8>()[0], 0x33);
}

#[test]
fn a_directory_has_one_broker() {
    let directory = TempDir::new().unwrap();
    let _broker = Broker::start_in(directory.path());
    let path = directory.path().to_str().unwrap();
    let ports = ["--port", "0", "--mqtt-port", "0", "--data-dir", path];
    let (status, complaint) = refusal(&ports);
    assert_eq!(status.code(), Some(1));
    assert!(
        complaint.contains(path) && complaint.contains("process"),
        "{complaint}"
    );
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    for arguments in [&["check"][..], &["repair"]] {
        let output = rootzone(arguments, directory.path());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn a_copy_is_written_while_the_broker_runs_and_while_not() {
    let directory = TempDir::new().unwrap();
    let copies = TempDir::new().unwrap();
    let mut broker = Broker::start_in(directory.path());
    leave_a_message(&broker);
    let [running, stopped] = ["running", "stopped"].map(|name| {
        let folder = copies.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    });
    let file = running.join("rootzone.redb");
    let file = file.to_str().unwrap();
    check_success(&rootzone(&["backup", file], directory.path()), file);
    // It overwrites nothing.
    let again = rootzone(&["backup", file], directory.path());
    assert_eq!(again.status.code(), Some(1));
    broker.signal(Signal::TERM);
    broker.wait();
    let file = stopped.join("rootzone.redb");
    let file = file.to_str().unwrap();
    check_success(&rootzone(&["backup", file], directory.path()), file);
    for copy in [running, stopped] {
        check_the_message(&Broker::start_in(&copy));
    }
}

#[test]
fn a_damaged_file_does_not_keep_the_broker_from_starting() {
    let directory = TempDir::new().unwrap();
    let mut broker = Broker::start_in(directory.path());
    leave_a_message(&broker);
    broker.signal(Signal::TERM);
    broker.wait();
    check_success(&rootzone(&["check"], directory.path()), "entries");
    let file = directory.path().join("rootzone.redb");
    let n_bytes = fs::metadata(&file).unwrap().len();
    fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(n_bytes / 3)
        .unwrap();
    let output = rootzone(&["check"], directory.path());
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        complaint.contains("rootzone repair --data-dir"),
        "{complaint}"
    );
    let broker = Broker::start_in(directory.path());
    leave_a_message(&broker);
    let names = fs::read_dir(directory.path()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.any(|name| name.starts_with("rootzone.redb.damaged-")));
}

#[test]
fn a_repaired_directory_has_what_could_be_read() {
    let directory = TempDir::new().unwrap();
    let mut broker = Broker::start_in(directory.path());
    leave_a_message(&broker);
    broker.signal(Signal::TERM);
    broker.wait();
    check_success(&rootzone(&["repair"], directory.path()), "all there was");
    check_the_message(&Broker::start_in(directory.path()));
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("data");
    let path = path.to_str().unwrap();
    let (status, complaint) = refusal(&["--port", "0", "--mqtt-port", "0", "--data-dir", path]);
    assert_eq!(status.code(), Some(1));
    assert!(complaint.contains(path), "{complaint}");
}

#[test]
fn a_damaged_store_is_neither_copied_nor_changed() {
    let directory = TempDir::new().unwrap();
    let mut broker = Broker::start_in(directory.path());
    leave_a_message(&broker);
    broker.signal(Signal::TERM);
    broker.wait();
    let file = directory.path().join("rootzone.redb");
    let mut bytes = fs::read(&file).unwrap();
    bytes.truncate(bytes.len() / 3);
    fs::write(&file, &bytes).unwrap();
    let copy = directory.path().join("copy");
    let output = rootzone(&["backup", copy.to_str().unwrap()], directory.path());
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        complaint.contains("rootzone repair --data-dir"),
        "{complaint}"
    );
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert!(!copy.exists());
}

#[test]
fn a_copy_is_checked_where_it_lies() {
    let directory = TempDir::new().unwrap();
    let broker = Broker::start_in(directory.path());
    leave_a_message(&broker);
    let copy = directory.path().join("copy");
    let copy = copy.to_str().unwrap();
    check_success(&rootzone(&["backup", copy], directory.path()), copy);
    let output = Command::new(env!("CARGO_BIN_EXE_rootzone"))
        .args(["check", copy])
        .output()
        .unwrap();
    check_success(&output, "queued    1 messages");
}

#[test]
fn where_there_is_no_store_there_is_nothing_to_look_after() {
    let directory = TempDir::new().unwrap();
    let mistyped = directory.path().join("mistyped");
    for arguments in [&["check"][..], &["repair"], &["backup", "copy"]] {
        let output = rootzone(arguments, &mistyped);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains("there is no store in"), "{complaint}");
    }
    assert!(!mistyped.exists());
}

#[test]
fn a_closed_terminal_ends_the_broker_in_order() {
    let directory = TempDir::new().unwrap();
    let mut broker = Broker::start_in(directory.path());
    broker.signal(Signal::HUP);
    assert!(broker.wait().success());
}
