//! Time as a page may count it.

use std::time::Duration;

use mqtt_protocol::Instant;

/// A clock that never goes back and goes on while the machine sleeps, made of two that each do one of these.
///
/// The browser's monotonic clock may stop in a sleep. So what the wall clock is suddenly ahead of it counts too.
/// A wall clock that was set forward looks the same: what waits then expires early and is told so, which does
/// less harm than being sent late. One that was set back changes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// What the wall clock was last ahead of the monotonic one, in milliseconds.
    ahead: f64,
    slept: f64,
}

impl Clock {
    /// Begins with what both clocks say, in milliseconds.
    pub(crate) fn new(monotonic: f64, wall: f64) -> Self {
        Self {
            ahead: wall - monotonic,
            slept: 0.0,
        }
    }

    /// The moment at which both clocks say this.
    pub(crate) fn now(&mut self, monotonic: f64, wall: f64) -> Instant {
        let ahead = wall - monotonic;
        let jump = ahead - self.ahead;
        self.ahead = ahead;
        // Less is the wall clock being adjusted, or rounded.
        if jump >= SLEEP_MIN {
            self.slept += jump;
        }
        let microseconds = (monotonic + self.slept) * 1000.0;
        Instant::from_start(Duration::from_micros(microseconds as u64))
    }
}

/// In milliseconds.
const SLEEP_MIN: f64 = 1000.0;

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: f64 = 1_800_000_000_000.0;
    const HOUR: f64 = 3_600_000.0;

    /// The seconds that the clock counts after each of these readings, in seconds since it began.
    fn counted<const N: usize>(readings: [(f64, f64); N]) -> [u64; N] {
        let mut clock = Clock::new(5000.0, WALL);
        readings.map(|(monotonic, wall)| {
            let now = clock.now(5000.0 + monotonic * 1000.0, WALL + wall * 1000.0);
            now.since_start().as_secs() - 5
        })
    }

    #[test]
    fn a_sleep_counts_where_the_monotonic_clock_stops_in_it() {
        let readings = [(10.0, 10.0), (11.0, 3611.0), (12.0, 3612.0), (13.0, 7213.0)];
        assert_eq!(counted(readings), [10, 3611, 3612, 7213]);
    }

    #[test]
    fn a_sleep_counts_once_where_the_monotonic_clock_goes_on() {
        assert_eq!(counted([(3600.0, 3600.0), (3601.0, 3601.0)]), [3600, 3601]);
    }

    #[test]
    fn a_wall_clock_that_is_set_back_changes_nothing_and_hides_no_later_sleep() {
        let readings = [(10.0, 10.0), (11.0, -3589.0), (12.0, -3588.0), (13.0, 13.0)];
        assert_eq!(counted(readings), [10, 11, 12, 3613]);
    }

    #[test]
    fn a_wall_clock_that_is_adjusted_little_by_little_is_not_a_sleep() {
        let mut clock = Clock::new(0.0, WALL);
        let mut now = Instant::START;
        for second in 1..=3600 {
            let monotonic = f64::from(second) * 1000.0;
            now = clock.now(monotonic, WALL + monotonic * 1.5);
        }
        assert_eq!(now.since_start(), Duration::from_millis(HOUR as u64));
    }
}
