//! The client alone in a real browser, with real brokers.

mod brokers;
mod crashes;
mod figures;
mod lifecycle;
mod memory;
mod pixels;
