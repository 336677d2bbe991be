//! Random readings, windows and power cuts, beside the truth.

use history::{
    Columns, History, Plan, Point, Query, QueryError, Recorded, Sealed, SeriesId, Settings, Task,
};

use crate::{
    disk::Disk,
    truth::{Truth, check},
};

/// One history and everything that happens to it.
pub(crate) struct World {
    random: fastrand::Rng,
    settings: Settings,
    history: History,
    disk: Disk,
    now: i64,
    series: Vec<SimulatedSeries>,
    tasks: Vec<Task>,
    sealed: Vec<Sealed>,
    pub(crate) counts: Counts,
}

struct SimulatedSeries {
    id: SeriesId,
    step: i64,
    jitter: i64,
    decimals: i32,
    time: i64,
    value: f32,
    truth: Truth,
    /// As it was when all was durable last.
    durable: Truth,
    /// Whether days went too, where the limit of size left no other choice.
    is_something_gone: bool,
}

/// How much was tried.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) runs: u64,
    pub(crate) readings: u64,
    pub(crate) late: u64,
    pub(crate) doubled: u64,
    pub(crate) changed: u64,
    pub(crate) seals: u64,
    pub(crate) cuts: u64,
    pub(crate) windows: u64,
    pub(crate) rolled_up: u64,
    pub(crate) outdated: u64,
    pub(crate) dropped: u64,
    /// Windows with something in them that is left in rollups only.
    pub(crate) coarsened: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let drops = random.u8(0..3) == 0;
        let is_limited = random.u8(0..3) == 0;
        let mut kept = |drops: bool| drops.then(|| DAY / 8 * random.i64(1..20));
        let (raw_kept, rollups_kept) = (kept(drops), [kept(drops), kept(drops), None]);
        let settings = Settings {
            raw_kept,
            rollups_kept,
            n_bytes_max: is_limited.then(|| random.u64(500..8_000)),
            n_chunk_points: random.usize(2..80),
            n_chunk_rows: random.usize(1..30),
            n_head_points: random.usize(1..40),
            seal_after: random.i64(0..DAY),
            seal_late_after: random.i64(0..DAY / 24),
            ..Settings::default()
        };
        let mut history = History::new(settings.clone());
        let now = 1_777_888_800_000 + random.i64(0..DAY);
        let series = (0..random.usize(1..4)).map(|number| {
            let step = [1_000, 60_000, 900_000, 3_600_000, DAY][random.usize(0..5)];
            SimulatedSeries {
                id: history.open(&format!("series {number}")).unwrap(),
                step,
                jitter: if random.bool() { 1 } else { step / 2 },
                decimals: random.i32(0..9),
                time: now - random.i64(0..100) * step,
                value: 20.0,
                truth: Truth::new(),
                durable: Truth::new(),
                is_something_gone: false,
            }
        });
        let series = series.collect();
        let mut disk = Disk::default();
        disk.commit(&mut history, now);
        Self {
            random,
            settings,
            history,
            disk,
            now,
            series,
            tasks: Vec::new(),
            sealed: Vec::new(),
            counts: Counts {
                runs: 1,
                ..Counts::default()
            },
        }
    }

    pub(crate) fn run(&mut self) -> Result<(), String> {
        for _ in 0..self.random.usize(20..120) {
            match self.random.u8(0..25) {
                0..7 => self.read_on()?,
                7 | 8 => self.read_late()?,
                9 => self.read_again()?,
                10 => self.disk.take_from(&mut self.history).map_or((), drop),
                11 | 12 => self.commit(),
                13 | 14 => self.begin_to_seal(),
                15 | 16 => self.finish(),
                17 if self.random.bool() => self.cut()?,
                17..21 => self.let_go()?,
                _ => self.ask()?,
            }
            self.now += self.random.i64(0..DAY / 20);
        }
        self.settle()
    }

    /// The next readings of a series.
    fn read_on(&mut self) -> Result<(), String> {
        let place = self.random.usize(0..self.series.len());
        for _ in 0..self.random.usize(1..40) {
            let series = &mut self.series[place];
            let pause = if self.random.u8(0..50) == 0 { 50 } else { 1 };
            series.time += series.step * pause;
            let time = series.time + self.random.i64(0..series.jitter);
            let scale = 10_f32.powi(series.decimals);
            series.value = (series.value + self.random.f32() - 0.5).clamp(-5.0, 100.0);
            let value = (series.value * scale).round() / scale;
            self.now = self.now.max(series.time);
            self.record(place, time, value)?;
        }
        Ok(())
    }

    fn read_late(&mut self) -> Result<(), String> {
        let place = self.random.usize(0..self.series.len());
        for _ in 0..self.random.usize(1..10) {
            let series = &self.series[place];
            let back = self.random.i64(0..300) * series.step;
            let time = series.time - back + self.random.i64(-series.jitter..=series.jitter);
            let value = self.random.f32() * 50.0;
            self.counts.late += 1;
            self.record(place, time, value)?;
        }
        Ok(())
    }

    /// Readings that are known, some of them with another value.
    fn read_again(&mut self) -> Result<(), String> {
        let place = self.random.usize(0..self.series.len());
        for _ in 0..self.random.usize(1..10) {
            let truth = &self.series[place].truth;
            let Some((&time, &value)) = truth.iter().nth(self.random.usize(0..truth.len().max(1)))
            else {
                return Ok(());
            };
            let value = match self.random.u8(0..3) {
                0 => {
                    self.counts.changed += 1;
                    value + 1.0
                }
                _ => {
                    self.counts.doubled += 1;
                    value
                }
            };
            self.record(place, time, value)?;
        }
        Ok(())
    }

    fn record(&mut self, place: usize, time: i64, value: f32) -> Result<(), String> {
        self.counts.readings += 1;
        let series = &mut self.series[place];
        let recorded = self
            .history
            .record(series.id, Point { time, value }, self.now);
        match recorded {
            Recorded::Kept => drop(series.truth.insert(time, value)),
            Recorded::Known if series.truth.get(&time) == Some(&value) => {}
            Recorded::Ahead if time > self.now + DAY => {}
            Recorded::TooOld if self.counts.dropped + self.n_dropped() > 0 => {}
            Recorded::Known | Recorded::Ahead | Recorded::TooOld | Recorded::Invalid => {
                return Err(format!("{recorded:?} at {time}"));
            }
        }
        Ok(())
    }

    fn commit(&mut self) {
        self.disk.commit(&mut self.history, self.now);
        for series in &mut self.series {
            series.durable.clone_from(&series.truth);
        }
    }

    /// Takes tasks, and runs some of those that were taken.
    fn begin_to_seal(&mut self) {
        while let Some(task) = self.history.next_task(self.now) {
            self.tasks.push(task);
        }
        for _ in 0..self.random.usize(0..=self.tasks.len()) {
            let task = self.tasks.remove(0);
            self.sealed.push(task.run(&mut self.disk));
        }
    }

    fn finish(&mut self) {
        for _ in 0..self.random.usize(0..=self.sealed.len()) {
            let place = self.random.usize(0..self.sealed.len());
            let sealed = self.sealed.remove(place);
            self.history.finish(sealed, self.now);
            self.counts.seals += 1;
        }
    }

    fn cut(&mut self) -> Result<(), String> {
        self.tasks.clear();
        self.sealed.clear();
        self.counts.dropped += self.n_dropped();
        self.history = self.disk.restart(&self.settings, self.now);
        self.counts.cuts += 1;
        for series in &mut self.series {
            series.truth.clone_from(&series.durable);
        }
        self.check_counts()
    }

    fn ask(&mut self) -> Result<(), String> {
        let place = self.random.usize(0..self.series.len());
        let series = &self.series[place];
        let span = series.step * self.random.i64(1..=1_000);
        let back = series.step * self.random.i64(-20..500);
        let to = series.time - back + self.random.i64(0..series.step);
        let query = Query {
            series: vec![series.id],
            from: to - span,
            to,
            points: self.random.u32(1..80),
        };
        let plan = self.plan(&query)?;
        // The store goes on while a question is on its way.
        let goes_on = self.random.u8(0..4) == 0;
        if goes_on {
            self.finish();
            self.disk.commit(&mut self.history, self.now);
            for series in &mut self.series {
                series.durable.clone_from(&series.truth);
            }
        }
        let mut columns = self.answer(plan);
        if goes_on && columns.is_outdated() {
            self.counts.outdated += 1;
            let plan = self.plan(&query)?;
            columns = self.answer(plan);
        }
        self.counts.windows += 1;
        self.counts.rolled_up += u64::from(columns.step > 0);
        if columns.time.len() > query.points as usize * 2 {
            return Err(format!("{} rows for {query:?}", columns.time.len()));
        }
        let step = columns.step.max(1);
        let (from, to) = (columns.from, columns.to);
        let is_whole = from % step == 0 && to % step == 0 || columns.step == 0;
        let is_around = from <= query.from && to >= query.to;
        let n_rows_max = i64::from(query.points) * 2;
        if !is_whole || !is_around || columns.step > 0 && (to - from) / step > n_rows_max {
            return Err(format!("{query:?}: {from}..{to}, step {step}"));
        }
        if self.series[place].is_something_gone {
            return Ok(());
        }
        let is_finer_asked = span / step < n_rows_max / 8;
        self.counts.coarsened += u64::from(columns.step > 0 && is_finer_asked);
        check(&columns, &self.series[place].truth)
            .map_err(|difference| format!("{query:?}, step {}: {difference}", columns.step))
    }

    fn plan(&self, query: &Query) -> Result<Plan, String> {
        let plan = self.history.plan(query);
        plan.map_err(|error: QueryError| error.to_string())
    }

    fn answer(&mut self, plan: Plan) -> Columns {
        plan.run(&mut self.disk).next().unwrap()
    }

    fn n_dropped(&self) -> u64 {
        self.history.counters().dropped_chunks
    }

    fn let_go(&mut self) -> Result<(), String> {
        let before = self.n_dropped();
        let n_bytes = self.history.counters().n_bytes;
        let is_too_large = self.settings.n_bytes_max.is_some_and(|max| n_bytes > max);
        self.history.handle_timeout(self.now);
        if self.n_dropped() == before {
            return Ok(());
        }
        for place in 0..self.series.len() {
            let (n_found, n_expected) = self.count_in_days(place)?;
            self.series[place].is_something_gone |= is_too_large && n_found < n_expected;
        }
        self.check_counts()
    }

    /// No point is lost or doubled.
    fn check_counts(&mut self) -> Result<(), String> {
        for place in 0..self.series.len() {
            let (n_found, n_expected) = self.count_in_days(place)?;
            let is_gone = self.series[place].is_something_gone && n_found < n_expected;
            if n_found != n_expected && !is_gone {
                return Err(format!("{n_found} points of {n_expected}"));
            }
        }
        Ok(())
    }

    /// How many points there are in days, which outlive everything else, and how many there should be.
    fn count_in_days(&mut self, place: usize) -> Result<(u64, u64), String> {
        let truth = &self.series[place].truth;
        let (Some((first, _)), Some((last, _))) = (truth.first_key_value(), truth.last_key_value())
        else {
            return Ok((0, 0));
        };
        let query = Query {
            series: vec![self.series[place].id],
            from: *first,
            to: last + 1,
            points: ((last - first) / DAY / 4 + 2) as u32,
        };
        let plan = self.plan(&query)?;
        let columns = self.answer(plan);
        if !columns.faults.is_empty() {
            return Err(format!("{:?}", columns.faults));
        }
        let n_found = columns.count.iter().map(|count| u64::from(*count)).sum();
        let truth = &self.series[place].truth;
        let n_expected = truth.range(columns.from..columns.to).count() as u64;
        Ok((n_found, n_expected))
    }

    /// Everything that was begun comes to its end, and the books agree with the store.
    fn settle(&mut self) -> Result<(), String> {
        while !(self.tasks.is_empty() && self.sealed.is_empty()) {
            self.begin_to_seal();
            self.finish();
        }
        self.commit();
        for _ in 0..100 {
            self.now += 2 * DAY;
            self.disk.settle(&mut self.history, self.now);
        }
        self.counts.dropped += self.n_dropped();
        self.check_counts()?;
        let (counted, stored) = (self.history.counters().n_bytes, self.disk.n_bytes());
        if counted != stored {
            return Err(format!("{counted} bytes counted, {stored} stored"));
        }
        if self.history.counters().n_head_points > 0 {
            return Err("points are left in the head".to_owned());
        }
        let restarted = self.disk.restart(&self.settings, self.now);
        if restarted.counters().n_bytes != stored {
            return Err("another size after a restart".to_owned());
        }
        Ok(())
    }
}

const DAY: i64 = 86_400_000;
