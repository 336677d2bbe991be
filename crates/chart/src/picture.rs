use crate::plot::LineStyle;
use crate::{Raster, Scale};

/// How large a picture is, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
    /// How many pixels of the screen lie along one of CSS.
    pub ratio: f32,
}

impl Size {
    /// A size on a screen whose pixels are those of CSS.
    pub fn new(width: f32, height: f32) -> Self {
        Self {
            width,
            height,
            ratio: 1.0,
        }
    }
}

impl Default for Size {
    fn default() -> Self {
        Self::new(0.0, 0.0)
    }
}

/// A rectangle in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Rect {
    /// Its left edge.
    pub x: f32,
    /// Its top edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Rect {
    /// Its right edge.
    pub fn right(self) -> f32 {
        self.x + self.width
    }

    /// Its bottom edge.
    pub fn bottom(self) -> f32 {
        self.y + self.height
    }
}

/// A role of colour. What it looks like is the page's, and changes with its theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// In the target band, live, fine.
    Leaf,
    /// The target band itself.
    LeafWash,
    /// Water running, or wetter than the band.
    Water,
    /// Drier than the band.
    Clay,
    /// Grid lines.
    Line,
    /// What is measured, where there is no band to compare with.
    Ink,
    /// Labels and hatching.
    SoftInk,
    /// What lies under the picture.
    Surface,
    /// The first of several lines.
    First,
    /// The second of them.
    Second,
    /// The third of them.
    Third,
    /// The fourth of them.
    Fourth,
    /// The fifth of them.
    Fifth,
    /// The sixth of them.
    Sixth,
    /// The seventh of them.
    Seventh,
    /// The eighth of them.
    Eighth,
}

impl Ink {
    /// Every role, in the order of their numbers (`ink as usize`).
    pub const ALL: [Self; 16] = [
        Self::Leaf,
        Self::LeafWash,
        Self::Water,
        Self::Clay,
        Self::Line,
        Self::Ink,
        Self::SoftInk,
        Self::Surface,
        Self::First,
        Self::Second,
        Self::Third,
        Self::Fourth,
        Self::Fifth,
        Self::Sixth,
        Self::Seventh,
        Self::Eighth,
    ];

    /// What tells one of several lines from the others; the ninth looks like the first.
    pub fn of_line(number: usize) -> Self {
        Self::ALL[Self::First as usize + number % N_LINE_INKS]
    }
}

/// A role of colour and how much of it covers what is below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// The role.
    pub ink: Ink,
    /// From 0 (nothing) to 1 (opaque).
    pub alpha: f32,
}

impl From<Ink> for Paint {
    fn from(ink: Ink) -> Self {
        Self { ink, alpha: 1.0 }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// In dashes: what is old.
    Dashed,
    /// In long dashes: one of several lines.
    Long,
    /// In dots: one of several lines.
    Dotted,
    /// In dashes and dots: one of several lines.
    Mixed,
}

impl Dash {
    /// What tells one of several lines from the others, for those who do not see its colour.
    pub fn of_line(number: usize) -> Self {
        [Self::Solid, Self::Long, Self::Dotted, Self::Mixed][number % 4]
    }

    /// What is drawn and what is left out, in turn.
    pub fn lengths(self) -> &'static [f32] {
        match self {
            Self::Solid => &[],
            Self::Dashed => &[4.0, 4.0],
            Self::Long => &[10.0, 4.0],
            Self::Dotted => &[2.0, 3.0],
            Self::Mixed => &[9.0, 3.0, 2.0, 3.0],
        }
    }
}

/// Which part of a text lies at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its left end.
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A filled rectangle.
    Fill {
        /// Where.
        rect: Rect,
        /// With what.
        paint: Paint,
    },
    /// Lines through some of the picture's corners.
    Stroke {
        /// The first of them in [`Picture::corners`].
        from: usize,
        /// The one after the last.
        until: usize,
        /// With what.
        paint: Paint,
        /// How thick.
        width: f32,
        /// Whether broken into dashes.
        dash: Dash,
    },
    /// The picture's raster.
    Raster {
        /// Where, on whole pixels of the screen.
        rect: Rect,
    },
    /// A round dot.
    Dot {
        /// The middle from the left.
        x: f32,
        /// The middle from the top.
        y: f32,
        /// From the middle to the edge.
        radius: f32,
        /// With what.
        ink: Ink,
        /// Only its outline, filled with the surface: what is old.
        hollow: bool,
    },
    /// A line of text, its height's middle at `y`.
    Text {
        /// The position from the left.
        x: f32,
        /// The position from the top.
        y: f32,
        /// What lies there.
        anchor: Anchor,
        /// With what.
        ink: Ink,
        /// Whether in the stronger weight.
        strong: bool,
        /// What it says.
        text: String,
    },
}

