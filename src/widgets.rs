//! Pieces that know devices or MQTT.

pub mod broker_form;
pub mod broker_list;
pub mod chart_address;
pub mod connection_badge;
pub mod connection_notice;

pub mod first_steps;
pub mod probe_card;
pub mod pump_card;
pub mod reading_chart;
pub mod simulation_note;
pub mod stop_all;
pub mod zone_section;
