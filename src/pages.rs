//! One file per route.

pub mod field;
pub mod not_found;
pub mod probe;
pub mod pumps;
pub mod settings;
pub mod zone;
