//! All points of a series, one after the other.

use crate::{
    Fault, History, Key, Level, Point, Reader, SeriesId,
    history::chunk_id,
    point::merge_points,
    reader::{FaultKind, read_points},
    series::RawState,
};

impl History {
    /// Gives all points of a series in the order of time, as far as they are kept, chunk by chunk; a chunk that cannot
    /// be read is named in its place.
    ///
    /// It reads while the history is borrowed: for programs that do nothing else meanwhile.
    pub fn points(
        &self,
        id: SeriesId,
        reader: &mut dyn Reader,
        mut each: impl FnMut(Result<&[Point], Fault>),
    ) {
        let Some(series) = self.series.get(id.index()) else {
            return;
        };
        let head: Vec<Point> = series.head.iter().map(|head| head.point).collect();
        let mut head = head.as_slice();
        for chunk in &series.chunks {
            let key = chunk_id(id, Level::Raw, chunk.number);
            let points = match chunk.state {
                RawState::Open | RawState::Closed => read_points(reader, key),
                RawState::Damaged => Err(FaultKind::Damaged),
                RawState::Dropped => Ok(Vec::new()),
            };
            let n_before = head.partition_point(|point| point.time <= chunk.last);
            let (before, rest) = head.split_at(n_before);
            head = rest;
            match points {
                Ok(points) => each(Ok(&merge_points(points, before))),
                Err(kind) => {
                    let key = Key::Body(key);
                    each(Err(Fault { key, kind }));
                    each(Ok(before));
                }
            }
        }
        each(Ok(head));
    }
}
