//! What the broker kept of a probe's readings: pieces of it, each as fine as a chart asked for.

use chart::{Series, Span};

/// What the page has of a probe's readings from before it was opened.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// When the broker's first reading was, if it keeps any.
    pub since: Option<i64>,
    levels: Vec<Level>,
}

/// A piece of what the broker kept.
#[derive(Debug, Clone)]
pub struct Level {
    /// What it holds.
    pub span: Span,
    /// The longest time between two rows that was asked for.
    pub fineness: i64,
    /// For how long a row stands; 0 where each is one reading.
    pub step: i64,
    /// The rows.
    pub series: Series,
    /// Whether it reaches to the present, so that the readings that come continue it.
    pub is_live: bool,
}

impl Past {
    /// Takes a piece. What it makes needless goes.
    pub fn add(&mut self, level: Level) {
        self.levels
            .retain(|known| !(level.holds(known.span) && level.fineness <= known.fineness));
        if self.levels.len() >= LEVELS_MAX {
            // The coarsest stands while others come and go.
            let coarsest = self.levels.iter().map(|level| level.fineness).max();
            let oldest = self
                .levels
                .iter()
                .position(|level| Some(level.fineness) != coarsest);
            drop(self.levels.remove(oldest.unwrap_or_default()));
        }
        self.levels.push(level);
    }

    /// Continues the pieces that reach to the present.
    pub fn append(&mut self, time: i64, value: f32) {
        for level in self.levels.iter_mut().filter(|level| level.is_live) {
            level.series.append(time, value);
            level.span.end = level.span.end.max(time);
        }
    }

    /// Readings may have been missed: what is there is shown until it has come anew.
    pub fn interrupt(&mut self) {
        for level in &mut self.levels {
            if level.is_live {
                level.fineness = i64::MAX;
            }
        }
    }

    /// Whether a window is there, and as fine as that.
    #[must_use]
    pub fn has(&self, window: Span, fineness: i64) -> bool {
        let mut levels = self.levels.iter();
        levels.any(|level| level.holds(window) && level.fineness <= fineness)
    }

    /// What shows a window best: the finest that holds it, or else the one that holds most of it.
    #[must_use]
    pub fn best(&self, window: Span) -> Option<&Level> {
        self.levels.iter().min_by_key(|level| {
            let shown = level.until_now().intersection(window);
            let missing = window.duration() - shown.map_or(0, Span::duration);
            (missing, level.fineness)
        })
    }
}

impl Level {
    fn until_now(&self) -> Span {
        let end = if self.is_live {
            i64::MAX
        } else {
            self.span.end
        };
        Span { end, ..self.span }
    }

    fn holds(&self, window: Span) -> bool {
        self.until_now().intersection(window) == Some(window)
    }
}

/// A chart that is zoomed asks for another piece with every few steps.
const LEVELS_MAX: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn level(start: i64, end: i64, fineness: i64) -> Level {
        Level {
            span: Span::new(start, end),
            fineness,
            step: fineness,
            series: Series::new(100),
            is_live: false,
        }
    }

    #[test]
    fn the_coarse_picture_stands_until_a_finer_one_is_there() {
        let mut past = Past::default();
        past.add(level(0, 1_000, 10));
        let window = Span::new(400, 500);
        assert!(past.has(window, 10) && !past.has(window, 1));
        assert_eq!(past.best(window).unwrap().fineness, 10);
        past.add(level(350, 550, 1));
        assert_eq!(past.best(window).unwrap().fineness, 1);
        let beside = Span::new(500, 600);
        assert_eq!(past.best(beside).unwrap().fineness, 10);
    }

    #[test]
    fn pieces_are_bounded_and_the_coarsest_stays() {
        let mut past = Past::default();
        past.add(level(0, 1_000, 10));
        for number in 0..20 {
            past.add(level(number * 10, number * 10 + 5, 1));
        }
        assert_eq!(past.levels.len(), LEVELS_MAX);
        assert!(past.has(Span::new(0, 1_000), 10));
        past.add(level(0, 1_000, 1));
        assert_eq!(past.levels.len(), 1, "a finer one of all replaces them");
    }

    #[test]
    fn what_comes_continues_the_present_and_a_cut_makes_it_be_asked_for_anew() {
        let mut past = Past::default();
        past.add(Level {
            is_live: true,
            ..level(0, 100, 10)
        });
        past.append(150, 20.0);
        let window = Span::new(50, 200);
        assert!(past.has(window, 10));
        assert_eq!(past.best(window).unwrap().series.last().unwrap().time, 150);
        past.interrupt();
        assert!(!past.has(window, 10));
        assert!(past.best(window).is_some());
    }
}