/// What to draw, from the bottom to the top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// In the order in which to draw them.
    pub commands: Vec<Command>,
    /// The corners of all lines. One that is not a number ends a line; the next begins another.
    pub corners: Vec<(f32, f32)>,
    /// The lines, where they are too crowded to be stroked.
    pub raster: Raster,
    /// Where the readings are drawn.
    pub plot: Rect,
    /// From moments to pixels from the left.
    pub times: Scale,
    /// From values to pixels from the top.
    pub values: Scale,
}

impl Picture {
    pub(crate) fn fill(&mut self, rect: Rect, paint: impl Into<Paint>) {
        let paint = paint.into();
        self.commands.push(Command::Fill { rect, paint });
    }

    pub(crate) fn raster(&mut self, rect: Rect, raster: Raster) {
        self.raster = raster;
        self.commands.push(Command::Raster { rect });
    }

    pub(crate) fn text(&mut self, x: f32, y: f32, anchor: Anchor, ink: Ink, text: String) {
        self.commands.push(Command::Text {
            x,
            y,
            anchor,
            ink,
            strong: false,
            text,
        });
    }

    pub(crate) fn dot(&mut self, x: f32, y: f32, style: LineStyle) {
        let radius = style.width + 1.75;
        self.commands.push(Command::Dot {
            // A first reading stands at the left edge, and is seen whole all the same.
            x: x.max(radius + DOT_OUTLINE),
            y,
            radius,
            ink: style.ink,
            hollow: !style.is_fresh,
        });
    }

    /// Strokes all corners added since there were `from` of them.
    pub(crate) fn stroke(&mut self, from: usize, paint: impl Into<Paint>, width: f32, dash: Dash) {
        let until = self.corners.len();
        if from < until {
            let paint = paint.into();
            self.commands.push(Command::Stroke {
                from,
                until,
                paint,
                width,
                dash,
            });
        }
    }

    /// Adds a line between two corners, apart from whatever came before.
    pub(crate) fn segment(&mut self, from: (f32, f32), to: (f32, f32)) {
        self.corners.extend([from, to, BREAK]);
    }

    /// Clears a rectangle and fills it with slanted lines: nothing is known there.
    pub(crate) fn hatch(&mut self, rect: Rect) {
        if rect.width < 1.0 {
            return;
        }
        self.fill(rect, Ink::Surface);
        let from = self.corners.len();
        if rect.width < HATCH_DISTANCE {
            // No slanted line would be seen in it.
            let x = rect.x + rect.width / 2.0;
            self.segment((x, rect.y), (x, rect.bottom()));
        }
        let n_lines = ((rect.width + rect.height) / HATCH_DISTANCE) as usize;
        for number in 1..=n_lines {
            // From the lower left to the upper right, cut to the rectangle.
            let along = number as f32 * HATCH_DISTANCE;
            let start = (along - rect.height).max(0.0);
            let end = along.min(rect.width);
            self.segment(
                (rect.x + start, rect.y + along - start),
                (rect.x + end, rect.y + along - end),
            );
        }
        self.stroke(from, HATCHING, 1.0, Dash::Solid);
    }
}

const N_LINE_INKS: usize = 8;
pub(crate) const BREAK: (f32, f32) = (f32::NAN, f32::NAN);
/// How far a dot's rim goes beyond it.
const DOT_OUTLINE: f32 = 1.5;
const HATCH_DISTANCE: f32 = 7.0;
const HATCHING: Paint = Paint {
    ink: Ink::SoftInk,
    alpha: 0.4,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_are_numbered_in_their_order() {
        for (number, ink) in Ink::ALL.into_iter().enumerate() {
            assert_eq!(ink as usize, number);
        }
    }

    #[test]
    fn hatching_stays_in_its_rectangle() {
        let rect = Rect {
            x: 10.0,
            y: 20.0,
            width: 33.0,
            height: 50.0,
        };
        let mut picture = Picture::default();
        picture.hatch(rect);
        assert!(picture.corners.len() > 20);
        for &(x, y) in picture.corners.iter().filter(|corner| !corner.0.is_nan()) {
            assert!(
                (10.0..=43.0).contains(&x) && (20.0..=70.0).contains(&y),
                "({x}, {y})"
            );
        }
    }
}
