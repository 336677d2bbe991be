//! Wall-clock time, and RFC 3339 in and out.

use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    time::Duration,
};

/// A moment of wall-clock time: milliseconds since the Unix epoch, between the years 0000 and 9999.
///
/// [`Display`](fmt::Display) and [`FromStr`] are RFC 3339; what was read with an offset is written in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `milliseconds` after the Unix epoch, moved into the years that RFC 3339 can write.
    #[must_use]
    pub const fn from_millis(milliseconds: i64) -> Self {
        if milliseconds < FIRST_MILLIS {
            Self(FIRST_MILLIS)
        } else if milliseconds > LAST_MILLIS {
            Self(LAST_MILLIS)
        } else {
            Self(milliseconds)
        }
    }

    /// What a device means by a number: seconds since the Unix epoch, or milliseconds if they would be too many.
    ///
    /// `None` if that is before the year 2000: a device whose clock was never set counts from its start.
    #[must_use]
    pub fn from_epoch(number: f64) -> Option<Self> {
        let milliseconds = match number {
            SECONDS_MIN..SECONDS_MAX => number * 1_000.0,
            MILLIS_MIN..MILLIS_MAX => number,
            _ => return None,
        };
        Some(Self(milliseconds.round() as i64))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is the later one.
    #[must_use]
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(whole_millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(whole_millis(duration)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MILLIS));
        let in_day = self.0.rem_euclid(DAY_MILLIS);
        let (hour, minute, second) = (
            in_day / 3_600_000,
            in_day / 60_000 % 60,
            in_day / 1_000 % 60,
        );
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        match in_day % 1_000 {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        parse(text.as_bytes()).ok_or(InvalidTimestamp)
    }
}

/// A text is not a date and time as RFC 3339 writes them, such as `2026-05-04T10:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time like 2026-05-04T10:00:00Z")]
pub struct InvalidTimestamp;

fn parse(text: &[u8]) -> Option<Timestamp> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    punctuation(&mut rest, b"-")?;
    let month = in_range(digits(&mut rest, 2)?, 1, 12)?;
    punctuation(&mut rest, b"-")?;
    let day = in_range(digits(&mut rest, 2)?, 1, days_in_month(year, month))?;
    punctuation(&mut rest, b"Tt ")?;
    let hour = in_range(digits(&mut rest, 2)?, 0, 23)?;
    punctuation(&mut rest, b":")?;
    let minute = in_range(digits(&mut rest, 2)?, 0, 59)?;
    punctuation(&mut rest, b":")?;
    // 60 is a leap second; it becomes the first second of the next minute.
    let second = in_range(digits(&mut rest, 2)?, 0, 60)?;
    let millis = fraction_millis(&mut rest)?;
    let offset_minutes = offset_minutes(&mut rest)?;
    if !rest.is_empty() {
        return None;
    }
    let minutes = days_from_civil(year, month, day) * 24 * 60 + hour * 60 + minute - offset_minutes;
    Some(Timestamp::from_millis(
        minutes * 60_000 + second * 1_000 + millis,
    ))
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    head.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn punctuation(rest: &mut &[u8], allowed: &[u8]) -> Option<u8> {
    let (&first, tail) = rest.split_first()?;
    *rest = tail;
    allowed.contains(&first).then_some(first)
}

fn in_range(number: i64, from: i64, to: i64) -> Option<i64> {
    (from..=to).contains(&number).then_some(number)
}

/// A point and any number of digits, of which milliseconds are kept.
fn fraction_millis(rest: &mut &[u8]) -> Option<i64> {
    let Some(mut tail) = rest.strip_prefix(b".") else {
        return Some(0);
    };
    let (mut millis, mut scale) = (0, 100);
    let mut any = false;
    while let Some((&digit, after)) = tail.split_first() {
        if !digit.is_ascii_digit() {
            break;
        }
        millis += i64::from(digit - b'0') * scale;
        scale /= 10;
        any = true;
        tail = after;
    }
    *rest = tail;
    any.then_some(millis)
}

