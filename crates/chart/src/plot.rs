use crate::gap::{GapLimit, gaps};
use crate::raster::{HALVES, RasterLine, n_columns};
use crate::trace::{Cuts, Trace, trace};
use crate::{Band, Dash, Ink, Picture, Raster, Rect, Scale, Series, Size, Span};

/// The part of a picture in which lines are drawn: their window, their place, their scales.
pub(crate) struct Plot<'a> {
    pub(crate) window: Span,
    pub(crate) rect: Rect,
    lines: Vec<PlotLine<'a>>,
    /// One for each line, or none where the lines are so crowded that they become a raster.
    traces: Vec<Trace>,
    ratio: f32,
}

/// A line and how it is drawn.
pub(crate) struct PlotLine<'a> {
    pub(crate) series: &'a Series,
    pub(crate) expiry: Option<i64>,
    pub(crate) style: LineStyle,
}

impl PlotLine<'_> {
    fn limit(&self, window: Span) -> Option<GapLimit> {
        GapLimit::of(self.series, window, self.expiry)
    }
}

impl<'a> Plot<'a> {
    pub(crate) fn new(lines: Vec<PlotLine<'a>>, window: Span, rect: Rect, size: Size) -> Self {
        let mut plot = Self {
            window,
            rect,
            lines,
            traces: Vec::new(),
            ratio: size.ratio.max(0.1),
        };
        let corners_max = 2.0 * rect.width;
        let n_corners = plot.lines.iter().map(|line| {
            let n_points = line.series.count(window) as f32;
            n_points.min(corners_max)
        });
        if n_corners.sum::<f32>() <= STROKED_CORNERS_MAX {
            plot.traces = plot.traces();
        }
        plot
    }

    fn traces(&self) -> Vec<Trace> {
        let mut traces = Vec::new();
        self.each_with_cuts(&|_| self.rect.width as usize, &mut |line, cuts| {
            traces.push(trace(line.series, cuts, line.limit(self.window)));
        });
        traces
    }

