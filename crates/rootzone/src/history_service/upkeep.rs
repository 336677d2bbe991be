//! What is to be sealed or has grown too old is seen to, a little with each commit.

use std::{sync::Arc, time::Duration};

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
    loop {
        ticks.tick().await;
        while let Some(sequence) = {
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
        if history.deadline().is_some_and(|deadline| deadline > now) {
            return None;
        }
        history.handle_timeout(now);
        let mut tasks = Vec::new();
        while tasks.len() < TASKS_AT_ONCE
            && let Some(task) = history.next_task(now)
        {
            tasks.push(task);
        }
        tasks
    };
    // Opened after the tasks were given, it has all chunks that they name.
    let mut view = ViewReader(reader.view());
    let all_sealed: Vec<Sealed> = tasks.into_iter().map(|task| task.run(&mut view)).collect();
    drop(view);
    let mut history = shared.lock();
    for sealed in all_sealed {
        history.finish(sealed, now);
    }
    let wanted = history.store_sequence_wanted();
    (wanted > history.store_sequence()).then_some(wanted)
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Of one chunk each: a millisecond or two of work, and some ten kilobytes to write.
const TASKS_AT_ONCE: usize = 2;
