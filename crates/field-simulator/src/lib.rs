//! Believable probes and pumps that talk to any MQTT broker.
//!
//! `layout` says what stands in the field. `ground` knows how wet it is: a `replay` of measurements or a `soil_model`,
//! and the `watering` of the pumps on top. Each `device` is a machine of messages and deadlines, and `connection` gives
//! it an MQTT connection of its own, because each has a Will of its own.

mod clock;
mod connection;
pub mod device;
mod error;
pub mod ground;
pub mod layout;
pub mod options;
pub mod past;
pub mod replay;
mod simulator;
pub mod soil_model;
mod time_span;
mod watering;

pub use error::Error;
pub use simulator::{Simulator, source, start};
