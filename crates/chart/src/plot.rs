use crate::{Band, Dash, Ink, Picture, Rect, Scale, Series, Span, Trace, gap_limit, gaps, trace};

/// The part of a picture in which a series is drawn: its window, its place, its scales.
pub(crate) struct Plot<'a> {
    pub(crate) series: &'a Series,
    pub(crate) window: Span,
    pub(crate) rect: Rect,
    pub(crate) trace: Trace,
    pub(crate) gaps: Vec<Span>,
}

impl<'a> Plot<'a> {
    pub(crate) fn new(
        series: &'a Series,
        window: Span,
        rect: Rect,
        expiry: Option<i64>,
        now: i64,
    ) -> Self {
        let limit = gap_limit(series, expiry);
        Self {
            series,
            window,
            rect,
            trace: trace(series, window, rect.width as usize, limit),
            gaps: gaps(series, window, limit, now),
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

    /// From values to pixels, with room above and below what is shown.
    pub(crate) fn values(&self, band: Option<Band>) -> Scale {
        let band = band.map(|band| (band.low, band.high));
        let (low, high) = match (self.trace.extent, band) {
            (Some(a), Some(b)) => (a.0.min(b.0), a.1.max(b.1)),
            (Some(extent), None) | (None, Some(extent)) => extent,
            (None, None) => (0.0, 100.0),
        };
        let (low, high) = (f64::from(low), f64::from(high));
        // A line that hardly moves is not blown up until its noise fills the picture.
        let least = (low.abs().max(high.abs()) * 0.1).max(f64::from(f32::EPSILON));
        let missing = (least - (high - low)).max(0.0);
        let room = (high - low + missing) * 0.08 + missing / 2.0;
        // Whole steps, so that the scale stands still while readings come in.
        let step = room.max(high - low) / 20.0;
        let low = ((low - room) / step).floor() * step;
        let high = ((high + room) / step).ceil() * step;
        Scale::new(
            (low, high),
            (f64::from(self.rect.bottom()), f64::from(self.rect.y)),
        )
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

    /// The line's corners in pixels; one that is not a number ends a line.
    pub(crate) fn line_corners(&self, values: Scale) -> impl Iterator<Item = (f32, f32)> {
        let times = self.times();
        let start = self.window.start as f64;
        self.trace.corners.iter().map(move |&(time, value)| {
            let x = times.position(start + time) as f32;
            (x, values.position(f64::from(value)) as f32)
        })
    }

    /// Draws the line, and a dot where it ends.
    pub(crate) fn line(&self, picture: &mut Picture, values: Scale, style: LineStyle) {
        let from = picture.corners.len();
        let mut corners = self.line_corners(values).peekable();
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
        let dash = if style.is_fresh {
            Dash::Solid
        } else {
            Dash::Dashed
        };
        picture.stroke(from, style.ink, style.width, dash);
        let last = self.series.last();
        if let Some(last) = last.filter(|last| self.window.contains(last.time)) {
            let times = self.times();
            picture.dot(
                times.position(last.time as f64) as f32,
                values.position(f64::from(last.value)) as f32,
                style,
            );
        }
    }
}

/// How a line looks.
#[derive(Clone, Copy)]
pub(crate) struct LineStyle {
    pub(crate) ink: Ink,
    pub(crate) width: f32,
    pub(crate) is_fresh: bool,
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
