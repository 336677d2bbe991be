//! How wet the ground is, from whatever source, and what the pumps have added.

use std::{f64::consts::PI, time::Duration};

use field::{Simulation, Timestamp};

use crate::{
    layout::{ZONES, probes},
    options::Speed,
    replay::Replay,
    soil_model::SoilModel,
    watering::Watering,
};

/// The ground of the whole field.
#[derive(Debug)]
pub struct Ground {
    source: Source,
    speed: Speed,
    /// How much of the source was over when the ground began.
    past: Duration,
    started: Timestamp,
    last_sample: Timestamp,
    waterings: Vec<Watering>,
}

/// Where the values come from.
#[derive(Debug)]
pub enum Source {
    /// From a file.
    Replay {
        /// Its measurements.
        replay: Replay,
        /// Its name, without the folder.
        file_name: String,
    },
    /// From the built-in model.
    SoilModel(SoilModel),
}

/// What a probe finds in the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// In percent.
    pub moisture: f64,
    /// In degrees Celsius.
    pub temperature: f64,
}

impl Ground {
    /// A ground that begins at `now`.
    #[must_use]
    pub fn new(source: Source, speed: Speed, now: Timestamp) -> Self {
        Self {
            source,
            speed,
            past: Duration::ZERO,
            started: now,
            last_sample: now,
            waterings: ZONES.iter().map(|_| Watering::new(now)).collect(),
        }
    }

    /// The same ground with so many days behind it: it goes on where [`past::write`](crate::past::write) ends.
    #[must_use]
    pub fn after_days(mut self, n_days: u16) -> Self {
        self.past = DAY * u32::from(n_days);
        self
    }

    /// What the page should be told.
    #[must_use]
    pub fn simulation(&self) -> Simulation {
        let (source, file) = match &self.source {
            Source::Replay { file_name, .. } => ("replay", Some(file_name.clone())),
            Source::SoilModel(_) => ("soil model", None),
        };
        Simulation {
            source: source.into(),
            file,
            speed: self.speed.to_string(),
        }
    }

    /// How often a probe reports: once for each row of the file, within what a person can follow.
    #[must_use]
    pub fn reading_interval(&self) -> Duration {
        match &self.source {
            Source::Replay { replay, .. } => self
                .speed
                .wall(replay.step())
                .clamp(INTERVAL_MIN, INTERVAL_MAX),
            Source::SoilModel(_) => Duration::from_secs(1),
        }
    }

    /// What a probe finds; `None` where the source has a gap.
    pub fn sample(&mut self, probe: usize, now: Timestamp) -> Option<Sample> {
        self.leave_out_suspension(now);
        let played = self
            .speed
            .played(now.saturating_duration_since(self.started));
        let (moisture, hour) = match &mut self.source {
            Source::Replay { replay, .. } => {
                let along = along(replay, self.past, played, self.speed.played(PAUSE));
                let value = replay.value(probe, along)?;
                (value.moisture, value.hour)
            }
            Source::SoilModel(model) => {
                model.advance_to(self.past.saturating_add(played));
                (model.moisture(probe)?, model.hour())
            }
        };
        let (zone, _) = probes().nth(probe)?;
        Some(Sample {
            moisture: moisture + self.added(moisture, zone, now),
            temperature: soil_temperature(probe, ZONES[zone].is_open, hour),
        })
    }

    /// A zone's pump starts or stops.
    pub fn set_running(&mut self, zone: usize, is_running: bool, now: Timestamp) {
        if let Some(watering) = self.waterings.get_mut(zone) {
            watering.set_running(is_running, now);
        }
    }

    /// What plays goes on where it stopped: to make up for a night would take a model at full speed minutes.
    fn leave_out_suspension(&mut self, now: Timestamp) {
        let silence = now.saturating_duration_since(self.last_sample);
        if silence > SUSPENSION_MIN {
            self.started = self.started + silence;
        }
        self.last_sample = self.last_sample.max(now);
    }

