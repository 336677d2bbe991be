//! A day of sessions that come, queue, are fetched or expire, in a few minutes.
//!
//! `CHURN_SECONDS` says in how many.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::MetadataExt,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use fastrand::Rng;

use crate::{
    broker::{Broker, Ports},
    number, random_from_environment, say,
};

#[test]
fn the_file_stays_in_proportion_to_what_is_in_it() {
    let mut random = random_from_environment();
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::find();
    let mut broker = Broker::spawn(data.path(), ports);
    broker.wait_until_ready();

    let day = Duration::from_secs(number("CHURN_SECONDS").unwrap_or(5));
    let session_expiry_secs_max = (day.as_secs() / 2).clamp(1, SESSION_EXPIRY_SECS_MAX);
    let is_over = AtomicBool::new(false);
    let done = Done::default();
    let mut peak = Sample::default();
    thread::scope(|scope| {
        for n in 0..N_WORKERS {
            let worker = Worker {
                n,
                random: random.fork(),
                publisher: Client::connect(ports.mqtt, &format!("publisher-{n}"), 0),
                port: ports.mqtt,
                session_expiry_secs_max,
                done: &done,
            };
            let is_over = &is_over;
            scope.spawn(move || worker.run(is_over));
        }
        let start = Instant::now();
        let mut told = start;
        while start.elapsed() < day {
            sleep(day.min(SAMPLE_INTERVAL));
            let sample = Sample::take(data.path());
            peak = peak.max(sample);
            if told.elapsed() > SAMPLE_INTERVAL {
                told = Instant::now();
                say(&format!("{done}; {sample}"));
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    peak = peak.max(Sample::take(data.path()));
    say(&format!("{done}; at most {peak}"));
    // Pages are three quarters full, and redb makes the file twice as long whenever there is no free one.
    assert!(
        peak.n_bytes_on_disk < 3 * peak.n_live_bytes + EMPTY_FILE_BYTES,
        "{peak}"
    );

    // In the night nobody comes, and everything expires.
    // The store may take a second to hear of it.
    sleep(Duration::from_secs(session_expiry_secs_max + 2));
    let night = Sample::take(data.path());
    say(&format!("in the night {night}"));
    assert!(night.n_live_bytes < 1000, "{night}");

    broker.kill();
    let mut broker = Broker::spawn(data.path(), ports);
    broker.wait_until_ready();
    let morning = Sample::take(data.path());
    say(&format!("after a start {morning}"));
    assert!(morning.n_bytes_on_disk < COMPACTED_FILE_BYTES, "{morning}");
}

/// Somebody who is many devices, one after the other.
struct Worker<'a> {
    n: u64,
    random: Rng,
    publisher: Client,
    port: u16,
    session_expiry_secs_max: u64,
    done: &'a Done,
}

impl Worker<'_> {
    fn run(mut self, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            match self.random.u64(..4) {
                0 => self.come(),
                1 => self.come_and_fetch(),
                _ => self.publish(),
            }
        }
    }

    /// A device that perhaps was there before subscribes and goes away.
    fn come(&mut self) {
        let mut client = self.connect();
        let topic = self.topic();
        let mut rest = vec![0, 1, 0];
        push_string(&mut rest, &topic);
        rest.push(1);
        client.send(0x82, &rest);
        let n_messages = client.receive_until(0x90);
        add(&self.done.n_messages_fetched, n_messages);
        if self.random.bool() {
            client.send(0xE0, &[]);
        }
    }

    fn come_and_fetch(&mut self) {
        let mut client = self.connect();
        client.send(0xC0, &[]);
        let n_messages = client.receive_until(0xD0);
        add(&self.done.n_messages_fetched, n_messages);
    }

    fn publish(&mut self) {
        let mut rest = Vec::new();
        push_string(&mut rest, &self.topic());
        rest.extend([0, 1, 0]);
        let length = self.random.u64(1000..7000);
        rest.resize(rest.len() + length as usize, b'x');
        self.publisher.send(0x32, &rest);
        self.publisher.receive_until(0x40);
        add(&self.done.n_messages_published, 1);
    }

    fn connect(&mut self) -> Client {
        // Nobody else is the same device, and so takes its connection away.
        let name = format!(
            "device-{}-{}",
            self.n,
            self.random.u64(..N_DEVICES / N_WORKERS)
        );
        let expiry = self.random.u64(1..=self.session_expiry_secs_max) as u32;
        add(&self.done.n_connections, 1);
        Client::connect(self.port, &name, expiry)
    }

    fn topic(&mut self) -> String {
        format!("fleet/{}", self.random.u64(..N_GROUPS))
    }
}

/// A connection of 5.0.
struct Client {
    stream: TcpStream,
}

impl Client {
    fn connect(port: u16, name: &str, session_expiry_secs: u32) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut client = Self { stream };
        let mut rest = b"\0\x04MQTT\x05\0\0\0\x05\x11".to_vec();
        rest.extend(session_expiry_secs.to_be_bytes());
        push_string(&mut rest, name);
        client.send(0x10, &rest);
        client.receive_until(0x20);
        client
    }

    fn send(&mut self, first_byte: u8, rest: &[u8]) {
        let mut packet = vec![first_byte];
        let mut length = rest.len();
        while length > 0x7F {
            packet.push(0x80 | (length & 0x7F) as u8);
            length >>= 7;
        }
        packet.push(length as u8);
        packet.extend(rest);
        self.stream.write_all(&packet).unwrap();
    }

    /// Acknowledges what comes before a packet that begins like this; the result is how many messages these were.
    fn receive_until(&mut self, first_byte: u8) -> u64 {
        let mut n_messages = 0;
        loop {
            let [first, mut byte] = self.receive();
            let mut length = usize::from(byte & 0x7F);
            let mut shift = 7;
            while byte & 0x80 != 0 {
                [byte] = self.receive();
                length |= usize::from(byte & 0x7F) << shift;
                shift += 7;
            }
            let mut rest = vec![0; length];
            self.stream.read_exact(&mut rest).unwrap();
            if first == first_byte {
                return n_messages;
            }
            assert_eq!(first & 0xF6, 0x32, "{first:02X} {rest:02X?}");
            let at = 2 + usize::from(u16::from_be_bytes([rest[0], rest[1]]));
            self.send(0x40, &rest[at..at + 2]);
            n_messages += 1;
        }
    }

    fn receive<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }
}

