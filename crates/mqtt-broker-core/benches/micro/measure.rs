//! The median of many short rounds: another program's turn on the core spoils a few of them at most.

use std::time::Instant;

/// Prints what one of the `n` things that `act` does costs; `prepare` is not counted.
#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub(crate) fn report<T>(
    scenario: &str,
    n: usize,
    mut prepare: impl FnMut() -> T,
    mut act: impl FnMut(T),
) {
    let mut rounds: Vec<u128> = (0..WARM_UP + ROUNDS)
        .map(|_| {
            let prepared = prepare();
            let start = now();
            act(prepared);
            (now() - start).as_nanos()
        })
        .skip(WARM_UP)
        .collect();
    rounds.sort_unstable();
    let nanoseconds = rounds[ROUNDS / 2] as f64 / n as f64;
    println!("{scenario} {nanoseconds:.2}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the crate takes time as an argument; how long it takes is seen from outside"
)]
fn now() -> Instant {
    Instant::now()
}

const WARM_UP: usize = 10;
const ROUNDS: usize = 101;
