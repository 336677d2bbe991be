//! Pieces that only look and behave; they know neither devices nor MQTT.

pub mod chart;
pub mod sparkline;