    /// Calls back with each line and where its columns are cut: once for those that share their times.
    fn each_with_cuts(
        &self,
        n_columns: &dyn Fn(&Series) -> usize,
        call: &mut dyn FnMut(&PlotLine<'a>, &Cuts),
    ) {
        let mut known: Option<Cuts> = None;
        for line in &self.lines {
            let cuts = match known.take().filter(|cuts| cuts.fit(line.series)) {
                Some(cuts) => cuts,
                None => Cuts::new(line.series, self.window, n_columns(line.series)),
            };
            call(line, &cuts);
            known = Some(cuts);
        }
    }

    /// From moments to pixels.
    pub(crate) fn times(&self) -> Scale {
        let Span { start, end } = self.window;
        Scale::new(
            (start as f64, end as f64),
            (f64::from(self.rect.x), f64::from(self.rect.right())),
        )
    }

    /// From values to pixels, with room above and below what is shown: above it at least so many pixels.
    pub(crate) fn values(&self, band: Option<Band>, head: f32) -> Scale {
        let band = band.map(|band| (band.low, band.high));
        let shown = self.lines.iter().enumerate().map(|(at, line)| {
            let trace = self.traces.get(at);
            trace.map_or_else(|| line.series.extent(self.window), |trace| trace.extent)
        });
        let both = |a: (f32, f32), b: (f32, f32)| (a.0.min(b.0), a.1.max(b.1));
        let extent = shown.chain([band]).flatten().reduce(both);
        let (low, high) = extent.unwrap_or((0.0, 100.0));
        let (low, high) = (f64::from(low), f64::from(high));
        // A line that hardly moves is not blown up until its noise fills the picture.
        let least = (low.abs().max(high.abs()) * 0.1).max(f64::from(f32::EPSILON));
        let missing = (least - (high - low)).max(0.0);
        let room = (high - low + missing) * 0.08 + missing / 2.0;
        let share = head / (self.rect.height - head).max(head);
        let above = room.max((high - low + room) * f64::from(share));
        // Whole steps, so that the scale stands still while readings come in.
        let step = room.max(high - low) / 20.0;
        let low = ((low - room) / step).floor() * step;
        let high = ((high + above) / step).ceil() * step;
        Scale::new(
            (low, high),
            (f64::from(self.rect.bottom()), f64::from(self.rect.y)),
        )
    }

    /// When all lines were silent: where there are many, there is nearly always one that is.
    pub(crate) fn gaps(&self, now: i64) -> Vec<Span> {
        let mut lines = self.lines.iter();
        let gaps =
            |line: &PlotLine<'_>| gaps(line.series, self.window, line.limit(self.window), now);
        let mut common = lines.next().map(gaps).unwrap_or_default();
        for line in lines {
            common = in_both(&common, &gaps(line));
        }
        common
    }

    /// The part of the plot between two moments, from top to bottom.
    pub(crate) fn stretch(&self, span: Span) -> Option<Rect> {
        let span = span.intersection(self.window)?;
        let times = self.times();
        let x = times.position(span.start as f64) as f32;
        let width = times.position(span.end as f64) as f32 - x;
        Some(Rect {
            x,
            width,
            ..self.rect
        })
    }

    /// The parts of the plot between moments. Those that would touch on the screen become one, so that a
    /// thousand silences in five years are no more rectangles than there are pixels.
    pub(crate) fn stretches(&self, spans: impl IntoIterator<Item = Span>) -> Vec<Rect> {
        let mut all: Vec<Rect> = Vec::new();
        for stretch in spans.into_iter().filter_map(|span| self.stretch(span)) {
            match all.last_mut() {
                // Runs of several pumps are not in order.
                Some(last)
                    if (last.x..=last.right() + 1.0).contains(&stretch.x) && last.width < 1.0 =>
                {
                    last.width = stretch.right() - last.x;
                }
                _ => all.push(stretch),
            }
        }
        all
    }

    /// The part of the plot between two values, from left to right; it may be cut at the edges.
    pub(crate) fn layer(&self, band: Band, values: Scale) -> Rect {
        let y = |value: f32| {
            let y = values.position(f64::from(value)) as f32;
            // `clamp` would bring the printing of floats into the page, for its panic's message.
            y.min(self.rect.bottom()).max(self.rect.y)
        };
        Rect {
            y: y(band.high),
            height: y(band.low) - y(band.high),
            ..self.rect
        }
    }

    /// Whether no line goes through a place.
    pub(crate) fn is_free(&self, place: Rect, values: Scale) -> bool {
        let times = self.times();
        let time = |x: f32| times.invert(f64::from(x)) as i64;
        let span = Span::new(time(place.x), time(place.right()));
        let y = |value: f32| values.position(f64::from(value)) as f32;
        let mut lines = self.lines.iter();
        lines.all(|line| {
            let cuts = Cuts::new(line.series, span, 1);
            let trace = trace(line.series, &cuts, line.limit(self.window));
            let extent = trace.extent;
            extent.is_none_or(|(low, high)| y(low) < place.y || y(high) > place.bottom())
        })
    }

    fn corners(&self, trace: &Trace, values: Scale) -> impl Iterator<Item = (f32, f32)> {
        let times = self.times();
        let start = self.window.start as f64;
        trace.corners.iter().map(move |&(time, value)| {
            let x = times.position(start + time) as f32;
            (x, values.position(f64::from(value)) as f32)
        })
    }

    /// Whether the lines become a raster.
    pub(crate) fn is_crowded(&self) -> bool {
        self.traces.len() < self.lines.len()
    }

    /// Draws the lines, and a dot where each of them ends.
    pub(crate) fn draw(&self, picture: &mut Picture, values: Scale) {
        if self.is_crowded() {
            self.rasterize(picture, values);
        }
        for (line, trace) in self.lines.iter().zip(&self.traces) {
            self.stroke(picture, line, trace, values);
        }
        let times = self.times();
        for line in &self.lines {
            let last = line.series.last();
            if let Some(last) = last.filter(|last| self.window.contains(last.time)) {
                picture.dot(
                    times.position(last.time as f64) as f32,
                    values.position(f64::from(last.value)) as f32,
                    line.style,
                );
            }
        }
    }

    fn stroke(&self, picture: &mut Picture, line: &PlotLine<'_>, trace: &Trace, values: Scale) {
        let from = picture.corners.len();
        let mut corners = self.corners(trace, values).peekable();
        let mut is_open = false;
        while let Some((x, y)) = corners.next() {
            if !x.is_nan() && !is_open && corners.peek().is_none_or(|next| next.0.is_nan()) {
                // A reading alone between two gaps is still seen.
                picture.segment((x - 1.0, y), (x + 1.0, y));
                continue;
            }
            is_open = !x.is_nan();
            picture.corners.push((x, y));
        }
        let LineStyle {
            ink, width, dash, ..
        } = line.style;
        picture.stroke(from, ink, width, dash);
    }

    fn rasterize(&self, picture: &mut Picture, values: Scale) {
        // On whole pixels of the screen, so that none of them is smeared over two.
        let pixel = |length: f32| (length * self.ratio).round();
        let (left, top) = (pixel(self.rect.x), pixel(self.rect.y));
        let (right, bottom) = (pixel(self.rect.right()), pixel(self.rect.bottom()));
        let rect = Rect {
            x: left / self.ratio,
            y: top / self.ratio,
            width: (right - left) / self.ratio,
            height: (bottom - top) / self.ratio,
        };
        let (width, height) = ((right - left) as usize, (bottom - top) as usize);
        let mut raster = Raster::new(width, height);
        let to_pixel = |y: f64| (y - f64::from(rect.y)) * f64::from(self.ratio);
        let (start, end) = values.range();
        let values = Scale::new(values.domain(), (to_pixel(start), to_pixel(end)));
        let n_columns = |series: &Series| n_columns(width, series.count(self.window));
        self.each_with_cuts(&n_columns, &mut |line, cuts| {
            let line = RasterLine {
                series: line.series,
                window: self.window,
                limit: line.limit(self.window),
                values,
                width: line.style.width * self.ratio,
                ink: line.style.ink,
                dash: line
                    .style
                    .dash
                    .lengths()
                    .iter()
                    .map(|&length| length * self.ratio * HALVES as f32)
                    .collect(),
            };
            raster.line(&line, cuts);
        });
        picture.raster(rect, raster);
    }
}

/// What two lists of stretches of time have in common.
fn in_both(one: &[Span], other: &[Span]) -> Vec<Span> {
    let mut common = Vec::new();
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(&a), Some(&b)) = (one.peek(), other.peek()) {
        common.extend(a.intersection(*b).filter(|both| both.duration() > 0));
        if a.end < b.end {
            one.next();
        } else {
            other.next();
        }
    }
    common
}

/// How a line looks.
#[derive(Clone, Copy)]
pub(crate) struct LineStyle {
    pub(crate) ink: Ink,
    pub(crate) width: f32,
    pub(crate) dash: Dash,
    pub(crate) is_fresh: bool,
}

impl LineStyle {
    /// Of a line that is alone: it breaks into dashes where it is old.
    pub(crate) fn alone(ink: Ink, width: f32, is_fresh: bool) -> Self {
        Self {
            ink,
            width,
            dash: if is_fresh { Dash::Solid } else { Dash::Dashed },
            is_fresh,
        }
    }
}

/// The colour that says where the newest reading lies.
pub(crate) fn ink(series: &Series, band: Option<Band>) -> Ink {
    match (series.last(), band) {
        (_, None) => Ink::Ink,
        (Some(last), Some(band)) if last.value > band.high => Ink::Water,
        (Some(last), Some(band)) if last.value < band.low => Ink::Clay,
        (_, Some(_)) => Ink::Leaf,
    }
}

/// More corners are drawn sooner by ourselves than by a canvas.
const STROKED_CORNERS_MAX: f32 = 2_000.0;
