//! A window of some series: first planned without reading anything, then answered from one state of the store.

use crate::{
    History, Point,
    columns::{Columns, Fault},
    history::{TIME_MAX, TIME_MIN, chunk_id},
    key::{Key, Level, SeriesId},
    ladder::{STEPS, level_below, step_for},
    point::merge_points,
    reader::{FaultKind, Reader, read_points, read_rows},
    row::{Row, start_of_bucket},
    series::{RawState, Series},
    times::usual_step,
};

/// Which series, from when to when, for how many pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which series.
    pub series: Vec<SeriesId>,
    /// From this time on, in milliseconds since the Unix epoch.
    pub from: i64,
    /// Before this time.
    pub to: i64,
    /// For so many pixels: at most twice as many rows are answered.
    pub points: u32,
}

/// Why a query is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The window is empty or turned around.
    #[error("from is not before to")]
    EmptyWindow,
    /// There is nothing to draw on.
    #[error("points is 0")]
    NoPoints,
    /// More pixels than anybody has.
    #[error("points is more than {limit}")]
    TooManyPoints {
        /// [`Settings::query_points_max`](crate::Settings::query_points_max).
        limit: u32,
    },
    /// More series than may be asked for at once.
    #[error("more than {limit} series")]
    TooManySeries {
        /// [`Settings::query_series_max`](crate::Settings::query_series_max).
        limit: usize,
    },
    /// There is no series of this number.
    #[error("unknown series")]
    UnknownSeries,
    /// Even the coarsest rollups of the window are too many.
    #[error("the window needs more work than one request may cause")]
    TooMuchWork,
}

/// What has to be read and decoded to answer a [`Query`].
///
/// It holds what it needs of the history, so that it runs outside of any lock. The state of the store that it reads is
/// to be one from after the planning; if a chunk was written anew between, the answer says that it is missing, and the
/// query is to be planned again.
#[derive(Debug)]
pub struct Plan {
    from: i64,
    to: i64,
    n_rows_max: usize,
    series: Vec<SeriesPlan>,
}

#[derive(Debug)]
struct SeriesPlan {
    id: SeriesId,
    /// `None` if single points are few enough.
    step: Option<i64>,
    /// For the case that there are more points than it looked like.
    fallback: i64,
    head: Vec<Point>,
    raw: Vec<u32>,
    /// Spans of time that are answered from rollups, in order, and the chunks that have them.
    spans: [Vec<(i64, i64)>; 3],
    rollups: [Vec<u32>; 3],
    faults: Vec<Fault>,
    usual_step: i64,
    /// How many points and rows are to be decoded.
    work: u64,
}

impl History {
    /// Finds out what has to be read for a query.
    ///
    /// # Errors
    /// The query cannot be answered; see [`QueryError`].
    pub fn plan(&self, query: &Query) -> Result<Plan, QueryError> {
        self.plan_within(query, self.settings.query_work_max)
    }

    /// The same, if it may cause only so much [`Plan::work`].
    ///
    /// # Errors
    /// The query cannot be answered; see [`QueryError`].
    pub fn plan_within(&self, query: &Query, work_max: u64) -> Result<Plan, QueryError> {
        self.check(query)?;
        let query = &Query {
            from: query.from.clamp(TIME_MIN, TIME_MAX),
            to: query.to.clamp(TIME_MIN, TIME_MAX + 1),
            ..query.clone()
        };
        let work_max = work_max / query.series.len().max(1) as u64;
        let series = query.series.iter().map(|&id| {
            let series = self.series.get(id.index());
            let series = series.ok_or(QueryError::UnknownSeries)?;
            plan_series(id, series, query, work_max).ok_or(QueryError::TooMuchWork)
        });
        Ok(Plan {
            from: query.from,
            to: query.to,
            n_rows_max: n_rows_max(query),
            series: series.collect::<Result<_, _>>()?,
        })
    }

    /// Whether a query can be answered, as far as that does not depend on what its series have.
    ///
    /// # Errors
    /// It cannot; see [`QueryError`].
    pub fn check(&self, query: &Query) -> Result<(), QueryError> {
        let settings = &self.settings;
        let from = query.from.clamp(TIME_MIN, TIME_MAX);
        if from >= query.to.clamp(TIME_MIN, TIME_MAX + 1) {
            return Err(QueryError::EmptyWindow);
        }
        if query.points == 0 {
            return Err(QueryError::NoPoints);
        }
        if query.points > settings.query_points_max {
            let limit = settings.query_points_max;
            return Err(QueryError::TooManyPoints { limit });
        }
        if query.series.len() > settings.query_series_max {
            let limit = settings.query_series_max;
            return Err(QueryError::TooManySeries { limit });
        }
        Ok(())
    }
}

