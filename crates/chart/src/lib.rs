//! The arithmetic of line charts over time, without a canvas: [`Series`] of readings, [`Scale`]s,
//! round ticks, gaps, and the two pictures that the dashboard shows, each as a flat list of
//! [`Command`]s; where lines are too crowded for that, as a [`Raster`] of pixels.
//!
//! Times are milliseconds since the Unix epoch, wall clock, as `i64`. Values are `f32`: sensors do
//! not have more digits, and a million points then take 9 MB. Pixels are CSS pixels from the
//! upper left corner.
//!
//! ```
//! use chart::{Band, Scene, Series, Size, Span};
//!
//! let mut series = Series::new(1_000);
//! series.append(1_000, 19.2);
//! series.append(2_000, 19.5);
//! let scene = Scene {
//!     window: Span::new(0, 60_000),
//!     now: 2_000,
//!     band: Some(Band { low: 14.0, high: 22.0 }),
//!     ..Scene::of(series)
//! };
//! let picture = scene.draw(Size::new(640.0, 320.0));
//! assert!(!picture.commands.is_empty());
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod calendar;
mod crosshair;
mod csv;
mod decimal;
mod gap;
mod head;
mod outlook;
mod picture;
mod plot;
mod raster;
mod scale;
mod scene;
mod series;
mod span;
mod sparkline;
mod summary;
mod table;
mod ticks;
mod trace;
mod trend;
mod view;

pub use calendar::{Zone, clock, clock_with_seconds, date};
pub use crosshair::{Crosshair, LineReading};
pub use decimal::decimal;
pub use picture::{Anchor, Command, Dash, Ink, Paint, Picture, Rect, Size};
pub use raster::{Raster, Rgb};
pub use scale::Scale;
pub use scene::{Band, Line, PumpRuns, Scene};
pub use series::{Bundle, Point, Series};
pub use span::{Span, live_window, present};
pub use sparkline::Sparkline;
pub use table::{Row, Table};
pub use ticks::{TimeTick, ValueTicks, time_ticks};
pub use trend::{Trend, trend};
pub use view::{Reach, View};
