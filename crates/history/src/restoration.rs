//! A history made of what a store has.

use crate::{
    History, Key, Level, Point, SeriesId, Settings,
    key::ChunkId,
    record::{decode_raw, decode_rollup, decode_series, decode_value},
    series::{HeadPoint, HeadState, RawState},
};

/// Makes a [`History`] of the records between [`Key::RESTORED`], given in the order of their keys.
/// The bodies of chunks are not needed, and do no harm.
#[derive(Debug)]
pub struct Restoration {
    history: History,
}

/// A record that is not one of a history. The others count without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record of the history cannot be read: key {key:02x?}")]
pub struct CorruptRecord {
    /// Its key.
    pub key: Vec<u8>,
}

impl Restoration {
    /// Begins with nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            history: History::new(settings),
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// The record is damaged, or its series is.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), CorruptRecord> {
        self.add_if_whole(key, value)
            .ok_or_else(|| CorruptRecord { key: key.to_vec() })
    }

    fn add_if_whole(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match Key::decode(key)? {
            Key::Series(id) => self.add_series(id, value),
            Key::Head(id, time) => {
                let value = decode_value(value)?;
                let series = self.history.series.get_mut(id.index())?;
                series.head.push(HeadPoint {
                    point: Point { time, value },
                    state: HeadState::Stored,
                    is_stored: true,
                });
                Some(())
            }
            Key::Index(ChunkId {
                series,
                level,
                number,
            }) => {
                let series = self.history.series.get_mut(series.index())?;
                if level == Level::Raw {
                    series.chunks.push(decode_raw(number, value)?);
                } else {
                    let chunk = decode_rollup(number, value)?;
                    series.rollups[level.index()].push(chunk);
                }
                let next = &mut series.next_numbers[level as usize];
                *next = number.wrapping_add(1).max(*next);
                Some(())
            }
            Key::Body(_) => Some(()),
        }
    }

    fn add_series(&mut self, id: SeriesId, value: &[u8]) -> Option<()> {
        let history = &mut self.history;
        let (kept_from, name) = decode_series(value)?;
        // Numbers have no holes, unless a record of one was lost: its readings keep their place.
        let is_near = id.index() < history.series.len() + N_LOST_SERIES_MAX;
        if !is_near || id.index() < history.series.len() || history.find(name).is_some() {
            return None;
        }
        while history.series.len() < id.index() {
            let lost = SeriesId(history.series.len() as u32);
            history.insert_series(lost, &format!("lost series {}", lost.number()));
        }
        history.insert_series(id, name);
        history.series[id.index()].kept_from = kept_from;
        Some(())
    }

    /// The history as it was when these records were written.
    #[must_use]
    pub fn finish(self, now: i64) -> History {
        let mut history = self.history;
        for index in 0..history.series.len() {
            let series = &mut history.series[index];
            series.head.sort_by_key(|head| head.point.time);
            series.chunks.sort_by_key(|chunk| chunk.first);
            series.rollups.iter_mut().for_each(|rollups| {
                rollups.sort_by_key(|chunk| chunk.first);
            });
            let counters = &mut history.counters;
            counters.n_bytes += series.n_bytes();
            counters.n_head_points += series.head.len() as u64;
            let damaged = series.chunks.iter();
            let damaged = damaged.filter(|chunk| chunk.state == RawState::Damaged);
            counters.damaged_chunks += damaged.count() as u64;
            history.reschedule(SeriesId(index as u32), now);
        }
        history.next_retention = Some(now);
        history
    }
}

/// More missing numbers are a number that is wrong.
const N_LOST_SERIES_MAX: usize = 10_000;
