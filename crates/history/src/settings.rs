//! What is kept for how long, and how much of it.

use crate::{key::Level, point::N_POINTS_MAX, row::N_ROWS_MAX};

/// What is kept for how long, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How old points become, in milliseconds; then only rollups tell of them.
    pub raw_kept: Option<i64>,
    /// How old the rollups of 15 minutes, an hour and a day become.
    pub rollups_kept: [Option<i64>; 3],
    /// The most bytes of keys and values; above it the oldest chunks go, points first.
    pub n_bytes_max: Option<u64>,
    /// The most series; readings of more are refused.
    pub n_series_max: usize,
    /// The most points of a chunk, up to 4,096: they are decoded in less than a millisecond.
    pub n_chunk_points: usize,
    /// The most rows of a chunk of rollups, up to 1,024.
    pub n_chunk_rows: usize,
    /// So many points wait for being sealed into a chunk, unless they wait too long.
    pub n_head_points: usize,
    /// How long a few points wait.
    pub seal_after: i64,
    /// How long a point waits that came later than others which are sealed.
    pub seal_late_after: i64,
    /// A clock that shows an earlier time was never set, and cannot tell what is ahead.
    pub clock_set_since: i64,
    /// The most points and rows that one request may decode.
    pub query_work_max: u64,
    /// The most series that one request may ask for.
    pub query_series_max: usize,
    /// The most pixels that one request may ask for.
    pub query_points_max: u32,
}

impl Settings {
    pub(crate) fn kept(&self, level: Level) -> Option<i64> {
        if level == Level::Raw {
            return self.raw_kept;
        }
        self.rollups_kept[level.index()]
    }

    pub(crate) fn n_chunk_points(&self) -> usize {
        self.n_chunk_points.clamp(1, N_POINTS_MAX)
    }

    pub(crate) fn n_chunk_rows(&self) -> usize {
        self.n_chunk_rows.clamp(1, N_ROWS_MAX)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            raw_kept: Some(2 * 366 * DAY),
            rollups_kept: [None; 3],
            n_bytes_max: None,
            n_series_max: 10_000,
            n_chunk_points: N_POINTS_MAX,
            n_chunk_rows: N_ROWS_MAX,
            n_head_points: 128,
            seal_after: DAY / 4,
            seal_late_after: DAY / 24 / 60,
            clock_set_since: i64::MIN,
            query_work_max: 2_000_000,
            query_series_max: 100,
            query_points_max: 10_000,
        }
    }
}

pub(crate) const DAY: i64 = Level::Day.width();
