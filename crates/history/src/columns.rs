//! Answers.

use crate::{
    key::{Key, SeriesId},
    reader::FaultKind,
};

/// A window of one series, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Whose.
    pub series: SeriesId,
    /// Where the window begins: where it was asked to, or with the whole bucket that this is in.
    pub from: i64,
    /// Before what it ends.
    pub to: i64,
    /// How long a bucket is, in milliseconds; 0 if every row is one point.
    pub step: i64,
    /// Of the point, or where the bucket begins. Buckets without a point have no row.
    pub time: Vec<i64>,
    /// The smallest value.
    pub min: Vec<f32>,
    /// The largest value.
    pub max: Vec<f32>,
    /// The mean of the values.
    pub mean: Vec<f32>,
    /// The value that came last.
    pub last: Vec<f32>,
    /// How many points.
    pub count: Vec<u32>,
    /// The places of rows before which the series was silent for more than three times its usual step.
    pub gaps: Vec<u32>,
    /// Chunks that are missing in this answer.
    pub faults: Vec<Fault>,
}

/// A chunk is missing in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("chunk {key:?} is {kind}")]
pub struct Fault {
    /// Under which key the store has it.
    pub key: Key,
    /// Why.
    pub kind: FaultKind,
}

impl Columns {
    pub(crate) fn empty(series: SeriesId) -> Self {
        Self {
            series,
            from: 0,
            to: 0,
            step: 0,
            time: Vec::new(),
            min: Vec::new(),
            max: Vec::new(),
            mean: Vec::new(),
            last: Vec::new(),
            count: Vec::new(),
            gaps: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Whether a chunk was written anew since the query was planned, so that it is to be planned again.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        let mut kinds = self.faults.iter().map(|fault| fault.kind);
        kinds.any(|kind| kind == FaultKind::Missing)
    }
}
