//! Lines as pixels: for pictures so crowded that a canvas would take too long to stroke them.

use crate::gap::GapLimit;
use crate::trace::{Column, Cuts, Pen};
use crate::{Ink, Point, Scale, Series, Span};

/// Lines through readings, ready to become pixels.
///
/// A pixel is cut into columns of half its width. What a line covers of such a column is one
/// stretch from top to bottom, as a line has one value at a time; a stroke is that stretch and
/// what is within reach of half the stroke's width, so its edges are as smooth as a canvas's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Raster {
    /// In pixels of the screen.
    pub width: usize,
    /// In pixels of the screen.
    pub height: usize,
    strokes: Vec<Stroke>,
}

/// What a line covers.
#[derive(Clone, Debug, PartialEq)]
struct Stroke {
    ink: Ink,
    /// From top to bottom, for each half of a pixel from left to right; empty where top ≥ bottom.
    stretches: Vec<(f32, f32)>,
}

/// A colour: red, green and blue.
pub type Rgb = [u8; 3];

impl Raster {
    /// A raster without lines.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            strokes: Vec::new(),
        }
    }

    /// Draws a line above the others; `values` maps to pixels from the top.
    pub(crate) fn line(&mut self, line: &RasterLine<'_>, cuts: &Cuts) {
        let window = line.window;
        let n_halves = self.width * HALVES;
        let mut pen = Stretches {
            halves_per_ms: n_halves as f64 / window.duration().max(1) as f64,
            halves_per_column: n_halves / cuts.n_columns(),
            start: window.start,
            values: line.values.coefficients(),
            stretches: vec![NOTHING; n_halves],
            turns: vec![false; n_halves],
            before: None,
        };
        cuts.walk(line.series, line.limit, &mut pen);
        pen.dash(&line.dash, line.width);
        self.strokes.push(Stroke {
            ink: line.ink,
            stretches: widen(&pen.stretches, &pen.turns, line.width / 2.0),
        });
    }

    /// Paints all lines on nothing, as red, green, blue and opacity, row by row from the top.
    pub fn paint(&self, color: &dyn Fn(Ink) -> Rgb, pixels: &mut Vec<u8>) {
        pixels.clear();
        pixels.resize(self.width * self.height * 4, 0);
        let colors: Vec<u32> = self
            .strokes
            .iter()
            .map(|stroke| opaque(color(stroke.ink)))
            .collect();
        // A column lies in one piece while lines are laid over each other in it; a few of them at a
        // time, so that what is written of a row lies in one piece too.
        let mut tile = vec![0_u32; self.height * TILE];
        for left in (0..self.width).step_by(TILE) {
            let right = (left + TILE).min(self.width);
            let (mut top, mut bottom) = (self.height, 0);
            for x in left..right {
                let column = &mut tile[(x - left) * self.height..][..self.height];
                for (stroke, &color) in self.strokes.iter().zip(&colors) {
                    let halves = [
                        stroke.stretches[x * HALVES],
                        stroke.stretches[x * HALVES + 1],
                    ];
                    let (from, until) = cover(column, halves, color);
                    (top, bottom) = (top.min(from), bottom.max(until));
                }
            }
            for y in top..bottom {
                let row = &mut pixels[(y * self.width + left) * 4..(y * self.width + right) * 4];
                let columns = tile.chunks_exact_mut(self.height);
                for (pixel, column) in row.chunks_exact_mut(4).zip(columns) {
                    let covered = std::mem::take(&mut column[y]);
                    pixel.copy_from_slice(&without_opacity(covered).to_le_bytes());
                }
            }
        }
    }
}

/// How many columns a window with so many readings is to be cut into, for a raster so wide: where a
/// pixel holds a crowd of them, nobody sees in which half of it they are.
pub(crate) fn n_columns(width: usize, n_readings: usize) -> usize {
    if n_readings > CROWD * width {
        width
    } else {
        width * HALVES
    }
}

/// A line to be drawn.
pub(crate) struct RasterLine<'a> {
    pub(crate) series: &'a Series,
    pub(crate) window: Span,
    pub(crate) limit: Option<GapLimit>,
    pub(crate) values: Scale,
    pub(crate) width: f32,
    pub(crate) ink: Ink,
    /// Lengths of lines and of the spaces between them, in columns.
    pub(crate) dash: Vec<f32>,
}

