//! What the broker is told of probes goes into the history.

use std::sync::Arc;

use history::{Point, Recorded};
use mqtt_broker::Recorder;

use super::{
    probes::{ProbeReading, Probes},
    shared::Shared,
};

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
        let mut history = self.shared.lock();
        let Some(series) = history.open(reading.series) else {
            self.shared.beyond_series.add(1);
            return false;
        };
        let point = Point {
            time: reading.time.unwrap_or(now),
            value: reading.value,
        };
        match history.record(series, point, now) {
            // What is known may be on its way to the disk still, for another who sent it.
            Recorded::Kept | Recorded::Known => true,
            Recorded::Ahead | Recorded::TooOld | Recorded::Invalid => false,
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
        self.probes.read(topic, payload, &mut |reading| {
            is_kept |= self.take(reading);
        });
        is_kept
    }

    fn learn(&mut self, topic: &str, payload: &[u8]) {
        self.probes.learn(topic, payload);
    }
}
