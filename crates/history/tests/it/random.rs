//! Any sequence of readings, any window, any moment for a power cut.
//!
//! `SEED=…` runs one seed again; `HISTORY_SECONDS=…` is for how long new seeds are tried.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use crate::world::{Counts, World};

#[test]
#[expect(clippy::disallowed_methods, reason = "the test has a budget of time")]
fn every_window_is_exact_whatever_came_before_it() {
    if let Some(seed) = number_in("SEED") {
        println!("{:?}", run(seed));
        return;
    }
    let first_seed = RandomState::new().hash_one(0) >> 16;
    println!("first seed: SEED={first_seed}");
    let budget = Duration::from_secs(number_in("HISTORY_SECONDS").unwrap_or(4));
    let start = Instant::now();
    let mut total = Counts::default();
    for seed in first_seed.. {
        if total.runs >= RUNS_MIN && start.elapsed() >= budget {
            break;
        }
        total.add(&run(seed));
    }
    println!("{total:#?}");
    let floor = WINDOWS_PER_SECOND_MIN * budget.as_secs();
    assert!(total.windows >= floor, "fewer than {floor} windows");
    assert!(total.rolled_up > total.windows / 10, "{total:?}");
    for n in [
        total.late,
        total.doubled,
        total.changed,
        total.seals,
        total.cuts,
        total.outdated,
        total.dropped,
        total.coarsened,
    ] {
        assert!(n > 0, "{total:?}");
    }
}

fn run(seed: u64) -> Counts {
    let mut world = World::new(seed);
    if let Err(difference) = world.run() {
        panic!("to run this again: SEED={seed}: {difference}");
    }
    world.counts
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.readings += other.readings;
        self.late += other.late;
        self.doubled += other.doubled;
        self.changed += other.changed;
        self.seals += other.seals;
        self.cuts += other.cuts;
        self.windows += other.windows;
        self.rolled_up += other.rolled_up;
        self.outdated += other.outdated;
        self.dropped += other.dropped;
        self.coarsened += other.coarsened;
    }
}

fn number_in(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// So many that everything happens.
const RUNS_MIN: u64 = 60;
/// Unoptimised, on a machine that does something else as well.
const WINDOWS_PER_SECOND_MIN: u64 = 20;
