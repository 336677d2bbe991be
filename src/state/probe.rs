//! One probe: what it said last, and what was collected from it.

use std::{sync::Arc, time::Duration};

use chart::{Point, Series, Span};
use field::{DeviceId, Reading, Status, TargetBand, Timestamp};

use crate::{
    format::unreadable,
    state::{Freshness, Level, Past, zone::key_of_device},
};

/// A probe's place in addresses: `north-beds/bed-1`, or the discovery topic of a foreign device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(Arc<str>);

impl ProbeId {
    /// The id as it stands in the address of the probe's page.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The id of a device of our own.
    #[must_use]
    pub fn of_device(device: &DeviceId) -> Self {
        Self(key_of_device(device).into())
    }

    /// As it stands in the address of the probe's page, before percent-encoding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One probe: what it said last, and what was collected from it.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Where its page is.
    pub id: ProbeId,
    /// Its zone's key.
    pub zone: String,
    /// What people call it.
    pub name: String,
    /// The topic its readings come on.
    pub topic: String,
    /// What its value counts, as it is written behind the number.
    pub unit: String,
    /// Where its moisture should stay; nothing is judged without.
    pub target: Option<TargetBand>,
    /// The newest reading.
    pub reading: Option<Reading>,
    /// When the newest reading was measured, or came; `None` while that is not known.
    pub reading_at: Option<Timestamp>,
    /// What was wrong with the newest message, in words, if it could not be read.
    pub fault: Option<String>,
    /// The same of the newest message about its name and target.
    pub config_fault: Option<String>,
    /// What was collected since the page was opened.
    pub history: Series,
    /// When collecting began.
    pub collecting_since: Timestamp,
    /// What the broker kept.
    pub past: Past,
    /// Since when no reading can have been missed.
    complete_since: Timestamp,
    /// After how long without a reading its value expires, if the device says so.
    pub expires_after: Option<Duration>,
    /// Whether the newest reading is of a time that had not come yet.
    is_clock_ahead: bool,
    pub(super) is_linked: bool,
    pub(super) status: Option<Status>,
    pub(super) offline_since: Option<Timestamp>,
}

impl Probe {
    /// A probe that has not said anything.
    #[must_use]
    pub fn new(id: ProbeId, zone: String, name: String, topic: String, now: Timestamp) -> Self {
        Self {
            id,
            zone,
            name,
            topic,
            unit: String::from("%"),
            target: None,
            reading: None,
            reading_at: None,
            fault: None,
            config_fault: None,
            history: Series::new(HISTORY_POINTS_MAX),
            collecting_since: now,
            past: Past::default(),
            complete_since: now,
            expires_after: None,
            is_clock_ahead: false,
            is_linked: true,
            status: None,
            offline_since: None,
        }
    }

    /// Takes a message of the probe's topic.
    ///
    /// A retained message is no news: it tells a value, and when only if it carries a time.
    pub fn handle_message(
        &mut self,
        parsed: Result<Reading, String>,
        retained: bool,
        now: Timestamp,
    ) {
        let reading = match parsed {
            Ok(reading) => reading,
            Err(fault) => {
                self.fault = Some(fault);
                return;
            }
        };
        self.fault = None;
        let known = self
            .reading
            .is_some_and(|known| known.moisture == reading.moisture);
        let time = reading.time.filter(|&time| time >= CLOCKS_SET_SINCE);
        let is_clock_ahead = time.is_some_and(|time| time > now + CLOCK_AHEAD_MAX);
        let measured = match (time, retained) {
            _ if is_clock_ahead => None,
            // A clock that runs ahead a little would make readings of the future.
            (Some(time), _) => Some(time.min(now)),
            (None, false) => Some(now),
            // The same value again, after a reconnection: what was known of its age still holds.
            (None, true) if known => self.reading_at,
            (None, true) => None,
        };
        if let Some(measured) = measured
            && self.reading_at != Some(measured)
            && self.collecting_since.saturating_duration_since(measured) <= COLLECTED_BEFORE
        {
            let (time, value) = (measured.millis(), reading.moisture as f32);
            self.history.append(time, value);
            self.past.append(time, value);
        }
        // A message that was overtaken does not turn the value back.
        if measured.is_some() && measured < self.reading_at {
            return;
        }
        self.reading = Some(reading);
        self.reading_at = measured;
        self.is_clock_ahead = is_clock_ahead;
    }

