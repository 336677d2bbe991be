//! Pieces that know devices or MQTT.

pub mod reading_chart;