impl Plan {
    /// How many points and rows are to be decoded: ten million take about a second.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.series.iter().map(|series| series.work).sum()
    }

    /// Answers series by series, in the order of the query.
    pub fn run(self, reader: &mut dyn Reader) -> impl Iterator<Item = Columns> {
        let window = (self.from, self.to);
        let n_rows_max = self.n_rows_max;
        self.series
            .into_iter()
            .map(move |series| series.run(window, n_rows_max, reader))
    }
}

/// The finest answer whose rows are few enough and whose work is allowed.
fn plan_series(id: SeriesId, series: &Series, query: &Query, work_max: u64) -> Option<SeriesPlan> {
    let span = query.to.abs_diff(query.from);
    let fallback = step_for(span, n_rows_max(query));
    let raw = look(id, series, query, None, fallback);
    if raw.spans.iter().all(Vec::is_empty)
        && raw.work <= work_max
        && series.n_points_about(query.from, query.to) <= n_rows_max(query) as u64
    {
        return Some(raw);
    }
    let coarser = STEPS.iter().copied().filter(|step| *step > fallback);
    let mut steps = std::iter::once(fallback).chain(coarser);
    steps.find_map(|step| {
        let plan = look_for_rows(id, series, query, step);
        (plan.work <= work_max).then_some(plan)
    })
}

/// What has to be read for rows of this step, or of a coarser one if only that is left of a part of the window.
fn look_for_rows(id: SeriesId, series: &Series, query: &Query, mut step: i64) -> SeriesPlan {
    loop {
        let plan = look(id, series, query, Some(step), step);
        match plan.coarsest_width() {
            // Its buckets may reach further, to where even less is left.
            coarser if coarser > step => step = coarser,
            _ => return plan,
        }
    }
}

/// What has to be read for rows of this step, or for points.
fn look(
    id: SeriesId,
    series: &Series,
    query: &Query,
    step: Option<i64>,
    fallback: i64,
) -> SeriesPlan {
    let (from, to) = whole_buckets((query.from, query.to), step.unwrap_or(fallback));
    let level = level_below(step.unwrap_or(0));
    let head = series.head.iter().map(|head| head.point);
    let mut plan = SeriesPlan {
        id,
        step,
        fallback,
        head: head.filter(|p| (from..to).contains(&p.time)).collect(),
        raw: Vec::new(),
        spans: [const { Vec::new() }; 3],
        rollups: [const { Vec::new() }; 3],
        faults: Vec::new(),
        usual_step: 0,
        work: 0,
    };
    plan.work += plan.head.len() as u64;
    for chunk in &series.chunks {
        if chunk.last < from || chunk.first >= to {
            continue;
        }
        plan.usual_step = chunk.step.max(plan.usual_step);
        let has_rows = |level: &Level| series.has_rows(chunk, *level);
        // Points of the head may be ones that the chunk has: only its points tell.
        let is_covered = |level: &Level| {
            let is_changed = series.has_head_within(chunk.first, chunk.last);
            has_rows(level) && !(is_changed && chunk.is_readable())
        };
        if let Some(level) = level.filter(is_covered) {
            plan.spans[level.index()].push((chunk.first, chunk.last));
        } else if chunk.is_readable() {
            plan.raw.push(chunk.number);
            plan.work += u64::from(chunk.count);
        } else if chunk.state == RawState::Damaged {
            plan.faults.push(Fault {
                key: Key::Body(chunk_id(id, Level::Raw, chunk.number)),
                kind: FaultKind::Damaged,
            });
        } else {
            let coarser = |other: &Level| level.is_none_or(|level| *other > level);
            let mut coarser = Level::ROLLUPS.into_iter().filter(coarser);
            if let Some(level) = coarser.find(has_rows) {
                plan.spans[level.index()].push((chunk.first, chunk.last));
            }
        }
    }
    if plan.usual_step == 0 {
        let times: Vec<i64> = plan.head.iter().map(|point| point.time).collect();
        plan.usual_step = usual_step(&times);
    }
    for level in Level::ROLLUPS {
        let spans = &plan.spans[level.index()];
        for rollup in &series.rollups[level.index()] {
            let (first, last) = (rollup.first.max(from), rollup.last.min(to - 1));
            let place = spans.partition_point(|span| span.1 < first);
            if first <= last && spans.get(place).is_some_and(|span| span.0 <= last) {
                plan.rollups[level.index()].push(rollup.number);
                plan.work += u64::from(rollup.count);
            }
        }
    }
    plan
}

impl SeriesPlan {
    /// How long the buckets of the coarsest rollups are that are read.
    fn coarsest_width(&self) -> i64 {
        let levels = Level::ROLLUPS.into_iter().rev();
        let mut read = levels.filter(|level| !self.spans[level.index()].is_empty());
        read.next().map_or(0, Level::width)
    }

