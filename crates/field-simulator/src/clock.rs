//! What time it is in the field.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, SystemTime},
};

use field::Timestamp;
use tokio::time::Instant;

/// Wall-clock time that never goes back, one for the whole field.
///
/// It counts by a monotonic clock, which stands still while the machine is suspended: the wall clock brings it forward.
/// A wall clock that is set back does not set it back, because that would lengthen a pump's run.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Rc<Cell<Moment>>);

/// The same moment on both clocks.
#[derive(Debug, Clone, Copy)]
struct Moment {
    wall: Timestamp,
    counted: Instant,
}

impl Clock {
    pub(crate) fn starting_now() -> Self {
        Self(Rc::new(Cell::new(Moment::now())))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.at(Moment::now())
    }

    /// When to look whether a deadline has come: then, or a little earlier, as timers do not count a suspension.
    pub(crate) fn instant(&self, deadline: Timestamp) -> Instant {
        let wait = deadline.saturating_duration_since(self.now());
        Instant::now() + wait.min(LOOK_AGAIN)
    }

    fn at(&self, moment: Moment) -> Timestamp {
        let last = self.0.get();
        let counted = last.wall + moment.counted.saturating_duration_since(last.counted);
        if moment.wall > counted {
            self.0.set(moment);
            return moment.wall;
        }
        counted
    }
}

impl Moment {
    fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            wall: Timestamp::from_millis(0) + since_epoch,
            counted: Instant::now(),
        }
    }
}

/// How late a deadline may be noticed after a suspension.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// What the clock says when the wall clock has gone on, or back, by `wall` seconds and the monotonic one by `counted`.
    fn check(steps: &[(i64, u64, i64)]) {
        let start = Moment::now();
        let clock = Clock(Rc::new(Cell::new(start)));
        let after = |seconds: i64| Timestamp::from_millis(start.wall.millis() + seconds * 1_000);
        for &(wall, counted, expected) in steps {
            let moment = Moment {
                wall: after(wall),
                counted: start.counted + Duration::from_secs(counted),
            };
            assert_eq!(clock.at(moment), after(expected), "{wall} {counted}");
        }
    }

    #[test]
    fn a_suspension_is_counted() {
        check(&[(5, 5, 5), (3_605, 5, 3_605), (3_606, 6, 3_606)]);
    }

    #[test]
    fn a_wall_clock_that_is_set_back_holds_nothing_up() {
        check(&[(5, 5, 5), (-3_600, 10, 10), (-3_590, 20, 20), (25, 21, 25)]);
    }

    #[test]
    fn a_deadline_far_away_is_looked_at_again_soon() {
        let clock = Clock::starting_now();
        let wait = |seconds| {
            let deadline = clock.now() + Duration::from_secs(seconds);
            clock.instant(deadline).duration_since(Instant::now())
        };
        assert!(wait(600) <= LOOK_AGAIN);
        assert_eq!(wait(0), Duration::ZERO);
    }
}
