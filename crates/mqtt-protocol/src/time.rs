//! Time as the machines see it: a number that the shell passes in.

use std::{
    ops::{Add, AddAssign, Sub},
    time::Duration,
};

/// A moment on a monotonic clock, counted from the start of the shell.
///
/// The standard library's `Instant` panics on wasm32 and cannot be made up in a test,
/// so each shell converts its own clock into this one, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant {
    /// Since the start, which is enough for 584 years. One number compares and adds in less code than a `Duration`.
    nanoseconds: u64,
}

impl Instant {
    /// The moment the shell's clock started.
    pub const START: Self = Self { nanoseconds: 0 };

    /// The moment `elapsed` after the shell's clock started.
    #[must_use]
    pub const fn from_start(elapsed: Duration) -> Self {
        Self {
            nanoseconds: nanoseconds(elapsed),
        }
    }

    /// The time since the shell's clock started.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        Duration::from_nanos(self.nanoseconds)
    }

    /// The time from `earlier` to `self`; zero if `earlier` is the later one.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanoseconds.saturating_sub(earlier.nanoseconds))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self {
            nanoseconds: self.nanoseconds.saturating_add(nanoseconds(duration)),
        }
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

const fn nanoseconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs();
    if seconds > SECONDS_MAX {
        return u64::MAX;
    }
    seconds * NANOSECONDS_PER_SECOND + duration.subsec_nanos() as u64
}

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;
/// With any part of a second more it still fits.
const SECONDS_MAX: u64 = u64::MAX / NANOSECONDS_PER_SECOND - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_keeps_its_nanoseconds() {
        let elapsed = Duration::new(1_800_000_000, 999_999_999);
        assert_eq!(Instant::from_start(elapsed).since_start(), elapsed);
    }

    #[test]
    fn what_is_too_late_is_the_end_of_time() {
        let last = Instant::START + Duration::MAX;
        assert_eq!(last + Duration::from_nanos(1), last);
        assert!(Instant::from_start(Duration::from_secs(SECONDS_MAX)) < last);
        assert_eq!(Instant::START - last, Duration::ZERO);
    }
}