    fn run(mut self, window: (i64, i64), n_rows_max: usize, reader: &mut dyn Reader) -> Columns {
        let step = self.step.unwrap_or(self.fallback);
        let (from, to) = whole_buckets(window, step);
        let mut points = Vec::new();
        for number in std::mem::take(&mut self.raw) {
            let chunk = chunk_id(self.id, Level::Raw, number);
            match read_points(reader, chunk) {
                Ok(found) => points.extend(found),
                Err(kind) => self.faults.push(Fault {
                    key: Key::Body(chunk),
                    kind,
                }),
            }
        }
        points.retain(|point| (from..to).contains(&point.time));
        let mut points = merge_points(points, &self.head);
        if self.step.is_none() {
            let (window_from, window_to) = window;
            let range = points.partition_point(|point| point.time < window_from)
                ..points.partition_point(|point| point.time < window_to);
            if range.len() <= n_rows_max {
                points.truncate(range.end);
                points.drain(..range.start);
                let times: Vec<i64> = points.iter().map(|point| point.time).collect();
                self.usual_step = self.usual_step.max(usual_step(&times));
                let rows = points.into_iter().map(Row::of);
                return self.columns(window, 0, rows.collect());
            }
        }
        let mut rows: Vec<Row> = points.into_iter().map(Row::of).collect();
        for level in Level::ROLLUPS {
            self.read_rollups(level, (from, to), &mut rows, reader);
        }
        // The rows of a chunk begin no earlier than it does, so that what comes last is last.
        rows.sort_by_key(|row| row.time);
        let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
        for row in rows {
            let time = start_of_bucket(row.time, step);
            match merged.last_mut().filter(|last| last.time == time) {
                Some(last) => last.add(&row),
                None => merged.push(Row { time, ..row }),
            }
        }
        self.columns((from, to), step, merged)
    }

    fn read_rollups(
        &mut self,
        level: Level,
        (from, to): (i64, i64),
        rows: &mut Vec<Row>,
        reader: &mut dyn Reader,
    ) {
        for number in std::mem::take(&mut self.rollups[level.index()]) {
            let chunk = chunk_id(self.id, level, number);
            match read_rows(reader, chunk) {
                Ok(found) => {
                    let spans = &self.spans[level.index()];
                    let is_wanted = |row: &Row| {
                        let place = spans.partition_point(|span| span.1 < row.time);
                        let span = spans.get(place);
                        let is_within = span.is_some_and(|span| span.0 <= row.time);
                        is_within && (from..to).contains(&row.time)
                    };
                    rows.extend(found.into_iter().filter(is_wanted));
                }
                Err(kind) => self.faults.push(Fault {
                    key: Key::Body(chunk),
                    kind,
                }),
            }
        }
    }

    fn columns(self, (from, to): (i64, i64), step: i64, rows: Vec<Row>) -> Columns {
        let mut columns = Columns {
            series: self.id,
            from,
            to,
            step,
            faults: self.faults,
            ..Columns::empty(self.id)
        };
        let silence = self.usual_step.saturating_mul(3).max(step);
        let mut before = None;
        for (index, row) in rows.into_iter().enumerate() {
            columns.time.push(row.time);
            columns.min.push(row.min);
            columns.max.push(row.max);
            columns.mean.push(row.mean());
            columns.last.push(row.last);
            columns.count.push(row.count);
            let since = before.map_or(0, |before| row.time.saturating_sub(before));
            if silence > 0 && since > silence {
                columns.gaps.push(index as u32);
            }
            before = Some(row.time);
        }
        columns
    }
}

impl Series {
    /// How many points there are within a window, if those of a chunk are evenly spread.
    fn n_points_about(&self, from: i64, to: i64) -> u64 {
        let sealed = self.chunks.iter().map(|chunk| {
            let (first, last) = (chunk.first.max(from), chunk.last.min(to - 1));
            if first > last {
                return 0.0;
            }
            let span = chunk.last.abs_diff(chunk.first).max(1) as f64;
            f64::from(chunk.count) * (last.abs_diff(first) as f64 / span)
        });
        let head = self.head.iter();
        let head = head.filter(|head| (from..to).contains(&head.point.time));
        sealed.sum::<f64>() as u64 + head.count() as u64
    }
}

fn n_rows_max(query: &Query) -> usize {
    query.points as usize * 2
}

/// The window widened, so that every row says all of its time.
fn whole_buckets((from, to): (i64, i64), width: i64) -> (i64, i64) {
    let start = start_of_bucket(to, width);
    let end = match start == to {
        true => to,
        false => start.saturating_add(width),
    };
    (start_of_bucket(from, width), end)
}
