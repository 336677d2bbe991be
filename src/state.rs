//! What the page knows, as plain data with the methods that change it.
//!
//! Nothing here knows a browser: it is compiled and tested natively.

mod archive;
mod attention;
mod broker;
mod connection;
mod fleet;
mod foreign;
mod freshness;
mod past;
mod probe;
mod pump;
mod stop_all;
mod table;
mod trial;
mod zone;

pub use archive::{Archive, Heard, Purpose, Window};
pub use attention::Attention;
pub use broker::{Broker, Brokers, FIELDS};
pub use connection::Connection;
pub use fleet::{Changes, Fleet};
pub use freshness::Freshness;
pub use past::{Kept, Level, Past};
pub use probe::{Probe, ProbeId, Standing, Tendency};
pub use pump::{Pump, PumpRun};
pub use stop_all::{Answer, StopAll};
pub use table::Table;
pub use trial::{Fault, INVALID_ADDRESS, Trial, remedy};
pub use zone::{Zone, device_of_key, key_of_device};
