//! What only looks and behaves: knows neither state nor MQTT.

pub mod canvas;
pub mod chart;
pub mod frame;