fn offset_minutes(rest: &mut &[u8]) -> Option<i64> {
    let sign = match punctuation(rest, b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let hours = in_range(digits(rest, 2)?, 0, 23)?;
    punctuation(rest, b":")?;
    let minutes = in_range(digits(rest, 2)?, 0, 59)?;
    Some(sign * (hours * 60 + minutes))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - DAYS_FROM_MARCH_0000_TO_EPOCH
}

/// The date of the proleptic Gregorian calendar `days` after 1970-01-01.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_FROM_MARCH_0000_TO_EPOCH;
    let (era, of_era) = (
        days.div_euclid(DAYS_IN_400_YEARS),
        days.rem_euclid(DAYS_IN_400_YEARS),
    );
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// 2000-01-01.
const SECONDS_MIN: f64 = 946_684_800.0;
/// In the year 5138; as milliseconds this is in 1973.
const SECONDS_MAX: f64 = 1e11;
const MILLIS_MIN: f64 = SECONDS_MIN * 1_000.0;
const MILLIS_MAX: f64 = SECONDS_MAX * 1_000.0;
const DAY_MILLIS: i64 = 86_400_000;
const DAYS_IN_400_YEARS: i64 = 146_097;
const DAYS_FROM_MARCH_0000_TO_EPOCH: i64 = 719_468;
const FIRST_MILLIS: i64 = days_from_civil(0, 1, 1) * DAY_MILLIS;
const LAST_MILLIS: i64 = days_from_civil(10_000, 1, 1) * DAY_MILLIS - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Option<i64> {
        text.parse().ok().map(Timestamp::millis)
    }

    #[test]
    fn known_moments_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2026-05-04T10:00:00Z", 1_777_888_800_000),
            ("2026-05-04T12:00:00+02:00", 1_777_888_800_000),
            ("2026-05-04T04:30:00.25-05:30", 1_777_888_800_250),
            ("2026-05-04t10:00:00.123456z", 1_777_888_800_123),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ] {
            assert_eq!(parsed(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_moment_is_refused() {
        for text in [
            "",
            "now",
            "2026-05-04",
            "2026-05-04T10:00:00",
            "2026-05-04T10:00Z",
            "2026-02-29T10:00:00Z",
            "2026-13-01T10:00:00Z",
            "2026-05-04T24:00:00Z",
            "2026-05-04T10:00:00.Z",
            "2026-05-04T10:00:00Zz",
            "2026-05-04T10:00:00+0200",
            "+026-05-04T10:00:00Z",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_seconds_or_milliseconds() {
        for (number, millis) in [
            (1_777_888_800.0, Some(1_777_888_800_000)),
            (1_777_888_800.25, Some(1_777_888_800_250)),
            (1_777_888_800_000.0, Some(1_777_888_800_000)),
            (946_684_800.0, Some(946_684_800_000)),
            (0.0, None),
            (3_600.0, None),
            (100_000_000_000.0, None),
            (-1.0, None),
            (1e300, None),
            (f64::NAN, None),
        ] {
            let found = Timestamp::from_epoch(number).map(Timestamp::millis);
            assert_eq!(found, millis, "{number}");
        }
    }

    #[test]
    fn milliseconds_are_written_only_where_there_are_some() {
        assert_eq!(
            Timestamp::from_millis(0).to_string(),
            "1970-01-01T00:00:00Z"
        );
        assert_eq!(
            Timestamp::from_millis(-1).to_string(),
            "1969-12-31T23:59:59.999Z"
        );
    }

    #[test]
    fn arithmetic_stays_within_the_years_that_can_be_written() {
        let last = Timestamp::from_millis(i64::MAX);
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(last + Duration::MAX, last);
        let first = Timestamp::from_millis(i64::MIN);
        assert_eq!(first.to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(first - Duration::MAX, first);
        assert_eq!(first.saturating_duration_since(last), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn any_moment_survives_its_text(millis: i64) {
            let moment = Timestamp::from_millis(millis);
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9TZtz:.+ -]{0,32}|.*") {
            if let Ok(moment) = text.parse::<Timestamp>() {
                prop_assert_eq!(moment.to_string().parse(), Ok(moment));
            }
        }
    }
}
