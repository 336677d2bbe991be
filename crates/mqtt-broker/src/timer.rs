//! The one task that keeps the broker core's deadline.

use std::{future::pending, sync::Arc};

use tokio::{select, sync::watch, task::yield_now, time::sleep_until};

use crate::{flush_list::FlushList, hub::Hub};

/// Runs the core whenever its deadline comes, until the server stops.
pub(crate) async fn keep_deadlines(hub: Arc<Hub>, mut is_stopping: watch::Receiver<bool>) {
    let mut flushes = FlushList::default();
    loop {
        let deadline = hub.deadline();
        let deadline_comes = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        select! {
            () = deadline_comes => {
                hub.handle_timeout(&mut flushes);
                flushes.flush_all(&hub).await;
                // A deadline that is always due must not keep others from running.
                yield_now().await;
            }
            () = hub.deadline_moved() => {}
            () = stopped(&mut is_stopping) => return,
        }
    }
}

/// Waits until the server stops.
pub(crate) async fn stopped(is_stopping: &mut watch::Receiver<bool>) {
    // An error means that the server itself is gone.
    let _ = is_stopping.wait_for(|is_stopping| *is_stopping).await;
}
