//! One probe and its store.

use history::{Columns, History, Point, Query, Recorded, SeriesId, Settings};

use crate::disk::Disk;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
/// Midnight.
pub(crate) const START: i64 = 20_577 * DAY;

pub(crate) struct Probe {
    pub(crate) history: History,
    pub(crate) disk: Disk,
    pub(crate) id: SeriesId,
    pub(crate) now: i64,
    settings: Settings,
}

/// Small chunks, so that few readings fill many.
pub(crate) fn small() -> Settings {
    Settings {
        n_chunk_points: 48,
        n_chunk_rows: 10,
        n_head_points: 20,
        ..Settings::default()
    }
}

impl Probe {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut history = History::new(settings.clone());
        let mut disk = Disk::default();
        let id = history.open("rootzone/north-beds/bed-1/moisture").unwrap();
        disk.commit(&mut history, START);
        Self {
            history,
            disk,
            id,
            now: START,
            settings,
        }
    }

    pub(crate) fn record(&mut self, time: i64, value: f32) -> Recorded {
        self.now = self.now.max(time);
        self.history
            .record(self.id, Point { time, value }, self.now)
    }

    /// Records so many readings of a ramp and seals what is due.
    pub(crate) fn fill(&mut self, n_points: i64, step: i64) {
        for index in 0..n_points {
            let recorded = self.record(START + index * step, (index % 100) as f32);
            assert_eq!(recorded, Recorded::Kept);
        }
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        self.disk.settle(&mut self.history, self.now);
    }

    pub(crate) fn wait(&mut self, time: i64) {
        self.now += time;
        self.settle();
    }

    /// Lets go all that is too old or too much by now.
    pub(crate) fn tidy_up(&mut self) {
        // What ended gets its rollups in the first hour and goes in the next.
        for _ in 0..3 {
            self.now += HOUR;
            let mut n_dropped = 16;
            while n_dropped == 16 {
                let before = self.history.counters().dropped_chunks;
                self.history.handle_timeout(self.now);
                self.settle();
                n_dropped = self.history.counters().dropped_chunks - before;
            }
        }
    }

    pub(crate) fn restart(&mut self) {
        self.history = self.disk.restart(&self.settings, self.now);
    }

    pub(crate) fn ask(&mut self, from: i64, to: i64, points: u32) -> Columns {
        let query = Query {
            series: vec![self.id],
            from,
            to,
            points,
        };
        let plan = self.history.plan(&query).unwrap();
        plan.run(&mut self.disk).next().unwrap()
    }

    /// How many points there are according to a window of everything.
    pub(crate) fn n_points(&mut self) -> u32 {
        let columns = self.ask(START - 1_000 * DAY, self.now + DAY, 1_000);
        columns.count.iter().sum()
    }
}
