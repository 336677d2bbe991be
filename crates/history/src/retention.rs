//! What is too old or too much goes, whole chunks at a time and few at once.

use crate::{
    History,
    key::{Level, SeriesId},
    series::{RawState, Series},
    settings::DAY,
};

impl History {
    /// Says whether the clock may be wrong. As long as it may, nothing goes because of its age: that cannot be undone.
    pub const fn set_clock_doubtful(&mut self, is_doubtful: bool) {
        self.is_clock_doubtful = is_doubtful;
    }

    /// Lets go what is too old or too much: a bounded part of it, the rest when the next deadline comes.
    pub fn handle_timeout(&mut self, now: i64) {
        // What is due later than in a pause was due before the clock went back.
        let latest = now.saturating_add(PAUSE);
        let due = self.next_retention;
        if due.is_some_and(|due| due > now && due <= latest) {
            return;
        }
        let mut n_left = N_DROPPED_AT_ONCE;
        if !self.is_clock_doubtful {
            for index in 0..self.series.len() {
                self.drop_old(SeriesId(index as u32), now, &mut n_left);
            }
        }
        let n_bytes_max = self.settings.n_bytes_max.unwrap_or(u64::MAX);
        while n_left > 0 && self.counters.n_bytes > n_bytes_max {
            let Some((id, level, is_open)) = self.oldest() else {
                break;
            };
            if is_open {
                // It gets its rollups before it goes, and nothing newer goes meanwhile.
                self.close_first(level, n_left, now);
                n_left = 0;
                break;
            }
            self.drop_first(id, level);
            n_left -= 1;
        }
        let pause = match n_left {
            0 => 0,
            _ => PAUSE,
        };
        self.next_retention = Some(now.saturating_add(pause));
    }

    fn drop_old(&mut self, id: SeriesId, now: i64, n_left: &mut usize) {
        for level in [Level::Raw].into_iter().chain(Level::ROLLUPS) {
            let Some(kept) = self.settings.kept(level) else {
                continue;
            };
            let limit = now.saturating_sub(kept);
            while *n_left > 0
                && let Some(last) = self.series[id.index()].first_to_go(level)
                && last < limit
            {
                self.drop_first(id, level);
                *n_left -= 1;
            }
        }
        let series = &self.series[id.index()];
        let raw_limit = now.saturating_sub(self.settings.raw_kept.unwrap_or(i64::MAX));
        let last = series.chunks.last();
        // It gets its rollups before it goes.
        if last.is_some_and(|last| last.state == RawState::Open && last.last < raw_limit) {
            self.bring_forward(id, now);
        }
        self.forget_empty_places(id, raw_limit);
    }

    /// Where the oldest is that can go: points before rollups, fine rollups before coarse ones; and whether it is open.
    fn oldest(&self) -> Option<(SeriesId, Level, bool)> {
        let mut levels = [Level::Raw].into_iter().chain(Level::ROLLUPS);
        levels.find_map(|level| {
            let series = self.series.iter().enumerate();
            let candidates = series.flat_map(|(index, series)| {
                let id = SeriesId(index as u32);
                let closed = series.first_to_go(level).map(|last| (last, id, false));
                let open = series.open_to_go(level).map(|last| (last, id, true));
                closed.into_iter().chain(open)
            });
            let first = candidates.min();
            first.map(|(_, id, is_open)| (id, level, is_open))
        })
    }

    /// Lets the open chunks of a level that end first get their rollups.
    fn close_first(&mut self, level: Level, n_max: usize, now: i64) {
        let series = self.series.iter().enumerate();
        let open = series.filter_map(|(index, series)| {
            let last = series.open_to_go(level)?;
            Some((last, SeriesId(index as u32)))
        });
        // Not those that end after a closed one, which goes before them.
        let closed = self.series.iter();
        let closed = closed.filter_map(|series| series.first_to_go(level)).min();
        let is_next = |(last, _): &(i64, SeriesId)| closed.is_none_or(|closed| *last <= closed);
        let mut open: Vec<(i64, SeriesId)> = open.filter(is_next).collect();
        open.sort_unstable();
        for (_, id) in open.into_iter().take(n_max) {
            self.series[id.index()].closes_last = true;
            self.bring_forward(id, now);
        }
    }

