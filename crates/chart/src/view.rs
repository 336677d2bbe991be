use crate::calendar::{DAY, HOUR, SECOND};
use crate::decimal::push_whole;
use crate::{Span, live_window};

/// How far a view can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// When the readings begin.
    pub since: i64,
    /// The present.
    pub now: i64,
    /// The least time in which there is something to see.
    pub least: i64,
}

/// What part of time a chart shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Everything up to the present, which it follows.
    #[default]
    All,
    /// So many milliseconds up to the present, which it follows.
    Latest(i64),
    /// This, whatever comes.
    Fixed(Span),
}

impl View {
    /// The ranges that a reader chooses from, and their names.
    pub const RANGES: [(&'static str, Self); 6] = [
        ("1 h", Self::Latest(HOUR)),
        ("24 h", Self::Latest(24 * HOUR)),
        ("7 d", Self::Latest(7 * DAY)),
        ("30 d", Self::Latest(30 * DAY)),
        ("1 y", Self::Latest(365 * DAY)),
        ("All", Self::All),
    ];

    /// Whether it follows the present.
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// The window that it means, of readings that begin at `since`.
    pub fn window(self, since: i64, now: i64) -> Span {
        match self {
            Self::All => live_window(since, None, now),
            Self::Latest(range) => live_window(since, Some(range), now),
            Self::Fixed(window) => window,
        }
    }

    /// The same with `factor` times as much time in it, and `around` where it was: a factor below
    /// one shows less, closer.
    #[must_use]
    pub fn zoom(self, around: i64, factor: f64, reach: Reach) -> Self {
        let window = self.window(reach.since, reach.now);
        let longest = self.longest(reach);
        let duration = window.duration() as f64 * factor;
        // What is closer already stays so.
        let least = reach.least.min(window.duration()).max(LEAST);
        let duration = (duration.min(longest as f64) as i64).max(least);
        let along = (around - window.start) as f64 / window.duration().max(1) as f64;
        let start = around - (along * duration as f64) as i64;
        self.to(start, duration, reach)
    }

    /// The same so many milliseconds later, or earlier.
    #[must_use]
    pub fn pan(self, by: i64, reach: Reach) -> Self {
        let window = self.window(reach.since, reach.now);
        self.to(window.start.saturating_add(by), window.duration(), reach)
    }

    /// As an address has it: "7d", "all", or the seconds of its start and end.
    pub fn to_text(self) -> String {
        let mut text = String::new();
        match self {
            Self::All => text.push_str("all"),
            Self::Latest(range) => {
                let (unit, name) = if range % DAY == 0 {
                    (DAY, 'd')
                } else if range % HOUR == 0 {
                    (HOUR, 'h')
                } else {
                    (SECOND, 's')
                };
                push_whole(&mut text, (range / unit).unsigned_abs(), 1);
                text.push(name);
            }
            Self::Fixed(window) => {
                push_whole(&mut text, (window.start / SECOND).max(0).unsigned_abs(), 1);
                text.push('-');
                push_whole(&mut text, (window.end / SECOND).max(0).unsigned_abs(), 1);
            }
        }
        text
    }

    /// Reads what `to_text` writes. What makes no sense is none.
    pub fn from_text(text: &str) -> Option<Self> {
        if text == "all" {
            return Some(Self::All);
        }
        let whole = |text: &str| text.parse::<u32>().ok().map(i64::from);
        if let Some((start, end)) = text.split_once('-') {
            let window = Span {
                start: whole(start)? * SECOND,
                end: whole(end)? * SECOND,
            };
            return (window.duration() >= LEAST).then_some(Self::Fixed(window));
        }
        let unit = match text.as_bytes().last()? {
            b'd' => DAY,
            b'h' => HOUR,
            b's' => SECOND,
            _ => return None,
        };
        let range = whole(text.get(..text.len() - 1)?)? * unit;
        (range >= LEAST).then_some(Self::Latest(range))
    }

    /// A window that stays among the readings, and follows the present once it reaches it.
    fn to(self, start: i64, duration: i64, Reach { since, now, .. }: Reach) -> Self {
        let start = start.max(since.min(now - duration));
        if start.saturating_add(duration) >= now {
            let is_all = now - duration <= since && matches!(self, Self::All);
            return if is_all {
                Self::All
            } else {
                Self::Latest(duration)
            };
        }
        Self::Fixed(Span::new(start, start + duration))
    }

    /// As much as there can be to see, or what is seen if that is more.
    fn longest(self, Reach { since, now, .. }: Reach) -> i64 {
        let all = live_window(since, None, now).duration();
        all.max(self.window(since, now).duration())
    }
}

/// Nobody measures soil more often than that.
const LEAST: i64 = 10 * SECOND;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::MINUTE;
    use proptest::prelude::*;

