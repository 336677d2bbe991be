//! Conversations of strangers with the broker, written down as bytes.
//!
//! A script has one step to a line; each begins with the name of a peer, who connects when first named.
//!
//! | step | meaning |
//! |---|---|
//! | `a is 5` | `a` says CONNECT of 5.0 with Clean Start (`a is 3`: of 3.1.1) and is accepted |
//! | `a begins 5`, `a resumes 5` | `a` connects with a Session that does not expire (`3`: in 3.1.1), without or with one there |
//! | `killed` | the broker is killed and starts again with what it stored; every peer is gone |
//! | `a > packet ; packet` | `a` sends packets at once |
//! | `a < packet ; packet` | `a` receives exactly these packets |
//! | `a <* packet ; packet` | `a` receives these packets in any order |
//! | `a quiet` | nothing else came to `a`, who is connected |
//! | `a closed` | the broker closes the connection of `a`, and nothing else came |
//! | `a vanishes` | `a` is gone without a word, and the broker knows |
//! | `a leaves` | `a` says DISCONNECT, and the broker closes |
//! | `start`, `passed 1.5` | since the last `start`, at least so many seconds have passed |
//! | `pause` | waits until the broker has ended a connection for its silence, 1.5 seconds later |
//!
//! A packet is its first byte and what follows the Remaining Length, which is counted:
//! bytes in hex, `'a/b'` as a UTF-8 Encoded String, `[text]` without a length, `{ … }` with the length of properties,
//! `*9` for nine times what stands before it, `$m` for two bytes that are the same each time, `..` for whatever follows.
//! After `raw` nothing is counted.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    broker::Broker,
    peer::{Peer, TRANSPORTS, Transport},
};

