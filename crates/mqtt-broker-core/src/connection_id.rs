//! Which Network Connection is meant.

use std::fmt;

/// Names one Network Connection of one [`Broker`](crate::Broker).
///
/// Its place is used again after the connection has ended, under another generation:
/// a late call with an old name does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl ConnectionId {
    /// The place in a table of connections: small, and unique among those that are open.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.index, self.generation)
    }
}
