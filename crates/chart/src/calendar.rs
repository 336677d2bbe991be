use crate::decimal::push_whole;

/// How far local time is ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct UtcOffset {
    /// In minutes; negative west of Greenwich.
    pub minutes: i32,
}

impl UtcOffset {
    /// The local clock at a moment, as milliseconds since the local 1 January 1970.
    pub(crate) fn local(self, time: i64) -> i64 {
        time.saturating_add(i64::from(self.minutes) * MINUTE)
    }

    /// The moment at which the local clock shows `local`.
    pub(crate) fn moment(self, local: i64) -> i64 {
        local.saturating_sub(i64::from(self.minutes) * MINUTE)
    }
}

/// The local time of day: "14:02".
pub fn clock(time: i64, offset: UtcOffset) -> String {
    let mut text = String::new();
    push_clock(&mut text, offset.local(time));
    text
}

/// The local time of day with seconds: "14:02:05".
pub fn clock_with_seconds(time: i64, offset: UtcOffset) -> String {
    let local = offset.local(time);
    let mut text = String::new();
    push_clock(&mut text, local);
    text.push(':');
    push_whole(&mut text, part(local, SECOND, 60), 2);
    text
}

/// The local day: "5 Dec".
pub fn date(time: i64, offset: UtcOffset) -> String {
    let mut text = String::new();
    push_date(&mut text, Date::of_day(offset.local(time).div_euclid(DAY)));
    text
}

pub(crate) fn push_clock(text: &mut String, local: i64) {
    push_whole(text, part(local, HOUR, 24), 2);
    text.push(':');
    push_whole(text, part(local, MINUTE, 60), 2);
}

pub(crate) fn push_date(text: &mut String, date: Date) {
    push_whole(text, u64::from(date.day), 1);
    text.push(' ');
    text.push_str(month_name(date.month));
}

pub(crate) fn month_name(month: u32) -> &'static str {
    MONTHS.get(month as usize).copied().unwrap_or_default()
}

fn part(local: i64, unit: i64, count: i64) -> u64 {
    local.div_euclid(unit).rem_euclid(count).unsigned_abs()
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// From 0 for January.
    pub(crate) month: u32,
    /// From 1.
    pub(crate) day: u32,
}

impl Date {
    /// The date of a day counted from 1 January 1970.
    pub(crate) fn of_day(day: i64) -> Self {
        // The first guess is at most a year off: a year has at least 365 and on average 365.2425 days.
        let mut year = 1970 + (day * 400).div_euclid(DAYS_IN_400_YEARS);
        while day < first_day_of_year(year) {
            year -= 1;
        }
        while day >= first_day_of_year(year + 1) {
            year += 1;
        }
        let mut rest = day - first_day_of_year(year);
        let mut month = 0;
        while rest >= days_in_month(year, month) {
            rest -= days_in_month(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: rest as u32 + 1,
        }
    }

    /// Months since year 0.
    pub(crate) fn month_count(self) -> i64 {
        self.year * 12 + i64::from(self.month)
    }
}

/// The first day of a month counted from year 0, as days since 1 January 1970.
pub(crate) fn first_day_of_month(month_count: i64) -> i64 {
    let year = month_count.div_euclid(12);
    let months = 0..month_count.rem_euclid(12) as u32;
    first_day_of_year(year) + months.map(|month| days_in_month(year, month)).sum::<i64>()
}

fn first_day_of_year(year: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    (year - 1970) * 365 + leap_days - LEAP_DAYS_BEFORE_1970
}

fn days_in_month(year: i64, month: u32) -> i64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
const DAYS_IN_400_YEARS: i64 = 146_097;
const LEAP_DAYS_BEFORE_1970: i64 = 1969 / 4 - 1969 / 100 + 1969 / 400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn well_known_days() {
        let check = |day, year, month, day_of_month| {
            let date = Date::of_day(day);
            assert_eq!(
                (date.year, date.month + 1, date.day),
                (year, month, day_of_month)
            );
        };
        check(0, 1970, 1, 1);
        check(-1, 1969, 12, 31);
        check(11_016, 2000, 2, 29);
        check(19_782, 2024, 2, 29);
        check(47_540, 2100, 2, 28);
        check(47_541, 2100, 3, 1);
    }

    #[test]
    fn the_clock_follows_the_offset() {
        // 2026-05-04T10:00:05Z
        let time = 1_777_888_805_000;
        assert_eq!(clock(time, UtcOffset::default()), "10:00");
        assert_eq!(
            clock_with_seconds(time, UtcOffset { minutes: 570 }),
            "19:30:05"
        );
        assert_eq!(clock(time, UtcOffset { minutes: -660 }), "23:00");
        assert_eq!(date(time, UtcOffset { minutes: -660 }), "3 May");
    }

    proptest! {
        #[test]
        fn each_day_follows_the_one_before(day in -800_000_i64..800_000) {
            let (date, next) = (Date::of_day(day), Date::of_day(day + 1));
            let in_month = next.month_count() == date.month_count() && next.day == date.day + 1;
            let new_month = next.month_count() == date.month_count() + 1 && next.day == 1;
            prop_assert!(in_month || new_month);
            prop_assert_eq!(first_day_of_month(date.month_count()) + i64::from(date.day) - 1, day);
        }
    }
}
