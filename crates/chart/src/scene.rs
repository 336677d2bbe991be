use crate::calendar::{DAY, Date, MINUTE};
use crate::decimal::push_whole;
use crate::gap::GapLimit;
use crate::plot::{LineStyle, Plot, PlotLine, ink};
use crate::trend::unit_gap;
use crate::{
    Anchor, Command, Dash, Ink, Paint, Picture, Point, Reach, Rect, Scale, Series, Size, Span,
    ValueTicks, Zone, clock, clock_with_seconds, date, decimal, time_ticks,
};

/// The values that a reading should keep to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Below it is too dry.
    pub low: f32,
    /// Above it is too wet.
    pub high: f32,
}

impl Band {
    /// Writes it as "14–22 %".
    pub fn label(self, unit: &str) -> String {
        let number = |value: f32| decimal(value, u32::from(value.fract() != 0.0));
        let mut text = number(self.low);
        text.push('–');
        text.push_str(&number(self.high));
        text.push_str(unit_gap(unit));
        text.push_str(unit);
        text
    }
}

/// When a pump ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PumpRuns {
    /// The pump's name.
    pub name: String,
    /// From start to stop; a run that still goes on ends now.
    pub runs: Vec<Span>,
}

/// One series on a chart.
#[derive(Clone, Debug)]
pub struct Line {
    /// What tells it from the others, should two have the same name.
    pub key: String,
    /// What is measured, where several lines are to be told apart.
    pub name: String,
    /// The readings.
    pub series: Series,
    /// Whether the newest reading is still believed; if not, a line that is alone is dashed, and
    /// the dot at its end is hollow.
    pub is_fresh: bool,
    /// How long a reading holds, in milliseconds, if its device says so.
    pub expiry: Option<i64>,
    /// Whether it is left out for the moment.
    pub is_hidden: bool,
}

impl Line {
    /// A series that is believed and has no name.
    pub fn of(series: Series) -> Self {
        Self {
            key: String::new(),
            name: String::new(),
            series,
            is_fresh: true,
            expiry: None,
            is_hidden: false,
        }
    }

    /// A reading of it that stands for a moment: the nearest one, unless it is in a gap.
    pub(crate) fn reading_at(&self, window: Span, time: i64) -> Option<Point> {
        let limit = GapLimit::of(&self.series, window, self.expiry);
        let nearest = self.series.nearest(window, time)?;
        let away = (time - nearest.time).abs();
        let at = self.series.store().position(time);
        let is_in_gap = limit.is_some_and(|limit| limit.is_gap(&self.series, at, away));
        (!is_in_gap).then_some(nearest)
    }
}

/// A large chart: series over time with axes, their target band, gaps and the pumps that water them.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What is measured. One line alone is coloured by where its newest reading stands; several
    /// have a colour and a pattern of dashes each.
    pub lines: Vec<Line>,
    /// Their unit: "%".
    pub unit: String,
    /// What to show of them.
    pub window: Span,
    /// The present moment: a silence that lasts is a gap up to here.
    pub now: i64,
    /// Since when readings have been collected; nothing was expected before.
    pub since: i64,
    /// The target.
    pub band: Option<Band>,
    /// The pumps that water this soil.
    pub pumps: Vec<PumpRuns>,
    /// Whether older readings are still being fetched.
    pub is_loading: bool,
    /// The local clock.
    pub zone: Zone,
}

impl Scene {
    /// A scene with a series and nothing else: everything in view, no band, no pumps, no unit.
    pub fn of(series: Series) -> Self {
        Self::of_lines(vec![Line::of(series)])
    }

    /// A scene with these lines and nothing else: everything in view, no band, no pumps, no unit.
    pub fn of_lines(lines: Vec<Line>) -> Self {
        let all = |end: fn(&Series) -> Option<Point>| {
            let ends = lines.iter().filter_map(move |line| end(&line.series));
            ends.map(|point| point.time)
        };
        let start = all(Series::first).min().unwrap_or(0);
        let end = all(Series::last).max().unwrap_or(0);
        Self {
            lines,
            unit: String::new(),
            window: Span::new(start, end),
            now: end,
            since: start,
            band: None,
            pumps: Vec::new(),
            is_loading: false,
            zone: Zone::UTC,
        }
    }

