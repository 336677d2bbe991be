use crate::{Point, Series, Span, decimal};

/// The straight line that fits the readings of a window best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// The change in an hour, in the series' unit.
    pub per_hour: f32,
    /// Where the line is at the window's newest reading.
    pub level: f32,
    /// The time of the window's newest reading.
    pub time: i64,
    /// How long the readings span, in milliseconds.
    pub duration: i64,
}

/// Fits a line to the readings of a window; `None` with fewer than three readings.
pub fn trend(series: &Series, window: Span) -> Option<Trend> {
    // Many readings tell no more than some hundred of them.
    let step = series.count(window) / SAMPLE_MAX + 1;
    let sample: Vec<Point> = series.every(step, window).collect();
    let [Point { time: first, .. }, _, .., Point { time: last, .. }] = *sample else {
        return None;
    };
    let n = sample.len() as f64;
    let hours = |time: i64| (time - first) as f64 / HOUR;
    let mean_hours = sample.iter().map(|point| hours(point.time)).sum::<f64>() / n;
    let mean_value = sample
        .iter()
        .map(|point| f64::from(point.value))
        .sum::<f64>()
        / n;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for point in &sample {
        let from_mean = hours(point.time) - mean_hours;
        covariance += from_mean * (f64::from(point.value) - mean_value);
        variance += from_mean * from_mean;
    }
    let per_hour = covariance / variance;
    Some(Trend {
        per_hour: per_hour as f32,
        level: (mean_value + per_hour * (hours(last) - mean_hours)) as f32,
        time: last,
        duration: last - first,
    })
}

impl Trend {
    /// Says it in words: "falling 0.4 % an hour", "steady".
    ///
    /// The unit of time is the one that gives a number people can picture.
    pub fn words(self, unit: &str) -> String {
        if self.is_steady() {
            return String::from("steady");
        }
        let (rate, time) = self.rate();
        let direction = if self.per_hour > 0.0 {
            "rising"
        } else {
            "falling"
        };
        let mut text = String::from(direction);
        text.push(' ');
        text.push_str(&decimal(rate, 1));
        text.push_str(unit_gap(unit));
        text.push_str(unit);
        text.push(' ');
        text.push_str(time);
        text
    }

    /// Whether the change is less than a twentieth of a unit over the whole stretch, or in a day.
    pub(crate) fn is_steady(self) -> bool {
        let over_all = self.per_hour * (self.duration as f64 / HOUR) as f32;
        over_all.abs() < SEEN || self.rate().0 < SEEN
    }

    /// How much it changes, and in what time.
    fn rate(self) -> (f32, &'static str) {
        let size = self.per_hour.abs();
        if size >= 10.0 {
            (size / 60.0, "a minute")
        } else if size >= 0.1 {
            (size, "an hour")
        } else {
            (size * 24.0, "a day")
        }
    }

    /// When the line reaches a level, if it is under way to it.
    pub fn reaches(self, level: f32) -> Option<i64> {
        let hours = f64::from(level - self.level) / f64::from(self.per_hour);
        (hours.is_finite() && hours > 0.0).then(|| self.time.saturating_add((hours * HOUR) as i64))
    }
}

/// The space between a number and its unit; nothing without a unit.
pub(crate) fn unit_gap(unit: &str) -> &'static str {
    if unit.is_empty() { "" } else { " " }
}

const SAMPLE_MAX: usize = 500;
/// Less is 0.0 with one decimal.
const SEEN: f32 = 0.05;
const HOUR: f64 = 3_600_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn falling(per_reading: f32, interval: i64) -> Trend {
        let mut series = Series::new(100);
        for index in 0..20 {
            series.append(
                i64::from(index) * interval,
                20.0 - per_reading * index as f32,
            );
        }
        trend(&series, Span::new(0, i64::MAX)).unwrap()
    }

    #[test]
    fn a_straight_line_is_found_exactly() {
        let trend = falling(0.1, 900_000);
        assert!((trend.per_hour + 0.4).abs() < 1e-4);
        assert!((trend.level - 18.1).abs() < 1e-4);
        assert_eq!(trend.words("%"), "falling 0.4 % an hour");
    }

    #[test]
    fn the_words_choose_a_time_people_can_picture() {
        assert_eq!(falling(-0.02, 1_000).words("%"), "rising 1.2 % a minute");
        assert_eq!(falling(0.01, 3_600_000).words(""), "falling 0.2 a day");
        assert_eq!(falling(0.0, 1_000).words("%"), "steady");
    }

    #[test]
    fn what_would_be_no_change_in_a_day_is_steady() {
        let day = 86_400_000;
        assert_eq!(falling(-0.049, day).words("%"), "steady");
        assert_eq!(falling(-0.051, day).words("%"), "rising 0.1 % a day");
    }

    #[test]
    fn a_level_behind_is_never_reached() {
        let trend = falling(0.1, 900_000);
        let hour = 3_600_000;
        let reached = trend.reaches(14.1).unwrap() - trend.time;
        assert!((reached - 10 * hour).abs() < 1_000);
        assert_eq!(trend.reaches(22.0), None);
    }

    #[test]
    fn two_readings_are_no_trend() {
        let mut series = Series::new(10);
        series.append(0, 1.0);
        series.append(1, 2.0);
        assert_eq!(trend(&series, Span::new(0, 10)), None);
    }
}
