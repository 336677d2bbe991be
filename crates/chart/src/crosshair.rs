use crate::scene::NO_DATA;
use crate::{Picture, Point, PumpRuns, Scene, decimal};

/// What a chart says about one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Crosshair {
    /// The moment: that of the nearest reading, or the one asked for where there is no data.
    pub time: i64,
    /// Its place from the left.
    pub x: f32,
    /// The moment in words: "14:05:10".
    pub time_label: String,
    /// What each line that is shown says.
    pub readings: Vec<LineReading>,
    /// What a pump was doing then.
    pub note: Option<String>,
}

/// What a line says about a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct LineReading {
    /// Which of the scene's lines.
    pub line: usize,
    /// The reading's place from the top.
    pub y: Option<f32>,
    /// The reading in words: "22.1 %", or "no data".
    pub label: String,
}

impl Scene {
    /// What the chart says about a moment; `None` while it has no reading in view.
    pub fn crosshair(&self, picture: &Picture, time: i64) -> Option<Crosshair> {
        let time = time.min(self.window.end).max(self.window.start);
        self.shown()
            .find_map(|line| line.series.nearest(self.window, time))?;
        let readings = self.shown();
        let readings = readings.filter_map(|line| line.reading_at(self.window, time));
        let found = readings.min_by_key(|point| (point.time - time).abs());
        let time = found.map_or(time, |point| point.time);
        Some(Crosshair {
            time,
            x: picture.times.position(time as f64) as f32,
            time_label: self.time_label(time, self.window.duration() / STEPS_MAX as i64),
            readings: self.readings(picture, time),
            note: self.pump_note(time),
        })
    }

    fn readings(&self, picture: &Picture, time: i64) -> Vec<LineReading> {
        let lines = self.lines.iter().enumerate();
        let shown = lines.filter(|(_, line)| !line.is_hidden);
        let reading = |(number, line): (usize, &crate::Line)| {
            let point = line.reading_at(self.window, time);
            let y = |point: Point| picture.values.position(f64::from(point.value)) as f32;
            LineReading {
                line: number,
                y: point.map(y),
                label: point.map_or_else(|| NO_DATA.into(), |point| self.value_label(point)),
            }
        };
        shown.map(reading).collect()
    }

    /// The moment of the reading some steps after (or before) a moment in the window, for the arrow
    /// keys. A step is a reading, or more where they lie closer than a picture could show. Without
    /// a moment: the newest reading.
    pub fn step(&self, from: Option<i64>, steps: i32) -> Option<i64> {
        let mut lines = self.shown();
        let line = lines.find(|line| line.series.nearest(self.window, 0).is_some())?;
        let Some(from) = from else {
            return Some(line.series.nearest(self.window, self.window.end)?.time);
        };
        let stride = (line.series.count(self.window) / STEPS_MAX).max(1) as i64;
        let steps = i64::from(steps) * stride;
        Some(line.series.step(self.window, from, steps)?.time)
    }

    /// A reading in words: "22.1 %".
    pub(crate) fn value_label(&self, point: Point) -> String {
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
    use crate::{Line, Series, Size, Span};

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
        let picture = scene.draw(Size::new(800.0, 360.0));
        let at = |time| scene.crosshair(&picture, time).unwrap();
        let reading = at(75_400);
        assert_eq!(reading.time, 75_000);
        assert_eq!(reading.time_label, "00:01:15");
        assert_eq!(reading.readings[0].label, "19.5 %");
        assert_eq!(reading.note.as_deref(), Some("North pump running"));
        let gap = at(50_000);
        assert_eq!(gap.time, 50_000);
        assert_eq!(gap.readings[0].label, "no data");
        assert_eq!(gap.readings[0].y, None);
    }

    #[test]
    fn a_crosshair_reads_every_line_that_is_shown() {
        let one = |from: i64, until: i64, value: f32| {
            let mut series = Series::new(1_000);
            for second in from..until {
                series.append(second * 1_000 + from, value);
            }
            Line::of(series)
        };
        let mut lines = vec![one(0, 100, 1.0), one(50, 100, 2.0), one(0, 100, 3.0)];
        lines[2].is_hidden = true;
        let scene = Scene::of_lines(lines);
        let picture = scene.draw(Size::new(800.0, 360.0));
        let said = |time| -> Vec<(usize, String)> {
            let crosshair = scene.crosshair(&picture, time).unwrap();
            let readings = crosshair.readings.into_iter();
            readings
                .map(|reading| (reading.line, reading.label))
                .collect()
        };
        let words = |word: &str, other: &str| vec![(0, word.into()), (1, other.into())];
        assert_eq!(said(20_100), words("1.0", "no data"));
        assert_eq!(said(70_040), words("1.0", "2.0"));
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
