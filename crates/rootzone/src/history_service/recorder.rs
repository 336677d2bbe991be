//! What the broker is told of probes goes into the history.

use std::sync::Arc;

use history::{Point, Recorded};
use mqtt_broker::Recorder;

use super::{
    probes::{ProbeReading, Probes},
    shared::Shared,
};
use crate::wall_clock;

/// Keeps the readings of the probes that are known.
#[derive(Debug)]
pub(super) struct FieldRecorder {
    shared: Arc<Shared>,
    probes: Probes,
}

impl FieldRecorder {
    pub(super) fn new(shared: Arc<Shared>, n_series_max: usize) -> Self {
        Self {
            shared,
            probes: Probes::new(n_series_max),
        }
    }

    fn take(&self, reading: ProbeReading<'_>) -> bool {
        let now = self.shared.now();
        // A clock that was never set tells no time.
        let clock = (now >= wall_clock::SET_SINCE).then_some(now);
        let point = Point {
            time: reading.time.or(clock).unwrap_or(NO_TIME),
            value: reading.value,
        };
        let mut history = self.shared.lock();
        match history.record_by_name(reading.series, point, now) {
            // What is known may be on its way to the disk still, for another who sent it.
            Some(Recorded::Kept | Recorded::Known) => true,
            Some(Recorded::Ahead | Recorded::TooOld | Recorded::Invalid) => false,
            None => {
                self.shared.beyond_series.add(1);
                false
            }
        }
    }
}

impl Recorder for FieldRecorder {
    fn is_interested_in(&self, topic: &str) -> bool {
        self.probes.speak_on(topic)
    }

    fn record(&mut self, topic: &str, payload: &[u8]) -> bool {
        self.probes.learn(topic, payload);
        let mut is_kept = false;
        let n_missing = self.probes.read(topic, payload, &mut |reading| {
            is_kept |= self.take(reading);
        });
        self.shared.not_readings.add(n_missing);
        is_kept
    }

    fn learn(&mut self, topic: &str, payload: &[u8]) {
        self.probes.learn(topic, payload);
    }
}

/// It is counted as invalid.
const NO_TIME: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    use history::{Counters, History};

    use super::*;
    use crate::history_service::HistoryLimits;

    const BED: &str = "rootzone/beds/bed-1/moisture";

    /// In 2027.
    const NOW: i64 = 1_800_000_000_000;

    fn recorder(clock: fn() -> i64) -> FieldRecorder {
        let history = History::new(HistoryLimits::default().settings());
        FieldRecorder::new(Arc::new(Shared::new(history, clock)), 10)
    }

    fn counted(recorder: &FieldRecorder) -> (u64, Counters) {
        let counters = recorder.shared.counters();
        (counters.n_series, counters.history)
    }

    #[test]
    fn a_reading_that_is_refused_begins_no_series() {
        let mut recorder = recorder(|| NOW);
        let in_two_days = br#"{"moisture":37.2,"time":1800172800000}"#;
        assert!(!recorder.record(BED, in_two_days));
        let (n_series, counters) = counted(&recorder);
        assert_eq!((n_series, counters.ahead), (0, 1));
        assert!(recorder.record(BED, b"37.2"));
        assert_eq!(counted(&recorder).0, 1);
    }

    #[test]
    fn what_our_own_probes_say_and_is_no_reading_is_counted() {
        let mut recorder = recorder(|| NOW);
        let payloads: [&[u8]; 6] = [
            b"wet",
            b"NaN",
            b"101",
            b"null",
            b"",
            br#"{"moisture":37.2,"time":"yesterday"}"#,
        ];
        for (n, payload) in (1..).zip(payloads) {
            assert!(!recorder.record(BED, payload));
            assert_eq!(counted(&recorder).1.invalid, n);
        }
        assert!(!recorder.record("elsewhere", b"wet"));
        assert_eq!(counted(&recorder).1.invalid, 6);
    }

    #[test]
    fn what_announced_sensors_say_and_is_no_reading_is_counted() {
        let mut recorder = recorder(|| NOW);
        for (sensor, template) in [("a", "{{ value_json.a }}"), ("b", "{{ value_json.b }}")] {
            let topic = format!("homeassistant/sensor/{sensor}/config");
            let config = format!(
                r#"{{"stat_t":"garden/soil","dev_cla":"moisture","val_tpl":"{template}"}}"#
            );
            recorder.learn(&topic, config.as_bytes());
        }
        let payloads: [(&[u8], u64); 6] = [
            (br#"{"a":40,"b":41}"#, 0),
            (br#"{"a":40,"b":"wet"}"#, 1),
            (b"offline", 2),
            (b"", 2),
            // Of one of them only.
            (br#"{"a":42}"#, 0),
            // A time that cannot be read counts as none: many devices write local time.
            (br#"{"a":42,"Time":"2026-05-04T10:00:00"}"#, 0),
        ];
        let mut n_invalid = 0;
        for (payload, n) in payloads {
            recorder.record("garden/soil", payload);
            n_invalid += n;
            assert_eq!(counted(&recorder).1.invalid, n_invalid);
        }
    }

    #[test]
    fn a_clock_that_was_never_set_says_neither_what_is_ahead_nor_when_it_is() {
        let mut recorder = recorder(|| 5_000);
        assert!(!recorder.record(BED, b"37.2"));
        let (n_series, counters) = counted(&recorder);
        assert_eq!((n_series, counters.invalid), (0, 1));
        let with_time = br#"{"moisture":37.2,"time":1800000000000}"#;
        assert!(recorder.record(BED, with_time));
        let history = recorder.shared.lock();
        let span = history.find(BED).and_then(|id| history.span(id));
        assert_eq!(span, Some((NOW, NOW)));
    }
}
