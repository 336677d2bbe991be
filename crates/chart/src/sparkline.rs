use crate::plot::{LineStyle, Plot, PlotLine, ink};
use crate::{Band, Ink, Picture, Rect, Series, Size, Span};

/// A small chart without axes: a line on its target band.
#[derive(Clone, Debug)]
pub struct Sparkline {
    /// The readings.
    pub series: Series,
    /// What to show of them.
    pub window: Span,
    /// The present moment: a silence that lasts is a gap up to here.
    pub now: i64,
    /// The target.
    pub band: Option<Band>,
    /// Whether the newest reading is still believed; if not, the line is dashed and its dot hollow.
    pub is_fresh: bool,
    /// How long a reading holds, in milliseconds, if its device says so.
    pub expiry: Option<i64>,
}

impl Sparkline {
    /// Draws it in the given size.
    pub fn draw(&self, size: Size) -> Picture {
        let room = DOT_ROOM.min(size.width / 2.0);
        let rect = Rect {
            x: 0.0,
            y: DOT_ROOM,
            width: size.width - room,
            height: (size.height - 2.0 * DOT_ROOM).max(0.0),
        };
        let line = PlotLine {
            series: &self.series,
            expiry: self.expiry,
            style: LineStyle::alone(ink(&self.series, self.band), 1.75, self.is_fresh),
        };
        let plot = Plot::new(vec![line], self.window, rect, size);
        let values = plot.values(self.band, 0.0);
        let mut picture = Picture {
            plot: rect,
            times: plot.times(),
            values,
            ..Picture::default()
        };
        if let Some(band) = self.band {
            let layer = plot.layer(band, values);
            picture.fill(
                Rect {
                    width: size.width,
                    ..layer
                },
                Ink::LeafWash,
            );
        }
        for stretch in plot.stretches(plot.gaps(self.now)) {
            let reaches_now = stretch.right() >= rect.right();
            picture.hatch(Rect {
                y: 0.0,
                width: if reaches_now {
                    size.width - stretch.x
                } else {
                    stretch.width
                },
                height: size.height,
                ..stretch
            });
        }
        plot.draw(&mut picture, values);
        picture
    }
}

/// The dot at the line's end and its outline must not be cut off.
const DOT_ROOM: f32 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, Dash};

    fn sparkline(values: &[f32]) -> Sparkline {
        let mut series = Series::new(100);
        for (index, &value) in values.iter().enumerate() {
            series.append(index as i64 * 1_000, value);
        }
        Sparkline {
            window: Span::new(0, 60_000),
            now: values.len() as i64 * 1_000,
            band: Some(Band {
                low: 14.0,
                high: 22.0,
            }),
            is_fresh: true,
            expiry: None,
            series,
        }
    }

    const SIZE: Size = Size {
        width: 200.0,
        height: 60.0,
        ratio: 1.0,
    };

    fn dot(picture: &Picture) -> Option<(Ink, bool)> {
        picture.commands.iter().find_map(|command| match command {
            Command::Dot { ink, hollow, .. } => Some((*ink, *hollow)),
            Command::Fill { .. }
            | Command::Stroke { .. }
            | Command::Raster { .. }
            | Command::Text { .. } => None,
        })
    }

    #[test]
    fn the_colour_says_where_the_newest_reading_lies() {
        let ink = |value| dot(&sparkline(&[18.0, value]).draw(SIZE)).unwrap().0;
        assert_eq!(
            [ink(18.0), ink(23.0), ink(13.0)],
            [Ink::Leaf, Ink::Water, Ink::Clay]
        );
    }

    #[test]
    fn a_first_reading_is_seen_whole() {
        let picture = sparkline(&[18.0]).draw(SIZE);
        let edge = picture.commands.iter().find_map(|command| match command {
            Command::Dot { x, radius, .. } => Some(x - radius),
            Command::Fill { .. }
            | Command::Stroke { .. }
            | Command::Raster { .. }
            | Command::Text { .. } => None,
        });
        assert!(edge.unwrap() > 0.0);
    }

    #[test]
    fn what_is_old_is_dashed_and_hollow() {
        let old = Sparkline {
            is_fresh: false,
            ..sparkline(&[18.0, 18.5])
        };
        let picture = old.draw(SIZE);
        assert_eq!(dot(&picture), Some((Ink::Leaf, true)));
        assert!(picture.commands.iter().any(|command| matches!(
            command,
            Command::Stroke {
                dash: Dash::Dashed,
                ..
            }
        )));
    }

    #[test]
    fn nothing_yet_shows_the_band_alone() {
        let picture = sparkline(&[]).draw(SIZE);
        assert_eq!(picture.commands.len(), 1);
        assert!(picture.corners.is_empty());
    }

    #[test]
    fn no_room_is_no_trouble() {
        let picture = sparkline(&[1.0, 2.0, 3.0, 4.0, 5.0]).draw(Size::default());
        assert!(
            picture
                .corners
                .iter()
                .all(|corner| corner.0 <= 0.0 || corner.0.is_nan())
        );
    }
}
