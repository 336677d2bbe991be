//! What finds more the longer it runs, with the real binary: `cargo xtask soak`.
//!
//! An ordinary run of the tests has a little of each. `SEED` repeats the choices of another run.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where and why"
)]
#![expect(
    clippy::print_stderr,
    reason = "the figures are what a long run is for"
)]

mod broker;
mod churn;
mod kills;

use std::{
    env,
    hash::{BuildHasher, RandomState},
};

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{name} is no number"),
    }
}

/// Is seen even if the test passes, with `--nocapture`.
fn say(line: &str) {
    eprintln!("{line}");
}

/// `SplitMix64`.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// As `SEED` says, or different each time.
    fn from_environment() -> Self {
        let seed = number("SEED").unwrap_or_else(|| RandomState::new().hash_one(()));
        say(&format!("SEED={seed}"));
        Self::new(seed)
    }

    fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn next_number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next_number() % end
    }
}
