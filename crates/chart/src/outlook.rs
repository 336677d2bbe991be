use std::cmp::Ordering;

use crate::calendar::{DAY, MINUTE};
use crate::{Band, Scene, Span, Trend, Zone, clock, date, trend};

impl Scene {
    /// Where the readings are going since a moment, in one or two sentences: "Falling 0.4 % an hour
    /// since 14:02. At this rate it leaves the target tomorrow about 11:00."
    ///
    /// `since` says the moment in words. `None` while there are too few readings, or too short a time, to tell.
    pub fn outlook(&self, from: i64, since: &str) -> Option<String> {
        let series = &self.leader()?.series;
        let trend = trend(series, Span::new(from, self.now))
            .filter(|trend| trend.duration >= RATE_LEAST)?;
        let mut text = trend.words(&self.unit);
        // A word of ours, so its first letter is one byte.
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text.push_str(" since ");
        text.push_str(since);
        text.push('.');
        let crossing = self.band.and_then(|band| {
            let last = series.at_or_before(self.now)?;
            // The line is on its way over a limit that the readings are beyond already, or the other way round.
            (side(band, last.value) == side(band, trend.level)).then(|| crossing(trend, band))?
        });
        let is_telling = trend.duration >= OBSERVED_LEAST && !trend.is_steady();
        let foreseen = is_telling.then_some(FORESIGHT * trend.duration);
        if let (Some((what, time)), Some(foreseen)) = (crossing, foreseen)
            && self.leader().is_some_and(|line| line.is_fresh)
            && (1..=foreseen).contains(&(time - self.now))
        {
            text.push_str(" At this rate it ");
            text.push_str(what);
            text.push_str(&about(time, self.now, self.zone));
            text.push('.');
        }
        Some(text)
    }
}

/// Which end of the band the trend passes next, and when.
fn crossing(trend: Trend, band: Band) -> Option<(&'static str, i64)> {
    let (what, level) = match side(band, trend.level) {
        Ordering::Less => ("is back in the target ", band.low),
        Ordering::Greater => ("is back in the target ", band.high),
        Ordering::Equal if trend.per_hour < 0.0 => ("leaves the target ", band.low),
        Ordering::Equal => ("leaves the target ", band.high),
    };
    Some((what, trend.reaches(level)?))
}

/// Whether a level is below the band, within it or above it.
fn side(band: Band, level: f32) -> Ordering {
    if level < band.low {
        Ordering::Less
    } else if level > band.high {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

/// A moment to come, no more exact than it can be known: "about 11:00", "tomorrow about 11:00".
fn about(time: i64, now: i64, zone: Zone) -> String {
    let step = if time - now < 180 * MINUTE {
        5 * MINUTE
    } else {
        30 * MINUTE
    };
    let local = (zone.local(time) + step / 2).div_euclid(step) * step;
    let time = zone.moment(local);
    let mut text = match local.div_euclid(DAY) - zone.local(now).div_euclid(DAY) {
        ..=0 => String::new(),
        1 => String::from("tomorrow "),
        _ => {
            let mut text = String::from("on ");
            text.push_str(&date(time, zone));
            text.push(' ');
            text
        }
    };
    text.push_str("about ");
    text.push_str(&clock(time, zone));
    text
}

/// A rate over less is noise.
const RATE_LEAST: i64 = 2 * MINUTE;
/// Less says nothing about what is to come.
const OBSERVED_LEAST: i64 = 10 * MINUTE;
/// How far ahead to look, as a multiple of what was observed.
const FORESIGHT: i64 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Series;

    /// 2026-05-04T14:00:00Z
    const START: i64 = 1_777_903_200_000;

    fn scene(first: f32, per_reading: f32, interval: i64) -> Scene {
        let mut series = Series::new(100);
        for index in 0..=20 {
            let value = first + per_reading * index as f32;
            series.append(START + i64::from(index) * interval, value);
        }
        Scene {
            unit: String::from("%"),
            band: Some(Band {
                low: 14.0,
                high: 22.0,
            }),
            ..Scene::of(series)
        }
    }

    fn outlook(first: f32, per_reading: f32, interval: i64) -> Option<String> {
        scene(first, per_reading, interval).outlook(START, "14:00")
    }

    #[test]
    fn it_says_when_the_target_is_left() {
        assert_eq!(
            outlook(19.0, -0.1, 15 * MINUTE).as_deref(),
            Some(
                "Falling 0.4 % an hour since 14:00. At this rate it leaves the target tomorrow about 02:30."
            )
        );
    }

    #[test]
    fn it_says_when_the_target_is_reached_again() {
        assert_eq!(
            outlook(11.0, 0.1, 3 * MINUTE).as_deref(),
            Some(
                "Rising 2.0 % an hour since 14:00. At this rate it is back in the target about 15:30."
            )
        );
    }

    #[test]
    fn it_does_not_look_further_than_it_can_see() {
        let minutes_seen = outlook(19.0, -0.001, MINUTE).unwrap();
        assert!(!minutes_seen.contains("At this rate"), "{minutes_seen}");
        assert_eq!(outlook(15.0, -0.04, 1_000), None, "seconds are noise");
        let steady = outlook(19.0, 0.0, 15 * MINUTE);
        assert_eq!(steady.as_deref(), Some("Steady since 14:00."));
    }

    #[test]
    fn what_is_steady_leaves_no_target() {
        // 0.03 % in the day that was seen, and 0.01 % from the limit.
        let day = outlook(14.04, -0.0015, 72 * MINUTE);
        assert_eq!(day.as_deref(), Some("Steady since 14:00."));
    }

    #[test]
    fn it_foretells_nothing_where_the_newest_reading_has_passed_the_limit_and_the_trend_has_not() {
        let end = START + 21 * 15 * MINUTE;
        for (first, per_reading, last) in [(19.0, 0.1, 22.5), (24.5, -0.1, 21.9)] {
            let mut jumped = scene(first, per_reading, 15 * MINUTE);
            let before = jumped.outlook(START, "14:00").unwrap();
            assert!(before.contains("At this rate"), "{before}");
            jumped.lines[0].series.append(end, last);
            jumped.now = end;
            let after = jumped.outlook(START, "14:00").unwrap();
            assert!(!after.contains("At this rate"), "{after}");
        }
    }

    #[test]
    fn what_is_stale_foretells_nothing() {
        let mut stale = scene(19.0, -0.1, 15 * MINUTE);
        stale.lines[0].is_fresh = false;
        assert_eq!(
            stale.outlook(START, "14:00").as_deref(),
            Some("Falling 0.4 % an hour since 14:00.")
        );
        assert_eq!(Scene::of(Series::new(1)).outlook(START, "14:00"), None);
    }
}
