//! Peers that never finish what they began.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::bystander::Bystander;
use crate::{
    broker::Broker,
    http::{receive_head, send_request},
    raw::Raw,
    script::bytes,
    websocket::{BINARY, HANDSHAKE, frame},
};

/// Says something at once, then one byte after the other, and tells when the broker had enough.
///
/// The last byte is said again and again.
fn drip(mut stream: TcpStream, at_once: &[u8], slowly: &[u8]) -> Duration {
    let start = Instant::now();
    stream.set_read_timeout(Some(DRIP)).unwrap();
    stream.write_all(at_once).unwrap();
    let mut drops = slowly.iter().chain(slowly.last().into_iter().cycle());
    let mut answer = [0; 1024];
    while start.elapsed() < PATIENCE {
        match stream.read(&mut answer) {
            Ok(0) => return start.elapsed(),
            Ok(_) => {}
            // Nothing was said for as long as it takes between two drops.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if stream.write_all(&[*drops.next().unwrap()]).is_err() {
                    return start.elapsed();
                }
            }
            Err(_) => return start.elapsed(),
        }
    }
    panic!("still connected after {PATIENCE:?}");
}

type Open = fn(SocketAddr) -> TcpStream;

fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).unwrap()
}

fn open_websocket(address: SocketAddr) -> TcpStream {
    let mut raw = Raw::connect(address);
    send_request(&mut raw, "GET", address, "/mqtt", &HANDSHAKE);
    assert_eq!(receive_head(&mut raw).status, 101);
    raw.into_stream()
}

#[test]
fn a_connect_that_never_ends_is_closed_in_time() {
    let broker = Broker::start_with_config("limits.connect_timeout = 1");
    let bystander = Bystander::start(&broker);
    let half = bytes("raw 10 FF01 'MQTT' 05 02 0000 {} 00F3 [x]");
    let masked_half = [&[0; 4], &half[..]].concat();
    thread::scope(|scope| {
        let (tcp, websocket) = (
            (connect as Open, broker.mqtt),
            (open_websocket as Open, broker.http),
        );
        for ((open, address), at_once, slowly) in [
            (tcp, &b""[..], &half[..]),
            (tcp, &half[..], &[][..]),
            (tcp, &[], &[]),
            (websocket, &[], &[]),
            (websocket, &[], &frame(BINARY, &half)),
            (websocket, &[BINARY, 0xFE, 0xFF, 0xFF], &masked_half),
        ] {
            let slowly = slowly.to_vec();
            let at_once = at_once.to_vec();
            scope.spawn(move || {
                // The broker counts from when it accepts, which is before we know of it.
                let start = Instant::now();
                let stream = open(address);
                if slowly.is_empty() {
                    wait(stream, &at_once);
                } else {
                    drip(stream, &at_once, &slowly);
                }
                let lasted = start.elapsed();
                assert!(lasted >= Duration::from_millis(900), "{lasted:?}");
                assert!(lasted < Duration::from_secs(8), "{lasted:?}");
            });
        }
    });
    bystander.check();
}

/// Says something, and then nothing more.
fn wait(mut stream: TcpStream, at_once: &[u8]) -> Duration {
    let start = Instant::now();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(at_once).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    start.elapsed()
}

#[test]
fn bytes_of_a_packet_that_never_ends_are_no_sign_of_life() {
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    for connect_packet in ["10 'MQTT' 04 02 0001 ''", "10 'MQTT' 05 02 0001 {} ''"] {
        let connect_bytes = bytes(connect_packet);
        // A PUBLISH of 1000 bytes, byte by byte.
        let lasted = drip(
            connect(broker.mqtt),
            &connect_bytes,
            b"\x30\xE8\x07\x00\x01ax",
        );
        assert!(lasted >= Duration::from_millis(1500), "{lasted:?}");
        assert!(lasted < Duration::from_secs(8), "{lasted:?}");
    }
    bystander.check();
}

#[test]
fn requests_of_http_that_never_end_are_closed_in_time() {
    let broker = Broker::start_with_config("http.header_timeout = 1");
    let bystander = Bystander::start(&broker);
    thread::scope(|scope| {
        for (at_once, slowly) in [
            ("", "GET / HTTP/1.1\r\nhost: a\r\nx: yyyyyyyyyyyyyyy"),
            ("GET / HTTP/1.1\r\nhost: a\r\n", "x: y\r\nx"),
            (
                "GET /mqtt HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n",
                "x",
            ),
            ("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n", "GET"),
        ] {
            let stream = connect(broker.http);
            scope.spawn(move || {
                let lasted = drip(stream, at_once.as_bytes(), slowly.as_bytes());
                assert!(lasted < Duration::from_secs(8), "{lasted:?}");
            });
        }
        let stream = connect(broker.http);
        scope.spawn(move || {
            let lasted = wait(stream, b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
            assert!(lasted < Duration::from_secs(8), "{lasted:?}");
        });
    });
    bystander.check();
}

#[test]
fn an_answer_that_is_not_taken_is_given_up_in_time() {
    const LENGTH: usize = 64 << 20;
    let page = TempDir::new().unwrap();
    fs::write(page.path().join("index.html"), "<!doctype html>").unwrap();
    let large = fs::File::create(page.path().join("large.wasm")).unwrap();
    large.set_len(LENGTH as u64).unwrap();
    let config = page.path().join("limits.toml");
    fs::write(&config, "http.write_timeout = 1").unwrap();
    let broker = Broker::start_with(&[
        "--page".as_ref(),
        page.path().as_os_str(),
        "--config".as_ref(),
        config.as_os_str(),
    ]);
    let bystander = Bystander::start(&broker);
    let mut stream = connect(broker.http);
    stream
        .write_all(b"GET /large.wasm HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    // Whoever still writes to a connection that was given up is told so at some time.
    let start = Instant::now();
    while stream.write_all(b"x").is_ok() {
        assert!(start.elapsed() < PATIENCE, "still connected");
        thread::sleep(DRIP);
    }
    assert!(start.elapsed() >= Duration::from_secs(1));

    // Who is slow all the time and takes some of it gets everything.
    let mut stream = connect(broker.http);
    stream
        .write_all(b"GET /large.wasm HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut some = vec![0; LENGTH / 8];
    let mut n_bytes = 0;
    loop {
        thread::sleep(DRIP);
        match stream.read(&mut some).unwrap() {
            0 => break,
            n => n_bytes += n,
        }
    }
    assert!(n_bytes > LENGTH, "{n_bytes}");
    bystander.check();
}

/// Between two bytes.
const DRIP: Duration = Duration::from_millis(200);
/// Longer than anybody who is slow may stay.
const PATIENCE: Duration = Duration::from_secs(40);