    fn drop_first(&mut self, id: SeriesId, level: Level) {
        let series = &mut self.series[id.index()];
        let n_bytes_before = series.n_bytes();
        let number = match series.first_raw_to_go(level) {
            Some(place) => {
                let chunk = &mut series.chunks[place];
                chunk.state = RawState::Dropped;
                let chunk = *chunk;
                self.put_raw_index(id, &chunk);
                self.remove_body(id, Level::Raw, chunk.number);
                None
            }
            None if series.rollups[level.index()].is_empty() => return,
            None => {
                let chunk = series.rollups[level.index()].remove(0);
                let kept_from = &mut series.kept_from[level.index()];
                *kept_from = chunk.last.saturating_add(1).max(*kept_from);
                Some(chunk.number)
            }
        };
        if let Some(number) = number {
            self.put_series(id);
            self.remove_chunk(id, level, number);
        }
        let counters = &mut self.counters;
        counters.dropped_chunks += 1;
        counters.n_bytes = counters.n_bytes + self.series[id.index()].n_bytes() - n_bytes_before;
    }

    /// Forgets where chunks were of which nothing is left.
    fn forget_empty_places(&mut self, id: SeriesId, raw_limit: i64) {
        let series = &mut self.series[id.index()];
        if series.is_sealing {
            return;
        }
        let n_bytes_before = series.n_bytes();
        let mut forgotten = Vec::new();
        while let Some(first) = series.chunks.first()
            && !first.is_readable()
            && Level::ROLLUPS.iter().all(|level| {
                let rows = series.rollups[level.index()].first();
                !first.has_level(*level) || rows.is_none_or(|rows| rows.first > first.last)
            })
            && (first.state == RawState::Dropped || first.last < raw_limit)
        {
            forgotten.push(first.number);
            series.chunks.remove(0);
        }
        if forgotten.is_empty() {
            return;
        }
        self.counters.n_bytes = self.counters.n_bytes + series.n_bytes() - n_bytes_before;
        for number in forgotten {
            self.remove_chunk(id, Level::Raw, number);
        }
    }
}

impl Series {
    /// When the oldest chunk of a level that can go ends.
    fn first_to_go(&self, level: Level) -> Option<i64> {
        if self.is_sealing {
            return None;
        }
        if let Some(place) = self.first_raw_to_go(level) {
            return Some(self.chunks[place].last);
        }
        let is_rollup = level != Level::Raw;
        let rollups = is_rollup.then(|| &self.rollups[level.index()])?;
        rollups.first().map(|chunk| chunk.last)
    }

    /// When the last chunk ends, if it is open and goes with this level.
    fn open_to_go(&self, level: Level) -> Option<i64> {
        let open = self.chunks.last();
        let open = open.filter(|chunk| chunk.state == RawState::Open && !self.is_sealing)?;
        let goes_with = match open.n_levels {
            0 => Level::Day,
            _ => Level::Raw,
        };
        (level == goes_with).then_some(open.last)
    }

    /// A chunk that has rollups goes with the points; one that has none is the coarsest of its time itself.
    fn first_raw_to_go(&self, level: Level) -> Option<usize> {
        let has_rollups = match level {
            Level::Raw => true,
            Level::Day => false,
            Level::QuarterHour | Level::Hour => return None,
        };
        self.chunks.iter().position(|chunk| {
            chunk.state == RawState::Closed
                && (chunk.n_levels > 0) == has_rollups
                && !self.has_head_within(chunk.first, chunk.last)
        })
    }
}

/// As many as a commit has time for.
const N_DROPPED_AT_ONCE: usize = 16;
/// How often it is looked.
const PAUSE: i64 = DAY / 24;