    /// Draws it in the given size.
    pub fn draw(&self, size: Size) -> Picture {
        let (plot, values, ticks) = self.plot(size);
        let mut picture = Picture {
            plot: plot.rect,
            times: plot.times(),
            values,
            ..Picture::default()
        };
        if let Some(band) = self.band {
            picture.fill(plot.layer(band, values), Ink::LeafWash);
        }
        value_axis(&mut picture, ticks);
        let gaps = plot.stretches(plot.gaps(self.now));
        for &stretch in &gaps {
            picture.hatch(stretch);
            if stretch.width >= NO_DATA_WIDTH {
                let middle = stretch.x + stretch.width / 2.0;
                let text = String::from(NO_DATA);
                picture.text(middle, stretch.y + 12.0, Anchor::Middle, Ink::SoftInk, text);
            }
        }
        self.watering(&mut picture, &plot);
        plot.draw(&mut picture, values);
        self.band_label(&mut picture, &plot, &gaps);
        self.time_axis(&mut picture, size);
        self.nothing_before(&mut picture);
        picture
    }

    /// The lines that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.is_hidden)
    }

    /// How far a reader can go in it. A reading is to be seen always, unless it is in a gap.
    pub fn reach(&self) -> Reach {
        Reach {
            since: self.since,
            now: self.now,
            least: self.usual_interval(),
        }
    }

    /// What usually lies between two readings of the line that has most of them; 0 while that is not known.
    pub(crate) fn usual_interval(&self) -> i64 {
        let lines = self.shown();
        let intervals = lines.filter_map(|line| line.series.usual_interval());
        intervals.min().unwrap_or_default()
    }

    /// When the first reading in view was.
    pub fn first_in_view(&self) -> Option<i64> {
        let lines = self.shown();
        let firsts = lines.filter_map(|line| line.series.nearest(self.window, i64::MIN));
        firsts.map(|point| point.time).min()
    }

    /// The first line that is shown.
    pub(crate) fn leader(&self) -> Option<&Line> {
        self.shown().next()
    }

    /// Whether its lines have to be told apart.
    pub fn has_several(&self) -> bool {
        self.lines.len() > 1
    }

    fn plot_lines(&self) -> Vec<PlotLine<'_>> {
        let mut lines = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            if line.is_hidden {
                continue;
            }
            let style = if self.has_several() {
                LineStyle {
                    ink: Ink::of_line(number),
                    width: 1.75,
                    dash: Dash::of_line(number),
                    is_fresh: line.is_fresh,
                }
            } else {
                LineStyle::alone(ink(&line.series, self.band), 2.0, line.is_fresh)
            };
            lines.push(PlotLine {
                series: &line.series,
                expiry: line.expiry,
                style,
            });
        }
        lines
    }

    /// A moment in words: its day unless that is today and all that is shown.
    pub(crate) fn time_label(&self, time: i64, exactness: i64) -> String {
        let shown = self.window.duration();
        let has_day = shown > DAY || self.day(time) != self.day(self.now);
        self.moment_label(time, exactness, has_day, shown)
    }

    /// From one moment to another, in words: the day stands at both ends; of a single day once, and of today never.
    pub(crate) fn span_label(&self, span: Span, exactness: i64) -> String {
        let (first, last) = (self.day(span.start), self.day(span.end));
        let (has_last, shown) = (first != last, span.duration());
        let has_first = has_last || last != self.day(self.now);
        let mut text = self.moment_label(span.start, exactness, has_first, shown);
        text.push('–');
        text.push_str(&self.moment_label(span.end, exactness, has_last, shown));
        text
    }

    /// Its year unless that is this one, seconds where they count; over a year no hour.
    fn moment_label(&self, time: i64, exactness: i64, has_day: bool, shown: i64) -> String {
        let mut text = String::new();
        if has_day {
            text.push_str(&date(time, self.zone));
            let is_long = shown > MANY_MONTHS;
            let year = |time| Date::of_day(self.day(time)).year;
            if is_long || year(time) != year(self.now) {
                text.push(' ');
                push_whole(&mut text, year(time).unsigned_abs(), 1);
            }
            if is_long {
                return text;
            }
            text.push_str(", ");
        }
        text.push_str(&if exactness < MINUTE {
            clock_with_seconds(time, self.zone)
        } else {
            clock(time, self.zone)
        });
        text
    }

    fn day(&self, time: i64) -> i64 {
        self.zone.local(time).div_euclid(DAY)
    }

    pub(crate) fn with_unit(&self, mut number: String) -> String {
        number.push_str(unit_gap(&self.unit));
        number.push_str(&self.unit);
        number
    }

    /// Where the lines are drawn, with room on the left for the longest label of their values.
    fn plot(&self, size: Size) -> (Plot<'_>, Scale, ValueTicks) {
        let mut n_characters = LABEL_LENGTH;
        loop {
            let rect = plot_rect(size, n_characters);
            let plot = Plot::new(self.plot_lines(), self.window, rect, size);
            let values = plot.values(self.band, self.band.map_or(0.0, |_| LABEL_HEAD));
            let ticks = value_ticks(rect, values);
            let lengths = ticks.values().map(|value| ticks.label(value));
            let longest = lengths.map(|label| label.chars().count()).max();
            match longest {
                Some(longest) if longest > n_characters => n_characters = longest,
                _ => return (plot, values, ticks),
            }
        }
    }

    fn watering(&self, picture: &mut Picture, plot: &Plot<'_>) {
        let runs = self.pumps.iter().flat_map(|pump| &pump.runs);
        for mut stretch in plot.stretches(runs.copied()) {
            stretch.width = stretch.width.max(2.0);
            let shade = Paint {
                ink: Ink::Water,
                alpha: 0.14,
            };
            picture.fill(stretch, shade);
            let foot = Rect {
                y: stretch.bottom() - FOOT,
                height: FOOT,
                ..stretch
            };
            picture.fill(foot, Ink::Water);
        }
    }

    /// Names the band once, where it hides no reading: in a corner of it, just outside, or at the top.
    fn band_label(&self, picture: &mut Picture, plot: &Plot<'_>, gaps: &[Rect]) {
        let Some(band) = self.band else { return };
        let mut text = String::new();
        if let Some(owner) = self.lines.first().filter(|_| self.has_several()) {
            text.push_str(&owner.name);
            text.push_str(": ");
        }
        text.push_str("target ");
        text.push_str(&band.label(&self.unit));
        let width = text.chars().count() as f32 * LABEL_ADVANCE;
        let (layer, rect) = (plot.layer(band, picture.values), plot.rect);
        let rows = [
            layer.y + LABEL_EDGE,
            layer.bottom() - LABEL_EDGE,
            layer.y - LABEL_EDGE,
            layer.bottom() + LABEL_EDGE,
            rect.y + LABEL_HEIGHT / 2.0,
        ];
        // In a layer so thin there is no room inside.
        let first = if layer.height < 2.0 * LABEL_HEIGHT {
            4
        } else {
            0
        };
        let mut place = Rect {
            width: width + 2.0 * LABEL_GAP,
            height: LABEL_HEIGHT,
            ..rect
        };
        let mut is_right = true;
        for corner in first..2 * rows.len() {
            is_right = corner % 2 == 0;
            place.x = if is_right {
                rect.right() - place.width
            } else {
                rect.x
            };
            place.y = rows[corner / 2] - LABEL_HEIGHT / 2.0;
            let is_hatched = |gap: &Rect| gap.x < place.right() && gap.right() > place.x;
            if place.y >= rect.y
                && place.bottom() <= rect.bottom()
                && !gaps.iter().any(is_hatched)
                && plot.is_free(place, picture.values)
            {
                break;
            }
        }
        picture.commands.push(Command::Text {
            x: match is_right {
                true => place.right() - LABEL_GAP,
                false => place.x + LABEL_GAP,
            },
            y: place.y + LABEL_HEIGHT / 2.0,
            anchor: if is_right { Anchor::End } else { Anchor::Start },
            ink: Ink::Leaf,
            strong: true,
            text,
        });
    }

    fn time_axis(&self, picture: &mut Picture, size: Size) {
        let plot = picture.plot;
        let n_max = (plot.width / TIME_LABEL_DISTANCE) as usize;
        let from = picture.corners.len();
        for tick in time_ticks(self.window, n_max, self.zone) {
            let x = picture.times.position(tick.time as f64) as f32;
            let at = x.round() + 0.5;
            picture.segment((at, plot.bottom()), (at, plot.bottom() + TICK));
            let half = tick.label.chars().count() as f32 * LABEL_ADVANCE / 2.0;
            // At the edge of the picture a label stands beside its tick; it is never cut.
            let middle = x.min(size.width - half);
            let y = plot.bottom() + 17.0;
            picture.text(middle, y, Anchor::Middle, Ink::SoftInk, tick.label);
        }
        picture.stroke(from, Ink::Line, 1.0, Dash::Solid);
    }

    /// Says why the left of the picture is empty.
    fn nothing_before(&self, picture: &mut Picture) {
        let plot = picture.plot;
        if self.lines.iter().all(|line| line.series.is_empty()) {
            let y = plot.y + plot.height / 2.0;
            let text = String::from(match self.is_loading {
                true => "fetching the readings",
                false => "waiting for the first reading",
            });
            let middle = plot.x + plot.width / 2.0;
            picture.text(middle, y, Anchor::Middle, Ink::SoftInk, text);
            return;
        }
        let begin = picture.times.position(self.since as f64) as f32;
        if begin - plot.x >= COLLECTING_WIDTH {
            let text = String::from("not yet collecting");
            let middle = (plot.x + begin) / 2.0;
            picture.text(middle, plot.y + 12.0, Anchor::Middle, Ink::SoftInk, text);
        }
    }
}

