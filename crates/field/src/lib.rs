//! Probes and pumps as values: topics and payloads in and out, and the pump's two state machines.
//!
//! Nothing here knows a connection or a clock: texts, calls and time go in; values, commands and a deadline come out.
//!
//! ```
//! use field::{Address, Channel, Reading};
//!
//! let address = Address::parse("rootzone/north-beds/bed-1/moisture").unwrap();
//! let Address::Device { device, channel: Channel::Moisture } = address else { unreachable!() };
//! assert_eq!((device.zone(), device.name()), ("north-beds", "bed-1"));
//! assert_eq!(Reading::parse(b"37.2").unwrap().moisture, 37.2);
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod address;
mod config;
mod discovery;
pub mod json;
mod payload_error;
mod payload_time;
mod pump;
mod pump_device;
mod pump_switch;
mod reading;
mod status;
mod template;
mod timestamp;

pub use address::{Address, COMMAND_FILTER, Channel, DeviceId, FILTERS, InvalidDeviceId};
pub use config::{DeviceConfig, Simulation, TargetBand};
pub use discovery::{Availability, Component, Entity, EntityAddress};
pub use payload_error::PayloadError;
pub use payload_time::payload_time;
pub use pump::{CommandId, InvalidCommandId, PumpCommand, PumpState, Switch};
pub use pump_device::{PumpDevice, PumpDeviceOutput, PumpDeviceSettings};
pub use pump_switch::{PumpSwitch, PumpSwitchOutput, Refusal, Run, SwitchState};
pub use reading::Reading;
pub use status::Status;
pub use template::{Step, Template, TemplateError};
pub use timestamp::{InvalidTimestamp, Timestamp};
