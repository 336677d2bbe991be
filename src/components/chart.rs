//! One canvas and what draws on it.
