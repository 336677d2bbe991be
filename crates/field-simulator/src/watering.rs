//! What a pump adds to the ground of its zone.

use std::time::Duration;

use field::Timestamp;

/// The water that a pump has brought into its zone and that has not drained yet, in points of moisture.
///
/// A tank with a hole: while water runs it rises towards a balance, and afterwards it falls by half every few minutes.
/// Always in wall-clock time, because a pump's run is.
#[derive(Debug)]
pub(crate) struct Watering {
    level: f64,
    since: Timestamp,
    is_running: bool,
}

impl Watering {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            level: 0.0,
            since: now,
            is_running: false,
        }
    }

    pub(crate) fn set_running(&mut self, is_running: bool, now: Timestamp) {
        self.level = self.level(now);
        self.since = now;
        self.is_running = is_running;
    }

    /// Points of moisture above what the ground would have without the pump.
    pub(crate) fn level(&self, now: Timestamp) -> f64 {
        let elapsed = now.saturating_duration_since(self.since);
        let remaining = (-elapsed.as_secs_f64() / DRAINAGE.as_secs_f64()).exp();
        let balance = if self.is_running { BALANCE } else { 0.0 };
        balance + (self.level - balance) * remaining
    }
}

/// How long it takes to drain to about a third: believable to watch, far quicker than real soil.
const DRAINAGE: Duration = Duration::from_secs(300);
/// Where a pump that runs for ever would lead: so chosen that 60 s of water bring 3 points.
const BALANCE: f64 = 16.55;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_minute_of_water_brings_three_points_that_drain_again() {
        let mut watering = Watering::new(at(0));
        assert_eq!(watering.level(at(100)), 0.0);
        watering.set_running(true, at(100));
        assert!((watering.level(at(160)) - 3.0).abs() < 0.01);
        watering.set_running(false, at(160));
        assert!((watering.level(at(160)) - 3.0).abs() < 0.01);
        assert!(watering.level(at(460)) < 1.2);
        assert!(watering.level(at(3_760)) < 0.01);
    }
}
