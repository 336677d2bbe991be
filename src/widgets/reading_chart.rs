//! A probe's readings on a large chart.
