//! Pieces that only look and behave; they know neither devices nor MQTT.

pub mod canvas;
pub mod chart;
pub mod frame;
pub mod sparkline;