/// Plays each script over each transport, each with a broker of its own, and reports all that fail.
#[track_caller]
pub(crate) fn check_all(cases: &[(impl Display, impl AsRef<str>)]) {
    let cases: Vec<_> = cases
        .iter()
        .map(|(name, script)| (name.to_string(), script.as_ref()))
        .collect();
    let plays: Vec<_> = TRANSPORTS
        .into_iter()
        .flat_map(|transport| cases.iter().map(move |case| (transport, case)))
        .collect();
    let mut failures = String::new();
    // Most of them wait most of the time.
    for together in plays.chunks(8) {
        thread::scope(|scope| {
            let plays: Vec<_> = together
                .iter()
                .map(|&(transport, (name, script))| {
                    let play = scope.spawn(move || play(Broker::start(), transport, script));
                    (transport, name, play)
                })
                .collect();
            for (transport, name, play) in plays {
                if let Err(failure) = play.join().unwrap() {
                    writeln!(failures, "{name}, over {transport:?}: {failure}").unwrap();
                }
            }
        });
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Plays a script.
pub(crate) fn play(broker: Broker, transport: Transport, script: &str) -> Result<(), String> {
    Play::new(broker, transport).run(script)
}

/// Plays a script with a broker that can be killed.
pub(crate) fn play_with_kills(script: &str) -> Result<(), String> {
    let data_directory = TempDir::new().unwrap();
    let broker = Broker::start_in(data_directory.path());
    let mut play = Play::new(broker, Transport::Tcp);
    play.data_directory = Some(data_directory);
    play.run(script)
}

/// A packet without names, as bytes.
pub(crate) fn bytes(packet: &str) -> Vec<u8> {
    Pattern::parse(packet).encode(&BTreeMap::new())
}

/// A script that is being played.
struct Play {
    broker: Broker,
    data_directory: Option<TempDir>,
    transport: Transport,
    peers: BTreeMap<String, Peer>,
    /// Two bytes by name.
    names: BTreeMap<String, [u8; 2]>,
    start: Instant,
}

impl Play {
    fn new(broker: Broker, transport: Transport) -> Self {
        Self {
            broker,
            data_directory: None,
            transport,
            peers: BTreeMap::new(),
            names: BTreeMap::new(),
            start: Instant::now(),
        }
    }

    fn run(&mut self, script: &str) -> Result<(), String> {
        for line in script.lines().map(str::trim) {
            if !line.is_empty() && !line.starts_with('#') {
                self.step(line)
                    .map_err(|failure| format!("at `{line}`: {failure}"))?;
            }
        }
        Ok(())
    }

    fn step(&mut self, line: &str) -> Result<(), String> {
        let (peer, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (peer, rest) {
            ("start", "") => self.start = Instant::now(),
            ("pause", "") => self.pause()?,
            ("killed", "") => self.kill(),
            ("passed", seconds) => {
                let elapsed = self.start.elapsed();
                let least = Duration::from_secs_f64(seconds.parse().unwrap());
                if elapsed < least {
                    return Err(format!("only {elapsed:?} have passed"));
                }
            }
            (peer, "is 5") => {
                self.send(peer, CONNECT_5)?;
                self.receive(peer, "20 00 00 ..")?;
            }
            (peer, "is 3") => {
                self.send(peer, CONNECT_3)?;
                self.receive(peer, "20 00 00")?;
            }
            (peer, "begins 3") => self.resume(peer, 3, "20 00 00")?,
            (peer, "begins 5") => self.resume(peer, 5, "20 00 00 ..")?,
            (peer, "resumes 3") => self.resume(peer, 3, "20 01 00")?,
            (peer, "resumes 5") => self.resume(peer, 5, "20 01 00 ..")?,
            (peer, "quiet") => {
                self.send(peer, "C0")?;
                self.receive(peer, "D0")?;
            }
            (peer, "closed") => {
                let ended = self.peer(peer).receive_end();
                self.peers.remove(peer);
                ended?;
            }
            (peer, "vanishes") => {
                self.peer(peer).vanish()?;
                self.peers.remove(peer);
            }
            (peer, "leaves") => {
                self.send(peer, "E0")?;
                self.step(&format!("{peer} closed"))?;
            }
            (peer, rest) if rest.starts_with("<*") => {
                self.receive_in_any_order(peer, &rest[2..])?
            }
            (peer, rest) => match rest.split_at(1) {
                (">", packets) => self.send(peer, packets)?,
                ("<", packets) => {
                    for packet in packets.split(';') {
                        self.receive(peer, packet)?;
                    }
                }
                _ => panic!("no step: {line}"),
            },
        }
        Ok(())
    }

    fn peer(&mut self, name: &str) -> &mut Peer {
        self.peers
            .entry(name.to_owned())
            .or_insert_with(|| Peer::connect(&self.broker, self.transport))
    }

    fn send(&mut self, peer: &str, packets: &str) -> Result<(), String> {
        let bytes: Vec<u8> = packets
            .split(';')
            .flat_map(|packet| Pattern::parse(packet).encode(&self.names))
            .collect();
        self.peer(peer).send(&bytes)
    }

    fn receive(&mut self, peer: &str, expected: &str) -> Result<(), String> {
        let packet = self.peer(peer).receive_packet()?;
        if Pattern::parse(expected).matches(&packet, &mut self.names) {
            return Ok(());
        }
        Err(received(&packet))
    }

    fn receive_in_any_order(&mut self, peer: &str, expected: &str) -> Result<(), String> {
        let mut patterns: Vec<_> = expected.split(';').map(Pattern::parse).collect();
        while !patterns.is_empty() {
            let packet = self.peer(peer).receive_packet()?;
            let found = patterns
                .iter()
                .position(|pattern| pattern.matches(&packet, &mut self.names))
                .ok_or_else(|| received(&packet))?;
            patterns.remove(found);
        }
        Ok(())
    }

    fn resume(&mut self, peer: &str, version: u8, connack: &str) -> Result<(), String> {
        let connect = match version {
            5 => format!("10 'MQTT' 05 00 0000 {{11FFFFFFFF}} '{peer}'"),
            _ => format!("10 'MQTT' 04 00 0000 '{peer}'"),
        };
        self.send(peer, &connect)?;
        self.receive(peer, connack)
    }

    fn kill(&mut self) {
        self.broker.signal(Signal::KILL);
        self.broker.wait();
        self.peers.clear();
        let data_directory = self.data_directory.as_ref();
        self.broker = Broker::start_in(data_directory.expect("it keeps something").path());
    }

    fn pause(&mut self) -> Result<(), String> {
        let mut clock = Peer::connect(&self.broker, self.transport);
        clock.send(&bytes(CONNECT_3_FOR_A_SECOND))?;
        clock.receive_packet()?;
        clock.receive_end()
    }
}

fn received(packet: &[u8]) -> String {
    let shown = &packet[..packet.len().min(200)];
    format!("received {} bytes: {shown:02X?}", packet.len())
}

/// A packet as it is written down.
struct Pattern {
    pieces: Vec<Piece>,
    is_counted: bool,
    is_open: bool,
}

enum Piece {
    Bytes(Vec<u8>),
    Name(String),
}

impl Pattern {
    fn parse(text: &str) -> Self {
        let text = text.trim();
        let (text, is_counted) = match text.strip_prefix("raw ") {
            Some(text) => (text, false),
            None => (text, true),
        };
        let (text, is_open) = match text.strip_suffix("..") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (pieces, rest) = parse_pieces(text);
        assert_eq!(rest, "", "in {text}");
        Self {
            pieces,
            is_counted,
            is_open,
        }
    }

    fn encode(&self, names: &BTreeMap<String, [u8; 2]>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(more) => bytes.extend(more),
                Piece::Name(name) => bytes.extend(names[name]),
            }
        }
        if self.is_counted {
            let length = variable_byte_integer(bytes.len() - 1);
            bytes.splice(1..1, length);
        }
        bytes
    }

    /// Compares, and learns the names that are not known yet.
    fn matches(&self, packet: &[u8], names: &mut BTreeMap<String, [u8; 2]>) -> bool {
        let n_length = 1 + packet[1..].iter().take_while(|byte| **byte >= 0x80).count();
        let content = [&packet[..1], &packet[1 + n_length..]].concat();
        let mut rest = &content[..];
        let mut learnt = Vec::new();
        for piece in &self.pieces {
            let expected = match piece {
                Piece::Bytes(bytes) => bytes.clone(),
                Piece::Name(name) => match (names.get(name), rest.first_chunk::<2>()) {
                    (Some(bytes), _) => bytes.to_vec(),
                    (None, Some(bytes)) => {
                        learnt.push((name.clone(), *bytes));
                        bytes.to_vec()
                    }
                    (None, None) => return false,
                },
            };
            let Some(after) = rest.strip_prefix(&expected[..]) else {
                return false;
            };
            rest = after;
        }
        let matches = self.is_open || rest.is_empty();
        if matches {
            names.extend(learnt);
        }
        matches
    }
}

/// The pieces up to the end or a closing brace, and what follows.
fn parse_pieces(mut text: &str) -> (Vec<Piece>, &str) {
    let mut pieces = Vec::new();
    loop {
        text = text.trim_start();
        let Some(first) = text.chars().next() else {
            return (pieces, text);
        };
        match first {
            '}' => return (pieces, text),
            '{' => {
                let (inner, rest) = parse_pieces(&text[1..]);
                let properties: Vec<u8> = inner
                    .into_iter()
                    .flat_map(|piece| match piece {
                        Piece::Bytes(bytes) => bytes,
                        Piece::Name(name) => panic!("${name} among properties"),
                    })
                    .collect();
                pieces.push(Piece::Bytes(variable_byte_integer(properties.len())));
                pieces.push(Piece::Bytes(properties));
                text = rest.strip_prefix('}').unwrap();
            }
            '\'' => {
                let (string, rest) = text[1..].split_once('\'').unwrap();
                let length = u16::try_from(string.len()).unwrap().to_be_bytes();
                pieces.push(Piece::Bytes([&length, string.as_bytes()].concat()));
                text = rest;
            }
            '[' => {
                let (bytes, rest) = text[1..].split_once(']').unwrap();
                pieces.push(Piece::Bytes(bytes.as_bytes().to_vec()));
                text = rest;
            }
            '$' => {
                let (name, rest) = split_word(&text[1..]);
                pieces.push(Piece::Name(name.to_owned()));
                text = rest;
            }
            '*' => {
                let (n, rest) = split_word(&text[1..]);
                let Some(Piece::Bytes(bytes)) = pieces.last_mut() else {
                    panic!("nothing to repeat in {text}");
                };
                *bytes = bytes.repeat(n.parse().unwrap());
                text = rest;
            }
            _ => {
                let (digits, rest) = split_word(text);
                let bytes = (0..digits.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect(digits))
                    .collect();
                pieces.push(Piece::Bytes(bytes));
                text = rest;
            }
        }
    }
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_alphanumeric())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn variable_byte_integer(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(value & 0x7F).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

const CONNECT_5: &str = "10 'MQTT' 05 02 0000 {} ''";
const CONNECT_3: &str = "10 'MQTT' 04 02 0000 ''";
const CONNECT_3_FOR_A_SECOND: &str = "10 'MQTT' 04 02 0001 ''";