    const NOW: i64 = 1_777_903_200_000;
    const SINCE: i64 = NOW - 400 * DAY;
    const REACH: Reach = Reach {
        since: SINCE,
        now: NOW,
        least: 20 * MINUTE,
    };

    #[test]
    fn a_view_that_reaches_the_present_follows_it() {
        let view = View::Latest(DAY).pan(-DAY, REACH);
        assert_eq!(view, View::Fixed(Span::new(NOW - 2 * DAY, NOW - DAY)));
        assert_eq!(view.pan(DAY, REACH), View::Latest(DAY));
        // There is nothing before the first reading to move to.
        let young = Reach {
            since: NOW - HOUR,
            ..REACH
        };
        for view in [View::All, View::Latest(7 * DAY)] {
            assert_eq!(view.pan(-DAY, young), view);
        }
        assert_eq!(
            view.pan(-1_000 * DAY, REACH).window(SINCE, NOW).start,
            SINCE
        );
        assert!(!View::Fixed(Span::new(NOW - DAY, NOW)).is_live());
    }

    #[test]
    fn zooming_keeps_what_is_pointed_at_in_its_place() {
        let around = NOW - 6 * HOUR;
        let view = View::Latest(DAY).zoom(around, 0.5, REACH);
        assert_eq!(
            view,
            View::Fixed(Span::new(around - 9 * HOUR, around + 3 * HOUR))
        );
        let far = view.zoom(around, 1e9, REACH);
        assert_eq!(far, View::Latest(400 * DAY));
        let near = view.zoom(around, 1e-9, REACH);
        assert_eq!(near.window(SINCE, NOW).duration(), REACH.least);
        let rare = Reach {
            least: 4 * REACH.least,
            ..REACH
        };
        let closer = near.zoom(around, 0.5, rare);
        assert_eq!(closer.window(SINCE, NOW).duration(), REACH.least);
        let seconds = Reach { least: 4, ..REACH };
        let near = view.zoom(around, 1e-9, seconds);
        assert_eq!(near.window(SINCE, NOW).duration(), LEAST);
    }

    #[test]
    fn an_address_says_what_is_shown() {
        let fixed = View::Fixed(Span::new(1_777_000_000_000, 1_777_000_360_000));
        for (view, text) in [
            (View::All, "all"),
            (View::Latest(HOUR), "1h"),
            (View::Latest(7 * DAY), "7d"),
            (View::Latest(90 * SECOND), "90s"),
            (fixed, "1777000000-1777000360"),
        ] {
            assert_eq!(view.to_text(), text);
            assert_eq!(View::from_text(text), Some(view));
        }
        for nonsense in [
            "",
            "d",
            "7",
            "7w",
            "-",
            "5-1",
            "1-2",
            "0h",
            "é",
            "99999999999h",
        ] {
            assert_eq!(View::from_text(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_done_there_is_something_to_see(
            steps in prop::collection::vec((any::<bool>(), -2.0_f64..2.0), 0..40),
        ) {
            let mut view = View::Latest(DAY);
            for (zooms, amount) in steps {
                let window = view.window(SINCE, NOW);
                view = if zooms {
                    view.zoom(window.start + window.duration() / 3, amount.exp(), REACH)
                } else {
                    view.pan((window.duration() as f64 * amount) as i64, REACH)
                };
                let window = view.window(SINCE, NOW);
                prop_assert!((REACH.least..=400 * DAY).contains(&window.duration()));
                prop_assert!(window.start >= SINCE && window.end <= NOW);
            }
        }
    }
}
