//! What is to be sealed or has grown too old is seen to, a little with each commit.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use history::Sealed;
use mqtt_broker::{Server, store::StoreReader};
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use super::{shared::Shared, store::ViewReader};

/// Looks after the history until the process ends.
pub(super) async fn keep_up(shared: Arc<Shared>, reader: StoreReader, server: Server) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let start = Instant::now();
    let mut watch = ClockWatch::default();
    loop {
        ticks.tick().await;
        while let Some(sequence) = {
            let is_doubtful = !watch.is_trusted(shared.now(), start.elapsed());
            shared.lock().set_clock_doubtful(is_doubtful);
            let (shared, reader) = (Arc::clone(&shared), reader.clone());
            let step = spawn_blocking(move || step(&shared, &reader));
            step.await.ok().flatten()
        } {
            // No more of it at once than one commit takes along without being late.
            server.ask_to_store().await;
            shared.stored(sequence).await;
        }
    }
}

/// Does a bounded part of what is due; if there is something to store for it, says what has to be durable before the
/// next step.
pub(super) fn step(shared: &Shared, reader: &StoreReader) -> Option<u64> {
    let now = shared.now();
    let tasks = {
        let mut history = shared.lock();
        history.handle_timeout(now);
        let mut tasks = Vec::new();
        let mut work = 0;
        while work < WORK_AT_ONCE
            && tasks.len() < TASKS_AT_ONCE
            && let Some(task) = history.next_task(now)
        {
            work += task.work();
            tasks.push(task);
        }
        tasks
    };
    let mut all_sealed: Vec<Sealed> = Vec::new();
    if !tasks.is_empty() {
        // Opened after the tasks were given, it has all chunks that they name.
        let mut view = ViewReader(reader.view());
        all_sealed.extend(tasks.into_iter().map(|task| task.run(&mut view)));
    }
    let mut history = shared.lock();
    for sealed in all_sealed {
        history.finish(sealed, now);
    }
    let wanted = history.store_sequence_wanted();
    (wanted > history.store_sequence()).then_some(wanted)
}

/// Compares the clock for people, which can be wrong and be set, with one that only counts.
#[derive(Debug, Default)]
struct ClockWatch {
    /// How far one was ahead of the other when they last disagreed, and when that was.
    agreed: Option<(i64, Duration)>,
}

impl ClockWatch {
    /// Whether the two have gone alike for long enough.
    fn is_trusted(&mut self, clock: i64, counted: Duration) -> bool {
        let ahead = clock.saturating_sub(counted.as_millis() as i64);
        match self.agreed {
            Some((before, since)) if ahead.abs_diff(before) <= STEP_MAX => {
                counted.saturating_sub(since) >= TRUSTED_AFTER
            }
            _ => {
                self.agreed = Some((ahead, counted));
                false
            }
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Points and rows of two full chunks: a few milliseconds, and some ten kilobytes to write.
const WORK_AT_ONCE: usize = 8_192;
/// Of small chunks, which are many where many series go on.
const TASKS_AT_ONCE: usize = 16;
/// A correction of so many milliseconds makes nothing older that is kept for days.
const STEP_MAX: u64 = 60_000;
const TRUSTED_AFTER: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_trusted_an_hour_after_it_was_set() {
        let mut watch = ClockWatch::default();
        let mut is_trusted = |clock: i64, seconds: u64| {
            let clock = 1_800_000_000_000 + clock * 1_000;
            watch.is_trusted(clock, Duration::from_secs(seconds))
        };
        assert!(!is_trusted(0, 0));
        assert!(!is_trusted(3_599, 3_599));
        assert!(is_trusted(3_600, 3_600));
        // Corrected by a little.
        assert!(is_trusted(3_650, 3_601));
        // A year ahead for a second, and back again.
        assert!(!is_trusted(31_536_000, 3_602));
        assert!(!is_trusted(3_603, 3_603));
        assert!(!is_trusted(7_202, 7_202));
        assert!(is_trusted(7_203, 7_203));
    }
}
