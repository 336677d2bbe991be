//! Waiting for conditions, never for time.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Asks again and again until there is an answer, and reports how long that took.
pub(crate) async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = condition().await {
            println!("{what}: {:.2} s", start.elapsed().as_secs_f64());
            return found;
        }
        assert!(
            start.elapsed() < LIMIT,
            "{what}: not within {} s",
            LIMIT.as_secs()
        );
        sleep(PAUSE).await;
    }
}

/// Longer than anything that works takes.
const LIMIT: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(50);