fn push_string(bytes: &mut Vec<u8>, string: &str) {
    bytes.extend(u16::try_from(string.len()).unwrap().to_be_bytes());
    bytes.extend(string.as_bytes());
}

/// What all workers together have done.
#[derive(Debug, Default)]
struct Done {
    n_connections: AtomicU64,
    n_messages_published: AtomicU64,
    n_messages_fetched: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} connections, {} messages published and {} fetched",
            self.n_connections.load(Ordering::Relaxed),
            self.n_messages_published.load(Ordering::Relaxed),
            self.n_messages_fetched.load(Ordering::Relaxed)
        )
    }
}

/// How much is stored.
#[derive(Debug, Default, Clone, Copy)]
struct Sample {
    n_entries: u64,
    n_live_bytes: u64,
    /// redb makes its file twice as long when it is full.
    n_file_bytes: u64,
    /// What was never written in it takes no space.
    n_bytes_on_disk: u64,
}

impl Sample {
    /// Looks at a copy, as the broker has its file for itself.
    fn take(data_directory: &Path) -> Self {
        let found = fs::metadata(data_directory.join(STORE_FILE)).unwrap();
        let copy = tempfile::tempdir().unwrap();
        let file = copy.path().join(STORE_FILE);
        rootzone(&["backup", file.to_str().unwrap()], data_directory);
        let report = rootzone(&["check"], copy.path());
        let mut words = report
            .lines()
            .find_map(|line| line.strip_prefix("entries "))
            .unwrap()
            .split_whitespace();
        Self {
            n_entries: words.next().unwrap().parse().unwrap(),
            n_live_bytes: words.nth(1).unwrap().parse().unwrap(),
            n_file_bytes: found.len(),
            n_bytes_on_disk: found.blocks() * BLOCK_BYTES,
        }
    }

    fn max(self, other: Self) -> Self {
        Self {
            n_entries: self.n_entries.max(other.n_entries),
            n_live_bytes: self.n_live_bytes.max(other.n_live_bytes),
            n_file_bytes: self.n_file_bytes.max(other.n_file_bytes),
            n_bytes_on_disk: self.n_bytes_on_disk.max(other.n_bytes_on_disk),
        }
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{} entries of {:.2} MiB take {:.2} MiB of the disk in a file of {:.2}",
            self.n_entries,
            mebibytes(self.n_live_bytes),
            mebibytes(self.n_bytes_on_disk),
            mebibytes(self.n_file_bytes)
        )
    }
}

fn rootzone(arguments: &[&str], data_directory: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rootzone"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_directory)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Of which the operating system counts what a file takes.
const BLOCK_BYTES: u64 = 512;
const STORE_FILE: &str = "rootzone.redb";
const N_WORKERS: u64 = 8;
const N_DEVICES: u64 = 5000;
const N_GROUPS: u64 = 500;
const SESSION_EXPIRY_SECS_MAX: u64 = 15;
/// Not often: while a copy is made, no freed page is used again.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(20);
/// With which a file begins, whatever is in it.
const EMPTY_FILE_BYTES: u64 = 4 << 20;
/// A file smaller than this is not made smaller at a start.
const COMPACTED_FILE_BYTES: u64 = 16 << 20;
