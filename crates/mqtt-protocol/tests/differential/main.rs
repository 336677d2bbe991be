//! The same bytes for our decoder and for that of the crate `mqtt-protocol-core`.
//!
//! Both accept the same content or both refuse; every difference is explained in `differences.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "../it/arbitrary.rs"]
mod arbitrary;
mod content;
mod differences;
mod mutation;
mod theirs;
mod verdict;

use std::{
    collections::BTreeMap,
    env,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use fastrand::Rng;
use mqtt_protocol::{Packet, ProtocolVersion, Role};
use proptest::{
    strategy::{BoxedStrategy, Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    arbitrary::{as_3_1_1, connect, packet_for},
    differences::{DIFFERENCES, Difference, Kind, explain},
    mutation::mutate,
    verdict::{Case, Receiver, Verdict, compare},
};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::V3_1_1, ProtocolVersion::V5_0];
const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Runs for `DIFFERENTIAL_SECONDS`; `SEED=…` begins with the same packets again.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how much is tried depends on the time that there is"
)]
fn what_one_decoder_accepts_the_other_accepts_too() {
    let seed = number_from("SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let budget = Duration::from_secs(number_from("DIFFERENTIAL_SECONDS").unwrap_or(10));
    println!("to run this again: SEED={seed}");

    let mut inputs = Inputs::new(seed);
    let mut tally = Tally::default();
    let start = Instant::now();
    while start.elapsed() < budget {
        for _ in 0..64 {
            inputs.packet_and_its_mutations(|receiver, bytes| tally.compare(receiver, bytes));
            inputs.noise(|receiver, bytes| tally.compare(receiver, bytes));
        }
    }

    tally.report();
    assert!(tally.n_cases() >= 10_000, "only {} cases", tally.n_cases());
    tally.assert_that_every_class_occurred();
}

#[test]
fn every_listed_difference_is_still_there() {
    for (index, difference) in DIFFERENCES.iter().enumerate() {
        let (receiver, bytes) = difference.example;
        let mut is_first = true;
        compare(receiver, bytes, |case| {
            if !std::mem::take(&mut is_first) {
                return;
            }
            let about = difference.about;
            assert!(!case.ours.agrees_with(&case.theirs), "{about}: {case:?}");
            assert_eq!(Kind::of(case), Some(difference.kind), "{about}: {case:?}");
            assert_eq!(explain(case), Some(index), "{about}: {case:?}");
            assert!(!difference.because.is_empty());
        });
    }
}

fn number_from(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// Where the bytes come from.
struct Inputs {
    rng: Rng,
    runner: TestRunner,
    to_client: BoxedStrategy<Packet>,
    to_server: BoxedStrategy<Packet>,
    connects: BoxedStrategy<Packet>,
}

impl Inputs {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self {
            rng: Rng::with_seed(seed),
            runner: TestRunner::new_with_rng(
                Config::default(),
                TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
            ),
            to_client: packet_for(Role::Client),
            to_server: packet_for(Role::Server),
            connects: connect().prop_map(Packet::from).boxed(),
        }
    }

    /// A valid packet, alone and before another, then much that it could have been mistaken for.
    fn packet_and_its_mutations(&mut self, mut handle: impl FnMut(Receiver, &[u8])) {
        let version = VERSIONS[self.rng.usize(..2)];
        let role = ROLES[self.rng.usize(..2)];
        let is_connect = role == Role::Server && self.rng.u8(..8) == 0;
        let strategy = match (is_connect, role) {
            (true, _) => &self.connects,
            (false, Role::Client) => &self.to_client,
            (false, Role::Server) => &self.to_server,
        };
        let packet = strategy.new_tree(&mut self.runner).unwrap().current();
        let packet = match version {
            ProtocolVersion::V5_0 => Some(packet),
            ProtocolVersion::V3_1_1 => as_3_1_1(packet, role),
        };
        let Some(packet) = packet else { return };
        let mut bytes = Vec::new();
        packet.encode(version, &mut bytes).unwrap();
        let receiver = Receiver {
            role,
            version: (!is_connect).then_some(version),
        };
        handle(receiver, &bytes);
        handle(receiver, &[&bytes[..], b"\xC0\x00\xD0\x00"].concat());
        for version in VERSIONS {
            for role in ROLES {
                let version = Some(version);
                handle(Receiver { role, version }, &bytes);
            }
        }
        for _ in 0..N_MUTATIONS {
            handle(receiver, &mutate(&bytes, version, &mut self.rng));
        }
    }

    /// Random bytes, half of them with a first byte and a length that fit.
    fn noise(&mut self, mut handle: impl FnMut(Receiver, &[u8])) {
        let receiver = Receiver {
            role: ROLES[self.rng.usize(..2)],
            version: [None, Some(VERSIONS[0]), Some(VERSIONS[1])][self.rng.usize(..3)],
        };
        let length = self.rng.usize(..24);
        let mut bytes: Vec<u8> = (0..length).map(|_| self.rng.u8(..)).collect();
        if self.rng.bool() {
            // Small numbers are what lengths, codes and identifiers are made of.
            for byte in &mut bytes {
                *byte >>= self.rng.u8(..8);
            }
            let packet_type = self.rng.u8(1..16);
            let flags = if matches!(packet_type, 6 | 8 | 10) {
                2
            } else {
                0
            };
            bytes.splice(0..0, [packet_type << 4 | flags, length as u8]);
        }
        if receiver.role == Role::Client && receiver.version.is_none() {
            return;
        }
        handle(receiver, &bytes);
    }
}

const N_MUTATIONS: usize = 24;

/// What came out of it.
#[derive(Default)]
struct Tally {
    accepted_by_both: u64,
    refused_by_both: u64,
    incomplete_for_both: u64,
    /// By index into `DIFFERENCES`.
    explained: BTreeMap<usize, u64>,
    /// Packets that both accepted, by version (0 for a CONNECT) and type.
    accepted_kinds: BTreeMap<(u8, u8), u64>,
}

impl Tally {
    fn compare(&mut self, receiver: Receiver, bytes: &[u8]) {
        if !bytes.is_empty() {
            compare(receiver, bytes, |case| self.count(case));
        }
    }

    fn count(&mut self, case: &Case<'_>) {
        if !case.ours.agrees_with(&case.theirs) {
            let Some(index) = explain(case) else {
                panic!(
                    "nothing explains why they differ\n{:?}\nbytes {:02x?}\nours {:?}\ntheirs {:?}",
                    case.receiver, case.bytes, case.ours, case.theirs
                );
            };
            *self.explained.entry(index).or_default() += 1;
            return;
        }
        match &case.ours {
            Verdict::Accepted { content, .. } => {
                self.accepted_by_both += 1;
                let version = case.receiver.version.map_or(0, |version| version as u8);
                let kind = (version, content.packet_type);
                *self.accepted_kinds.entry(kind).or_default() += 1;
            }
            Verdict::Refused(_) => self.refused_by_both += 1,
            Verdict::Incomplete => self.incomplete_for_both += 1,
        }
    }

    fn n_cases(&self) -> u64 {
        self.accepted_by_both
            + self.refused_by_both
            + self.incomplete_for_both
            + self.explained.values().sum::<u64>()
    }

    #[expect(clippy::print_stdout, reason = "what was seen")]
    fn report(&self) {
        println!(
            "{} cases: {} accepted by both, {} refused by both, {} incomplete for both",
            self.n_cases(),
            self.accepted_by_both,
            self.refused_by_both,
            self.incomplete_for_both
        );
        for (index, difference) in DIFFERENCES.iter().enumerate() {
            let n_seen = self.explained.get(&index).unwrap_or(&0);
            let Difference {
                about, kind, right, ..
            } = difference;
            println!("{n_seen:>8} {kind:?} by us, right: {right:?}, {about}");
        }
    }

    fn assert_that_every_class_occurred(&self) {
        assert!(self.accepted_by_both >= 1_000);
        assert!(self.refused_by_both >= 1_000);
        assert!(self.incomplete_for_both >= 100);
        for packet_type in 1..=15 {
            for version in [0, 4, 5] {
                let is_possible =
                    (packet_type == 1) == (version == 0) && (version, packet_type) != (4, 15);
                let has_occurred = self.accepted_kinds.contains_key(&(version, packet_type));
                assert_eq!(is_possible, has_occurred, "type {packet_type} of {version}");
            }
        }
    }
}