/// The stretches that a line without a width covers.
struct Stretches {
    halves_per_ms: f64,
    halves_per_column: usize,
    start: i64,
    /// Factor and summand that make pixels of values.
    values: (f64, f64),
    stretches: Vec<(f32, f32)>,
    /// Whether the line goes up and down there, and does not only cross from side to side.
    turns: Vec<bool>,
    before: Option<(f64, f32)>,
}

impl Stretches {
    fn place(&self, point: Point) -> (f64, f32) {
        let along = (point.time - self.start) as f64 * self.halves_per_ms;
        (along, self.y(point.value))
    }

    fn y(&self, value: f32) -> f32 {
        (f64::from(value) * self.values.0 + self.values.1) as f32
    }

    fn extend(&mut self, column: usize, top: f32, bottom: f32) {
        if let Some(stretch) = self.stretches.get_mut(column) {
            if top < stretch.0 {
                stretch.0 = top;
            }
            if bottom > stretch.1 {
                stretch.1 = bottom;
            }
        }
    }

    /// Breaks the line where it does not go up and down: what stands out is never left out.
    fn dash(&mut self, lengths: &[f32], width: f32) {
        if lengths.is_empty() {
            return;
        }
        let line = self.stretches.clone();
        let is_line = |at: usize| line.get(at).is_some_and(|&(top, bottom)| top <= bottom);
        let (mut is_drawn, mut turn, mut left) = (true, 0, lengths[0]);
        for (at, stretch) in self.stretches.iter_mut().enumerate() {
            let is_flat = stretch.1 - stretch.0 <= STEEP * width;
            // A reading alone between two gaps stays too.
            let goes_on = at > 0 && is_line(at - 1) && is_line(at + 1);
            if !is_drawn && is_flat && goes_on {
                *stretch = NOTHING;
            }
            left -= 1.0;
            if left <= 0.0 {
                is_drawn = !is_drawn;
                turn = (turn + 1) % lengths.len();
                left += lengths[turn];
            }
        }
    }

    /// A straight line from where the pen is.
    fn line_to(&mut self, to: (f64, f32)) {
        let from = self.before.replace(to).unwrap_or(to);
        let last = self.stretches.len().saturating_sub(1);
        let column = |x: f64| (x as usize).min(last);
        let (first, last) = (column(from.0), column(to.0));
        if first == last {
            self.extend(first, from.1.min(to.1), from.1.max(to.1));
            return;
        }
        let slope = f64::from(to.1 - from.1) / (to.0 - from.0);
        let mut y = from.1;
        for number in first..=last {
            let next = if number == last {
                to.1
            } else {
                from.1 + ((number as f64 + 1.0 - from.0) * slope) as f32
            };
            self.extend(number, y.min(next), y.max(next));
            y = next;
        }
    }
}

impl Pen for Stretches {
    fn lift(&mut self) {
        self.before = None;
    }

    fn corner(&mut self, point: Point) {
        self.line_to(self.place(point));
    }

    fn column(&mut self, column: &Column) {
        self.line_to(self.place(column.first));
        // A pen that went up and down in both halves of a pixel would draw a spike too wide.
        let half = column.number * self.halves_per_column;
        // Values rise upwards, pixels downwards.
        self.extend(half, self.y(column.high), self.y(column.low));
        let (first, last) = (column.first.value, column.last.value);
        let is_turn = column.high > most(first, last) || column.low < least(first, last);
        if let Some(turn) = self.turns.get_mut(half) {
            *turn = is_turn;
        }
        self.line_to(self.place(column.last));
    }
}