fn plot_rect(size: Size, n_characters: usize) -> Rect {
    let x = LABEL_ADVANCE * n_characters as f32 + LABEL_GAP;
    Rect {
        x,
        y: TOP,
        width: (size.width - x - RIGHT).max(1.0),
        height: (size.height - TOP - BOTTOM).max(1.0),
    }
}

fn value_ticks(plot: Rect, values: Scale) -> ValueTicks {
    let (low, high) = values.domain();
    // A small chart has its labels closer, rather than none.
    let least = (plot.height / LABEL_HEIGHT / 1.5).min(VALUE_LABELS_LEAST);
    let n_max = (plot.height / VALUE_LABEL_DISTANCE).max(least) as usize;
    ValueTicks::new(low, high, n_max)
}

fn value_axis(picture: &mut Picture, ticks: ValueTicks) {
    let plot = picture.plot;
    let from = picture.corners.len();
    for value in ticks.values() {
        let y = picture.values.position(value) as f32;
        // Half a pixel, so that a hairline fills one row and not two by half.
        let row = y.floor() + 0.5;
        picture.segment((plot.x, row), (plot.right(), row));
        picture.text(
            plot.x - LABEL_GAP,
            y,
            Anchor::End,
            Ink::SoftInk,
            ticks.label(value),
        );
    }
    picture.stroke(from, Ink::Line, 1.0, Dash::Solid);
}

