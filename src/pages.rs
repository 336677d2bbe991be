//! One file per route.

pub mod probe;
