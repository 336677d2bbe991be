//! What a store has done, for metrics.

/// Numbers since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreCounters {
    /// Groups of changes that became durable together, each with one fsync.
    pub commits: u64,
    /// Bytes that the store's file was given.
    pub written_bytes: u64,
}