    /// Water beyond what the pores hold runs off.
    fn added(&self, moisture: f64, zone: usize, now: Timestamp) -> f64 {
        self.waterings[zone]
            .level(now)
            .min((SATURATION - moisture).max(0.0))
    }
}

/// Where in a file that is played again and again; in the past it was, too, but without pauses. A row lasts an hour at
/// least, so whole seconds will do.
fn along(replay: &Replay, past: Duration, played: Duration, pause: Duration) -> Duration {
    let span = replay.span().as_secs().max(1);
    let since_first = (past.as_secs() % span).saturating_add(played.as_secs());
    Duration::from_secs(since_first % span.saturating_add(pause.as_secs()))
}

/// At 10 cm the day's wave is a few degrees high and some three hours late; under glass it is warmer.
fn soil_temperature(probe: usize, is_open: bool, hour: f64) -> f64 {
    let mean = if is_open { 17.5 } else { 22.0 };
    let place = (probe * 7 % 5) as f64 * 0.3;
    mean + place + 3.0 * (2.0 * PI * (hour - 11.0) / 24.0).sin()
}

/// A day of a past.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long nothing is sent between the end of a file and its beginning, so that charts show the seam as a gap.
const PAUSE: Duration = Duration::from_secs(10);
const INTERVAL_MIN: Duration = Duration::from_millis(100);
const INTERVAL_MAX: Duration = Duration::from_secs(2);
/// Probes ask so often that a longer silence means that the machine was suspended.
const SUSPENSION_MIN: Duration = Duration::from_secs(60);
/// In percent: a common porosity.
const SATURATION: f64 = 48.0;

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn ground() -> Ground {
        let source = Source::SoilModel(SoilModel::new(1));
        Ground::new(source, "1s".parse().unwrap(), Timestamp::from_millis(0))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_pump_waters_the_probes_of_its_own_zone() {
        let (mut watered, mut dry) = (ground(), ground());
        watered.set_running(0, true, at(0));
        watered.set_running(0, false, at(60));
        for (index, (zone, probe)) in probes().enumerate() {
            let watered = watered.sample(index, at(61)).unwrap().moisture;
            let dry = dry.sample(index, at(61)).unwrap().moisture;
            let added = watered - dry;
            assert_eq!(zone == 0, added > 2.5, "{}: {added}", probe.name);
        }
    }

    #[test]
    fn a_file_is_played_again_after_a_pause() {
        let columns: String = (1..=13).map(|number| format!(",P{number}")).collect();
        let row = |hour: u8, value: &str| {
            format!("2022-11-15,{hour}{}\n", format!(",{value}").repeat(13))
        };
        let text = format!("day,hour{columns}\n{}{}", row(0, "11.5"), row(1, "12"));
        let source = Source::Replay {
            replay: Replay::read(Path::new("some.csv"), text.as_bytes()).unwrap(),
            file_name: "some.csv".into(),
        };
        let mut ground = Ground::new(source, "1h".parse().unwrap(), at(0));
        assert_eq!(ground.reading_interval(), Duration::from_secs(1));
        let mut moisture = |seconds| {
            let sample = ground.sample(0, at(seconds));
            sample.map(|sample| sample.moisture)
        };
        for (seconds, expected) in [
            (0, Some(11.5)),
            (1, Some(12.0)),
            (2, None),
            (11, None),
            (12, Some(11.5)),
            (13, Some(12.0)),
            (14, None),
        ] {
            assert_eq!(moisture(seconds), expected, "after {seconds} s");
        }
    }

    #[test]
    fn a_suspension_is_not_played() {
        let mut ground = Ground::new(
            Source::SoilModel(SoilModel::new(1)),
            "30d".parse().unwrap(),
            at(0),
        );
        let at_start = ground.sample(0, at(0));
        assert_eq!(ground.sample(0, at(1_000_000)), at_start);
        assert_ne!(ground.sample(0, at(1_000_001)), at_start);
    }

    #[test]
    fn a_model_says_that_it_is_one() {
        assert_eq!(
            ground().simulation().to_json(),
            r#"{"source":"soil model","speed":"1 s per second"}"#
        );
    }
}
