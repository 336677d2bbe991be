use crate::Point;
use crate::calendar::SECOND;

/// A stretch of time, in milliseconds since the Unix epoch: from `start` up to and with `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// The first moment.
    pub start: i64,
    /// The last moment, never before `start`.
    pub end: i64,
}

impl Span {
    /// The time between two moments; an end before the start is moved to the start.
    pub fn new(start: i64, end: i64) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// How long it is, in milliseconds.
    pub fn duration(self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the moment lies inside.
    pub fn contains(self, time: i64) -> bool {
        self.start <= time && time <= self.end
    }

    /// What both have in common, if anything.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start <= end).then_some(Self { start, end })
    }
}

/// The window of a live chart that has collected since `opened`.
///
/// With a `range` (milliseconds) it is as wide as that and ends now. Without, it holds everything
/// since `opened`, and at least a minute, so that the first readings grow into the picture from
/// the left and are not stretched over its whole width.
pub fn live_window(opened: i64, range: Option<i64>, now: i64) -> Span {
    match range {
        Some(range) => Span::new(now - range, now),
        None => Span::new(opened, now.max(opened + LEAST_WINDOW)),
    }
}

/// The present by a clock that ticks once a second: the newest reading may have come since.
pub fn present(now: i64, newest: Option<Point>) -> i64 {
    let newest = newest.map_or(now, |newest| newest.time);
    if newest.saturating_sub(now) <= SECOND {
        now.max(newest)
    } else {
        now
    }
}

const LEAST_WINDOW: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_window_follows_now_or_grows() {
        assert_eq!(
            live_window(0, Some(300_000), 1_000_000),
            Span::new(700_000, 1_000_000)
        );
        assert_eq!(live_window(5_000, None, 9_000), Span::new(5_000, 65_000));
        assert_eq!(live_window(5_000, None, 900_000), Span::new(5_000, 900_000));
    }

    #[test]
    fn a_reading_that_came_within_the_second_is_of_the_present() {
        let present = |time| present(5_000, Some(Point { time, value: 1.0 }));
        assert_eq!([4_000, 5_700, 9_000].map(present), [5_000, 5_700, 5_000]);
        assert_eq!(super::present(5_000, None), 5_000);
    }

    #[test]
    fn an_intersection_is_what_both_have() {
        let span = Span::new(10, 20);
        assert_eq!(
            span.intersection(Span::new(15, 30)),
            Some(Span::new(15, 20))
        );
        assert_eq!(
            span.intersection(Span::new(20, 30)),
            Some(Span::new(20, 20))
        );
        assert_eq!(span.intersection(Span::new(21, 30)), None);
    }
}
