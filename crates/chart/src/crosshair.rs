use crate::scene::NO_DATA;
use crate::{Picture, Point, PumpRuns, Scene, decimal, gap_limit};

/// What a chart says about one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Crosshair {
    /// The moment: that of the nearest reading, or the one asked for where there is no data.
    pub time: i64,
    /// Its place from the left.
    pub x: f32,
    /// The reading's place from the top.
    pub y: Option<f32>,
    /// The moment in words: "14:05:10".
    pub time_label: String,
    /// The reading in words: "22.1 %", or "no data".
    pub value_label: String,
    /// What a pump was doing then.
    pub note: Option<String>,
}

impl Scene {
    /// What the chart says about a moment; `None` while it has no reading in view.
    pub fn crosshair(&self, picture: &Picture, time: i64) -> Option<Crosshair> {
        let time = time.clamp(self.window.start, self.window.end);
        let point = self.series.point(self.series.nearest(self.window, time)?)?;
        let limit = gap_limit(&self.series, self.expiry);
        let away = (time - point.time).abs();
        let is_gap = limit.is_some_and(|limit| away > limit);
        let time = if is_gap { time } else { point.time };
        let value_label = if is_gap {
            String::from(NO_DATA)
        } else {
            self.value_label(point)
        };
        Some(Crosshair {
            time,
            x: picture.times.position(time as f64) as f32,
            y: (!is_gap).then(|| picture.values.position(f64::from(point.value)) as f32),
            time_label: self.time_label(time, self.window.duration() / STEPS_MAX as i64),
            value_label,
            note: self.pump_note(time),
        })
    }

    /// The reading some steps after (or before) a moment in the window, for the arrow keys. A step
    /// is a reading, or more where they lie closer than a picture could show. Without a moment:
    /// the newest reading.
    pub fn step(&self, from: Option<i64>, steps: i32) -> Option<i64> {
        let range = self.series.range(self.window);
        let last = range
            .end
            .checked_sub(1)
            .filter(|&last| last >= range.start)?;
        let stride = (range.len() / STEPS_MAX).max(1) as i64;
        let index = match from.and_then(|time| self.series.nearest(self.window, time)) {
            Some(index) => {
                let moved = index as i64 + i64::from(steps) * stride;
                moved.clamp(range.start as i64, last as i64) as usize
            }
            None => last,
        };
        Some(self.series.point(index)?.time)
    }

    /// A reading in words: "22.1 %".
    fn value_label(&self, point: Point) -> String {
        self.with_unit(decimal(point.value, 1))
    }

    fn pump_note(&self, time: i64) -> Option<String> {
        let is_running = |pump: &&PumpRuns| pump.runs.iter().any(|run| run.contains(time));
        let mut note = self.pumps.iter().find(is_running)?.name.clone();
        note.push_str(" running");
        Some(note)
    }
}

/// The most steps that lead through a window.
const STEPS_MAX: usize = 240;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Series, Size, Span};

    /// A reading a second from 0 to 100 s, none between 40 s and 60 s.
    fn scene() -> Scene {
        let mut series = Series::new(1_000);
        for second in (0..=40).chain(60..=100) {
            series.append(second * 1_000, 18.0 + (second % 7) as f32 * 0.3);
        }
        Scene {
            unit: String::from("%"),
            pumps: vec![PumpRuns {
                name: String::from("North pump"),
                runs: vec![Span::new(70_000, 80_000)],
            }],
            ..Scene::of(series)
        }
    }

    #[test]
    fn a_crosshair_reads_the_nearest_value_or_says_no_data() {
        let scene = scene();
        let picture = scene.draw(Size {
            width: 800.0,
            height: 360.0,
        });
        let at = |time| scene.crosshair(&picture, time).unwrap();
        let reading = at(75_400);
        assert_eq!(reading.time, 75_000);
        assert_eq!(reading.time_label, "00:01:15");
        assert_eq!(reading.value_label, "19.5 %");
        assert_eq!(reading.note.as_deref(), Some("North pump running"));
        let gap = at(50_000);
        assert_eq!(
            (gap.time, gap.value_label.as_str(), gap.y),
            (50_000, "no data", None)
        );
    }

    #[test]
    fn arrow_keys_go_from_reading_to_reading() {
        let scene = scene();
        assert_eq!(scene.step(None, -1), Some(100_000));
        assert_eq!(scene.step(Some(60_000), -1), Some(40_000));
        assert_eq!(scene.step(Some(1_000), -5), Some(0));
        assert_eq!(Scene::of(Series::new(1)).step(None, 1), None);
    }
}
