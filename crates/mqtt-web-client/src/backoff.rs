//! How long to wait before the next attempt.

use std::{ops::RangeInclusive, time::Duration};

/// The bounds of the wait. Within them it is "full jitter": evenly random up to a bound that doubles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackoffSettings {
    /// The first bound and the last while the page is visible; by default 0.25 s to 4 s.
    pub visible: RangeInclusive<Duration>,
    /// The same while it is hidden; by default 0.25 s to 30 s.
    pub hidden: RangeInclusive<Duration>,
    /// How long a connection must last before the bound is the first again; by default 10 s.
    pub stable_after: Duration,
}

/// Counts failed attempts and draws the waits.
#[derive(Debug, Clone)]
pub struct Backoff {
    settings: BackoffSettings,
    n_failures: u32,
}

impl Backoff {
    /// Begins with the first bound.
    #[must_use]
    pub fn new(settings: BackoffSettings) -> Self {
        Self {
            settings,
            n_failures: 0,
        }
    }

    /// Counts a failure and gives the wait that follows it; `random` is any number, evenly distributed.
    pub fn handle_failure(&mut self, is_visible: bool, random: u32) -> Duration {
        let bound = self.bound(is_visible);
        self.n_failures = self.n_failures.saturating_add(1);
        let seconds = bound * f64::from(random) / f64::from(u32::MAX);
        // Not `Duration::from_secs_f64`, whose panics, none of which can come, take more room than all of this.
        Duration::from_nanos((seconds * 1e9).ceil() as u64)
    }

    /// Takes note that a connection ended that had lasted for `duration`.
    pub fn handle_connection(&mut self, duration: Duration) {
        if duration >= self.settings.stable_after {
            self.n_failures = 0;
        }
    }

    /// Begins again with the first bound.
    pub fn reset(&mut self) {
        self.n_failures = 0;
    }

    /// Failures since the last stable connection.
    #[must_use]
    pub fn n_failures(&self) -> u32 {
        self.n_failures
    }

    /// In seconds.
    fn bound(&self, is_visible: bool) -> f64 {
        let range = if is_visible {
            &self.settings.visible
        } else {
            &self.settings.hidden
        };
        let factor = 1_u32.checked_shl(self.n_failures).unwrap_or(u32::MAX);
        let bound = range.start().as_secs_f64() * f64::from(factor);
        bound.min(range.end().as_secs_f64())
    }
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self {
            visible: Duration::from_millis(250)..=Duration::from_secs(4),
            hidden: Duration::from_millis(250)..=Duration::from_secs(30),
            stable_after: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_its_maximum() {
        let mut backoff = Backoff::new(BackoffSettings::default());
        let waits: Vec<u128> = (0..40)
            .map(|_| backoff.handle_failure(true, u32::MAX).as_millis())
            .collect();
        assert_eq!(waits[..6], [250, 500, 1000, 2000, 4000, 4000]);
        assert!(waits[6..].iter().all(|wait| *wait == 4000));
    }

    #[test]
    fn a_hidden_page_waits_longer() {
        let mut backoff = Backoff::new(BackoffSettings::default());
        let waits: Vec<u128> = (0..10)
            .map(|_| backoff.handle_failure(false, u32::MAX).as_millis())
            .collect();
        assert_eq!(waits[9], 30_000);
    }

    #[test]
    fn the_wait_is_anything_from_zero_to_the_bound() {
        let settings = BackoffSettings::default();
        let wait = |random| Backoff::new(settings.clone()).handle_failure(true, random);
        assert_eq!(wait(0), Duration::ZERO);
        assert_eq!(wait(u32::MAX), Duration::from_millis(250));
        assert!(wait(u32::MAX / 2) < Duration::from_millis(126));
        assert!(wait(u32::MAX / 2) > Duration::from_millis(124));
    }

    #[test]
    fn only_a_stable_connection_resets_the_bound() {
        let mut backoff = Backoff::new(BackoffSettings::default());
        for _ in 0..5 {
            backoff.handle_failure(true, 0);
        }
        backoff.handle_connection(Duration::from_secs(9));
        assert_eq!(backoff.n_failures(), 5);
        backoff.handle_connection(Duration::from_secs(10));
        assert_eq!(backoff.n_failures(), 0);
    }
}
