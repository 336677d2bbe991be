//! Numbers, units, ages and clock times as people say them.
//!
//! Joined by hand: the standard library's formatting of numbers would be a good part of the page.

use std::{cmp::Ordering, time::Duration};

use chart::{Zone, clock, date, decimal};
use field::Timestamp;

/// A whole number.
#[must_use]
pub fn whole(number: u64) -> String {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    digits[start..]
        .iter()
        .map(|&digit| char::from(digit))
        .collect()
}

/// Whole milliseconds, in a number that a browser divides by itself.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    duration.as_secs() * 1_000 + u64::from(duration.subsec_millis())
}

/// A measured value with one decimal.
#[must_use]
pub fn value(value: f64) -> String {
    decimal(value as f32, 1)
}

/// How long something took or takes, in its largest whole unit: "45 s", "12 min", "6 h", "3 d".
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        0..60 => (seconds, " s"),
        60..3_600 => (seconds / 60, " min"),
        3_600..172_800 => (seconds / 3_600, " h"),
        _ => (seconds / 86_400, " d"),
    };
    whole(number) + unit
}

/// How long ago something was: "just now", "4 s ago", "52 min ago".
#[must_use]
pub fn age(age: Duration) -> String {
    if age < Duration::from_secs(1) {
        return "just now".into();
    }
    duration(age) + " ago"
}

/// A countdown in minutes and seconds, "6:12", rounded up so that it ends with the thing it counts to.
#[must_use]
pub fn countdown(left: Duration) -> String {
    let seconds = millis(left).div_ceil(1_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let mut text = whole(minutes);
    text.push_str(if seconds < 10 { ":0" } else { ":" });
    text + &whole(seconds)
}

/// A moment as people say it on the same day, "14:02", or on another, "3 May 14:02".
#[must_use]
pub fn moment(time: Timestamp, now: Timestamp, zone: Zone) -> String {
    let (time, now) = (time.millis(), now.millis());
    let (day, today) = (date(time, zone), date(now, zone));
    let clock = clock(time, zone);
    if day == today {
        clock
    } else {
        day + " " + &clock
    }
}

/// How many of something: "1 probe", "3 probes".
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let mut text = whole(number as u64);
    text.push(' ');
    text.push_str(noun);
    if number != 1 {
        text.push('s');
    }
    text
}

/// The order in which people count: "Pump 2" stands before "Pump 10".
#[must_use]
pub fn natural_order(one: &str, other: &str) -> Ordering {
    let pairs = one.bytes().zip(other.bytes());
    let same = pairs.take_while(|(one, other)| one == other).count();
    // Where they part, the number with more digits left is the larger.
    let rest = |text: &str| {
        let digits = text.bytes().skip(same).take_while(u8::is_ascii_digit);
        (digits.count(), text.as_bytes().get(same).copied())
    };
    rest(one).cmp(&rest(other))
}

/// That something could not be read, and why.
#[must_use]
pub fn unreadable(what: &str, why: &str) -> String {
    [what, " could not be read: ", why, "."].concat()
}

/// A name made of a topic's level: "north-beds" is "North beds".
#[must_use]
pub fn name_of_level(level: &str) -> String {
    let mut name = level.replace(['-', '_'], " ");
    // The tables of Unicode's upper and lower case would weigh more than this whole module.
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// An id for an element, made of a key: lists of ids are separated by spaces, and a key may hold some.
#[must_use]
pub fn element_id(kind: &str, key: &str) -> String {
    let mut id = String::from(kind);
    for c in key.chars() {
        match c {
            '%' => id.push_str("%25"),
            c if c.is_ascii_whitespace() => id.push_str("%20"),
            c => id.push(c),
        }
    }
    id
}

/// A level made of a name, so that "North beds" stands where "north-beds" does.
#[must_use]
pub fn level_of_name(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace([' ', '_'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        assert_eq!(age(Duration::from_millis(400)), "just now");
        assert_eq!(age(Duration::from_secs(4)), "4 s ago");
    }

    #[test]
    fn a_countdown_ends_with_the_thing_it_counts_to() {
        assert_eq!(countdown(Duration::from_millis(371_500)), "6:12");
        assert_eq!(countdown(Duration::from_millis(1)), "0:01");
        assert_eq!(countdown(Duration::ZERO), "0:00");
    }

    #[test]
    fn levels_become_names_and_names_levels() {
        assert_eq!(name_of_level("north-beds"), "North beds");
        assert_eq!(name_of_level("übung_1"), "übung 1");
        assert_eq!(level_of_name(" North beds"), "north-beds");
    }

    #[test]
    fn an_element_id_has_no_spaces() {
        assert_eq!(element_id("zone-", "North bed"), "zone-North%20bed");
        assert_ne!(element_id("", "a b"), element_id("", "a%20b"));
    }

    #[test]
    fn names_stand_in_the_order_in_which_people_count() {
        let mut names = [
            "Row 10", "Row 2", "Row", "Row 12", "Row 2b", "Roses", "Row 1",
        ];
        names.sort_by(|one, other| natural_order(one, other));
        assert_eq!(
            names,
            [
                "Roses", "Row", "Row 1", "Row 2", "Row 2b", "Row 10", "Row 12"
            ]
        );
        assert_eq!(natural_order("Row 2", "Row 2"), Ordering::Equal);
    }

    #[test]
    fn counts_have_a_plural() {
        assert_eq!(count(1, "probe"), "1 probe");
        assert_eq!(count(13, "probe"), "13 probes");
    }

    #[test]
    fn another_day_is_named() {
        let (time, zone) = (Timestamp::from_millis(1_777_888_805_000), Zone::UTC);
        assert_eq!(moment(time, time, zone), "10:00");
        let tomorrow = time + Duration::from_secs(86_400);
        assert_eq!(moment(time, tomorrow, zone), "4 May 10:00");
    }
}
