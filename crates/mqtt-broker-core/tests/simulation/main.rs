//! A simulation of the whole protocol: the broker's core, many of the project's own Clients, a network that
//! delays and cuts, and a clock that only the test moves. A model beside it says what has to come of that.
//!
//! `SEED=…` runs one seed again and, where it fails, shows what happened last (`TRACE=…` lines of it).
//! `SIMULATION_SECONDS=…` is for how long new seeds are tried.

mod client;
mod model;
mod network;
mod world;

use std::{
    any::Any,
    env,
    hash::{BuildHasher, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use self::world::{Counts, World};

/// The place of a Client in its world.
pub(crate) type ClientNumber = usize;

/// The place of a Network Connection in its world.
pub(crate) type LinkNumber = usize;

/// Bytes of a payload that not every Client reads.
pub(crate) const LARGE: usize = 600;

#[test]
fn the_same_seed_gives_the_same_run() {
    let seed = chosen_seed().unwrap_or(1);
    let [first, second] = [0, 1].map(|_| {
        let mut world = World::new(seed, false);
        let _ = catch_unwind(AssertUnwindSafe(|| world.run()));
        (world.digest(), world.counts().steps)
    });
    assert_eq!(first, second, "SEED={seed}");
}

#[test]
fn every_client_gets_what_the_model_says() {
    if let Some(seed) = chosen_seed() {
        let counts = run(seed, true).unwrap_or_else(|message| panic!("SEED={seed}: {message}"));
        println!("SEED={seed}: {counts:?}");
        return;
    }
    let first_seed = RandomState::new().hash_one(0) >> 16;
    println!("first seed: SEED={first_seed}");
    let budget = Duration::from_secs(seconds());
    let total = run_many(first_seed, budget).unwrap_or_else(|(seed, message)| {
        // Once more, to see what came before it.
        let _ = run(seed, true);
        panic!("to run this again: SEED={seed}: {message}")
    });
    println!("{total:#?}");
    let floor = STEPS_PER_SECOND_MIN * budget.as_secs();
    assert!(total.steps >= floor, "fewer than {floor} steps");
    assert!(total.numbers.delivered > 0 && total.cuts > 0);
}

/// Runs seed after seed on all cores until the time is over, or one fails.
fn run_many(first_seed: u64, budget: Duration) -> Result<Counts, (u64, String)> {
    let start = now();
    let next_seed = AtomicU64::new(first_seed);
    let is_over = AtomicBool::new(false);
    let total = Mutex::new(Ok(Counts::default()));
    thread::scope(|scope| {
        let n_threads = thread::available_parallelism().map_or(1, Into::into);
        for _ in 0..n_threads {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let seed = next_seed.fetch_add(1, Ordering::Relaxed);
                    let result = run(seed, false);
                    let mut total = total.lock().expect("no thread fails while it adds");
                    match (&mut *total, result) {
                        (Ok(total), Ok(counts)) => total.add(&counts),
                        (Ok(_), Err(message)) => *total = Err((seed, message)),
                        (Err(_), _) => {}
                    }
                    if total.is_err() || now() - start >= budget {
                        is_over.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    total.into_inner().expect("no thread fails while it adds")
}

/// Runs one seed; the error is what the panic said.
#[expect(
    clippy::print_stdout,
    reason = "what came before is shown when a test fails"
)]
fn run(seed: u64, is_traced: bool) -> Result<Counts, String> {
    let mut world = World::new(seed, is_traced);
    let result = catch_unwind(AssertUnwindSafe(|| world.run()));
    if result.is_err() {
        let n_lines = env::var("TRACE").ok().and_then(|text| text.parse().ok());
        let lines: Vec<_> = world.trace().collect();
        let n_skipped = lines.len().saturating_sub(n_lines.unwrap_or(30));
        for line in &lines[n_skipped..] {
            println!("{line}");
        }
    }
    match result {
        Ok(()) => Ok(*world.counts()),
        Err(panic) => Err(text_of(&*panic)),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
        .unwrap_or_default()
}

fn chosen_seed() -> Option<u64> {
    env::var("SEED").ok()?.parse().ok()
}

fn seconds() -> u64 {
    let chosen = env::var("SIMULATION_SECONDS").ok();
    chosen.and_then(|text| text.parse().ok()).unwrap_or(3)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on is no part of a run"
)]
fn now() -> Instant {
    Instant::now()
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.runs += 1;
        self.steps += other.steps;
        self.connections += other.connections;
        self.cuts += other.cuts;
        self.doubles += other.doubles;
        self.virtual_time += other.virtual_time;
        self.numbers.add(&other.numbers);
    }
}

/// An unoptimised build on a slow machine does more.
const STEPS_PER_SECOND_MIN: u64 = 1000;
