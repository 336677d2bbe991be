//! What was acknowledged survives a power cut: the broker's core and its store on a disk that loses power in the
//! middle of a write, Clients that keep their sessions, and a book of what they were promised.
//!
//! `SEED=…` runs one seed again and, where it fails, shows what happened last (`TRACE=…` lines of it).
//! `POWER_CUT_SECONDS=…` is for how long new seeds are tried, `POWER_CUTS=…` how many cuts there are at least.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests, and a search says how far it came"
)]

mod book;
mod client;
mod machine;
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

use self::world::{Counts, Plan, World};

/// The place of a Client in its world.
pub(crate) type ClientNumber = usize;

/// Names a Network Connection of a world.
pub(crate) type LinkNumber = u64;

#[test]
fn the_same_seed_gives_the_same_run() {
    let seed = chosen_seed().unwrap_or(1);
    let [first, second] = [0, 1].map(|_| {
        let mut world = World::new(seed, Plan::Random, true);
        let _ = catch_unwind(AssertUnwindSafe(|| world.run()));
        (*world.counts(), world.trace().to_vec())
    });
    assert_eq!(first.0, second.0, "SEED={seed}");
    assert_eq!(first.1, second.1, "SEED={seed}");
}

/// The power goes at each write, each sync and each change of length of one run in turn.
#[test]
fn no_moment_to_lose_power_is_worse_than_another() {
    let seed = chosen_seed().unwrap_or(1);
    let whole = run(seed, Plan::Once(u64::MAX), false);
    let n_operations = match whole {
        Ok(counts) => counts.disk_operations,
        Err(message) => panic!("without a cut: {message}"),
    };
    println!("SEED={seed}: {n_operations} operations of the disk");
    let total = run_many(n_operations, None, |operation| {
        run(seed, Plan::Once(operation), false)
    });
    let total = total.unwrap_or_else(|(operation, message)| {
        let _ = run(seed, Plan::Once(operation), true);
        panic!("SEED={seed}, power goes at operation {operation}: {message}")
    });
    assert!(total.cuts >= n_operations, "{total:?}");
    assert!(n_operations > 50, "there is something to interrupt");
}

#[test]
fn what_was_acknowledged_survives() {
    if let Some(seed) = chosen_seed() {
        let counts = run(seed, Plan::Random, true);
        let counts = counts.unwrap_or_else(|message| panic!("SEED={seed}: {message}"));
        println!("SEED={seed}: {counts:?}");
        return;
    }
    let first_seed = RandomState::new().hash_one(0) >> 16;
    println!("first seed: SEED={first_seed}");
    let goal = Goal {
        start: Instant::now(),
        budget: Duration::from_secs(number_in("POWER_CUT_SECONDS").unwrap_or(3)),
        n_cuts: number_in("POWER_CUTS"),
    };
    let total = run_many(u64::MAX, Some(&goal), |n| {
        run(first_seed.wrapping_add(n), Plan::Random, false)
    });
    let total = total.unwrap_or_else(|(n, message)| {
        let seed = first_seed.wrapping_add(n);
        // Once more, to see what came before it.
        let _ = run(seed, Plan::Random, true);
        panic!("to run this again: SEED={seed}: {message}")
    });
    println!("{total:#?}");
    println!("{} power cuts in {} runs", total.cuts, total.runs);
    let floor = CUTS_PER_SECOND_MIN * goal.budget.as_secs();
    assert!(total.cuts >= floor, "fewer than {floor} cuts");
    assert!(total.cuts_while_opening > 0 && total.cuts_while_writing > 0);
    assert!(total.arrived > total.acknowledged / 4);
}

/// When enough was run.
struct Goal {
    start: Instant,
    budget: Duration,
    /// If there is a number, time does not matter.
    n_cuts: Option<u64>,
}

impl Goal {
    fn is_reached(&self, total: &Counts) -> bool {
        match self.n_cuts {
            Some(n_cuts) => total.cuts >= n_cuts,
            None => self.start.elapsed() >= self.budget,
        }
    }
}

/// Runs one number after the other on all cores until the end or the goal is reached, or one fails.
fn run_many(
    end: u64,
    goal: Option<&Goal>,
    run: impl Fn(u64) -> Result<Counts, String> + Sync,
) -> Result<Counts, (u64, String)> {
    let next = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let total = Mutex::new((Ok(Counts::default()), 0));
    thread::scope(|scope| {
        let n_threads = thread::available_parallelism().map_or(1, Into::into);
        for _ in 0..n_threads {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        break;
                    }
                    let result = run(number);
                    let mut guard = total.lock().expect("no thread fails while it adds");
                    let (total, n_told) = &mut *guard;
                    match (&mut *total, result) {
                        (Ok(total), Ok(counts)) => total.add(&counts),
                        (Ok(_), Err(message)) => *total = Err((number, message)),
                        (Err(_), _) => {}
                    }
                    let is_done = match total {
                        Ok(total) => {
                            if total.cuts >= *n_told + CUTS_BETWEEN_REPORTS {
                                *n_told = total.cuts;
                                println!("{} power cuts in {} runs", total.cuts, total.runs);
                            }
                            goal.is_some_and(|goal| goal.is_reached(total))
                        }
                        Err(_) => true,
                    };
                    is_over.fetch_or(is_done, Ordering::Relaxed);
                }
            });
        }
    });
    total.into_inner().expect("no thread fails while it adds").0
}

/// Runs one seed; the error is what the panic said.
fn run(seed: u64, plan: Plan, is_traced: bool) -> Result<Counts, String> {
    let mut world = None;
    let result = catch_unwind(AssertUnwindSafe(|| {
        let world = world.insert(World::new(seed, plan, is_traced));
        world.run();
        *world.counts()
    }));
    if result.is_err() {
        let lines = world.as_ref().map_or(&[][..], World::trace);
        let n_lines = number_in("TRACE").unwrap_or(30) as usize;
        for line in &lines[lines.len().saturating_sub(n_lines)..] {
            println!("{line}");
        }
    }
    result.map_err(|panic| text_of(&*panic))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
        .unwrap_or_default()
}

fn chosen_seed() -> Option<u64> {
    number_in("SEED")
}

fn number_in(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// An unoptimised build on a slow machine does more.
const CUTS_PER_SECOND_MIN: u64 = 5;

const CUTS_BETWEEN_REPORTS: u64 = 10_000;