    /// The link to the broker came up or was lost; what came in between is not known.
    pub fn handle_link(&mut self, up: bool, now: Timestamp) {
        self.is_linked = up;
        self.complete_since = now;
        self.past.interrupt();
    }

    /// Takes what the device, or its Will, says about being there.
    pub fn handle_status(&mut self, status: Status, retained: bool, now: Timestamp) {
        match status {
            Status::Online => self.offline_since = None,
            Status::Offline if self.status == Some(Status::Offline) => {}
            Status::Offline => self.offline_since = (!retained).then_some(now),
        }
        self.status = Some(status);
    }

    /// How far the value can be trusted to be of `now`.
    #[must_use]
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        if self.status == Some(Status::Offline) {
            return Freshness::Offline {
                since: self.offline_since,
            };
        }
        match (self.reading, self.reading_at) {
            (None, _) => Freshness::Silent,
            (Some(_), None) if self.is_clock_ahead => Freshness::ClockAhead,
            (Some(_), None) => Freshness::RetainedOnly,
            (Some(_), Some(at)) => {
                let age = now.saturating_duration_since(at);
                if !self.is_linked {
                    Freshness::Cut { age }
                } else if age > self.stale_after() {
                    Freshness::Stale { age }
                } else {
                    Freshness::Live { age }
                }
            }
        }
    }

    /// What could not be read, in a sentence: its own newest message, or its settings.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        match (&self.fault, &self.config_fault) {
            (Some(fault), _) => Some(unreadable("Its newest message", fault)),
            (None, Some(fault)) => Some(unreadable("Its settings", fault)),
            (None, None) => None,
        }
    }

    /// The value, if one is known.
    #[must_use]
    pub fn moisture(&self) -> Option<f64> {
        self.reading.map(|reading| reading.moisture)
    }

    /// The value, if it is recent enough to be judged against a target and counted in an average.
    #[must_use]
    pub fn known(&self, now: Timestamp) -> Option<f64> {
        let age = match self.freshness(now) {
            Freshness::Live { age } | Freshness::Stale { age } | Freshness::Cut { age } => age,
            Freshness::Offline { .. }
            | Freshness::RetainedOnly
            | Freshness::ClockAhead
            | Freshness::Silent => return None,
        };
        let holds = match self.expires_after {
            Some(expiry) => expiry,
            None => self.stale_after().max(KNOWN_LEAST),
        };
        self.moisture().filter(|_| age <= holds)
    }

    /// Where the value stands against the target; `None` without a target or a value that is known.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Option<Standing> {
        let (target, moisture) = (self.target?, self.known(now)?);
        Some(if moisture < target.low() {
            Standing::Dry
        } else if moisture > target.high() {
            Standing::Wet
        } else {
            Standing::InBand
        })
    }

    /// Takes a piece of what the broker kept, and continues it with what has come meanwhile.
    pub fn add_level(&mut self, mut level: Level) {
        if level.is_live {
            let until = self.past.kept.map(|kept| kept.span.end);
            self.catch_up(level.newest(until));
            let kept = level.series.last().map_or(i64::MIN, |last| last.time);
            let came = Span::new(kept.saturating_add(1), i64::MAX);
            for point in self.history.points(came) {
                level.series.append(point.time, point.value);
            }
        }
        self.past.add(level);
    }

    /// A retained message says nothing of its age; what the broker kept last is the same reading, or a newer one.
    fn catch_up(&mut self, newest: Option<Point>) {
        if let Some(newest) = newest
            && self.reading_at.is_none()
            && !self.is_clock_ahead
        {
            let mut reading = self.reading.unwrap_or_default();
            // What is kept has fewer digits.
            if reading.moisture as f32 != newest.value {
                reading.moisture = newest.value.into();
            }
            self.reading = Some(reading);
            self.reading_at = Some(Timestamp::from_millis(newest.time));
        }
    }

    /// Since when the broker or this page has readings.
    #[must_use]
    pub fn since(&self) -> i64 {
        let since = self.collecting_since.millis();
        self.past.since().map_or(since, |first| first.min(since))
    }

    /// The readings that show a window best, and how long each stands for if not for itself alone.
    #[must_use]
    pub fn readings(&self, window: Span) -> (&Series, i64) {
        match self.past.best(window) {
            Some(level) if window.start < self.complete_since.millis() => {
                (&level.series, level.step)
            }
            _ => (&self.history, 0),
        }
    }

    /// Whether the broker has to be asked for a window, so that rows are as fine as that.
    #[must_use]
    pub fn lacks(&self, window: Span, fineness: i64) -> bool {
        let Some(since) = self.past.since() else {
            return false;
        };
        let window = Span::new(window.start.max(since), window.end);
        let is_complete = window.start >= self.complete_since.millis();
        window.end > since && !is_complete && !self.past.has(window, fineness)
    }

    /// Since when there are readings to show.
    #[must_use]
    pub fn collected_from(&self) -> Option<Timestamp> {
        let first = self.history.first()?;
        Some(Timestamp::from_millis(first.time).max(self.collecting_since))
    }

    /// The change over the last six hours, or over what was collected of them.
    #[must_use]
    pub fn tendency(&self) -> Option<Tendency> {
        let last = self.history.last()?;
        let window = i64::try_from(TENDENCY_WINDOW.as_millis()).ok()?;
        let first = self
            .history
            .at_or_before(last.time - window)
            .or_else(|| self.history.first())?;
        let over = Duration::from_millis(u64::try_from(last.time - first.time).ok()?);
        (over >= TENDENCY_LEAST).then(|| Tendency {
            change: last.value - first.value,
            over: over.min(TENDENCY_WINDOW),
        })
    }

    fn stale_after(&self) -> Duration {
        self.expires_after.unwrap_or_else(|| {
            let interval = self.history.usual_interval();
            interval
                .or_else(|| self.past.kept?.usual_step)
                .and_then(|interval| u64::try_from(interval).ok())
                .map_or(STALE_UNKNOWN, |interval| {
                    Duration::from_millis(interval) * 3
                })
                .max(STALE_LEAST)
        })
    }
}

