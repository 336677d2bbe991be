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

use fastrand::Rng;

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

/// As `SEED` says, or different each time.
fn random_from_environment() -> Rng {
    let seed = number("SEED").unwrap_or_else(|| RandomState::new().hash_one(()));
    say(&format!("SEED={seed}"));
    Rng::with_seed(seed)
}
