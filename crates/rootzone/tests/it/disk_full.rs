//! A disk that is full, then not, and one that cannot be used at all.
//!
//! What makes it full is a limit on the size of files, which can be moved while the broker runs.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    broker::{Broker, refusal_in_bounded, refusal_of_ordinary_user},
    http::get,
    metrics::check_number,
    raw::{CONNECT_3, CONNECT_5, Raw},
    script::bytes,
};

#[test]
fn a_full_disk_is_told_and_waited_out() {
    let data = TempDir::new().unwrap();
    let broker = Broker::start_in_bounded(data.path(), None);
    let mut away = Raw::connect_mqtt(broker.mqtt, &bytes(CONNECT_PERSISTENT));
    exchange(&mut away, "82 0001 00 'kept' 01", "90 0001 00 01");
    drop(away);
    let mut present = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    exchange(&mut present, "82 0001 00 'passing' 01", "90 0001 00 01");

    broker.bound_files(Some(file_size(data.path())));
    let n_acknowledged = publish_until_refused(&broker);
    check_health(&broker, 503, "the disk is full");

    let mut publisher = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    check_number(broker.http, "store_refused_total", 0);
    exchange(&mut publisher, "32 'kept' 0001 00 [x]", "40 0001 97");
    exchange(&mut publisher, "34 'kept' 0002 00 [x]", "50 0002 97");
    exchange(&mut publisher, "33 'kept' 0003 00 [x]", "40 0003 97");
    let mut old = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
    old.send(&bytes("32 'kept' 0001 [x]"));
    assert_eq!(old.receive_rest(), b"");
    let mut back = Raw::connect(broker.mqtt);
    exchange(&mut back, CONNECT_PERSISTENT, "20 00 97 00");
    check_number(broker.http, "store_refused_total", 5);

    // Whoever needs no disk goes on.
    publisher.send(&bytes("30 'kept' 00 [x]"));
    publisher.send(&bytes("30 'passing' 00 [zero]"));
    assert_eq!(present.receive_packet(), bytes("30 'passing' 00 [zero]"));
    exchange(&mut publisher, "32 'passing' 0001 00 [one]", "40 0001");
    assert_eq!(
        present.receive_packet(),
        bytes("32 'passing' 0001 00 [one]")
    );

    // It has tried again by now, and may not believe that it succeeded.
    sleep(Duration::from_secs(2));
    check_health(&broker, 503, "the disk is full");
    broker.bound_files(None);
    let full_until = Instant::now();
    while get(broker.http, "/healthz", &[]).status != 200 {
        assert!(
            full_until.elapsed() < Duration::from_secs(5),
            "it does not recover"
        );
        sleep(Duration::from_millis(20));
    }
    exchange(&mut publisher, "32 'kept' 0001 00 [last]", "40 0001");
    check_number(broker.http, "store_refused_total", 5);
    broker.kill();

    let broker = Broker::start_in(data.path());
    let mut back = Raw::connect_mqtt(broker.mqtt, &bytes(CONNECT_PERSISTENT));
    let mut received = Vec::new();
    while received.last().is_none_or(|payload| payload != "last") {
        let packet = back.receive_packet();
        back.send(&bytes(&format!("40 {:04X}", received.len() + 1)));
        let payload = packet.rsplit(|byte| *byte == 0).next().unwrap();
        let label = payload.split(|byte| *byte == b' ').next().unwrap();
        received.push(String::from_utf8(label.to_vec()).unwrap());
    }
    // Then perhaps one that was on its way when the disk was full, and of which nobody was told anything.
    let n_unacknowledged = received.len() - n_acknowledged - 1;
    assert!(n_unacknowledged <= 1, "{received:?}");
    for (n, payload) in received.iter().take(n_acknowledged).enumerate() {
        assert_eq!(*payload, n.to_string());
    }
}

#[test]
fn a_start_on_a_full_disk_fails_with_one_line() {
    let data = TempDir::new().unwrap();
    for (file_size_max, name) in [(0, "rootzone.lock"), (4096, "rootzone.redb")] {
        let (status, errors) = refusal_in_bounded(data.path(), file_size_max);
        assert!(!status.success());
        check_line(&errors, &[name, "the disk is full"]);
    }
    // That leaves nothing behind that would be in the way.
    drop(Broker::start_in(data.path()));
}

#[test]
fn what_is_stored_can_be_read_on_a_full_disk() {
    let data = TempDir::new().unwrap();
    let broker = Broker::start_in(data.path());
    let mut client = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    exchange(&mut client, "33 'kept' 0001 00 [x]", "40 0001 10");
    broker.kill();
    let broker = Broker::start_in_bounded(data.path(), Some(file_size(data.path())));
    let mut client = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    exchange(&mut client, "82 0001 00 'kept' 01", "90 0001 00 01");
    assert_eq!(client.receive_packet(), bytes("33 'kept' 0001 00 [x]"));
}

#[test]
fn a_directory_that_may_not_be_used_is_named() {
    let data = TempDir::new().unwrap();
    let forbid = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    forbid(data.path(), 0o500);
    let name = data.path().to_str().unwrap();
    let (_, errors) = refusal_of_ordinary_user(data.path());
    check_line(&errors, &[name, "may not be written"]);

    forbid(data.path(), 0o700);
    drop(Broker::start_in(data.path()));
    let file = data.path().join("rootzone.redb");
    forbid(&file, 0o400);
    let (_, errors) = refusal_of_ordinary_user(data.path());
    check_line(&errors, &["rootzone.redb", "may not be written"]);

    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let (_, errors) = refusal_of_ordinary_user(data.path());
    check_line(&errors, &["rootzone.redb", "directory"]);
}

/// Publishes to the client that is away until the broker gives up; the result is how many were acknowledged.
fn publish_until_refused(broker: &Broker) -> usize {
    let mut publisher = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    let filler = "x".repeat(64 * 1024);
    for n in 0.. {
        publisher.send(&bytes(&format!("32 'kept' 0001 00 [{n} {filler}]")));
        let answer = publisher.receive_packet();
        if answer != bytes("40 0001") {
            assert_eq!(answer, bytes("E0 97"));
            assert_eq!(publisher.receive_rest(), b"");
            return n;
        }
        assert!(n < 1000, "the disk does not get full");
    }
    unreachable!()
}

/// Sends one packet and receives another.
#[track_caller]
fn exchange(raw: &mut Raw, request: &str, answer: &str) {
    raw.send(&bytes(request));
    assert_eq!(raw.receive_packet(), bytes(answer), "{request}");
}

#[track_caller]
fn check_health(broker: &Broker, status: u16, word: &str) {
    let response = get(broker.http, "/healthz", &[]);
    let text = String::from_utf8(response.body).unwrap();
    assert_eq!(response.status, status, "{text}");
    check_line(&text, &[word]);
}

#[track_caller]
fn check_line(text: &str, words: &[&str]) {
    assert_eq!(text.lines().count(), 1, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

fn file_size(data_directory: &Path) -> u64 {
    fs::metadata(data_directory.join("rootzone.redb"))
        .unwrap()
        .len()
}

const CONNECT_PERSISTENT: &str = "10 'MQTT' 05 00 0000 {11FFFFFFFF} 'away'";
