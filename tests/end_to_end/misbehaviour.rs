//! Wrong options, files and addresses: one clear line and a failure.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::{Process, field_simulator, rootzone};

async fn check_refused(name: &str, command: &mut Command, expected: &[&str]) {
    let mut process = Process::start(name, command);
    let status = process.end().await;
    let said = process.lines().join("\n");
    assert!(!status.success(), "{name} did not fail, saying {said}");
    for part in expected {
        assert!(
            said.contains(part),
            "{name} does not mention {part:?}: {said}"
        );
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[tokio::test]
async fn a_wrong_option_is_named() {
    check_refused("rootzone", rootzone().arg("--prot"), &["--prot"]).await;
    check_refused(
        "field-simulator",
        field_simulator().arg("--repaly"),
        &["--repaly"],
    )
    .await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    check_refused(
        "rootzone",
        rootzone().args(["--in-memory", "--port", "0", "--mqtt-port", &port]),
        &[&port],
    )
    .await;
    check_refused(
        "rootzone",
        rootzone().args(["--in-memory", "--mqtt-port", "0", "--port", &port]),
        &[&port],
    )
    .await;
}

#[tokio::test]
async fn a_page_folder_that_cannot_be_read_is_named() {
    check_refused(
        "rootzone",
        rootzone().arg("--in-memory").args([
            "--port",
            "0",
            "--mqtt-port",
            "0",
            "--page",
            "no-such-folder",
        ]),
        &["no-such-folder"],
    )
    .await;
}

#[tokio::test]
async fn a_broken_line_is_named_with_its_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("broken.csv");
    fs::write(&file, "day,hour,SENS0001\n2023-01-01,0,wet\n").unwrap();
    check_refused(
        "field-simulator",
        field_simulator().arg("--replay").arg(&file),
        &["broken.csv:"],
    )
    .await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    // Bound and let go again, so that nobody listens there.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    drop(listener);
    check_refused(
        "field-simulator",
        field_simulator().args(["--broker", &format!("mqtt://{address}")]),
        &[&address],
    )
    .await;
}
