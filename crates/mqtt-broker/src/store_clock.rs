//! How much time passed while nobody looked.
//!
//! The broker's own clock goes on over restarts, so a moment that was stored keeps its meaning. With each commit
//! the broker's moment is stored beside the clocks of the machine; at the next start they tell what time it is now.

use std::{
    fs,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use bytes::{Buf, BufMut};
use mqtt_protocol::Instant;

/// One moment on all clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The broker's.
    pub(crate) now: Instant,
    /// Since 1970; it jumps when somebody sets it.
    wall: Duration,
    /// Since the machine started, which nobody can set.
    since_boot: Duration,
    /// Differs from one start of the machine to the next; 0 where the system does not tell.
    boot: u128,
}

impl Reading {
    /// Looks at the clocks of the machine.
    pub(crate) fn take(now: Instant) -> Self {
        Self {
            now,
            wall: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default(),
            since_boot: since_boot().unwrap_or_default(),
            boot: *BOOT,
        }
    }

    /// The clocks of a machine that does not tell since when it runs.
    #[cfg(feature = "testing")]
    pub(crate) const fn of_wall(now: Instant, wall: Duration) -> Self {
        Self {
            now,
            wall,
            since_boot: Duration::ZERO,
            boot: 0,
        }
    }

    /// The broker's moment now, told from what was stored last.
    pub(crate) fn resume_from(&self, stored: &Self) -> Instant {
        stored.now + self.time_since(stored)
    }

    fn time_since(&self, stored: &Self) -> Duration {
        if self.boot == stored.boot && self.boot != 0 {
            return self.since_boot.saturating_sub(stored.since_boot);
        }
        // A clock that was never set tells nothing: better to keep what has expired a while longer
        // than to lose what has not.
        if stored.wall < WALL_MIN || self.wall < WALL_MIN {
            return Duration::ZERO;
        }
        self.wall.saturating_sub(stored.wall)
    }

    /// Whether the wall clock was set since `earlier`, so that it has to be stored anew.
    pub(crate) fn has_jumped_since(&self, earlier: &Self) -> bool {
        let expected = earlier.wall + self.now.saturating_duration_since(earlier.now);
        self.wall.abs_diff(expected) > JUMP_MIN
    }

    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.put_u64(nanoseconds(self.now.since_start()));
        bytes.put_u64(nanoseconds(self.wall));
        bytes.put_u64(nanoseconds(self.since_boot));
        bytes.put_u128(self.boot);
    }

    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        Some(Self {
            now: Instant::from_start(Duration::from_nanos(bytes.try_get_u64().ok()?)),
            wall: Duration::from_nanos(bytes.try_get_u64().ok()?),
            since_boot: Duration::from_nanos(bytes.try_get_u64().ok()?),
            boot: bytes.try_get_u128().ok()?,
        })
    }
}

/// Under which a reading is stored; no record of the broker core begins with 0.
pub(crate) const KEY: &[u8] = b"\0clock";

/// The first day of 2025: a clock that shows less was never set.
const WALL_MIN: Duration = Duration::from_secs(1_735_689_600);

/// Two clocks of one machine drift apart by far less.
const JUMP_MIN: Duration = Duration::from_secs(5);

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn since_boot() -> Option<Duration> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(uptime.split_whitespace().next()?.parse().ok()?).ok()
}

/// It is the same as long as this process lives.
static BOOT: LazyLock<u128> = LazyLock::new(|| boot_identifier().unwrap_or_default());

fn boot_identifier() -> Option<u128> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    u128::from_str_radix(&text.trim().replace('-', ""), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn reading(now: u64, wall: Duration, since_boot: u64, boot: u128) -> Reading {
        Reading {
            now: Instant::from_start(Duration::from_secs(now)),
            wall,
            since_boot: Duration::from_secs(since_boot),
            boot,
        }
    }

    #[track_caller]
    fn check(stored: &Reading, at_start: &Reading, expected: u64) {
        let now = at_start.resume_from(stored);
        assert_eq!(now.since_start(), Duration::from_secs(expected));
    }

    #[test]
    fn the_time_off_is_added() {
        let stored = reading(100, WALL_MIN, 1000, 7);
        let an_hour_later = WALL_MIN + Duration::from_secs(3600);
        check(&stored, &reading(0, an_hour_later, 20, 8), 3700);
        check(&stored, &reading(0, an_hour_later, 1500, 0), 3700);
    }

    #[test]
    fn a_wall_clock_that_is_set_does_not_matter_on_the_same_day_of_the_machine() {
        let stored = reading(100, WALL_MIN, 1000, 7);
        for wall in [Duration::ZERO, WALL_MIN - DAY, WALL_MIN + 1000 * DAY] {
            check(&stored, &reading(0, wall, 1500, 7), 600);
        }
    }

    #[test]
    fn a_wall_clock_that_went_back_or_was_never_set_adds_nothing() {
        let stored = reading(100, WALL_MIN + DAY, 1000, 7);
        check(&stored, &reading(0, WALL_MIN, 20, 8), 100);
        check(&stored, &reading(0, DAY, 20, 8), 100);
        let never_set = reading(100, DAY, 1000, 7);
        check(&never_set, &reading(0, WALL_MIN + DAY, 20, 8), 100);
    }

    #[test]
    fn a_jump_is_noticed_and_time_that_passes_is_none() {
        let earlier = reading(100, WALL_MIN, 1000, 7);
        let on_time = reading(200, WALL_MIN + Duration::from_secs(100), 1100, 7);
        assert!(!on_time.has_jumped_since(&earlier));
        for wall in [WALL_MIN, WALL_MIN + DAY] {
            assert!(reading(200, wall, 1100, 7).has_jumped_since(&earlier));
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let reading = Reading::take(Instant::from_start(DAY));
        let mut bytes = Vec::new();
        reading.encode(&mut bytes);
        assert_eq!(Reading::decode(&bytes), Some(reading));
        assert_eq!(Reading::decode(&bytes[..10]), None);
    }
}
