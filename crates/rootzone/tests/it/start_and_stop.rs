//! What is said when a start fails, and goodbye when it ends.

use std::net::TcpListener;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    broker::{Broker, refusal},
    raw::{CONNECT_3, CONNECT_5, Raw},
};

#[track_caller]
fn check_refusal(arguments: &[&str], words: &[&str]) {
    let (status, errors) = refusal(arguments);
    assert!(!status.success());
    assert_eq!(errors.lines().count(), 1, "{errors}");
    for word in words {
        assert!(errors.contains(word), "{word:?} is missing: {errors}");
    }
}

#[test]
fn a_port_in_use_names_its_holder_and_the_option() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let holder = format!("(process {})", std::process::id());
    check_refusal(
        &["--mqtt-port", &port, "--port", "0"],
        &[&format!("port {port} is in use"), "--mqtt-port", &holder],
    );
    check_refusal(
        &["--port", &port, "--mqtt-port", "0"],
        &[
            &format!("port {port} is in use"),
            "another with --port",
            &holder,
        ],
    );
}

#[test]
fn the_two_ports_must_differ() {
    check_refusal(&["--port", "4000", "--mqtt-port", "4000"], &["both 4000"]);
}

#[test]
fn an_address_of_another_machine_is_refused() {
    check_refusal(
        &["--bind", "192.0.2.1", "--port", "0", "--mqtt-port", "0"],
        &["192.0.2.1", "--bind"],
    );
}

#[test]
fn a_page_folder_that_is_none_is_refused() {
    let empty = TempDir::new().unwrap();
    let path = empty.path().to_str().unwrap();
    let ports = ["--port", "0", "--mqtt-port", "0", "--page"];
    check_refusal(&[&ports[..], &[path]].concat(), &[path, "index.html"]);
    let missing = empty.path().join("missing");
    let path = missing.to_str().unwrap();
    check_refusal(&[&ports[..], &[path]].concat(), &[path, "cannot read"]);
}

#[test]
fn a_wrong_option_is_refused() {
    check_refusal(&["--prot", "1"], &["--prot", "--port"]);
    check_refusal(&["--port", "http"], &["http", "--port"]);
}

#[test]
fn clients_are_told_goodbye_on_both_signals() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut broker = Broker::start();
        let mut client_5 = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
        let mut client_3 = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
        broker.signal(signal);
        assert_eq!(client_5.receive_rest(), b"\xE0\x01\x8B");
        assert_eq!(client_3.receive_rest(), b"");
        drop((client_5, client_3));
        assert!(broker.wait().success());
    }
}

#[test]
fn a_client_that_does_not_leave_does_not_keep_the_broker() {
    let mut broker = Broker::start();
    let _client = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    broker.signal(Signal::TERM);
    assert!(broker.wait().success());
}