/// What is within reach of a line: a pen's round tip led along it.
///
/// What a line covers of a column it covers at one of its edges, or in a turn in its middle.
fn widen(line: &[(f32, f32)], turns: &[bool], reach: f32) -> Vec<(f32, f32)> {
    let height = |aside: f32| (reach * reach - aside * aside).max(0.0).sqrt();
    let mut wide = vec![NOTHING; line.len()];
    let n_aside = (reach * HALVES as f32).ceil() as usize;
    for aside in 0..n_aside {
        let middle = aside as f32 / HALVES as f32;
        let edge = (aside as f32 + 0.5) / HALVES as f32;
        let heights = (height(middle), height(edge));
        // Towards the edge that is further away, if the tip reaches it.
        let reaches_edge = edge < reach;
        let grow = |grown: &mut (f32, f32), (&(top, bottom), &is_turn): (&(f32, f32), &bool)| {
            if top > bottom {
                return;
            }
            let centre = (top + bottom) / 2.0;
            let (mut from, mut until) = if is_turn {
                (top - heights.0, bottom + heights.0)
            } else {
                (centre - heights.0, centre + heights.0)
            };
            if reaches_edge && !is_turn {
                from = least(from, top - heights.1);
                until = most(until, bottom + heights.1);
            }
            *grown = (least(grown.0, from), most(grown.1, until));
        };
        let from_right = line.iter().zip(turns).skip(aside);
        for (grown, stretch) in wide.iter_mut().zip(from_right) {
            grow(grown, stretch);
        }
        if aside > 0 {
            for (grown, stretch) in wide.iter_mut().skip(aside).zip(line.iter().zip(turns)) {
                grow(grown, stretch);
            }
        }
    }
    wide
}

/// Covers what lies in the two halves of a column; returns the pixels that were touched.
fn cover(column: &mut [u32], halves: [(f32, f32); HALVES], color: u32) -> (usize, usize) {
    let [left, right] = halves;
    let (top, bottom) = (least(left.0, right.0), most(left.1, right.1));
    if top >= bottom {
        return (column.len(), 0);
    }
    // A cast keeps what is below zero at zero.
    let until = (bottom.ceil() as usize).min(column.len());
    let from = (top as usize).min(until);
    let (inner_top, inner_bottom) = (most(left.0, right.0), least(left.1, right.1));
    let full_from = (inner_top.ceil() as usize).min(until).max(from);
    let full_until = (inner_bottom as usize).min(until).max(full_from);
    let is_full = inner_top < inner_bottom;
    let (full_from, full_until) = if is_full {
        (full_from, full_until)
    } else {
        (until, until)
    };
    for (y, pixel) in (from..).zip(&mut column[from..full_from]) {
        *pixel = blend(*pixel, color, coverage(y, halves));
    }
    column[full_from..full_until].fill(color);
    for (y, pixel) in (full_until..).zip(&mut column[full_until..until]) {
        *pixel = blend(*pixel, color, coverage(y, halves));
    }
    (from, until)
}

/// How much of a pixel is covered, up to 256.
fn coverage(y: usize, halves: [(f32, f32); HALVES]) -> u32 {
    let (from, until) = (y as f32, y as f32 + 1.0);
    let of = |(top, bottom): (f32, f32)| most(least(bottom, until) - most(top, from), 0.0);
    ((of(halves[0]) + of(halves[1])) * (256.0 / HALVES as f32)) as u32
}

/// Lays an opaque colour over a pixel whose colours are multiplied by its opacity, two at a time.
fn blend(below: u32, color: u32, coverage: u32) -> u32 {
    let mix = |below: u32, above: u32| {
        (((above & PAIR) * coverage + (below & PAIR) * (256 - coverage)) >> 8) & PAIR
    };
    mix(below, color) | (mix(below >> 8, color >> 8) << 8)
}

/// A pixel as a canvas takes it: its colours not multiplied by its opacity.
fn without_opacity(pixel: u32) -> u32 {
    let opacity = pixel >> 24;
    if opacity == 0 || opacity == 255 {
        return pixel;
    }
    let part = |shift: u32| {
        let part = (((pixel >> shift) & 255) * 255 + opacity / 2) / opacity;
        part.min(255) << shift
    };
    part(0) | part(8) | part(16) | (opacity << 24)
}

const fn opaque([red, green, blue]: Rgb) -> u32 {
    u32::from_le_bytes([red, green, blue, 255])
}

/// As `f32::min`, in one comparison.
fn least(one: f32, other: f32) -> f32 {
    if other < one { other } else { one }
}

/// As `f32::max`, in one comparison.
fn most(one: f32, other: f32) -> f32 {
    if other > one { other } else { one }
}

pub(crate) const HALVES: usize = 2;
/// With more readings in each pixel, a line is a band.
const CROWD: usize = 32;
/// Pixels of a row that fill a line of the processor's memory.
const TILE: usize = 16;
/// What is higher in one column, in widths of the line, goes up and down there.
const STEEP: f32 = 1.5;
const NOTHING: (f32, f32) = (f32::INFINITY, f32::NEG_INFINITY);
const PAIR: u32 = 0x00ff_00ff;

#[cfg(test)]
mod tests;
