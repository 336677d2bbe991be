//! What is kept for how long, and how much one may ask.

use history::Settings;
use serde::Deserialize;

use crate::wall_clock;

/// What is kept for how long, and how much one may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HistoryLimits {
    /// Days after which readings go and only rollups are left; 0 for never.
    pub(crate) raw_days: u32,
    /// Days after which the rollups of 15 minutes go; 0 for never.
    pub(crate) quarter_hour_days: u32,
    /// Days after which those of an hour go; 0 for never.
    pub(crate) hour_days: u32,
    /// Days after which those of a day go; 0 for never.
    pub(crate) day_days: u32,
    /// Bytes of all keys and values.
    pub(crate) bytes: u64,
    pub(crate) series: usize,
    /// Requests of one client that wait.
    pub(crate) requests_per_client: usize,
    /// Requests of all clients that wait.
    pub(crate) requests: usize,
    /// Requests that are worked on at once.
    pub(crate) requests_at_once: usize,
    /// Requests whose answers are on their way at once.
    pub(crate) answers_at_once: usize,
    pub(crate) request_bytes: usize,
    pub(crate) series_per_request: usize,
    pub(crate) points_per_request: u32,
    /// Readings and rows that one request may decode.
    pub(crate) work_per_request: u64,
    /// Bytes of one message of an answer.
    pub(crate) answer_bytes: usize,
}

impl HistoryLimits {
    pub(super) fn settings(&self) -> Settings {
        let milliseconds = |days: u32| (days > 0).then(|| i64::from(days) * DAY);
        Settings {
            raw_kept: milliseconds(self.raw_days),
            rollups_kept: [self.quarter_hour_days, self.hour_days, self.day_days].map(milliseconds),
            n_bytes_max: Some(self.bytes),
            n_series_max: self.series,
            clock_set_since: wall_clock::SET_SINCE,
            query_work_max: self.work_per_request,
            query_series_max: self.series_per_request,
            query_points_max: self.points_per_request,
            ..Settings::default()
        }
    }
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self {
            raw_days: 732,
            quarter_hour_days: 0,
            hour_days: 0,
            day_days: 0,
            bytes: 16 << 30,
            series: 10_000,
            requests_per_client: 16,
            requests: 1_000,
            requests_at_once: 2,
            answers_at_once: 64,
            request_bytes: 65_536,
            series_per_request: 100,
            points_per_request: 10_000,
            work_per_request: 2_000_000,
            answer_bytes: 65_536,
        }
    }
}

const DAY: i64 = 24 * 60 * 60 * 1_000;