/// So long that the hour does not matter, and that its ends could be taken for days of one year.
const MANY_MONTHS: i64 = 300 * DAY;
pub(crate) const NO_DATA: &str = "no data";
const NO_DATA_WIDTH: f32 = 56.0;
const COLLECTING_WIDTH: f32 = 150.0;
/// A digit's width at the label's size of 12 px.
pub(crate) const LABEL_ADVANCE: f32 = 7.0;
const LABEL_HEIGHT: f32 = 16.0;
/// Where no other place is free there is this one, above all readings and their strokes.
const LABEL_HEAD: f32 = LABEL_HEIGHT + 3.0;
/// From the edge of the band to the middle of its label.
const LABEL_EDGE: f32 = 12.0;
/// Characters to make room for on the left always, so that charts one above the other are aligned.
const LABEL_LENGTH: usize = 4;
const LABEL_GAP: f32 = 10.0;
const TIME_LABEL_DISTANCE: f32 = 76.0;
const VALUE_LABEL_DISTANCE: f32 = 42.0;
const VALUE_LABELS_LEAST: f32 = 4.0;
const TOP: f32 = 8.0;
const RIGHT: f32 = 10.0;
const BOTTOM: f32 = 28.0;
const TICK: f32 = 5.0;
const FOOT: f32 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 800.0,
        height: 360.0,
        ratio: 1.0,
    };

    /// A reading a second from 0 to 100 s, none between 40 s and 60 s.
    fn scene() -> Scene {
        let mut series = Series::new(1_000);
        for second in (0..=40).chain(60..=100) {
            series.append(second * 1_000, 18.0 + (second % 7) as f32 * 0.3);
        }
        Scene {
            unit: String::from("%"),
            band: Some(Band {
                low: 14.0,
                high: 22.0,
            }),
            pumps: vec![PumpRuns {
                name: String::from("North pump"),
                runs: vec![Span::new(70_000, 80_000), Span::new(500_000, 600_000)],
            }],
            ..Scene::of(series)
        }
    }

    fn texts(picture: &Picture) -> Vec<&str> {
        picture
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Text { text, .. } => Some(text.as_str()),
                Command::Fill { .. }
                | Command::Stroke { .. }
                | Command::Raster { .. }
                | Command::Dot { .. } => None,
            })
            .collect()
    }

    fn fills(picture: &Picture, wanted: Ink) -> Vec<Rect> {
        picture
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Fill { rect, paint } if paint.ink == wanted => Some(*rect),
                Command::Fill { .. }
                | Command::Stroke { .. }
                | Command::Raster { .. }
                | Command::Dot { .. }
                | Command::Text { .. } => None,
            })
            .collect()
    }

    #[test]
    fn the_band_is_named_once_and_the_gap_says_so() {
        let picture = scene().draw(SIZE);
        let texts = texts(&picture);
        let n_of = |wanted| texts.iter().filter(|&&text| text == wanted).count();
        assert_eq!((n_of("target 14–22 %"), n_of("no data")), (1, 1));
        assert_eq!(fills(&picture, Ink::Surface).len(), 1);
    }

    /// Where the target's label stands: from the left, and the middle from the top.
    fn label(picture: &Picture) -> (f32, f32, f32) {
        let label = picture.commands.iter().find_map(|command| {
            let Command::Text {
                x,
                y,
                anchor,
                strong: true,
                text,
                ..
            } = command
            else {
                return None;
            };
            let width = text.chars().count() as f32 * LABEL_ADVANCE;
            let x = if *anchor == Anchor::End {
                x - width
            } else {
                *x
            };
            Some((x, x + width, *y))
        });
        label.expect("the band is named")
    }

    #[test]
    fn the_target_s_label_hides_no_reading() {
        let waves: [&dyn Fn(f32) -> f32; 6] = [
            &|_| 18.0,
            &|along| 14.0 + 8.0 * along,
            &|along| 22.0 - 8.0 * along,
            &|along| 18.0 + 4.5 * (along * 900.0).sin(),
            &|along| 18.0 + 9.0 * (along * 300.0).sin(),
            &|along| if along > 0.9 { 21.0 } else { 15.0 },
        ];
        for (n, (number, wave)) in [20, 200, 20_000]
            .into_iter()
            .flat_map(|n| waves.iter().enumerate().map(move |wave| (n, wave)))
        {
            let mut series = Series::new(100_000);
            for at in 0..=n {
                series.append(at * 1_000, wave(at as f32 / n as f32));
            }
            let scene = Scene {
                band: Some(Band {
                    low: 14.0,
                    high: 22.0,
                }),
                ..Scene::of(series.clone())
            };
            for size in [SIZE, Size::new(300.0, 140.0)] {
                let picture = scene.draw(size);
                let (left, right, y) = label(&picture);
                let over = series.points(scene.window).filter(|point| {
                    let x = picture.times.position(point.time as f64) as f32;
                    let away = picture.values.position(f64::from(point.value)) as f32 - y;
                    (left..right).contains(&x) && away.abs() < LABEL_HEIGHT / 2.0
                });
                assert_eq!(over.count(), 0, "{n} readings, wave {number}, {size:?}");
                let washes = fills(&picture, Ink::LeafWash);
                assert_eq!(washes.len(), 1, "nothing lies under it");
            }
        }
    }

    #[test]
    fn of_several_lines_only_what_all_of_them_miss_is_a_gap() {
        let line = |silent: std::ops::Range<i64>| {
            let mut series = Series::new(1_000);
            for second in (0..=100).filter(|second| !silent.contains(second)) {
                series.append(second * 1_000, 18.0);
            }
            Line::of(series)
        };
        let hatched = |lines| fills(&Scene::of_lines(lines).draw(SIZE), Ink::Surface);
        let [gap] = hatched(vec![line(20..60), line(40..80)])[..] else {
            panic!("both were silent once");
        };
        let second = (SIZE.width - 48.0) / 100.0;
        assert!((gap.width / second - 21.0).abs() < 0.5, "{gap:?}");
        assert!(hatched(vec![line(20..40), line(50..80)]).is_empty());
    }

    #[test]
    fn a_pump_run_is_shaded_with_a_foot_on_the_axis() {
        let picture = scene().draw(SIZE);
        let [shade, foot] = fills(&picture, Ink::Water)[..] else {
            panic!("one run is in view");
        };
        assert_eq!((shade.x, shade.width), (foot.x, foot.width));
        assert_eq!(foot.bottom(), picture.plot.bottom());
        assert_eq!(shade.height, picture.plot.height);
    }

    #[test]
    fn between_two_readings_the_line_goes_on() {
        let mut series = Series::new(100);
        for quarter in 0..10 {
            series.append(quarter * 900_000, 18.0 + quarter as f32);
        }
        let scene = Scene {
            window: Span::new(4_100_000, 4_160_000),
            ..Scene::of(series)
        };
        let picture = scene.draw(SIZE);
        let ends = [picture.plot.x, picture.plot.right()];
        let drawn = |x: f32| {
            picture
                .corners
                .iter()
                .any(|corner| (corner.0 - x).abs() < 0.1)
        };
        assert!(ends.into_iter().all(drawn));
        assert!(fills(&picture, Ink::Surface).is_empty(), "no gap");
        assert_eq!(scene.reach().least, 900_000);
    }

    #[test]
    fn no_label_of_a_value_is_cut() {
        for (low, high) in [
            (14.0, 15.0),
            (0.0, 100.0),
            (-12.5, -12.0),
            (1_013.0, 1_013.4),
            (0.0, 2e6),
        ] {
            let mut series = Series::new(9);
            series.append(0, low);
            series.append(1_000, high);
            for size in [SIZE, Size::new(280.0, 160.0)] {
                let picture = Scene::of(series.clone()).draw(size);
                let labels: Vec<(f32, &str)> = picture
                    .commands
                    .iter()
                    .filter_map(|command| {
                        let Command::Text {
                            x,
                            anchor: Anchor::End,
                            text,
                            ..
                        } = command
                        else {
                            return None;
                        };
                        Some((*x, text.as_str()))
                    })
                    .collect();
                assert!(labels.len() > 1, "{low} to {high}");
                for (right, text) in labels {
                    let width = text.chars().count() as f32 * LABEL_ADVANCE;
                    assert!(width <= right, "{text} ends at {right}");
                }
            }
        }
    }

    #[test]
    fn charts_of_other_values_are_aligned() {
        let left = |value| {
            let mut series = Series::new(9);
            series.append(0, value);
            Scene::of(series).draw(SIZE).plot.x
        };
        assert_eq!([0.5, 14.0, 99.0, 990.0].map(left), [left(5.0); 4]);
    }

    #[test]
    fn everything_lies_inside_the_picture() {
        for size in [SIZE, Size::new(280.0, 200.0)] {
            let picture = scene().draw(size);
            for &(x, y) in picture.corners.iter().filter(|corner| !corner.0.is_nan()) {
                assert!((0.0..=size.width).contains(&x), "{x}");
                assert!((0.0..=size.height).contains(&y), "{y}");
            }
        }
    }

    #[test]
    fn before_the_first_reading_it_says_what_it_waits_for() {
        let empty = Scene {
            window: Span::new(0, 60_000),
            ..Scene::of(Series::new(1))
        };
        assert!(texts(&empty.draw(SIZE)).contains(&"waiting for the first reading"));
        let begun = Scene {
            window: Span::new(-100_000, 100_000),
            ..scene()
        };
        assert!(texts(&begun.draw(SIZE)).contains(&"not yet collecting"));
    }
}
