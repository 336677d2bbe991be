//! Years of readings: what came last as single points, the rest as compressed chunks with rollups.
//!
//! Nothing here reads a clock or a file. Readings and time go in, operations for a store and a deadline come out;
//! the store is any ordered map of bytes whose commits are all or nothing. Times are milliseconds since the Unix epoch,
//! wall clock, as `i64`; values are `f32`, as sensors do not have more digits.
//!
//! ```
//! use history::{History, Output, Point, Query, Reader, Recorded, Settings, Unreadable};
//!
//! struct Nothing;
//! impl Reader for Nothing {
//!     fn read(&mut self, _: &[u8], _: &mut dyn FnMut(&[u8])) -> Result<(), Unreadable> {
//!         Ok(())
//!     }
//! }
//!
//! let mut history = History::new(Settings::default());
//! let now = 1_777_888_800_000;
//! let bed = history.open("rootzone/north-beds/bed-1/moisture").unwrap();
//! let point = Point { time: now, value: 37.2 };
//! assert_eq!(history.record(bed, point, now), Recorded::Kept);
//! // To be written in one commit, before the reading is acknowledged.
//! let mut n_operations = 0;
//! while !matches!(history.poll_output(), Output::Timeout(_)) {
//!     n_operations += 1;
//! }
//! assert_eq!(n_operations, 2);
//! history.handle_stored(history.store_sequence(), now);
//!
//! let query = Query { series: vec![bed], from: now - 1_000, to: now + 1_000, points: 600 };
//! let answers: Vec<_> = history.plan(&query).unwrap().run(&mut Nothing).collect();
//! assert_eq!(answers[0].mean, [37.2]);
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod body;
mod coder;
mod columns;
mod history;
mod integers;
mod key;
mod ladder;
mod point;
mod points;
mod query;
mod reader;
mod record;
mod restoration;
mod retention;
mod row;
mod series;
mod settings;
mod task;
mod times;
mod values;

pub use columns::{Columns, Fault};
pub use history::{Counters, History, Output, Recorded};
pub use key::{ChunkId, Key, Level, SeriesId};
pub use point::Point;
pub use query::{Plan, Query, QueryError};
pub use reader::{FaultKind, Reader, Unreadable};
pub use restoration::{CorruptRecord, Restoration};
pub use settings::Settings;
pub use task::{Sealed, Task};
