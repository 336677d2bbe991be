//! How far rows of an answer are apart.

use crate::key::{Level, MINUTE};

/// The steps of answers. Each is a multiple of the level that it is made of.
pub(crate) const STEPS: [i64; 25] = [
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    4 * DAY,
    8 * DAY,
    16 * DAY,
    32 * DAY,
    64 * DAY,
    128 * DAY,
    256 * DAY,
    512 * DAY,
];

/// The finest step that has no more than so many rows in a span.
pub(crate) fn step_for(span: u64, n_rows_max: usize) -> i64 {
    // The first and the last bucket may stand only partly within it.
    let n_whole_max = (n_rows_max as u64).saturating_sub(2);
    let fits = |step: &i64| span / (*step as u64) <= n_whole_max;
    let known = STEPS.into_iter().find(fits);
    known.unwrap_or_else(|| (span / DAY as u64 / n_whole_max.max(1) + 1) as i64 * DAY)
}

/// The coarsest level that rows of this step can be made of; `None` for points.
pub(crate) fn level_below(step: i64) -> Option<Level> {
    let mut levels = Level::ROLLUPS.into_iter().rev();
    levels.find(|level| step >= level.width() && step % level.width() == 0)
}

const HOUR: i64 = Level::Hour.width();
const DAY: i64 = Level::Day.width();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_as_fine_as_the_rows_allow() {
        for (span, n_rows, step) in [
            (HOUR, 2_400, 2_000),
            (DAY, 2_400, MINUTE),
            (7 * DAY, 1_200, 15 * MINUTE),
            (365 * DAY, 2_400, 6 * HOUR),
            (5 * 365 * DAY, 2_400, DAY),
            (HOUR, 2, 2 * HOUR),
            (10_000 * 366 * DAY, 1_200, 3_056 * DAY),
        ] {
            let found = step_for(span as u64, n_rows);
            assert_eq!(found, step);
            assert!(span / step + 2 <= n_rows as i64);
        }
    }

    #[test]
    fn every_step_is_a_multiple_of_its_level() {
        assert_eq!(level_below(5 * MINUTE), None);
        assert_eq!(level_below(30 * MINUTE), Some(Level::QuarterHour));
        assert_eq!(level_below(12 * HOUR), Some(Level::Hour));
        assert_eq!(level_below(8 * DAY), Some(Level::Day));
        assert!(STEPS.is_sorted());
    }
}