/// Where a value stands against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Below the band.
    Dry,
    /// Where it should be.
    InBand,
    /// Above the band.
    Wet,
}

/// A change and how long it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tendency {
    /// In the probe's unit.
    pub change: f32,
    /// Six hours, or less while less is known.
    pub over: Duration,
}

/// How many readings of a probe the page keeps: a reading a second for five and a half hours.
const HISTORY_POINTS_MAX: usize = 20_000;
/// A probe whose clock says less has not set it, so what it says of the time means nothing. 2020-01-01T00:00:00Z
const CLOCKS_SET_SINCE: Timestamp = Timestamp::from_millis(1_577_836_800_000);
/// Two clocks that are set may differ by this.
const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(60);
/// A reading that was measured longer before than this is no part of what was collected, and would only stretch it.
const COLLECTED_BEFORE: Duration = Duration::from_secs(60);
const TENDENCY_WINDOW: Duration = Duration::from_secs(6 * 60 * 60);
const TENDENCY_LEAST: Duration = Duration::from_secs(20);
/// A probe that sends every second is not stale for missing three.
const STALE_LEAST: Duration = Duration::from_secs(30);
const STALE_UNKNOWN: Duration = Duration::from_secs(15 * 60);
/// Soil hardly changes in less: for as long a value that is stale still counts, unless its device says otherwise.
const KNOWN_LEAST: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Kept;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_777_888_800_000 + seconds * 1_000)
    }

    fn moisture(value: f64) -> Result<Reading, String> {
        Ok(Reading {
            moisture: value,
            ..Reading::default()
        })
    }

    fn probe() -> Probe {
        let id = ProbeId::new("north-beds/bed-1");
        Probe::new(id, "north-beds".into(), "Bed 1".into(), "t".into(), at(0))
    }

    #[test]
    fn a_value_is_live_then_stale() {
        let mut probe = probe();
        assert_eq!(probe.freshness(at(0)), Freshness::Silent);
        for seconds in 0..10 {
            probe.handle_message(moisture(20.0), false, at(seconds));
        }
        assert_eq!(probe.freshness(at(13)).as_str(), "live");
        assert_eq!(
            probe.freshness(at(60)),
            Freshness::Stale {
                age: Duration::from_secs(51)
            }
        );
    }

    #[test]
    fn a_retained_value_has_no_age_and_makes_no_history() {
        let mut probe = probe();
        probe.handle_message(moisture(20.0), true, at(0));
        assert_eq!(probe.freshness(at(0)), Freshness::RetainedOnly);
        assert!(probe.history.is_empty());
        probe.target = TargetBand::new(10.0, 30.0);
        assert_eq!(probe.standing(at(0)), None);
    }

    #[test]
    fn a_retained_value_that_carries_its_time_has_an_age() {
        let mut probe = probe();
        let reading = Reading {
            moisture: 20.0,
            time: Some(at(-3_600)),
            ..Reading::default()
        };
        probe.handle_message(Ok(reading), true, at(0));
        assert_eq!(
            probe.freshness(at(0)),
            Freshness::Stale {
                age: Duration::from_secs(3_600)
            }
        );
    }

    #[test]
    fn what_was_measured_long_before_stretches_no_curve() {
        let mut probe = probe();
        let reading = |time| {
            Ok(Reading {
                moisture: 20.0,
                time: Some(time),
                ..Reading::default()
            })
        };
        probe.handle_message(reading(at(-3_600)), true, at(0));
        assert!(probe.history.is_empty());
        probe.handle_message(reading(at(-1)), false, at(0));
        assert_eq!(probe.history.len(), 1);
    }

    #[test]
    fn a_clock_that_was_never_set_says_nothing() {
        let mut probe = probe();
        let reading = Reading {
            moisture: 20.0,
            time: Some(Timestamp::from_millis(12_000)),
            ..Reading::default()
        };
        probe.handle_message(Ok(reading), true, at(0));
        assert_eq!(probe.freshness(at(0)), Freshness::RetainedOnly);
        probe.handle_message(Ok(reading), false, at(5));
        assert_eq!(probe.reading_at, Some(at(5)));
        assert_eq!(probe.history.first().unwrap().time, at(5).millis());
    }

    #[test]
    fn a_reading_of_the_future_has_no_age() {
        let mut probe = probe();
        probe.target = TargetBand::new(21.0, 30.0);
        for retained in [true, false] {
            let of = |seconds| {
                Ok(Reading {
                    moisture: 20.0,
                    time: Some(at(seconds)),
                    ..Reading::default()
                })
            };
            probe.handle_message(of(3_600), retained, at(0));
            assert_eq!(probe.freshness(at(0)), Freshness::ClockAhead);
            assert_eq!(probe.standing(at(0)), None);
            probe.handle_message(of(60), retained, at(0));
            assert_eq!(probe.freshness(at(0)).as_str(), "live");
        }
    }

    #[test]
    fn the_same_retained_value_after_a_reconnection_keeps_its_age() {
        let mut probe = probe();
        probe.handle_message(moisture(20.0), false, at(0));
        probe.handle_message(moisture(20.0), true, at(5));
        assert_eq!(
            probe.freshness(at(6)),
            Freshness::Live {
                age: Duration::from_secs(6)
            }
        );
        probe.handle_message(moisture(21.0), true, at(7));
        assert_eq!(probe.freshness(at(8)), Freshness::RetainedOnly);
    }

    #[test]
    fn a_retained_value_is_as_old_as_what_the_broker_kept_last() {
        let level = |step, last: i64, value| {
            let mut level = Level {
                span: Span::new(at(-9_000).millis(), at(0).millis()),
                fineness: 60_000,
                step,
                series: Series::new(10),
                is_live: true,
            };
            level.series.append(at(last).millis(), value);
            level
        };
        let reloaded = |level: Level| {
            let mut probe = probe();
            probe.past.kept = Some(Kept {
                span: Span::new(at(-9_000).millis(), at(-600).millis()),
                usual_step: None,
            });
            probe.handle_message(moisture(20.0), true, at(0));
            probe.add_level(level);
            probe
        };
        let known = reloaded(level(0, -300, 20.0));
        assert_eq!(known.reading_at, Some(at(-300)));
        let in_rows = reloaded(level(3_600_000, -900, 20.0));
        assert_eq!(in_rows.reading_at, Some(at(-600)));
        let of_another_row = reloaded(level(60_000, -900, 20.0));
        assert_eq!(of_another_row.freshness(at(0)), Freshness::RetainedOnly);
        let newer = reloaded(level(0, -300, 24.5));
        assert_eq!(
            (newer.moisture(), newer.reading_at),
            (Some(24.5), Some(at(-300)))
        );
        let mut heard = probe();
        heard.handle_message(moisture(21.0), false, at(0));
        heard.add_level(level(0, -300, 20.0));
        assert_eq!(
            (heard.moisture(), heard.reading_at),
            (Some(21.0), Some(at(0)))
        );
    }

    #[test]
    fn a_probe_that_speaks_seldom_is_not_silent_for_that() {
        let mut probe = probe();
        probe.past.kept = Some(Kept {
            span: Span::new(at(-9_000).millis(), at(-1_200).millis()),
            usual_step: Some(3_600_000),
        });
        probe.handle_message(moisture(20.0), false, at(-1_200));
        assert_eq!(probe.freshness(at(0)).as_str(), "live");
        let age = Duration::from_secs(4 * 3_600);
        assert_eq!(
            probe.freshness(at(-1_200 + 4 * 3_600)),
            Freshness::Stale { age }
        );
    }

    #[test]
    fn offline_says_since_when_only_if_it_was_heard() {
        let mut probe = probe();
        probe.handle_status(Status::Offline, true, at(0));
        assert_eq!(probe.freshness(at(9)), Freshness::Offline { since: None });
        probe.handle_status(Status::Online, false, at(10));
        assert_eq!(probe.freshness(at(10)), Freshness::Silent);
        probe.handle_status(Status::Offline, false, at(20));
        probe.handle_status(Status::Offline, true, at(30));
        assert_eq!(
            probe.freshness(at(40)),
            Freshness::Offline {
                since: Some(at(20))
            }
        );
    }

    #[test]
    fn a_message_that_was_overtaken_does_not_turn_the_value_back() {
        let mut probe = probe();
        let reading = |value, time| {
            Ok(Reading {
                moisture: value,
                time: Some(time),
                ..Reading::default()
            })
        };
        probe.handle_message(reading(20.0, at(10)), false, at(11));
        probe.handle_message(reading(19.0, at(5)), false, at(12));
        assert_eq!(probe.moisture(), Some(20.0));
        assert_eq!(probe.history.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_kept_as_a_fault_until_the_next_reading() {
        let mut probe = probe();
        probe.handle_message(moisture(20.0), false, at(0));
        probe.handle_message(Err("payload is not a number".into()), false, at(1));
        assert!(probe.fault.is_some());
        assert_eq!(probe.moisture(), Some(20.0));
        probe.handle_message(moisture(20.5), false, at(2));
        assert!(probe.fault.is_none());
    }

    #[test]
    fn a_tendency_is_over_what_was_collected() {
        let mut probe = probe();
        probe.handle_message(moisture(20.0), false, at(0));
        assert_eq!(probe.tendency(), None);
        probe.handle_message(moisture(21.5), false, at(120));
        let tendency = probe.tendency().unwrap();
        assert_eq!(
            (tendency.change, tendency.over),
            (1.5, Duration::from_secs(120))
        );
    }

    #[test]
    fn a_value_that_is_too_old_is_neither_judged_nor_counted() {
        let mut probe = probe();
        probe.target = TargetBand::new(21.0, 30.0);
        probe.handle_message(moisture(20.0), false, at(0));
        for (seconds, standing) in [(3_600, Some(Standing::Dry)), (3_601, None)] {
            assert!(matches!(
                probe.freshness(at(seconds)),
                Freshness::Stale { .. }
            ));
            assert_eq!(probe.standing(at(seconds)), standing);
            assert_eq!(probe.known(at(seconds)).is_some(), standing.is_some());
        }
        probe.expires_after = Some(Duration::from_secs(60));
        assert_eq!(probe.known(at(61)), None);
    }

    #[test]
    fn a_target_decides_where_a_value_stands() {
        let mut probe = probe();
        probe.handle_message(moisture(20.0), false, at(0));
        assert_eq!(probe.standing(at(0)), None);
        for (low, high, standing) in [
            (21.0, 30.0, Standing::Dry),
            (20.0, 30.0, Standing::InBand),
            (10.0, 19.9, Standing::Wet),
        ] {
            probe.target = TargetBand::new(low, high);
            assert_eq!(probe.standing(at(0)), Some(standing));
        }
    }
}
