//! Pieces that only look and behave; they know neither devices nor MQTT.

pub mod badge;
pub mod button;
pub mod canvas;
pub mod chart;
pub mod choice;
pub mod countdown_ring;
pub mod frame;
pub mod notice;
pub mod reactive;
pub mod sparkline;
pub mod switch;
pub mod text_field;
