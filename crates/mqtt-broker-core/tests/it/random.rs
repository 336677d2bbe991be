//! Random cases whose seed is known.

use std::{
    fmt::Debug,
    hash::{BuildHasher, RandomState},
};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Runs `test` on random cases; `SEED=…` runs the same ones again.
#[expect(clippy::print_stdout, reason = "the seed is shown when a test fails")]
pub(crate) fn check<S>(n_cases: u32, strategy: &S, test: impl Fn(S::Value))
where
    S: Strategy,
    S::Value: Debug,
{
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("to run this again: SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: n_cases,
            failure_persistence: None,
            ..Config::default()
        },
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    );
    runner
        .run(strategy, |case| {
            test(case);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
