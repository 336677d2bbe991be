use crate::decimal::push_whole;

/// A local clock: how many minutes it is ahead of UTC at a moment, negative west of Greenwich.
///
/// It is asked for every moment that is told or drawn, as most clocks are changed twice a year.
#[derive(Clone, Copy, Debug)]
pub struct Zone(pub fn(i64) -> i32);

impl Zone {
    /// The clock that is never changed.
    pub const UTC: Self = Self(|_| 0);

    /// What the local clock shows at a moment, as milliseconds since its own 1 January 1970.
    pub(crate) fn local(self, time: i64) -> i64 {
        time.saturating_add(self.ahead(time))
    }

    /// The first moment at which the local clock shows `local`, or more if it leaps over it.
    pub(crate) fn moment(self, local: i64) -> i64 {
        // Whatever the clock's last change was, it is one of the two around it.
        let (before, after) = (self.ahead(local - DAY), self.ahead(local + DAY));
        let (early, late) = (local - before.max(after), local - before.min(after));
        if self.local(early) == local {
            early
        } else if self.local(late) == local {
            late
        } else {
            self.change(early, late).unwrap_or(late)
        }
    }

    /// The first moment after `start`, up to `end`, at which the clock is ahead by what it is at `end`;
    /// `None` if it is so at `start` too.
    pub(crate) fn change(self, start: i64, end: i64) -> Option<i64> {
        let after = self.ahead(end);
        if self.ahead(start) == after {
            return None;
        }
        let (mut before, mut changed) = (start, end);
        while changed - before > 1 {
            let middle = before + (changed - before) / 2;
            if self.ahead(middle) == after {
                changed = middle;
            } else {
                before = middle;
            }
        }
        Some(changed)
    }

    /// In milliseconds.
    fn ahead(self, time: i64) -> i64 {
        i64::from((self.0)(time)) * MINUTE
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

/// The local time of day: "14:02".
pub fn clock(time: i64, zone: Zone) -> String {
    let mut text = String::new();
    push_clock(&mut text, zone.local(time));
    text
}

/// The local time of day with seconds: "14:02:05".
pub fn clock_with_seconds(time: i64, zone: Zone) -> String {
    let local = zone.local(time);
    let mut text = String::new();
    push_clock(&mut text, local);
    text.push(':');
    push_whole(&mut text, part(local, SECOND, 60), 2);
    text
}

/// The local day: "5 Dec".
pub fn date(time: i64, zone: Zone) -> String {
    let mut text = String::new();
    push_date(&mut text, Date::of_day(zone.local(time).div_euclid(DAY)));
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

/// Central Europe's clock, which is changed on the last Sundays of March and October.
#[cfg(test)]
pub(crate) const BERLIN: Zone = Zone(|time| {
    let year = Date::of_day(time.div_euclid(DAY)).year;
    let last_sunday = |month: i64| {
        let next = first_day_of_month(year * 12 + month + 1);
        // 1 January 1970 was a Thursday.
        next - 1 - (next - 1 + 4).rem_euclid(7)
    };
    let summer = last_sunday(2) * DAY + HOUR..last_sunday(9) * DAY + HOUR;
    if summer.contains(&time) { 120 } else { 60 }
});

/// When it is put forward in 2026: 2026-03-29T01:00Z.
#[cfg(test)]
pub(crate) const SPRING: i64 = 1_774_746_000_000;
/// When it is put back in 2026: 2026-10-25T01:00Z.
#[cfg(test)]
pub(crate) const AUTUMN: i64 = 1_792_890_000_000;

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
        assert_eq!(clock(time, Zone::UTC), "10:00");
        assert_eq!(clock_with_seconds(time, Zone(|_| 570)), "19:30:05");
        assert_eq!(clock(time, Zone(|_| -660)), "23:00");
        assert_eq!(date(time, Zone(|_| -660)), "3 May");
    }

    #[test]
    fn a_clock_that_is_put_back_shows_an_hour_twice() {
        let at = |moment, shown: &str| assert_eq!(clock(moment, BERLIN), shown);
        // 2026-10-25, 03:00 becomes 02:00 at 01:00Z; 2026-03-29, 02:00 becomes 03:00 at 01:00Z.
        at(AUTUMN - MINUTE, "02:59");
        at(AUTUMN, "02:00");
        at(SPRING - MINUTE, "01:59");
        at(SPRING, "03:00");
        let local = |moment: i64, hours: i64| moment + hours * HOUR;
        // The first of two moments, and the leap itself for one that never comes.
        assert_eq!(
            BERLIN.moment(local(AUTUMN, 1) + 30 * MINUTE),
            AUTUMN - 30 * MINUTE
        );
        assert_eq!(BERLIN.moment(local(SPRING, 1) + 30 * MINUTE), SPRING);
        assert_eq!(BERLIN.change(AUTUMN - DAY, AUTUMN + DAY), Some(AUTUMN));
    }

    proptest! {
        #[test]
        fn a_moment_is_found_by_what_its_clock_shows(time in AUTUMN - 400 * DAY..AUTUMN + 400 * DAY) {
            let local = BERLIN.local(time);
            let found = BERLIN.moment(local);
            prop_assert_eq!(BERLIN.local(found), local);
            prop_assert!(found == time || found == time - HOUR);
        }

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
