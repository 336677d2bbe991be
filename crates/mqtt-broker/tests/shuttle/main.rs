//! The output buffer under every order of events that a scheduler comes up with.
//!
//! Shuttle runs threads one at a time and chooses at each lock who goes on, so that a rare race is met often and
//! a thread that nobody wakes is a deadlock at once. The buffer's source is compiled into this test with
//! Shuttle's locks; beside it stand a socket that is full now and then, its peer, the connection's own task, and
//! as much of the broker core as appends and hears who keeps up.
//!
//! `SEED=…` runs one seed again.

#[expect(unreachable_pub, reason = "it is public in the library")]
#[path = "../../src/output/buffer.rs"]
mod buffer;
mod world;

use std::{
    env,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
};

use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler},
    thread,
};

use self::world::{Counts, World};

/// What the buffer takes from its surroundings.
mod sync {
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};
}

/// As above.
mod scratch {
    pub(crate) fn give_back(_: Vec<u8>) {}
}

#[test]
fn everything_is_sent_once_and_in_order() {
    let counts = explore(|| {
        let world = World::new(0);
        let task = world.start_task();
        let peer = world.start(World::take_bytes);
        let appenders = [b'a', b'b', b'c'].map(|name| {
            world.start(move |world| {
                for number in 0..2 {
                    world.append_and_flush(name, number);
                }
            })
        });
        join(appenders);
        join([peer]);
        world.wait_until_settled();
        world.close();
        join([task]);
        world.check_all_sent();
        world.counts()
    });
    assert!(counts.times_full > 0 && counts.times_behind > 0);
    assert_eq!(counts.times_behind, counts.times_up_again);
}

#[test]
fn flushing_late_sends_what_others_appended_too() {
    let counts = explore(|| {
        let world = World::new(0);
        let task = world.start_task();
        let peer = world.start(World::take_bytes);
        let appenders = [b'a', b'b'].map(|name| {
            world.start(move |world| {
                // As a batch of packets does: first all appends, then the flushes.
                let must_flush = [0, 1, 2].map(|number| world.append(name, number));
                let times = must_flush.into_iter().filter(|must| *must).count();
                for _ in 0..times {
                    world.flush();
                }
            })
        });
        join(appenders);
        join([peer]);
        world.wait_until_settled();
        world.close();
        join([task]);
        world.check_all_sent();
        world.counts()
    });
    assert!(counts.times_full > 0 && counts.times_behind > 0);
}

#[test]
fn reading_goes_on_after_the_answers_were_sent() {
    let counts = explore(|| {
        let world = World::new(6);
        let task = world.start_task();
        let peer = world.start(World::take_bytes);
        let appender = world.start(|world| {
            for number in 0..3 {
                world.append_and_flush(b'a', number);
            }
        });
        join([appender]);
        join([peer]);
        world.wait_until_settled();
        world.close();
        join([task]);
        world.check_all_sent();
        world.counts()
    });
    assert!(counts.times_full > 0 && counts.times_reader_waited > 0);
}

#[test]
fn answers_that_waited_for_the_store_are_sent_and_reading_goes_on() {
    let counts = explore(|| {
        let world = World::with_store(4);
        let task = world.start_task();
        let peer = world.start(World::take_bytes);
        let keeper = world.start(|world| world.keep(4));
        let appender = world.start(|world| {
            for number in 0..2 {
                world.append_and_flush(b'a', number);
            }
        });
        join([appender, keeper, peer]);
        world.wait_until_settled();
        world.close();
        join([task]);
        world.check_all_sent();
        world.counts()
    });
    assert!(counts.times_full > 0 && counts.times_reader_waited > 0);
    assert!(counts.times_behind > 0);
}

#[test]
fn a_close_in_between_lets_what_came_before_it_be_sent() {
    let counts = explore(|| {
        let world = World::new(2);
        let task = world.start_task();
        let peer = world.start(World::take_bytes);
        let appenders = [b'a', b'b'].map(|name| {
            world.start(move |world| {
                for number in 0..2 {
                    world.append_and_flush(name, number);
                }
            })
        });
        let closer = world.start(World::close);
        join(appenders);
        join([peer, closer]);
        // The task ends when it hears that all was sent.
        join([task]);
        world.check_all_sent();
        world.counts()
    });
    assert!(counts.times_full > 0 && counts.times_refused > 0);
}

#[test]
fn a_socket_that_breaks_ends_everybody() {
    let counts = explore(|| {
        let world = World::new(1);
        let task = world.start_task();
        let peer = world.start(World::take_bytes);
        let appenders = [b'a', b'b'].map(|name| {
            world.start(move |world| {
                for number in 0..2 {
                    world.append_and_flush(name, number);
                }
            })
        });
        let breaker = world.start(World::break_socket);
        join(appenders);
        join([peer, breaker, task]);
        assert!(!world.append(b'z', 0), "nobody sends to a broken socket");
        world.counts()
    });
    assert!(counts.times_full > 0 && counts.times_refused > 0);
}

fn join<const N: usize>(threads: [thread::JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().expect("a failure has ended the run already");
    }
}

/// Runs a scenario under the schedulers and adds up what happened in it.
#[expect(
    clippy::print_stdout,
    reason = "the seed and the number of interleavings are worth knowing"
)]
fn explore(scenario: impl Fn() -> Counts + Send + Sync + 'static) -> Counts {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let chosen = env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = chosen.unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    println!("{name}: SEED={seed}");
    let total = Arc::new(Mutex::new(Counts::default()));
    let scenario = {
        let total = Arc::clone(&total);
        Arc::new(move || {
            let counts = scenario();
            total.lock().expect("nothing fails under it").add(&counts);
        })
    };
    let random = RandomScheduler::new_from_seed(seed, ITERATIONS);
    let run = Arc::clone(&scenario);
    let mut n = Runner::new(random, Config::default()).run(move || run());
    for n_switches in [2, 4] {
        let pct = PctScheduler::new_from_seed(seed, n_switches, ITERATIONS);
        let run = Arc::clone(&scenario);
        n += Runner::new(pct, Config::default()).run(move || run());
    }
    let total = *total.lock().expect("nothing fails under it");
    println!("{name}: {n} interleavings, {total:?}");
    assert!(n >= 3 * ITERATIONS, "only {n} interleavings");
    total
}

/// For each scheduler.
const ITERATIONS: usize = 20_000;
