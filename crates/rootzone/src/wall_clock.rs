//! What time it is for people.

use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that shows a time before 2020 was never set.
pub(crate) const SET_SINCE: i64 = 1_577_836_800_000;

/// In milliseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| elapsed.as_millis() as i64)
}
