//! Dates in names of files.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-05-04T10-00-00Z`: sorts by time, and every file system takes it.
pub(super) fn file_name_time(time: SystemTime) -> String {
    let secs = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, secs) = (secs / DAY_SECS, secs % DAY_SECS);
    // Years begin in March here, so that a leap day is their last; from Howard Hinnant's `civil_from_days`.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z")
}

const DAY_SECS: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_as_people_read_them() {
        let written = |secs| file_name_time(UNIX_EPOCH + Duration::from_secs(secs));
        assert_eq!(written(0), "1970-01-01T00-00-00Z");
        assert_eq!(written(951_782_400), "2000-02-29T00-00-00Z");
        assert_eq!(written(1_777_888_799), "2026-05-04T09-59-59Z");
    }
}
