//! Numbers, units, ages and clock times as people say them.
